"""The tree itself: charts and programs have the versions that are pinned, code is formatted and typed."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from chartproof import Helm
from kindling_dev import hdfs_image
from kindling_dev.command import run
from kindling_dev.golang import required_version
from kindling_dev.settings import REPO
from kindling_dev.spark_image import DEFAULT_LINE

CHARTS = sorted(path.parent for path in (REPO / "charts").glob("*/Chart.yaml"))


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_the_charts_version_is_that_of_the_image_that_is_built(chart: Path) -> None:
    described = yaml.safe_load((chart / "Chart.yaml").read_text())
    # The proxy is ours, and shows every line of Spark.
    own = described["name"] == "spark-ui-proxy"
    assert described["appVersion"] == (described["version"] if own else DEFAULT_LINE.version)


def test_code_is_formatted_linted_and_typed() -> None:
    run(["ruff", "format", "--check", "."], cwd=REPO)
    run(["ruff", "check", "."], cwd=REPO)
    run(["mypy"], cwd=REPO)


@pytest.mark.parametrize("program", ["helm", "helm4"])
def test_helm_has_its_pinned_version_stamped(program: str) -> None:
    module = {"helm": "helm.sh/helm/v3", "helm4": "helm.sh/helm/v4"}[program]
    assert run([program, "version", "--template", "{{.Version}}"], cwd=REPO) == required_version(
        REPO / "ci/tools/go.mod", module
    )


def test_both_helms_render_the_same_objects(charts: Path) -> None:
    assert shutil.which("helm4")
    values = {"app": {"file": "local:///app.py"}}
    three, four = (
        Helm(program).template(charts / "spark-job", release="nightly", values=values) for program in ("helm", "helm4")
    )
    assert [r.body for r in three] == [r.body for r in four]


def test_the_example_of_hdfs_names_the_image_that_is_built() -> None:
    text = "".join(file.read_text() for file in (REPO / "examples/secure-hdfs").glob("*.yaml"))
    assert set(re.findall(r"image: (?:&\w+ )?(\S+:\S+)", text)) == {f"docker.io/{hdfs_image.name()}"}


def test_no_two_test_files_have_one_name() -> None:
    # pytest would collect one of them, and only where both are asked for.
    names = [path.name for path in (REPO / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
