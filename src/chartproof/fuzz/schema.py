"""The schema of a chart's values, as a search looks at it: places where a value can stand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chartproof.helm_yaml import HelmLoader

Schema = dict[str, Any]

_WORDS = ("$schema", "description", "examples")
_SECTION = {"type", "properties", "additionalProperties", "required"}
"""What the schema of a section says; one that says more, as ``oneOf``, is drawn as a whole."""


@dataclass(frozen=True)
class Place:
    """A place in values and the schema of what may stand there.

    Attributes:
        path: the keys that lead to it.
        schema: without references; its patterns mean for Python what they mean for helm.
        required: whether something must stand there.
        declared: whether the schema names it; in open sections there is also a key of our own, which no template knows.
    """

    path: tuple[str, ...]
    schema: Schema
    required: bool = False
    declared: bool = True

    def __str__(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True)
class ValuesSchema:
    """What a chart asks of values: its ``values.schema.json``, and what its templates refuse besides.

    Attributes:
        root: the schema, without references; its patterns mean for Python what they mean for helm.
    """

    root: Schema

    @classmethod
    def of_chart(cls, chart: Path) -> ValuesSchema:
        """Read a chart's schema, whose references must all point to its own ``definitions``.

        Where templates ask for more than helm, ``ci/values.schema.json`` has all of it.
        """
        whole = chart / "ci/values.schema.json"
        schema = json.loads((whole if whole.exists() else chart / "values.schema.json").read_text())
        definitions = schema.pop("definitions", {})
        return cls(_plain(schema, definitions))

    def leaves(self) -> list[Place]:
        """The places that no section's schema describes further."""
        return [place for place in self._places(Place((), self.root)) if not is_section(place.schema)]

    def sections(self) -> list[Place]:
        """The sections, the root first."""
        return [place for place in self._places(Place((), self.root)) if is_section(place.schema)]

    def _places(self, place: Place) -> Iterator[Place]:
        yield place
        schema = place.schema
        if not is_section(schema):
            return
        for key, child in schema["properties"].items():
            yield from self._places(Place((*place.path, key), child, key in schema.get("required", ())))
        if schema.get("additionalProperties", True) is True:
            yield Place((*place.path, "undeclared"), {}, declared=False)


def at(values: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """What stands at a path in values; "*" is each item of a list or each value of a map."""
    if not path:
        yield values
    elif path[0] == "*":
        for item in values.values() if isinstance(values, dict) else values if isinstance(values, list) else ():
            yield from at(item, path[1:])
    elif isinstance(values, dict) and path[0] in values:
        yield from at(values[path[0]], path[1:])


def defaults_of(chart: Path) -> dict[str, Any]:
    """A chart's ``values.yaml``."""
    return yaml.load((chart / "values.yaml").read_text(), Loader=HelmLoader) or {}


def coalesced(defaults: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A chart's defaults with a user's values on top, as helm asks the schema about them: null removes a default."""
    result = dict(defaults)
    for key, value in values.items():
        default = result.get(key)
        if value is None and key in defaults:
            del result[key]
        elif isinstance(value, Mapping) and isinstance(default, Mapping):
            result[key] = coalesced(default, value)
        else:
            result[key] = value
    return result


def without_free_objects(place: Place, examples: list[Mapping[str, Any]]) -> Schema | None:
    """A place's schema where objects of any content are only those that stand there in examples; None: there are none.

    What is passed on to Kubernetes as it is has its schema there: any content makes an invalid object.
    """
    schema, path = place.schema, place.path
    if not schema or (schema.get("type") == "object" and not _tells_content(schema)):
        found = [value for values in examples for value in at(values, path)]
        return {"enum": found} if found else None
    narrow = dict(schema)
    if "properties" in schema:
        children = {
            key: without_free_objects(Place((*path, key), s), examples) for key, s in schema["properties"].items()
        }
        narrow["properties"] = {key: child for key, child in children.items() if child is not None}
        narrow["additionalProperties"] = False
    elif isinstance(schema.get("additionalProperties"), dict):
        narrow["additionalProperties"] = without_free_objects(
            Place((*path, "*"), schema["additionalProperties"]), examples
        )
        if narrow["additionalProperties"] is None:
            return {"const": {}}
    if "items" in schema:
        items = without_free_objects(Place((*path, "*"), schema["items"]), examples)
        narrow |= {"maxItems": 0} if items is None else {"items": items}
    for word in ("anyOf", "oneOf"):
        if any("type" in option for option in schema.get(word, ())):
            options = [without_free_objects(Place(path, option), examples) for option in schema[word]]
            narrow[word] = [option for option in options if option is not None]
    return narrow


def is_section(schema: Schema) -> bool:
    """Whether a schema only says which keys there are: what it is about is changed key by key."""
    return "properties" in schema and schema.keys() <= _SECTION


def _tells_content(schema: Schema) -> bool:
    return "properties" in schema or isinstance(schema.get("additionalProperties"), dict)


def _plain(schema: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_plain(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        # Beside a $ref everything else is ignored in draft-07.
        return _plain(definitions[schema["$ref"].removeprefix("#/definitions/")], definitions)
    # A property may have either name too: its schema is no text.
    said = {key: value for key, value in schema.items() if key not in _WORDS or not isinstance(value, str | list)}
    plain = {key: _plain(value, definitions) for key, value in said.items()}
    if isinstance(plain.get("pattern"), str):
        # helm's patterns are Go's: \w and \s are ASCII, and $ is the very end.
        plain["pattern"] = "(?a)" + re.sub(r"(?<!\\)\$(?=\)*$)", r"\\Z", plain["pattern"])
    return plain
