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

_OBJECT_NAME = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*"
_QUALIFIED = rf"^({_OBJECT_NAME}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?$"
_LABEL_VALUE = r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$"
_SCALAR = {"type": ["string", "number", "boolean"]}
_VOLUME_SOURCES = (
    *("secret", "configMap", "projected", "downwardAPI", "emptyDir"),
    *("persistentVolumeClaim", "ephemeral", "csi", "nfs", "hostPath"),
)
_MOUNTED: dict[str, Any] = {
    "name": {"$ref": "#/definitions/name"},
    "mountPath": {"type": "string", "pattern": "^/[^:]*$"},
    "subPath": {"type": "string"},
    "readOnly": {"type": "boolean"},
}
_SOURCES = {source: {"type": "object"} for source in _VOLUME_SOURCES}
_ON_DEMAND = {
    "type": "object",
    # Without a storage class Spark makes no claim, and says nothing.
    "required": ["storageClass", "size"],
    "additionalProperties": False,
    "properties": {"storageClass": {"$ref": "#/definitions/objectName"}, "size": {"$ref": "#/definitions/quantity"}},
}

_AMOUNT = {
    "type": ["string", "number"],
    "pattern": r"^[0-9]{1,12}(\.[0-9]{1,3})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$",
    "minimum": 0,
    "maximum": 2**31 - 1,
}
_COUNT = {"type": ["string", "integer"], "pattern": "^[0-9]{1,9}$", "minimum": 0, "maximum": 2**31 - 1}
_OF_PODS = {
    "pods": _COUNT,
    **{
        name: {"$ref": "#/definitions/amount"}
        for name in ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
    },
}
_OF_CONTAINERS = {name: {"$ref": "#/definitions/amount"} for name in ("cpu", "memory")}
_BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4_BLOCK = rf"{_BYTE}(\.{_BYTE}){{3}}/(3[0-2]|[12]?[0-9])"
_HEX = "[0-9a-f]{1,4}"
_IPV6 = f"({_HEX}:){{7}}{_HEX}|::|({_HEX}:){{1,7}}:|({_HEX}:){{1,6}}:{_HEX}|({_HEX}:){{1,4}}(:{_HEX}){{2,3}}"
_IPV6_BLOCK = f"({_IPV6})/(12[0-8]|1[01][0-9]|[1-9]?[0-9])"

