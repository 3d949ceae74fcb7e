"""OpenAPI documents of Kubernetes and of custom resources as strict JSON schemas, each named by its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_KEPT = {
    *("nullable", "x-kubernetes-preserve-unknown-fields"),
    *("type", "required", "enum", "pattern", "minimum", "maximum"),
    *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "multipleOf"),
}
_LEFT_OUT = {
    *("title", "description", "example", "externalDocs", "default", "x-kubernetes-group-version-kind"),
    # How the server merges.
    *("x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type", "x-kubernetes-unions"),
    *("x-kubernetes-patch-strategy", "x-kubernetes-patch-merge-key"),
    # Rules across fields are asked of an object with its defaults filled in: the API server's to judge.
    *("x-kubernetes-validations", "allOf", "oneOf", "anyOf", "not"),
    # Said at the end, with the word that each belongs to.
    *("exclusiveMinimum", "exclusiveMaximum", "x-kubernetes-embedded-resource"),
}
_BASE64 = (
    r"^(([\r\n]*[A-Za-z0-9+/]){4})*"
    r"(([\r\n]*[A-Za-z0-9+/]){2}[\r\n]*=[\r\n]*=|([\r\n]*[A-Za-z0-9+/]){3}[\r\n]*=)?[\r\n]*$"
)
_DATE_TIME = {"pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$"}
_FORMATS: Mapping[str, Mapping[str, Any]] = {
    "byte": {"pattern": _BASE64},
    "date-time": _DATE_TIME,
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


_OF_EVERY_OBJECT: Mapping[str, Mapping[str, Any]] = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"type": "object"},
}
"""What a custom resource's schema may leave unsaid."""


class DefinitionError(ValueError):
    """A definition has what is not translated; the message is one line."""


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
            DefinitionError: it has what is not translated.
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
            DefinitionError: it has what is not translated.
        """
        translated = _translate(schema)
        translated["properties"] = {**_OF_EVERY_OBJECT, **translated["properties"], "metadata": metadata}
        return self._add(name, translated)

    def _add(self, name: str, schema: dict[str, Any]) -> str:
        key = key_of(name, schema)
        if self.schemas.setdefault(key, schema) != schema:
            raise DefinitionError(f"two schemas have the key {key}; make its hash longer")
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
        elif word == "format":
            made = {**_FORMATS.get(value, {}), **made}  # other formats are of names: the API server's to judge
        elif word == "$ref" and refer:
            made["$ref"] = f"#/$defs/{refer(value)}"
        elif word == "properties":
            made[word] = {name: _translate(inner, refer) for name, inner in value.items()}
        elif word in ("items", "additionalProperties"):
            made[word] = value if isinstance(value, bool) else _translate(value, refer)
        elif word == "x-kubernetes-int-or-string":
            made["type"] = ["integer", "string"]
        elif word not in _LEFT_OUT:
            raise DefinitionError(f"{word}: {value} is in a schema and not translated; say in openapi.py what it means")
    if schema.get("x-kubernetes-embedded-resource"):
        made["properties"] = {**_OF_EVERY_OBJECT, **made.get("properties", {})}
    if made.get("type") == "object" and "additionalProperties" not in made and ("properties" in made or not refer):
        made |= {"properties": made.get("properties", {}), "additionalProperties": False}
    if made.pop("x-kubernetes-preserve-unknown-fields", False):
        made.pop("additionalProperties", None)
    if made.pop("nullable", False) and "type" in made:
        made["type"] = [*([made["type"]] if isinstance(made["type"], str) else made["type"]), "null"]
    for limit in ("Minimum", "Maximum"):
        if schema.get(f"exclusive{limit}"):
            made[f"exclusive{limit}"] = made.pop(limit.lower())
    if "required" in made:
        # Defaults are filled in before the required fields are looked for.
        given = {name for name, inner in schema.get("properties", {}).items() if "default" in inner}
        made["required"] = sorted(set(made["required"]) - given)
    return made
