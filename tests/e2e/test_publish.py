"""What is released reaches a registry, a real one here, and comes back as it was."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from registry import registry

from chartproof import Cluster, Helm
from kindling_dev import images
from kindling_dev.command import Failure, run
from kindling_dev.progress import Progress
from kindling_dev.release import application_charts, image_tag, own_image, own_images, push_image
from kindling_dev.settings import ADMIN_NAMESPACE, REPO, Settings
from kindling_dev.spark_image import DEFAULT_LINE

_IMAGES = REPO / "images"


@pytest.fixture
def served(address: str, tmp_path: Path) -> Iterator[str]:
    """Address of a registry with nothing in it."""
    with registry(tmp_path, address):
        yield address


def release(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    """Run scripts/release."""
    return subprocess.run([REPO / "scripts/release", *argv], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("program", ["helm", "helm4"])
def test_published_charts_are_pulled_and_installed(
    program: str,
    served: str,
    tmp_path: Path,
    charts: Path,
    cluster: Cluster,
    new_namespace: Callable[..., str],
) -> None:
    done = release("--folder", tmp_path / "packages", "--push", f"{served}/owner")
    assert done.returncode == 0, done.stderr
    helm = Helm(program, cluster.kubeconfig)
    published = {}
    for chart in application_charts(charts):
        (package,) = (tmp_path / "packages").glob(f"{chart.name}-*.tgz")
        version = package.stem.removeprefix(f"{chart.name}-")
        published[chart.name] = [f"oci://{served}/owner/charts/{chart.name}", "--version", version, "--plain-http"]
        helm.run(["pull", *published[chart.name], "--destination", str(tmp_path)])
        assert (tmp_path / package.name).read_bytes() == package.read_bytes()

    team = new_namespace("team", create=False)
    namespace = ["--namespace", ADMIN_NAMESPACE, "--create-namespace", f"--set=namespace.name={team}"]
    helm.run(["install", team, *published["spark-namespace"], *namespace])
    try:
        values = {"app": {"source": "print('hello')"}, "schedule": {"cron": "@yearly"}}
        helm.run(["install", "hello", *published["spark-job"], "--namespace", team, "--values=-"], json.dumps(values))
        assert {item.metadata.name for item in cluster.batch.list_namespaced_cron_job(team).items} == {"hello"}
    finally:
        helm.run(["uninstall", team, "--namespace", ADMIN_NAMESPACE])


def test_a_registry_that_does_not_answer_is_an_error_of_one_line(address: str, tmp_path: Path) -> None:
    done = release("--folder", tmp_path, "--push", f"{address}/owner")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("kindling: push spark-")
    assert "connection refused" in line


def test_an_image_is_published_under_the_name_that_values_give(image: str, served: str) -> None:
    name = f"{served}/owner/spark:{image_tag(DEFAULT_LINE)}"
    push_image(image, name, Settings.from_environment(), Progress())
    run(["docker", "image", "rm", name])
    with urllib.request.urlopen(f"http://{served}/v2/owner/spark/tags/list", timeout=10) as answer:
        assert json.load(answer)["tags"] == [f"{DEFAULT_LINE.version}-python3"]


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
