"""Values drawn from a chart's schema: around its scenarios, so that most are what a user could mean."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from hypothesis import strategies as st
from hypothesis_jsonschema import from_schema

from chartproof.fuzz.schema import Schema, ValuesSchema, at, coalesced, defaults_of, is_section, without_free_objects
from chartproof.fuzz.words import template_keys
from chartproof.scenarios import chart_scenarios

_MOST_CHANGES = 6


@dataclass(frozen=True)
class Draw:
    """A question to a chart that was drawn.

    Attributes:
        chart: the chart's folder.
        values: the values that a user gives.
        changed: where they differ from the scenario that they were drawn around, "driver.memory".
        free: what the schema says nothing of has any content somewhere, which a chart passes on.
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
    examples = _examples(chart)
    changes = st.lists(
        _changes(ValuesSchema.of_chart(chart), examples, defaults_of(chart), template_keys(chart)),
        max_size=_MOST_CHANGES,
        unique_by=lambda change: change.path,
    )

    releases, namespaces = _names(53) | st.tuples(_names(25), _names(27)).map(".".join), _names(63)

    @st.composite
    def drawn(draw: st.DrawFn) -> Draw:
        values = copy.deepcopy(draw(st.sampled_from(examples)))
        some = draw(changes)
        # The section last: one that is null has no values below.
        for change in sorted(some, key=lambda change: -len(change.path)):
            put(values, change.path, change.value)
        return Draw(
            chart,
            values,
            changed=tuple(".".join(change.path) for change in some),
            free=any(change.free for change in some),
            release=draw(releases),
            namespace=draw(namespaces),
            kube=draw(st.sampled_from(kubes)),
        )

    return drawn()


def mutants(chart: Path) -> st.SearchStrategy[Draw]:
    """Values of a scenario with one that the schema forbids: a key, a type, a choice, a pattern, a range."""
    schema, examples, defaults = ValuesSchema.of_chart(chart), _examples(chart), defaults_of(chart)
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
    return [scenario.values for scenario in chart_scenarios(chart.parent) if scenario.chart == chart] or [{}]


@dataclass(frozen=True)
class _Change:
    """A value for a place; free: it has any content, of which the schema says nothing."""

    path: tuple[str, ...]
    value: Any
    free: bool = False


def _changes(schema: ValuesSchema, examples: list[Any], defaults: Any, keys: list[str]) -> st.SearchStrategy[_Change]:
    """A value for a place: one that the schema allows, one of another scenario, or null where that is allowed.

    A map of any keys also gets keys that the chart's templates write.
    """
    strategies: dict[tuple[str, ...], st.SearchStrategy[_Change]] = {}
    for place in (*schema.sections(), *schema.leaves()):
        change, options = partial(_Change, place.path), []
        if not is_section(place.schema):
            seen = [value for values in examples for value in at(values, place.path)]
            narrow = without_free_objects(place, examples)
            options += [st.sampled_from(seen).map(change)] if seen else []
            if narrow is not None:
                options.append(_of_schema(narrow).map(change))
                if known := [key for key in keys if _may_be_key(key, narrow)]:
                    inner = _of_schema(narrow["additionalProperties"])
                    options.append(st.dictionaries(st.sampled_from(known), inner, min_size=1, max_size=3).map(change))
            if narrow != place.schema:
                options.append(_of_schema(place.schema).map(partial(change, free=place.declared)))
        if place.path and not place.required and any(True for _ in at(defaults, place.path)):
            options.append(st.just(change(None)))
        if options:
            strategies[place.path] = st.one_of(options)
    return st.sampled_from(list(strategies)).flatmap(lambda path: strategies[path])


def _may_be_key(key: str, schema: Schema) -> bool:
    """Whether a schema is that of a map of any keys, and allows this one."""
    if "properties" in schema or not isinstance(schema.get("additionalProperties"), dict):
        return False
    return bool(jsonschema.Draft7Validator(schema.get("propertyNames", {})).is_valid(key))


def _names(longest: int) -> st.SearchStrategy[str]:
    """Names of releases and namespaces: of few characters, so that a cut often falls on a dash; some of full length."""
    names = st.text("a0-", min_size=1, max_size=longest) | st.text("a0-", min_size=longest, max_size=longest)
    return names.filter(lambda name: name.strip("-") == name)


def _of_schema(schema: Schema) -> st.SearchStrategy[Any]:
    """What a schema allows; made when it is first drawn from, and once for all places that have the same."""
    text = json.dumps(schema, sort_keys=True)
    return st.deferred(lambda: _of_schema_text(text))


@cache
def _of_schema_text(text: str) -> st.SearchStrategy[Any]:
    schema = json.loads(text)
    made = from_schema(schema, codec="utf-8")
    # Every second one without the characters that no manifest holds: a chart that refuses them shows nothing else.
    return made.map(_printable).filter(jsonschema.Draft7Validator(schema).is_valid) | made


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return "".join(letter if letter.isprintable() else "x" for letter in value)
    if isinstance(value, list):
        return [_printable(item) for item in value]
    return {_printable(key): _printable(item) for key, item in value.items()} if isinstance(value, dict) else value
