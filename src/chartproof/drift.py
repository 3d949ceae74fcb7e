"""Whether values.yaml, values.schema.json, templates and scenarios of a chart still speak of the same values."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from chartproof.errors import HelmError
from chartproof.helm import Helm
from chartproof.helm_yaml import HelmLoader
from chartproof.packages import template_texts
from chartproof.scenarios import Scenario

_USE = re.compile(r"\.Values((?:\.[A-Za-z_]\w*)+)")
_COMMENT = re.compile(r"\{\{-?\s*/\*.*?\*/", re.DOTALL)


def undeclared(chart: Path) -> list[str]:
    """``.Values`` paths of the templates, with those of packaged libraries, that values.yaml does not declare.

    Another dependency has values of its own.
    """
    declared = _load(chart / "values.yaml")
    used = {match[1][1:] for text in template_texts(chart) for match in _USE.finditer(_COMMENT.sub("", text))}
    return sorted(path for path in used if not _declares(declared, path.split(".")))


def unset(chart: Path, scenarios: Sequence[Scenario]) -> list[str]:
    """Leaves of values.schema.json ("app.args", "volumes[].name") that no scenario of a chart sets."""
    schema = json.loads((chart / "values.schema.json").read_text())
    found = {path for scenario in scenarios for file in scenario.files for path in _paths(_load(file))}
    return sorted(leaf for leaf in set(_schema_leaves(schema)) if leaf not in found)


def unused(
    helm: Helm, chart: Path, scenarios: Sequence[Scenario], section: str = "", kubes: Sequence[str] = ("",)
) -> list[str]:
    """Leaves of values.yaml without effect: no scenario renders differently, or is refused, without what it sets there.

    A leaf that scenarios set only to its default counts as unused: they do not show what it is for. It takes a render
    for each leaf at least: a ``section``, a key at the top, is a part of the work. ``kubes`` are the Kubernetes
    versions of which one must show the effect.
    """
    idle = {path for path in _leaves(_load(chart / "values.yaml")) if section in ("", path[0])}
    for scenario in scenarios:
        values = scenario.values
        for leaf in sorted(idle):
            without = _without(values, leaf)
            if without != values and any(
                _outcome(helm, chart, without, kube) != _outcome(helm, chart, values, kube) for kube in kubes
            ):
                idle.remove(leaf)
    return sorted(map(".".join, idle))


def _outcome(helm: Helm, chart: Path, values: Mapping[str, Any], kube: str) -> str:
    try:
        return helm.template(chart, values=values, kube=kube, checked=False).text
    except HelmError as error:
        return f"refused: {error}"


def _without(values: dict[str, Any], path: Sequence[str]) -> dict[str, Any]:
    result = copy.deepcopy(values)
    at: Any = result
    for key in path[:-1]:
        at = at.get(key) if isinstance(at, dict) else None
    if isinstance(at, dict):
        at.pop(path[-1], None)
    return result


def _load(file: Path) -> dict[str, Any]:
    return dict(yaml.load(file.read_text(), Loader=HelmLoader) or {})


def _declares(values: Any, path: Sequence[str]) -> bool:
    """Whether values have a path; below an empty map or null anything may stand."""
    for key in path:
        if values is None or values == {}:
            return True
        if not isinstance(values, dict) or key not in values:
            return False
        values = values[key]
    return True


def _leaves(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key)


def _paths(value: Any, path: str = "") -> Iterator[str]:
    """The path of a value and of all below it."""
    yield path
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _paths(below, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for below in value:
            yield from _paths(below, f"{path}[]")


def _schema_leaves(schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    items = schema.get("items")
    if schema.get("properties"):
        for key, below in schema["properties"].items():
            yield from _schema_leaves(below, f"{path}.{key}" if path else key)
    elif isinstance(items, dict) and items.get("properties"):
        yield from _schema_leaves(items, f"{path}[]")
    else:
        yield path
