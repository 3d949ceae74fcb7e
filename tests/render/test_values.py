"""Values, schema, templates and scenarios of each chart speak of the same values."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from chartproof import Helm
from chartproof.coverage import Exceptions
from chartproof.drift import undeclared, unset, unused
from chartproof.scenarios import Scenario
from kindling_dev.kubernetes_versions import RENDERED_AT
from kindling_dev.scenarios import CHARTS, SCENARIOS
from kindling_dev.settings import REPO

EXCEPTIONS = Exceptions.read(REPO / "ci/exceptions.yaml")
WITH_VALUES = sorted(path.parent for path in CHARTS.glob("*/values.yaml"))
SECTIONS = [
    pytest.param(chart, section, id=f"{chart.name}-{section}")
    for chart in WITH_VALUES
    for section in yaml.safe_load((chart / "values.yaml").read_text())
]
each_chart = pytest.mark.parametrize("chart", WITH_VALUES, ids=lambda chart: chart.name)


def scenarios_of(chart: Path) -> list[Scenario]:
    """The chart's own."""
    return [scenario for scenario in SCENARIOS if scenario.files[-1].is_relative_to(chart)]


def excepted(exceptions: Mapping[str, str], chart: Path, section: str = "") -> list[str]:
    """The values of a chart, or of a section of them, that may be found."""
    named = (name.split(": ", 1) for name in exceptions)
    paths = [path for of, path in named if of in ("*", chart.name)]
    return sorted(path for path in paths if section in ("", path.partition(".")[0]))


@each_chart
def test_templates_ask_only_for_declared_values(chart: Path) -> None:
    assert undeclared(chart) == []


@each_chart
def test_scenarios_set_every_value(chart: Path) -> None:
    assert unset(chart, scenarios_of(chart)) == excepted(EXCEPTIONS.schema, chart)


@pytest.mark.parametrize(("chart", "section"), SECTIONS)
def test_every_value_has_an_effect(helm: Helm, chart: Path, section: str) -> None:
    newest_first = RENDERED_AT[::-1]
    found = unused(helm, chart, scenarios_of(chart), section, newest_first)
    assert found == excepted(EXCEPTIONS.values, chart, section)
