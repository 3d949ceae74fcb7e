"""values.schema.json from the comments of a chart's values.yaml: one source for values, reference and schema.

A key's type follows from its default. A comment line ``# @schema {…}`` above it adds to that, in JSON; ``# --`` is its
description. Unknown keys are refused everywhere but where ``additionalProperties`` says otherwise. The draft is
draft-07, which helm understands, and no reference leaves the file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from kindling_dev.command import Failure

_DEFINITIONS: dict[str, Any] = {
    "name": {
        "type": "string",
        "description": "Name of a Kubernetes object.",
        "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
    },
    "cpu": {
        "type": "string",
        "description": "CPU as Kubernetes writes it: 300m, 2.",
        "pattern": r"^([0-9]+m|[0-9]+(\.[0-9]+)?)?$",
    },
    "memory": {
        "type": "string",
        "description": "Memory as Spark writes it: 512m, 2g.",
        "pattern": "^[0-9]+[kmgtKMGT][bB]?$",
    },
}
_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "null": "null"}
_MARK = "# @schema "


def schema_of(chart: Path) -> dict[str, Any]:
    """The schema of a chart's values, from the text of its values.yaml."""
    values = (chart / "values.yaml").read_text()
    lines = values.splitlines()
    root = yaml.compose(values, Loader=yaml.SafeLoader)
    if root is None:
        raise Failure(f"{chart / 'values.yaml'} is empty")
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", **_schema_of_node(root, lines)}
    for dependency in yaml.safe_load((chart / "Chart.yaml").read_text()).get("dependencies", []):
        # helm itself puts a key for each dependency among the values.
        schema["properties"][dependency["name"]] = {"type": "object"}
    used = set(re.findall(r'"#/definitions/(\w+)"', json.dumps(schema)))
    if used:
        schema["definitions"] = {name: _DEFINITIONS[name] for name in sorted(used)}
    return schema


def write_schema(chart: Path) -> None:
    """Write a chart's values.schema.json beside its values.yaml."""
    (chart / "values.schema.json").write_text(json.dumps(schema_of(chart), indent=2) + "\n")


def _schema_of_node(node: yaml.Node, lines: list[str]) -> dict[str, Any]:
    if isinstance(node, yaml.MappingNode):
        properties = {}
        for key, value in node.value:
            description, extra = _comment_above(key.start_mark.line, lines)
            told = {"description": description} if description else {}
            # Beside a $ref everything else is ignored in draft-07.
            properties[key.value] = extra if "$ref" in extra else {**_schema_of_node(value, lines), **told, **extra}
        schema: dict[str, Any] = {"type": "object", "additionalProperties": False}
        return {**schema, "properties": properties} if properties else schema
    if isinstance(node, yaml.SequenceNode):
        return {"type": "array"}
    return {"type": _TYPES[node.tag.removeprefix("tag:yaml.org,2002:")]}


def _comment_above(line: int, lines: list[str]) -> tuple[str, dict[str, Any]]:
    """Description and additions that the comment lines just above a key give."""
    comment: list[str] = []
    while line > 0 and lines[line - 1].lstrip().startswith("#"):
        line -= 1
        comment.insert(0, lines[line].strip())
    extra: dict[str, Any] = {}
    for text in comment:
        if text.startswith(_MARK):
            extra |= json.loads(text.removeprefix(_MARK))
    starts = [number for number, text in enumerate(comment) if text.startswith("# --")]
    told = (
        " ".join(text.removeprefix("# --").removeprefix("#").strip() for text in comment[starts[-1] :])
        if starts
        else ""
    )
    # "(int)" is helm-docs' word for a type that the default does not show.
    return re.sub(r"^\(\w+\) ", "", told), extra
