"""The charts as they stand: what is generated is up to date, and what lints charts and YAML finds nothing."""

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
import yaml

from kindling_dev.command import Failure, run
from kindling_dev.guides import commands
from kindling_dev.settings import REPO
from kindling_dev.shared_values import SOURCE, with_shared
from kindling_dev.values_schema import generated

WITH_VALUES = sorted(path.parent for path in (REPO / "charts").glob("*/values.yaml"))
SCENARIOS = sorted((REPO / "charts").glob("*/ci/*-values.yaml"))


@pytest.mark.check(30)
@pytest.mark.parametrize("chart", WITH_VALUES, ids=lambda chart: chart.name)
def test_the_schema_is_that_of_the_values(chart: Path) -> None:
    for name, text in generated(chart).items():
        assert (chart / name).read_text() == text, "run scripts/generate"
    for name in ("values.schema.json", "ci/values.schema.json"):
        schema = json.loads((chart / name).read_text())
        jsonschema.Draft7Validator.check_schema(schema)
        jsonschema.validate(yaml.safe_load((chart / "values.yaml").read_text()), schema)


@pytest.mark.check(30)
@pytest.mark.parametrize("chart", WITH_VALUES, ids=lambda chart: chart.name)
def test_the_readme_is_that_of_the_values(chart: Path) -> None:
    template = REPO / "ci/chart-readme.gotmpl"
    printed = run(["helm-docs", "--dry-run", "--chart-search-root", chart, "--template-files", template], cwd=REPO)
    assert printed.strip() == (chart / "README.md").read_text().strip(), "run scripts/generate"


@pytest.mark.parametrize("chart", WITH_VALUES, ids=lambda chart: chart.name)
def test_values_that_charts_share_are_those_of_the_one_source(chart: Path) -> None:
    text = (chart / "values.yaml").read_text()
    assert text == with_shared(text, SOURCE.read_text()), "run scripts/generate"


def test_a_shared_value_takes_the_place_of_a_charts_own() -> None:
    shared = (
        "# Source.\nglobal:\n  # -- New.\n  a:\n    # -- Within.\n    b: 1\n  # -- Another.\n  c: 2\n\n# -- T.\ne: 5\n"
    )
    own = "global:\n  # -- Old.\n  a: {}\n  # -- Its own.\n  d: 3\n\na: 4\n\ne: 6\n"
    expected = (
        "global:\n  # -- New.\n  a:\n    # -- Within.\n    b: 1\n  # -- Its own.\n  d: 3\n\na: 4\n\n# -- T.\ne: 5\n"
    )
    assert with_shared(own, shared) == expected


def test_a_fresh_clone_fetches_what_charts_share(tmp_path: Path) -> None:
    shutil.copytree(REPO / "charts", tmp_path / "charts", ignore=shutil.ignore_patterns("charts"))
    rendered = ["helm", "template", "first", "charts/spark-job", "--set", "app.file=local:///a.py"]
    with pytest.raises(Failure, match="spark-common"):
        run(rendered, cwd=tmp_path)
    run(["bash", "-euo", "pipefail", "-c", commands("README", "In a cluster of your own")], cwd=tmp_path)
    assert "kind: Job" in run(rendered, cwd=tmp_path)


def test_ct_finds_nothing_in_the_charts() -> None:
    run(["ct", "lint", "--config", "ci/ct.yaml", "--all"], cwd=REPO)


@pytest.mark.parametrize("program", ["helm", "helm4"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: f"{path.parents[1].name}-{path.name}")
def test_helm_lint_finds_nothing_in_a_scenario(program: str, scenario: Path) -> None:
    # ct lint calls Helm 3 too, but not in the namespace of the release.
    run(
        [program, "lint", "--strict", scenario.parents[1], "--values", scenario, "--namespace", "kindling-system"],
        cwd=REPO,
    )


def test_yamllint_finds_nothing_in_any_yaml_file() -> None:
    # Templates are no YAML yet, and another project's file stays as it was released.
    apart = [":(exclude)charts/*/templates/*", ":(exclude)tests/apiserver/world/monitoring.coreos.com_*"]
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.yaml", "*.yml", *apart]
    files = [name for name in run([*listing], cwd=REPO).splitlines() if (REPO / name).exists()]
    assert "charts/spark-job/values.yaml" in files
    run(["yamllint", "--strict", "--config-file", "ci/lintconf.yaml", *files], cwd=REPO)
