"""OpenAPI documents of Kubernetes and of custom resources as strict JSON schemas, each named by its content."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kindling_dev.command import Failure

_KEPT = {
    *("nullable", "x-kubernetes-preserve-unknown-fields"),
    *("type", "required", "enum", "pattern", "minimum", "maximum"),
    *("minLength", "maxLength", "minItems", "maxItems", "maxProperties"),
}
_LEFT_OUT = {
    *("description", "default", "x-kubernetes-group-version-kind"),
    # How the server merges.
    *("x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type", "x-kubernetes-unions"),
    *("x-kubernetes-patch-strategy", "x-kubernetes-patch-merge-key"),
    # Rules across fields are asked of an object with its defaults filled in: the API server's to judge.
    *("x-kubernetes-validations", "oneOf", "anyOf", "not"),
}
_BASE64 = (
    r"^(([\r\n]*[A-Za-z0-9+/]){4})*"
    r"(([\r\n]*[A-Za-z0-9+/]){2}[\r\n]*=[\r\n]*=|([\r\n]*[A-Za-z0-9+/]){3}[\r\n]*=)?[\r\n]*$"
)
_DATE_TIME = {"pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$"}
_FORMATS: Mapping[str, Mapping[str, Any]] = {
    "byte": {"pattern": _BASE64},
    "date-time": _DATE_TIME,
    "double": {},
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
    "int64": {"minimum": -(2**63), "maximum": 2**63 - 1},
}
_BY_NAME: Mapping[str, Mapping[str, Any]] = {
    # The documents say "string" of both; their Go types read more, and less.
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["integer", "string"]},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
        "type": ["string", "number"],
        "pattern": r"^[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$",
    },
}
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


@dataclass
class Definitions:
    """JSON schemas that refer to each other by ``#/$defs/KEY``; equal ones are kept once.

    Attributes:
        schemas: key ("core.v1.Pod-1a2b3c4d": name and hash of the content, referred ones included) -> schema.
    """

    schemas: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add_kubernetes(self, document: Mapping[str, Any], name: str) -> str:
        """Add a definition of Kubernetes' own document (swagger.json), with all that it refers to; return its key.

        Raises:
            Failure: it has what is not translated.
        """
        if name in _BY_NAME:
            return self._add(name, dict(_BY_NAME[name]))

        def refer(reference: str) -> str:
            return self.add_kubernetes(document, reference.removeprefix("#/definitions/"))

        return self._add(name, _translate(document["definitions"][name], refer))

    def add_custom(self, name: str, schema: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
        """Add a custom resource's openAPIV3Schema; return its key.

        Args:
            name: its name here, "monitoring.coreos.com.v1.PodMonitor".
            schema: of the whole object, its metadata left open.
            metadata: the schema of Kubernetes' own metadata.

        Raises:
            Failure: it has what is not translated.
        """
        translated = _translate(schema)
        translated["properties"]["metadata"] = metadata
        return self._add(name, translated)

    def _add(self, name: str, schema: dict[str, Any]) -> str:
        key = key_of(name, schema)
        if self.schemas.setdefault(key, schema) != schema:
            raise Failure(f"two schemas have the key {key}; make its hash longer")
        return key


def key_of(name: str, schema: Mapping[str, Any]) -> str:
    """The end of a definition's name, and a hash of its content."""
    content = json.dumps(schema, sort_keys=True)
    return f"{'.'.join(name.split('.')[-3:])}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def _translate(schema: Mapping[str, Any], refer: Callable[[str], str] | None = None) -> dict[str, Any]:
    """Translate; without ``refer`` it is a custom resource's schema, whose objects take the described fields alone."""
    made: dict[str, Any] = {}
    for word, value in schema.items():
        if word in _KEPT:
            made[word] = value
        elif word == "format" and value in _FORMATS:
            made |= _FORMATS[value]
        elif word == "$ref" and refer:
            made["$ref"] = f"#/$defs/{refer(value)}"
        elif word == "properties":
            made[word] = {name: _translate(inner, refer) for name, inner in value.items()}
        elif word in ("items", "additionalProperties"):
            made[word] = _translate(value, refer)
        elif word == "x-kubernetes-int-or-string":
            made["type"] = ["integer", "string"]
        elif word not in _LEFT_OUT:
            raise Failure(f"{word}: {value} is in a schema and not translated; say in openapi.py what to make of it")
    if made.get("type") == "object" and "additionalProperties" not in made and ("properties" in made or not refer):
        made |= {"properties": made.get("properties", {}), "additionalProperties": False}
    if made.pop("x-kubernetes-preserve-unknown-fields", False):
        made.pop("additionalProperties", None)
    if made.pop("nullable", False):
        made["type"] = [made["type"], "null"]
    if "required" in made:
        # Defaults are filled in before the required fields are looked for.
        given = {name for name, inner in schema.get("properties", {}).items() if "default" in inner}
        made["required"] = sorted(set(made["required"]) - given)
    return made
