"""Release packages: the same bytes for the same tree, all that is needed and no more, good for both Helms."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
import yaml
from least_values import LEAST

from chartproof import Helm
from kindling_dev.command import Failure
from kindling_dev.release import application_charts, build_packages, check_version, sha256
from kindling_dev.settings import REPO

CHARTS = application_charts(REPO / "charts")
HELMS = ["helm", "helm4"]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Chart name -> its package, built of this tree."""
    built = build_packages(REPO / "charts", tmp_path_factory.mktemp("packages"))
    return {chart.name: package for chart, package in zip(CHARTS, built, strict=True)}


def files_in(package: Path) -> set[str]:
    """Names of a package's files, below the chart's folder."""
    with tarfile.open(package) as tar:
        return {name.partition("/")[2] for name in tar.getnames()}


def files_of(chart: Path) -> set[str]:
    """Names of a chart's files that git knows or would take, scenarios apart."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=chart, capture_output=True, text=True, check=True).stdout.splitlines()
    return {name for name in names if not name.startswith("ci/") and (chart / name).exists()}


def test_every_application_chart_has_a_package_named_after_its_version(packages: dict[str, Path]) -> None:
    assert set(packages) == {path.name for path in (REPO / "charts").iterdir()} - {"spark-common"}
    for chart in CHARTS:
        version = yaml.safe_load((chart / "Chart.yaml").read_text())["version"]
        assert packages[chart.name].name == f"{chart.name}-{version}.tgz"
        assert packages[chart.name].is_file()


@pytest.mark.check(30)
def test_the_same_tree_gives_the_same_bytes(tmp_path: Path) -> None:
    trees = [tmp_path / name / "charts" for name in ("one", "other")]
    for tree in trees:
        shutil.copytree(REPO / "charts", tree, ignore=shutil.ignore_patterns("__pycache__"))
    checkout_s = time.time() - 86400
    for path in trees[1].rglob("*"):
        os.utime(path, (checkout_s, checkout_s))
        path.chmod(0o700)
    # What a person's tree has besides: Python's cache, a library that was vendored before it changed.
    (trees[1] / "spark-job/files/__pycache__").mkdir()
    (trees[1] / "spark-job/files/__pycache__/drive.cpython-311.pyc").write_bytes(b"\0")
    shutil.rmtree(trees[1] / "spark-namespace/charts")
    first, second = (build_packages(tree, tree.parent / "packages") for tree in trees)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_another_file_gives_another_package(tmp_path: Path, packages: dict[str, Path]) -> None:
    tree = shutil.copytree(REPO / "charts", tmp_path / "charts")
    with (tree / "spark-common/templates/_image.tpl").open("a") as stream:
        stream.write("{{/* changed */}}")
    changed = build_packages(tree, tmp_path / "packages")
    assert len({sha256(path) for path in [*changed, *packages.values()]}) == 2 * len(CHARTS)


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_a_package_holds_the_chart_and_its_library_and_nothing_else(chart: Path, packages: dict[str, Path]) -> None:
    library = {f"charts/spark-common/{name}" for name in files_of(chart.parent / "spark-common")}
    assert files_in(packages[chart.name]) == files_of(chart) | library


@pytest.mark.parametrize("program", HELMS)
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_helm_accepts_a_package_and_renders_what_the_tree_renders(
    chart: Path, program: str, packages: dict[str, Path]
) -> None:
    helm, package, values = Helm(program), packages[chart.name], LEAST[chart.name]
    helm.run(["lint", "--strict", str(package), "--values=-"], yaml.safe_dump(values))
    assert helm.template(package, values=values).text == helm.template(chart, values=values).text


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_what_artifact_hub_shows_is_true(chart: Path) -> None:
    annotations = yaml.safe_load((chart / "Chart.yaml").read_text())["annotations"]
    images = {entry["image"] for entry in yaml.safe_load(annotations["artifacthub.io/images"])}
    rendered = Helm().template(chart, values=LEAST[chart.name]).text
    assert images == set(re.findall(r"[\w./-]*/spark(?:-ui-proxy|-notebook|-connect)?:[\w.-]+", rendered))
    for change in yaml.safe_load(annotations["artifacthub.io/changes"]):
        assert change["kind"] in {"added", "changed", "deprecated", "removed", "fixed", "security"}
        assert change["description"]
    assert all(set(link) == {"name", "url"} for link in yaml.safe_load(annotations["artifacthub.io/links"]))


def test_a_release_of_another_version_is_refused() -> None:
    with pytest.raises(Failure, match=r"^(spark-\S+) has version .*, not 99\.0\.0: set it in charts/\1/Chart"):
        check_version(REPO / "charts", "99.0.0")


def test_a_lock_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    tree = shutil.copytree(REPO / "charts", tmp_path / "charts")
    chart_file = tree / "spark-job/Chart.yaml"
    chart_file.write_text(chart_file.read_text().replace("file://../spark-common", "file://../../charts/spark-common"))
    with pytest.raises(Failure, match="out of sync"):
        build_packages(tree, tmp_path / "packages")


def test_the_script_prints_digest_and_name_and_puts_a_bill_of_materials_beside_each_package(tmp_path: Path) -> None:
    done = subprocess.run([REPO / "scripts/release", "--folder", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    check = ["sha256sum", "--check", "--strict"]
    checked = subprocess.run(check, input=done.stdout, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    packages = {path.name for path in tmp_path.glob("*.tgz")}
    assert len(checked.stdout.splitlines()) == len(packages) == len(CHARTS)
    assert {path.name for path in tmp_path.iterdir()} == packages | {f"{name}.cdx.json" for name in packages}
