"""Labels, annotations and the like under a key that the chart writes too: refused, or written once."""

from __future__ import annotations

import copy

import pytest

from chartproof import RefusedError, Render, SchemaError
from chartproof.fuzz.draws import put
from chartproof.fuzz.schema import ValuesSchema, is_section
from chartproof.fuzz.words import template_keys
from chartproof.scenarios import Scenario, chart_scenarios
from kindling_dev.settings import ADMIN_NAMESPACE, REPO

MAPS = ("labels", "commonLabels", "annotations", "nodeSelector", "podLabels", "serviceAccountAnnotations")
"""Names of values that are written into a map of Kubernetes' beside what the chart writes there."""
SHAPES = ("02-all-on", "03-all-on", "04-cluster-mode", "05-schedule", "08-for-a-hub")
"""Scenarios that between them make every object of every chart."""
SCENARIOS = [scenario for scenario in chart_scenarios(REPO / "charts") if scenario.name.endswith(SHAPES)]


def maps_of(scenario: Scenario) -> list[tuple[str, ...]]:
    """The places in a chart's values where such a map stands."""
    schema = ValuesSchema.of_chart(scenario.chart)
    return [
        place.path
        for place in (*schema.sections(), *schema.leaves())
        if "additionalProperties" in place.schema and not is_section(place.schema) and set(place.path) & set(MAPS)
    ]


def keys_of(scenario: Scenario) -> list[str]:
    """Keys of labels and annotations that the chart's templates write."""
    return [key for key in template_keys(scenario.chart) if "/" in key or "-" in key]


def refused_keys(render: Render, scenario: Scenario, path: tuple[str, ...], keys: list[str]) -> set[str]:
    """Which keys are refused at a place; all others are then rendered there together.

    Raises:
        HelmError: the render has a key twice, or what is refused is no key that was given.
    """
    left = list(keys)
    while left:
        values = copy.deepcopy(scenario.values)
        put(values, path, dict.fromkeys(left, "given"))
        try:
            render(scenario.chart, values=values, release="nightly", namespace=ADMIN_NAMESPACE)
        except (RefusedError, SchemaError) as error:
            named = [key for key in left if key in str(error)]
            if not named:
                raise
            left.remove(max(named, key=len))
        else:
            break
    return set(keys) - set(left)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_keys_that_a_chart_writes_are_refused_or_written_once(render: Render, scenario: Scenario) -> None:
    keys = keys_of(scenario)
    assert {"app.kubernetes.io/name", "helm.sh/chart", "helm.sh/hook"} <= set(keys)
    refused = {path: refused_keys(render, scenario, path, keys) for path in maps_of(scenario)}
    # What finds pods and objects is refused as a label, and what is helm's own as an annotation.
    for path, some in refused.items():
        where = ".".join(path)
        if path[-1] in {"labels", "commonLabels"}:
            assert {"app.kubernetes.io/name", "app.kubernetes.io/instance"} <= some, where
        if path[-1] == "annotations" and path[0] not in {"driver", "executor", "annotations"}:
            assert "helm.sh/hook" in some, where
