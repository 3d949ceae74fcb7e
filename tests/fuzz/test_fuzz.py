"""Values that nobody wrote: what the schema allows renders or is refused in a line, what it forbids is refused."""

from __future__ import annotations

import importlib.util
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis.strategies import SearchStrategy

from chartproof import Helm, HelmError, Render
from chartproof.checks import Rendered, Rule, Violation
from chartproof.fuzz import Draw, draws, faults, mutant_faults, mutants, search, the_users_own
from chartproof.review import Exemption, Review
from chartproof.rules.pods import resources
from chartproof.rules.references import references
from kindling_dev.kubernetes_versions import RENDERED_AT
from kindling_dev.settings import REPO

CHARTS = sorted(file.parent for file in (REPO / "charts").glob("*/values.schema.json"))
SOME = 50
some_and_many = pytest.mark.parametrize("number", [SOME, pytest.param(1000, marks=pytest.mark.long)])

NATIVE_SIDECARS = Exemption(
    "schema",
    "*",
    "values ask for native sidecars, and say that these need Kubernetes 1.29",
    says="*.initContainers[[]*].restartPolicy: no such field on Kubernetes 1.2*",
)

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9]+$"},
        "size": {"type": "integer", "minimum": 1, "maximum": 99},
        "text": {"type": "string"},
        "section": {"type": "object", "additionalProperties": False, "properties": {"on": {"type": "boolean"}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["name", "size", "text", "labels"],
}
PLACES = {"name", "size", "text", "section", "section.on", "labels"}
VALUES = {"name": "a", "size": 1, "text": "", "section": {"on": False}, "labels": {}}
SOUND = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Values.name | quote }}
data:
  text: {{ .Values.text | quote }}
"""


@pytest.fixture
def seed(pytestconfig: pytest.Config, number: int) -> int:
    """The same draws in each normal run, others in each long one but where --hypothesis-seed asks for some again."""
    given = pytestconfig.getoption("--hypothesis-seed")
    chosen = int(given) if given else 0 if number == SOME else random.randrange(2**32)
    print(f"--hypothesis-seed={chosen}")
    return chosen


@pytest.mark.check(28)
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
@some_and_many
def test_what_the_schema_allows_keeps_every_rule_or_is_refused_in_a_line(
    render: Render, chart: Path, rules: Sequence[Rule], number: int, seed: int
) -> None:
    asked = [Review(rules, [NATIVE_SIDECARS]).violations]
    search(draws(chart, RENDERED_AT), lambda draw: faults(render, draw, asked), number=number, seed=seed)


@pytest.mark.check(28)
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
@some_and_many
def test_what_the_schema_forbids_is_refused_by_it(render: Render, chart: Path, number: int, seed: int) -> None:
    search(mutants(chart), lambda draw: mutant_faults(render, draw), number=number, seed=seed)


@pytest.fixture
def chart_of(tmp_path: Path) -> Callable[[str], Path]:
    """Make a chart of one template with the values VALUES and their schema."""

    def make(template: str) -> Path:
        chart = tmp_path / "small"
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text("apiVersion: v2\nname: small\nversion: 0.1.0\n")
        (chart / "values.yaml").write_text(yaml.safe_dump(VALUES))
        (chart / "values.schema.json").write_text(json.dumps(SCHEMA))
        (chart / "templates/configmap.yaml").write_text(template)
        return chart

    return make


def question(chart: Path, **values: Any) -> Draw:
    """A draw of some values."""
    return Draw(chart, values, tuple(values), False, "mine", "team-a", "1.34")


def all_drawn(strategy: SearchStrategy[Draw], number: int, seed: int) -> list[Draw]:
    """What a search asks where nothing goes wrong."""
    seen: list[Draw] = []

    def keep(draw: Draw) -> list[str]:
        seen.append(draw)
        return []

    search(strategy, keep, number=number, seed=seed)
    return seen


@pytest.mark.parametrize(
    ("template", "values", "words"),
    [
        (SOUND.replace(".name | quote", ".name"), {"name": "1"}, "ConfigMap: metadata.name 1 is no name"),
        (SOUND.replace(".text | quote", ".text"), {"text": "a: b"}, "error converting YAML to JSON"),
        (SOUND + "{{ .Values.section.on }}", {"section": None}, "nil pointer"),
        (SOUND.replace("kind: ConfigMap", "kind:"), {}, "kind None is none"),
        (SOUND.replace("v1", "{{ .Values.text }}"), {"text": "'1'"}, "apiVersion '1' is none"),
        ('{{ fail "no" }}', {}, "names no value: no"),
        ('{{ fail (printf "text is %s" .Values.text) }}', {"text": "a\nb"}, "more than one line"),
        ('{{ fail (printf "text: %s" (fromYaml .Values.text).Error) }}', {"text": "a: b: c"}, "a parser's"),
        (SOUND, {"size": 0}, "values don't meet"),
        (SOUND + "  {{ .Values.name }}: a", {"name": "text"}, 'key "text" already set in map'),
    ],
)
def test_a_wrong_answer_is_told(
    render: Render, chart_of: Callable[[str], Path], template: str, values: dict[str, Any], words: str
) -> None:
    assert words in "\n".join(faults(render, question(chart_of(template), **values)))


@pytest.mark.parametrize("named", ["section.on is false: set it to true", "labels.WARNING is empty: leave it out"])
def test_a_refusal_in_a_line_that_names_the_value_is_right(
    render: Render, chart_of: Callable[[str], Path], named: str
) -> None:
    chart = chart_of(f"{{{{ fail `{named}` }}}}")
    assert faults(render, question(chart)) == []


def test_a_value_that_the_schema_should_have_refused_is_told(render: Render, chart_of: Callable[[str], Path]) -> None:
    chart = chart_of(SOUND)
    assert mutant_faults(render, question(chart, size=5)) == ["size is rendered with a value that the schema forbids"]
    assert mutant_faults(render, question(chart, size=100)) == []


def test_a_rule_is_asked_of_what_is_drawn(render: Render, chart_of: Callable[[str], Path]) -> None:
    def no_long_names(rendered: Rendered) -> Iterator[Violation]:
        """Names are short."""
        for resource in rendered.manifest:
            if len(resource.name) > 3:
                yield Violation("no-long-names", f"{resource.kind}/{resource.name}", "shorten it")

    wrong = faults(render, question(chart_of(SOUND), name="longer"), [no_long_names])
    assert wrong == ["no-long-names: ConfigMap/longer: shorten it"]


ASKED = ("requests.cpu", "requests.memory", "limits.memory")
POD = """
apiVersion: v1
kind: Pod
metadata: {name: mine}
spec:
  containers: [{name: main, image: "registry.example.com/main:1", envFrom: [{secretRef: {name: %s}}]}]
