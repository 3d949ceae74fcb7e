"""Released packages name their images by digest: that of what a registry, a real one here, has under the name."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from registry import free_address, registry

from chartproof import Helm
from chartproof.manifest import Manifest
from kindling_dev import digests
from kindling_dev.command import Failure, run
from kindling_dev.digests import PinnedImage
from kindling_dev.release import application_charts, build_packages, charts_images, find_image, sha256
from kindling_dev.sbom import chart_sbom
from kindling_dev.scenarios import SCENARIOS
from kindling_dev.settings import REPO
from kindling_dev.ui_proxy_image import published

CHARTS = REPO / "charts"
NAMES = charts_images()
BY_DIGEST = re.compile(r"[\w.:-]+(?:/[\w.-]+)+@sha256:[0-9a-f]{64}")
OTHER = f"sha256:{'0' * 64}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a registry that has each image that charts name, under that name."""
    address = free_address()
    folder = tmp_path_factory.mktemp("registry")
    with registry(folder, address):
        for name in NAMES:
            layer = folder / "layer.tar"
            with tarfile.open(layer, "w") as tar:
                tar.addfile(tarfile.TarInfo(name.replace("/", "-")), io.BytesIO())
            run(["crane", "append", "--new_layer", layer, "--new_tag", f"{address}/{digests.below_registry(name)}"])
        yield address


@pytest.fixture(scope="module")
def images(served: str) -> list[PinnedImage]:
    """What a release finds there."""
    return [find_image(name, served) for name in NAMES]


@pytest.fixture(scope="module")
def packages(images: list[PinnedImage], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Chart name -> its released package."""
    built = build_packages(CHARTS, tmp_path_factory.mktemp("packages"), images=images)
    return {path.name.rpartition("-")[0]: path for path in built}


def images_in(manifest: Manifest) -> set[str]:
    """Every image that a render names: of its containers, in pods of any kind, and in Spark's properties."""
    text = manifest.text
    named = re.findall(r"^\s*(?:- )?image: \"?([^\s\"]+)", text, re.MULTILINE)
    return {*named, *re.findall(r"container\.image[ =:]+\"?([^\s\"]+)", text)}


def rendered(package: Path, *, files: tuple[Path, ...] = (), **values: Any) -> set[str]:
    """The images of a package's render."""
    return images_in(Helm().template(package, files=files, values=values))


def named_by_values(scenario: Any, images: set[str]) -> set[str]:
    """Those of a scenario's images of which its values name repository, tag or digest."""
    found = set()
    defaults = yaml.safe_load((scenario.chart / "values.yaml").read_text())
    for part in ("", "tls", "driver", "executor"):
        default, given = (values.get(part, {}) if part else values for values in (defaults, scenario.values))
        own = given.get("image", {})
        if own.keys() & {"repository", "tag", "digest"}:
            repository = own.get("repository") or default["image"]["repository"] or defaults["image"]["repository"]
            end = own.get("digest") or own.get("tag") or ""
            of_name = {name for name in images if re.search(rf"(^|/){re.escape(repository)}[:@]", name)}
            found |= {name for name in of_name if name.endswith(end)}
    return found


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_package_names_its_images_by_digest(scenario: Any, packages: dict[str, Path], served: str) -> None:
    tree = images_in(scenario.render(Helm()).manifest)
    released = rendered(packages[scenario.chart.name], files=scenario.files)
    users = named_by_values(scenario, tree)
    assert users <= released, "what values name is taken as they name it"
    ours = {name for name in tree if digests.below_registry(name) in map(digests.below_registry, NAMES)} - users
    assert ours or users
    assert len(released) == len(tree)
    assert tree - ours <= released
    for name in released - (tree - ours):
        assert BY_DIGEST.fullmatch(name)
        repository, _, digest = name.partition("/")[2].partition("@")
        manifest = subprocess.run(
            ["crane", "manifest", f"{served}/{repository}@{digest}"], capture_output=True, check=True
        ).stdout
        assert digest == f"sha256:{hashlib.sha256(manifest).hexdigest()}"


@pytest.mark.parametrize("chart", application_charts(CHARTS), ids=lambda chart: chart.name)
def test_a_mirror_serves_the_images_of_a_package(
    chart: Path, packages: dict[str, Path], served: str, images: list[PinnedImage]
) -> None:
    first = next(scenario for scenario in SCENARIOS if scenario.chart == chart)
    found = rendered(packages[chart.name], files=first.files, **{"global": {"imageRegistry": served}})
    assert found
    for name in found:
        assert name.startswith(f"{served}/")
        # By digest, so the answer is what the release found under the tag.
        run(["crane", "validate", "--remote", name])
        assert name.rpartition("@")[2] in {image.digest for image in images}


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({"tag": "4.3.0-python3"}, "docker.io/apache/spark:4.3.0-python3"),
        ({"tag": "3.5.8-python3"}, "docker.io/apache/spark:3.5.8-python3"),
        ({"repository": "kindling/spark-s3"}, "docker.io/kindling/spark-s3:4.3.0-python3"),
        ({"repository": "spark"}, "docker.io/spark:4.3.0-python3"),
        (
            {"registry": "", "repository": "mirror.example/x/apache/spark"},
            "mirror.example/x/apache/spark:4.3.0-python3",
        ),
        ({"digest": OTHER}, f"docker.io/apache/spark@{OTHER}"),
        ({"tag": "4.3.0-python3", "digest": OTHER}, f"docker.io/apache/spark@{OTHER}"),
    ],
)
def test_what_values_name_is_not_pinned(image: dict[str, str], expected: str, packages: dict[str, Path]) -> None:
    assert rendered(packages["spark-job"], app={"file": "local:///app.py"}, image=image) == {expected}


