"""Values drawn from a chart's schema: around its scenarios, so that most are what a user could mean."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from hypothesis import strategies as st
from hypothesis_jsonschema import from_schema

from chartproof.fuzz.schema import ValuesSchema, at, coalesced, without_free_objects
from chartproof.scenarios import chart_scenarios

_MOST_CHANGES = 6
_NAMES = {"release": r"\A[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?\Z", "namespace": r"\A[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z"}


@dataclass(frozen=True)
class Draw:
    """A question to a chart that was drawn.

    Attributes:
        chart: the chart's folder.
        values: the values that a user gives.
        changed: where they differ from the scenario that they were drawn around, "driver.memory".
        free: objects that the schema says nothing of have any content, which a chart passes on.
        release, namespace: of the release.
        kube: the Kubernetes version, "1.34".
    """

    chart: Path
    values: Mapping[str, Any]
    changed: tuple[str, ...]
    free: bool
    release: str
    namespace: str
    kube: str

    def as_scenario(self) -> str:
        """A values file that asks it again, with helm's command as its first line."""
        helm = f"helm template {self.release} {self.chart.name} --namespace {self.namespace}"
        text = yaml.dump(dict(self.values), Dumper=_Quoting, sort_keys=False)
        return f"# {helm} --kube-version {self.kube}\n{text}"


class _Quoting(yaml.SafeDumper):
    """Quotes each text: ``y`` and ``1e3`` are a switch and a number to helm's parser, other than to this one."""


_Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def draws(chart: Path, kubes: Sequence[str]) -> st.SearchStrategy[Draw]:
    """Values that the chart's schema allows: those of a scenario (``ci/NN-what-values.yaml``) with some changed.

    Args:
        chart: the chart's folder.
        kubes: the Kubernetes versions to draw from; the first is the simplest.
    """
    schema, examples = ValuesSchema.of_chart(chart), _examples(chart)
    changes = {free: _changes(schema, examples, _defaults(chart), free=free) for free in (False, True)}

    @st.composite
    def drawn(draw: st.DrawFn) -> Draw:
        free = draw(st.booleans())
        values = copy.deepcopy(draw(st.sampled_from(examples)))
        some = draw(st.lists(changes[free], max_size=_MOST_CHANGES, unique_by=lambda change: change[0]))
        # The section last: one that is null has no values below.
        for path, value in sorted(some, key=lambda change: -len(change[0])):
            put(values, path, value)
        names = {name: draw(st.from_regex(pattern)) for name, pattern in _NAMES.items()}
        return Draw(
            chart, values, tuple(".".join(path) for path, _ in some), free, kube=draw(st.sampled_from(kubes)), **names
        )

    return drawn()


def mutants(chart: Path) -> st.SearchStrategy[Draw]:
    """Values of a scenario with one that the schema forbids: a key, a type, a choice, a pattern, a range."""
    schema, examples, defaults = ValuesSchema.of_chart(chart), _examples(chart), _defaults(chart)
    validator = jsonschema.Draft7Validator(schema.root)
    places = [place for place in (*schema.sections(), *schema.leaves()) if place.path]
    closed = [section.path for section in schema.sections() if section.schema.get("additionalProperties") is False]
    wrong_values = st.sampled_from(places).flatmap(lambda place: st.tuples(st.just(place.path), _ANYTHING))
    unknown_keys = st.tuples(st.sampled_from(closed), _KEYS, _ANYTHING).map(
        lambda drawn: ((*drawn[0], drawn[1]), drawn[2])
    )

    @st.composite
    def mutant(draw: st.DrawFn) -> Draw:
        values = copy.deepcopy(draw(st.sampled_from(examples)))
        path, value = draw(wrong_values | unknown_keys)
        put(values, path, value)
        return Draw(chart, values, (".".join(path),), False, "release-name", "default", "")

    return mutant().filter(lambda drawn: not validator.is_valid(coalesced(defaults, drawn.values)))


def put(values: Any, path: tuple[str, ...], value: Any) -> None:
    """Set a value, and make the maps that lead to it."""
    for key in path[:-1]:
        values = values.setdefault(key, {})
    values[path[-1]] = value


# Go's \s knows no vertical tab, Python's does.
_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\v"))
_KEYS = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1)
_SCALARS = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e9, 1e9) | _TEXT | st.just("x" * 300)
_ANYTHING = _SCALARS | st.lists(_SCALARS, max_size=3) | st.dictionaries(_KEYS, _SCALARS, max_size=3)


def _examples(chart: Path) -> list[dict[str, Any]]:
    """The values of the chart's scenarios; the first is the simplest."""
    files = [file for scenario in chart_scenarios(chart.parent) if scenario.chart == chart for file in scenario.files]
    return [yaml.safe_load(file.read_text()) or {} for file in files] or [{}]


def _defaults(chart: Path) -> dict[str, Any]:
    return yaml.safe_load((chart / "values.yaml").read_text()) or {}


def _changes(
    schema: ValuesSchema, examples: list[Any], defaults: Any, *, free: bool
) -> st.SearchStrategy[tuple[tuple[str, ...], Any]]:
    """A path and a value for it: one that the schema allows, one of another scenario, or null where that is allowed."""
    strategies: dict[tuple[str, ...], st.SearchStrategy[Any]] = {
        place.path: st.none()
        for place in schema.sections()
        if place.path and not place.required and any(True for _ in at(defaults, place.path))
    }
    for leaf in schema.leaves():
        allowed = leaf.schema if free else without_free_objects(leaf, examples)
        if allowed is None:
            continue
        seen = [value for values in examples for value in at(values, leaf.path)]
        made = from_schema(allowed, codec="utf-8")
        strategies[leaf.path] = st.sampled_from(seen) | made if seen else made
        if not leaf.required and any(True for _ in at(defaults, leaf.path)):
            strategies[leaf.path] |= st.none()
    return st.sampled_from(list(strategies)).flatmap(lambda path: st.tuples(st.just(path), strategies[path]))