_DEFINITIONS: dict[str, Any] = {
    "amount": {"description": "CPU, memory or storage as Kubernetes writes it: 300m, 2, 512Mi.", **_AMOUNT},
    "containerResources": {"type": "object", "additionalProperties": False, "properties": _OF_CONTAINERS},
    "podQuota": {"type": "object", "additionalProperties": False, "properties": _OF_PODS},
    "quota": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **_OF_PODS,
            **{
                name: {"$ref": "#/definitions/amount"}
                for name in ("requests.storage", "requests.ephemeral-storage", "limits.ephemeral-storage")
            },
            **dict.fromkeys(
                (
                    *("configmaps", "secrets", "persistentvolumeclaims", "services"),
                    *("services.loadbalancers", "services.nodeports"),
                ),
                _COUNT,
            ),
        },
        "patternProperties": {
            # Counts of objects, volumes of a storage class, devices.
            "^count/[a-z]([-a-z0-9.]{0,60}[a-z0-9])?$": _COUNT,
            rf"^{_OBJECT_NAME}\.storageclass\.storage\.k8s\.io/persistentvolumeclaims$": _COUNT,
            rf"^{_OBJECT_NAME}\.storageclass\.storage\.k8s\.io/requests\.storage$": {"$ref": "#/definitions/amount"},
            rf"^requests\.{_OBJECT_NAME}/[A-Za-z0-9]([-A-Za-z0-9_.]{{0,40}}[A-Za-z0-9])?$": _COUNT,
        },
    },
    "name": {
        "type": "string",
        "description": "Name of a Kubernetes object.",
        "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
    },
    "objectName": {
        "type": "string",
        "description": "Name of a Kubernetes object that may have dots.",
        "pattern": f"^{_OBJECT_NAME}$",
    },
    "secretKey": {
        "type": "string",
        "description": "Key of a Secret's data.",
        "pattern": "^[-._a-zA-Z0-9]{1,253}$",
    },
    "subject": {
        "type": "string",
        "description": "Name of a user or a group, as the cluster's login gives it.",
        "pattern": r"^[^ \x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^ \x00-\x1f\x7f-\x9f])?$",
    },
    "serviceAccount": {
        "type": "object",
        "description": "A service account of some namespace.",
        "required": ["namespace", "name"],
        "additionalProperties": False,
        "properties": {
            "namespace": {"$ref": "#/definitions/name"},
            "name": {"$ref": "#/definitions/objectName"},
        },
    },
    "account": {
        "type": "object",
        "description": "A service account that is used from outside the cluster.",
        "required": ["name", "role"],
        "additionalProperties": False,
        "properties": {
            # Its Role has a longer name.
            "name": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?$"},
            "role": {"enum": ["submitter", "viewer"]},
            "owners": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": False,
                "properties": {
                    **{
                        kind: {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/subject"}}
                        for kind in ("users", "groups")
                    },
                    "serviceAccounts": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"$ref": "#/definitions/serviceAccount"},
                    },
                },
            },
        },
    },
    "cpu": {
        "type": ["string", "number"],
        "description": "CPU as Kubernetes writes it: 300m, 2.",
        "pattern": r"^([0-9]+m|[0-9]+(\.[0-9]+)?)$",
        "minimum": 0,
    },
    "memory": {
        "type": "string",
        "description": "Memory as Spark writes it: 512m, 2g.",
        "pattern": "^[0-9]+[kmgtKMGT][bB]?$",
    },
    "quantity": {
        "type": "string",
        "description": "Memory or storage as Kubernetes writes it: 512Mi, 10Gi.",
        "pattern": r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$",
    },
    "idRange": {
        "type": "object",
        "description": "Ids of users or groups, both ends included.",
        "required": ["min", "max"],
        "additionalProperties": False,
        "properties": {end: {"type": "integer", "minimum": 0, "maximum": 2**31 - 1} for end in ("min", "max")},
    },
    "duration": {"type": "string", "description": "A time: 30s, 5m, 1h.", "pattern": "^[0-9]+(ms|s|m|h)$"},
    "scalar": _SCALAR,
    "listed": {
        "type": "string",
        "description": "One of a list that Spark separates by commas.",
        "pattern": r"^[^,\s]+$",
    },
    "labels": {
        "type": "object",
        "propertyNames": {"pattern": _QUALIFIED},
        "additionalProperties": {"type": "string", "pattern": _LABEL_VALUE},
    },
    "annotations": {
        "type": "object",
        "propertyNames": {"pattern": _QUALIFIED},
        "additionalProperties": {"type": "string"},
    },
    "env": {
        "type": "object",
        "propertyNames": {"pattern": "^[-._a-zA-Z][-._a-zA-Z0-9]*$"},
        "additionalProperties": {
            "anyOf": [
                _SCALAR,
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": False,
                    "properties": {
                        name: {"type": "object"}
                        for name in ("secretKeyRef", "configMapKeyRef", "fieldRef", "resourceFieldRef")
                    },
                },
            ]
        },
    },
    "volume": {
        "type": "object",
        "required": ["name", "mountPath"],
        "additionalProperties": False,
        "properties": {
            **_MOUNTED,
            "roles": {"type": "array", "minItems": 1, "items": {"enum": ["driver", "executor", "submitter"]}},
            **_SOURCES,
            "onDemand": _ON_DEMAND,
        },
        "oneOf": [{"required": [source]} for source in (*_VOLUME_SOURCES, "onDemand")],
    },
    "mountedVolume": {
        "type": "object",
        "required": ["name", "mountPath"],
        "additionalProperties": False,
        "properties": {**_MOUNTED, **_SOURCES},
        "oneOf": [{"required": [source]} for source in _VOLUME_SOURCES],
    },
    "container": {
        "type": "object",
        "required": ["name", "image"],
        "properties": {"name": {"$ref": "#/definitions/name"}, "image": {"type": "string", "minLength": 1}},
    },
    "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "host": {
        "type": "string",
        "description": "A host name: spark.example.com.",
        "pattern": f"^({_OBJECT_NAME})?$",
        "maxLength": 253,
    },
    "httpHeader": {
        "type": "string",
        "description": "Name of a header: X-Forwarded-User.",
        "pattern": "^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?$",
    },
    "cidr": {
        "type": "string",
        "description": "A block of IP addresses: 192.0.2.88/32, 2001:db8::/32.",
        "pattern": f"^({_IPV4_BLOCK}|{_IPV6_BLOCK})$",
    },
    "peer": {
        "type": "object",
        "description": "Who is at the other end of connections, and the ports that are connected to.",
        "required": ["ports"],
        "additionalProperties": False,
        "properties": {
            "namespaces": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/definitions/name"}},
            "podLabels": {"$ref": "#/definitions/labels"},
            "cidrs": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/definitions/cidr"}},
            "ports": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"$ref": "#/definitions/port"}},
            "protocols": {
                "type": "array",
                "minItems": 1,
                "uniqueItems": True,
                "items": {"enum": ["TCP", "UDP", "SCTP"]},
            },
        },
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
    used = _references(schema)
    if used:
        schema["definitions"] = {name: _DEFINITIONS[name] for name in sorted(used)}
    return schema


def _references(schema: Any) -> set[str]:
    """The definitions that a schema refers to, and those that they refer to."""
    named = set(re.findall(r'"#/definitions/(\w+)"', json.dumps(schema)))
    return named.union(*(_references(_DEFINITIONS[name]) for name in named))


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
            properties[key.value] = (
                extra if "$ref" in extra else _in_range({**_schema_of_node(value, lines), **told, **extra})
            )
        schema: dict[str, Any] = {"type": "object", "additionalProperties": False}
        if not properties:
            return schema
        # helm takes null for: remove the default. The schema says whether it may be missing.
        required = [key.value for key, value in node.value if value.tag != "tag:yaml.org,2002:null"]
        return {**schema, "properties": properties, "required": required}
    if isinstance(node, yaml.SequenceNode):
        return {"type": "array"}
    return {"type": _TYPES[node.tag.removeprefix("tag:yaml.org,2002:")]}


def _in_range(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema whose integers are those of Kubernetes and of the JVM, of 32 bits; or of a range that it says itself."""
    return {**schema, "maximum": schema.get("maximum", 2**31 - 1)} if "integer" in schema["type"] else schema


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
