"""A value of a wrong form is refused in one line: which value, what is allowed, an example; no regular expression."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from least_values import LEAST
from schema_places import WRONG, count_of_forms, dereferenced, form_places

from chartproof import Helm, RefusedError, SchemaError
from chartproof.fuzz.schema import coalesced, defaults_of
from kindling_dev.settings import REPO
from kindling_dev.value_forms import FORMS
from kindling_dev.values_schema import forms_of, schema_of

CHARTS = sorted(file.parent for file in (REPO / "charts").glob("*/values.yaml"))
of_each_chart = pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)


def whole_schema(chart: Path) -> Any:
    """All that a chart asks of values, without references."""
    schema = schema_of(chart)
    return dereferenced(schema, schema["definitions"])


def refusal(helm: Helm, chart: Path, values: dict[str, Any]) -> str:
    """What a chart says of values on top of the least; empty: it takes them."""
    try:
        helm.template(chart, namespace="kindling-system", values=coalesced(LEAST[chart.name], values), checked=False)
    except RefusedError as error:
        return re.sub(r"^execution error at \([^)]*\): ", "", str(error).partition("\n\nUse --debug")[0])
    return ""


@of_each_chart
def test_a_wrong_form_is_refused_with_place_and_example(helm: Helm, chart: Path) -> None:
    schema = whole_schema(chart)
    places = list(form_places(schema, defaults_of(chart)))
    assert len(places) == count_of_forms(schema), "each pattern and choice of the schema is asked for once"
    forms = {(form.pattern, form.examples): form for form in FORMS.values()}
    wrong = []
    for place in places:
        said = refusal(helm, chart, place.values)
        form = forms[place.form["pattern"], tuple(place.form["examples"])] if place.form else None
        told = (
            (f'{place.at} is "{WRONG}": write ', f'{place.at} has the key "{WRONG}": write ')
            if form
            else (f"{place.at} has no kind of volume: give it one of ",)
        )
        allowed = f"{form.says}, as in {form.examples[0]}" if form else 'as in "emptyDir: {}"'
        if not said.startswith(told) or allowed not in said or "\n" in said or "^" in said:
            wrong.append(f"{place.at}: {said or 'it is taken'}")
    assert not wrong, "\n" + "\n".join(wrong)


@of_each_chart
def test_helm_is_asked_nothing_that_it_cannot_say(chart: Path) -> None:
    schema = json.loads((chart / "values.schema.json").read_text())

    def words(node: Any) -> set[str]:
        below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        return set(node if isinstance(node, dict) else ()).union(*map(words, below))

    told = {
        "pattern",
        "patternProperties",
        "propertyNames",
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "if",
        "format",
        "contains",
    }
    assert not words({**schema, "properties": None}) & told
    assert not words(schema["properties"]) & (told - {"format"}), "a value may be named format"


@pytest.mark.parametrize("name", FORMS)
def test_a_forms_examples_are_of_the_form(name: str) -> None:
    form = FORMS[name]
    assert all(re.search(form.pattern, example, re.ASCII) for example in form.examples)
    assert not re.search(form.pattern, WRONG)
    assert re.fullmatch(r"[^\n^$\\]+[^.\n]", form.says)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"mode": "Cluster"}, "at '/mode': value must be one of 'client', 'cluster'"),
        ({"driver": {"cores": "two"}}, "at '/driver/cores': got string, want integer"),
        ({"driver": {"cores": 0}}, "at '/driver/cores': minimum: got 0, want 1"),
        ({"driver": {"memroy": "1g"}}, "at '/driver': additional properties 'memroy' not allowed"),
        ({"driver": {"cores": None}}, "at '/driver': missing property 'cores'"),
        ({"run": {"id": "a" * 64}}, "at '/run/id': maxLength: got 64, want 63"),
        (
            {"driver": {"env": {"A": {"valueFrom": {}}}}},
            "at '/driver/env/A': additional properties 'valueFrom' not allowed",
        ),
        ({"volumes": [{"name": "a"}]}, "at '/volumes/0': missing property 'mountPath'"),
        ({"security": {"allowInsecure": ["a", "a"]}}, "at '/security/allowInsecure': items at 0 and 1 are equal"),
    ],
)
def test_what_helm_refuses_it_tells_with_the_place(helm: Helm, charts: Path, values: dict[str, Any], said: str) -> None:
    with pytest.raises(SchemaError) as refused:
        helm.template(charts / "spark-job", values=coalesced(LEAST["spark-job"], values))
    assert f"- {said}" in str(refused.value)


def test_two_sources_of_a_volume_are_refused_with_both(helm: Helm, charts: Path) -> None:
    volume = {"name": "a", "mountPath": "/a", "secret": {"secretName": "a"}, "emptyDir": {}}
    assert refusal(helm, charts / "spark-job", {"volumes": [volume]}).startswith(
        "volumes[0] has secret and emptyDir: give it one of "
    )


def test_a_long_text_is_told_in_part(helm: Helm, charts: Path) -> None:
    said = refusal(helm, charts / "spark-job", {"app": {"mainClass": "a b" * 1000}})
    assert said.startswith('app.mainClass is "a ba b')
    assert len(said) < 300


def test_a_schema_that_nothing_would_ask_is_refused() -> None:
    with pytest.raises(Exception, match="which helm tells nobody in words: write a form"):
        forms_of({"properties": {"a": {"type": "string", "pattern": "^a$"}}})
    with pytest.raises(Exception, match="oneOf"):
        forms_of({"oneOf": [{"type": "string"}]})


def test_what_form_is_asked_of_is_asked_of_what_may_be_empty(helm: Helm, charts: Path) -> None:
    assert refusal(helm, charts / "spark-job", {"driver": {"priorityClassName": ""}}) == ""
    said = refusal(helm, charts / "spark-job", {"driver": {"priorityClassName": "A"}})
    assert said.endswith("as in etl-login, or leave it empty")
    volume = {"name": "", "mountPath": "/a", "emptyDir": {}}
    assert refusal(helm, charts / "spark-job", {"volumes": [volume]}).startswith('volumes[0].name is "": write a name')
