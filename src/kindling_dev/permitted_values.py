"""Which values the fields of Kubernetes' own OpenAPI document permit: its generated source says it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kindling_dev.command import Failure

_FUNCTION = re.compile(r"func schema_(?:k8sio_)?(\w+)\(")
_FIELD = re.compile(r'\t{5}"([^"]+)": \{')
_ENUM = re.compile(r"\t+Enum: +\[\]interface\{\}\{([^}]*)\}")


def add_permitted_values(document: Mapping[str, Any], generated: str) -> None:
    """Write into Kubernetes' own document which values its fields permit: the published ones leave them out.

    Args:
        document: swagger.json.
        generated: the Go source that the document is made by, pkg/generated/openapi/zz_generated.openapi.go.

    Raises:
        Failure: the source has none.
    """
    count = 0
    definition: Mapping[str, Any] = {}
    name = ""
    for line in generated.splitlines():
        if found := _FUNCTION.match(line):
            definition = document["definitions"].get(f"io.k8s.{found[1].replace('_', '.')}", {})
        elif found := _FIELD.match(line):
            name = found[1]
        elif (found := _ENUM.match(line)) and definition:
            values = json.loads(f"[{found[1]}]")
            schema = definition["properties"][name]
            inner = schema.get("items") or schema.get("additionalProperties")
            # An optional field that is empty is as one that is absent.
            empty = [""] if not inner and name not in definition.get("required", []) else []
            (inner or schema)["enum"] = sorted({*values, *empty})
            count += 1
    if not count:
        raise Failure("Kubernetes' generated source has no permitted values; see how it writes them now")