"""


@pytest.mark.parametrize(
    ("rule", "secret", "text", "wrong"),
    [
        (references, "{{ .Values.text }}", "login", []),
        (references, "{{ .Values.text }}-1", "login", ["references: Pod/mine: Secret/login-1 is not in the release"]),
        (references, "login", "log*", ["references: Pod/mine: Secret/login is not in the release"]),
        (references, "{{ .Values.name }}", "", []),  # a default names it
        (resources, "login", "main", [f"resources: Pod/mine: container main has no {what}" for what in ASKED]),
    ],
)
def test_only_what_values_name_is_the_users_to_make(
    render: Render, chart_of: Callable[[str], Path], rule: Rule, secret: str, text: str, wrong: list[str]
) -> None:
    assert faults(render, question(chart_of(POD % secret), text=text), [rule]) == wrong


@pytest.mark.parametrize(
    ("values", "rule", "message", "other"),
    [
        (
            {"a": [{"name": "agent", "image": "x"}]},
            "resources",
            "container agent has no limits.cpu",
            "container main has",
        ),
        (
            {"env": {"TOKEN": "x"}},
            "secrets",
            "container main has TOKEN as text: use a secretKeyRef",
            "MY_TOKEN as text",
        ),
    ],
)
def test_what_values_ask_for_is_theirs_and_no_more(values: dict[str, Any], rule: str, message: str, other: str) -> None:
    given = the_users_own(values)
    assert any(exemption.covers(Violation(rule, "Pod/mine", message)) for exemption in given)
    for fault in (Violation("probes", "Pod/mine", message), Violation(rule, "Pod/mine", f"container agent {other}: x")):
        assert not any(exemption.covers(fault) for exemption in given)


def test_the_simplest_values_are_told_as_a_scenario(
    helm: Helm, chart_of: Callable[[str], Path], tmp_path: Path
) -> None:
    chart = chart_of('{{ if gt (int .Values.size) 17 }}{{ fail "too big" }}{{ end }}' + SOUND)

    def too_big(draw: Draw) -> list[str]:
        return ["too big"] if draw.values.get("size", 0) > 17 else []

    with pytest.raises(AssertionError, match="too big") as found:
        search(draws(chart, RENDERED_AT), too_big, number=500, seed=0)
    scenario = tmp_path / "found-values.yaml"
    scenario.write_text(str(found.value).partition("as a scenario:\n")[2])
    assert yaml.safe_load(scenario.read_text()) == {"size": 18}
    with pytest.raises(HelmError, match="too big"):
        helm.template(chart, files=[scenario])


def test_the_same_seed_draws_the_same(chart_of: Callable[[str], Path]) -> None:
    chart = chart_of(SOUND)

    first, again, other = (all_drawn(draws(chart, RENDERED_AT), number=20, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_what_is_imported_changes_no_draw(chart_of: Callable[[str], Path], tmp_path: Path) -> None:
    chart = chart_of(SOUND)
    before = all_drawn(draws(chart, RENDERED_AT), number=300, seed=0)
    module = tmp_path / "imported_later.py"
    module.write_text(f"WORDS = {[f'word{number}' for number in range(99)]}\n")
    spec = importlib.util.spec_from_file_location("imported_later", module)
    assert spec
    sys.modules["imported_later"] = importlib.util.module_from_spec(spec)
    try:
        assert all_drawn(draws(chart, RENDERED_AT), number=300, seed=0) == before
    finally:
        del sys.modules["imported_later"]


@pytest.mark.parametrize("text", ["y", "1e3", "0o7", "~", "a: b", "\x00\x7f\x85", "\u2028\ufeff\ufffe", "\U0001f600"])
def test_a_text_reaches_the_chart_as_it_is(render: Render, chart_of: Callable[[str], Path], text: str) -> None:
    draw = question(chart_of(SOUND), text=text)
    assert render(draw.chart, values=draw.values).one("ConfigMap").body["data"]["text"] == text
    assert yaml.safe_load(draw.as_scenario()) == {"text": text}


def test_every_value_is_drawn_and_every_fault_seeded(chart_of: Callable[[str], Path]) -> None:
    chart = chart_of(SOUND)
    drawn = all_drawn(draws(chart, RENDERED_AT), number=200, seed=0)
    assert {path for draw in drawn for path in draw.changed} == PLACES
    assert any("metadata" in draw.values.get("labels", {}) for draw in drawn), "a key that a template writes"
    mutated = {path for draw in all_drawn(mutants(chart), number=100, seed=0) for path in draw.changed}
    assert mutated > PLACES, "and keys that are unknown"
