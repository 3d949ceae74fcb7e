"""Every place of a chart's values at which a form is asked for, and values that are wrong there and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
Step = str | int

WRONG = " , "
"""A text of no form."""


@dataclass(frozen=True)
class FormPlace:
    """A place that has a form.

    Attributes:
        at: as a message names it, "volumes[0].mountPath".
        values: what to give a chart: all is right but for this place.
        form: the schema of the form; of a choice of keys empty.
    """

    at: str
    values: Any
    form: Schema


def dereferenced(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """A schema without references: beside one, everything else is ignored."""
    if isinstance(schema, list):
        return [dereferenced(item, definitions) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    if isinstance(schema.get("$ref"), str):
        return dereferenced(definitions[schema["$ref"].removeprefix("#/definitions/")], definitions)
    return {key: dereferenced(value, definitions) for key, value in schema.items() if key != "definitions"}


def count_of_forms(schema: Any) -> int:
    """How many patterns and choices of keys a schema has, wherever they stand."""
    if isinstance(schema, list):
        return sum(map(count_of_forms, schema))
    if not isinstance(schema, Mapping):
        return 0
    own = isinstance(schema.get("pattern"), str) + isinstance(schema.get("oneOf"), list)
    return own + sum(map(count_of_forms, schema.values()))


def form_places(schema: Schema, defaults: Any, path: tuple[Step, ...] = ()) -> Iterator[FormPlace]:
    """The places below a schema without references, each once; what has a default need not be given."""
    choices = {name for option in schema.get("oneOf", ()) for name in option["required"]}
    for option in schema.get("anyOf", ()):
        yield from form_places(option, defaults, path)
    if "pattern" in schema:
        yield FormPlace(_told(path), WRONG, schema)
    if "oneOf" in schema:
        yield FormPlace(_told(path), {key: value for key, value in least(schema).items() if key not in choices}, {})
    if "propertyNames" in schema:
        below = schema.get("additionalProperties", {"type": "integer"})
        yield FormPlace(_told(path), {WRONG: least(below)}, schema["propertyNames"])
    for key, of_one in schema.get("properties", {}).items():
        others = {} if isinstance(defaults, Mapping) or "string" in schema["type"] else least(schema)
        beside = {name: value for name, value in others.items() if not {name, key} <= choices}
        default = defaults.get(key) if isinstance(defaults, Mapping) else None
        for place in form_places(of_one, default, (*path, key)):
            yield FormPlace(place.at, {**beside, key: place.values}, place.form)
    for key, of_one in _of_any_key(schema):
        for place in form_places(of_one, None, (*path, key)):
            yield FormPlace(place.at, {key: place.values}, place.form)
    if isinstance(schema.get("items"), Mapping):
        for place in form_places(schema["items"], None, (*path, 0)):
            yield FormPlace(place.at, [place.values], place.form)


_KEYS_OF_PATTERNS = ("count/jobs.batch", "fast.storageclass.storage.k8s.io/requests.storage")
"""Keys that patternProperties are for."""


def _of_any_key(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """A key for each schema of keys that have no names, and the schema."""
    for (_, below), key in zip(schema.get("patternProperties", {}).items(), _KEYS_OF_PATTERNS, strict=False):
        yield key, below
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield schema.get("propertyNames", {}).get("examples", ["a"])[0], schema["additionalProperties"]


def least(schema: Schema) -> Any:
    """The least that a schema takes: of an object what it must have."""
    for option in schema.get("anyOf", ()):
        return least(option)
    if "enum" in schema:
        return schema["enum"][0]
    types = schema.get("type", "object")
    match types if isinstance(types, str) else types[0]:
        case "object":
            chosen = schema["oneOf"][0]["required"] if "oneOf" in schema else []
            return {name: least(schema["properties"][name]) for name in (*schema.get("required", ()), *chosen)}
        case "array":
            return [least(schema["items"]) for _ in range(schema.get("minItems", 0))]
        case "string":
            return schema.get("examples", ["a"])[0]
        case _:
            return schema.get("minimum", 1)


def _told(path: tuple[Step, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
