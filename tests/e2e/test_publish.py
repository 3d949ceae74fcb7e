"""What is released reaches a registry, a real one here, and comes back as it was."""

from __future__ import annotations

import json
import subprocess
import tarfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from registry import registry

from chartproof import Cluster, Helm
from kindling_dev import digests, images
from kindling_dev.command import Failure, run
from kindling_dev.digests import PinnedImage
from kindling_dev.progress import Progress
from kindling_dev.release import (
    application_charts,
    charts_images,
    image_tag,
    others_images,
    own_image,
    own_images,
    push_image,
    pushed_image,
)
from kindling_dev.settings import ADMIN_NAMESPACE, REPO, Settings
from kindling_dev.spark_image import DEFAULT_LINE

_IMAGES = REPO / "images"


@pytest.fixture
def served(address: str, tmp_path: Path) -> Iterator[str]:
    """Address of a registry with nothing in it."""
    with registry(tmp_path, address):
        yield address


@pytest.fixture
def listed(image: str, served: str, tmp_path: Path) -> Iterator[Path]:
    """The list of a release whose images, tiny ones here, are in the registry under the names that charts give."""
    names = [f"{served}/{digests.below_registry(name)}" for name in charts_images()]
    pushed = [push_image(image, name, Settings.from_environment(), Progress()) for name in names]
    run(["docker", "image", "rm", *names])
    digests.write_list(tmp_path / "images.txt", pushed)
    yield tmp_path / "images.txt"
    # What a test pulled by digest.
    for pinned in pushed:
        subprocess.run(["docker", "image", "rm", pinned.by_digest], capture_output=True, check=False)


def release(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    """Run scripts/release."""
    return subprocess.run([REPO / "scripts/release", *argv], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("program", ["helm", "helm4"])
def test_published_charts_are_pulled_and_installed(
    program: str,
    served: str,
    image: str,
    listed: Path,
    tmp_path: Path,
    charts: Path,
    cluster: Cluster,
    new_namespace: Callable[..., str],
) -> None:
    done = release("--folder", tmp_path / "packages", "--digests", listed, "--push", f"{served}/owner")
    assert done.returncode == 0, done.stderr
    helm = Helm(program, cluster.kubeconfig)
    charts_of = {}
    for chart in application_charts(charts):
        (package,) = (tmp_path / "packages").glob(f"{chart.name}-*.tgz")
        version = package.stem.removeprefix(f"{chart.name}-")
        charts_of[chart.name] = [f"oci://{served}/owner/charts/{chart.name}", "--version", version, "--plain-http"]
        helm.run(["pull", *charts_of[chart.name], "--destination", str(tmp_path)])
        assert (tmp_path / package.name).read_bytes() == package.read_bytes()

    team = new_namespace("team", create=False)
    namespace = ["--namespace", ADMIN_NAMESPACE, "--create-namespace", f"--set=namespace.name={team}"]
    helm.run(["install", team, *charts_of["spark-namespace"], *namespace])
    try:
        mirror = {"imageRegistry": served}
        values = {"app": {"source": "print('hello')"}, "schedule": {"cron": "@yearly"}, "global": mirror}
        helm.run(["install", "hello", *charts_of["spark-job"], "--namespace", team, "--values=-"], json.dumps(values))
        (hello,) = cluster.batch.list_namespaced_cron_job(team).items
        (driver,) = hello.spec.job_template.spec.template.spec.containers
        run(["docker", "pull", driver.image])
        assert images.image_id(driver.image) == images.image_id(image)
    finally:
        helm.run(["uninstall", team, "--namespace", ADMIN_NAMESPACE])


def test_a_registry_that_does_not_answer_is_an_error_of_one_line(address: str, tmp_path: Path) -> None:
    listed = [PinnedImage(name, f"sha256:{'0' * 64}") for name in charts_images()]
    digests.write_list(tmp_path / "images.txt", listed)
    done = release("--folder", tmp_path, "--digests", tmp_path / "images.txt", "--push", f"{address}/owner")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("kindling: push spark-")
    assert "connection refused" in line


def test_an_image_is_published_under_the_name_that_values_give(image: str, served: str) -> None:
    name = f"{served}/owner/spark:{image_tag(DEFAULT_LINE)}"
    pushed = push_image(image, name, Settings.from_environment(), Progress())
    run(["docker", "image", "rm", name])
    run(["docker", "pull", pushed.by_digest])
    assert images.image_id(pushed.by_digest) == images.image_id(image)
    run(["docker", "image", "rm", pushed.by_digest])
    with urllib.request.urlopen(f"http://{served}/v2/owner/spark/tags/list", timeout=10) as answer:
        assert json.load(answer)["tags"] == [f"{DEFAULT_LINE.version}-python3"]


def test_an_image_that_someone_else_replaced_is_not_released(image: str, served: str, tmp_path: Path) -> None:
    name = f"{served}/owner/spark:{image_tag(DEFAULT_LINE)}"
    push_image(image, name, Settings.from_environment(), Progress())
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("other"))
    run(["crane", "append", "--new_layer", tmp_path / "other.tar", "--new_tag", name])
    with pytest.raises(Failure, match=f"^{name} is not what was pushed: its registry has sha256:"):
        pushed_image(name)
    run(["docker", "image", "rm", name])


@pytest.mark.long
def test_a_release_of_images_pins_its_charts(image: str, served: str, tmp_path: Path) -> None:
    settings, progress = Settings.from_environment(), Progress()
    (official,) = others_images()
    mirrored = push_image(image, f"{served}/{digests.below_registry(official)}", settings, progress)
    run(["docker", "image", "rm", mirrored.name])
    done = release("--folder", tmp_path, "--images", f"{served}/kindling", "--mirror", served)
    assert done.returncode == 0, done.stderr
    listed = digests.read_list(tmp_path / "images.txt")
    ours = {f"{served}/kindling/{name}" for name in own_images(settings, progress)}
    assert {pinned.name for pinned in listed} == {mirrored.name, *ours}
    for pinned in listed:
        assert digests.in_registry(pinned.name) == pinned
        chart_of = {mirrored.name: "spark-job"}.get(pinned.name, "")
        if "/spark-ui-proxy:" in pinned.name:
            chart_of = "spark-ui-proxy"
        if chart_of:
            (package,) = tmp_path.glob(f"{chart_of}-*.tgz")
            assert f"@{pinned.digest}" in Helm("helm4").run(["show", "chart", str(package)])
    run(["docker", "image", "rm", *ours])


@pytest.mark.long
def test_every_image_that_values_or_guides_name_is_released() -> None:
    names = own_images(Settings.from_environment(), Progress())
    of_nodes_alone = {"kind-node"}
    assert {name.partition(":")[0] for name in names} == {path.name for path in _IMAGES.iterdir()} - of_nodes_alone
    assert f"spark-s3:{image_tag(DEFAULT_LINE)}" in names
    assert all(images.in_engine(image) for image in names.values())


def test_the_official_image_is_never_released_as_ours() -> None:
    settings, progress = Settings.from_environment(), Progress()
    if DEFAULT_LINE.line in settings.spark_images:
        pytest.skip("an image of one's own is set: ours may not be there, and takes minutes to build")
    if images.in_engine(DEFAULT_LINE.published):
        with pytest.raises(Failure, match=f"docker image rm {DEFAULT_LINE.published}"):
            own_image(DEFAULT_LINE, settings, progress)
    else:
        assert own_image(DEFAULT_LINE, settings, progress).startswith(f"kindling/spark:{DEFAULT_LINE.version}-")