def test_bills_of_materials_have_every_image_by_digest(packages: dict[str, Path]) -> None:
    for package in packages.values():
        chart = next(iter(application_charts(CHARTS))).parent / package.name.rpartition("-")[0]
        first = next(scenario for scenario in SCENARIOS if scenario.chart == chart)
        parts = [part for part in json.loads(chart_sbom(package))["components"] if part["type"] == "container"]
        assert {f"{part['name']}@{part['version']}" for part in parts} == rendered(package, files=first.files)
        for part in parts:
            assert part["hashes"] == [{"alg": "SHA-256", "content": part["version"].removeprefix("sha256:")}]
            assert part["purl"].startswith("pkg:oci/")


def test_the_same_digests_give_the_same_bytes(
    packages: dict[str, Path], images: list[PinnedImage], tmp_path: Path
) -> None:
    listed = tmp_path / "images.txt"
    digests.write_list(listed, images)
    again = build_packages(CHARTS, tmp_path / "again", images=digests.read_list(listed))
    assert [path.read_bytes() for path in again] == [
        packages[path.name.rpartition("-")[0]].read_bytes() for path in again
    ]
    others = [PinnedImage(image.name, OTHER) for image in images]
    other = build_packages(CHARTS, tmp_path / "other", images=others)
    assert not {sha256(path) for path in other} & {sha256(path) for path in again}


def test_the_tree_and_its_packages_keep_tags(tmp_path: Path) -> None:
    for path in [*application_charts(CHARTS), *build_packages(CHARTS, tmp_path)]:
        name = path.name if path.is_dir() else path.name.rpartition("-")[0]
        first = next(scenario for scenario in SCENARIOS if scenario.chart.name == name)
        assert not [image for image in rendered(path, files=first.files) if "@" in image]


def test_every_chart_lists_the_images_that_it_names() -> None:
    for chart in application_charts(CHARTS):
        described = yaml.safe_load((chart / "Chart.yaml").read_text())["annotations"]["artifacthub.io/images"]
        assert digests.images_of(chart) == [entry["image"] for entry in yaml.safe_load(described)]
        assert digests.images_of(chart)


@pytest.mark.parametrize(("left_out", "count"), [(published(), "no digest"), ("", "2 digests")])
def test_an_image_without_one_digest_is_refused(
    left_out: str, count: str, images: list[PinnedImage], tmp_path: Path
) -> None:
    given = [image for image in images if not left_out.endswith(image.below_registry)]
    given += [] if left_out else [PinnedImage(published(), OTHER)]
    with pytest.raises(Failure, match=f"^{count} of {published()}, an image of spark-connect; there is one each of"):
        build_packages(CHARTS, tmp_path, images=given)


def test_an_image_that_no_registry_has_is_refused(served: str) -> None:
    with pytest.raises(Failure, match=f"could not find the digest of {served}/apache/nothing:1"):
        find_image("docker.io/apache/nothing:1", served)


@pytest.mark.parametrize("line", ["docker.io/apache/spark:4.3.0-python3", "apache/spark@sha256:12", "", "x y"])
def test_a_list_that_is_not_of_digests_is_refused(line: str, tmp_path: Path) -> None:
    listed = tmp_path / "images.txt"
    listed.write_text(f"{line}\n")
    with pytest.raises(Failure, match=r"images\.txt has .*: a line is REGISTRY/NAME:TAG@sha256:"):
        digests.read_list(listed)


def test_packages_with_tags_are_not_pushed(served: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [REPO / "scripts/release", "--folder", tmp_path, "--push", f"{served}/owner"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "kindling: packages that are pushed name images by digest: give --digests FILE, or --images to make one\n"
    )
    assert not list(tmp_path.iterdir())


def test_the_script_pushes_what_a_list_pins(served: str, images: list[PinnedImage], tmp_path: Path) -> None:
    digests.write_list(tmp_path / "images.txt", images)
    run([REPO / "scripts/release", "--folder", tmp_path, "--digests", tmp_path / "images.txt", "--push", f"{served}/o"])
    shown = Helm("helm4").run(["show", "chart", f"oci://{served}/o/charts/spark-ui-proxy", "--plain-http"])
    (image,) = yaml.safe_load(yaml.safe_load(shown)["annotations"]["artifacthub.io/images"])
    assert image["image"] == str(PinnedImage(published(), images[-1].digest))
