"""The schemas of a chart's values, from the comments of its values.yaml: one source for values, reference and schema.

A key's type follows from its default. A comment line ``# @schema {…}`` above it adds to that, in JSON; ``# --`` is its
description. Unknown keys are refused everywhere but where ``additionalProperties`` says otherwise. The draft is
draft-07, which helm understands, and no reference leaves the file.

Three files are made of it:

* ``ci/values.schema.json``: all that is asked of values; tests draw from it, and no package has it.
* ``values.schema.json``: what helm asks: no pattern and no choice, which helm would tell people as it stands.
* ``files/forms.json``: the rest, which ``spark-common.checkForms`` asks, with a sentence for each form.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from kindling_dev.command import Failure
from kindling_dev.value_forms import COUNTED, COUNTED_RESOURCES, FORMS, RESOURCES, STORAGE

_SCALAR = {"type": ["string", "number", "boolean"]}
_VOLUME_SOURCES = (
    *("secret", "configMap", "projected", "downwardAPI", "emptyDir"),
    *("persistentVolumeClaim", "ephemeral", "csi", "nfs", "hostPath"),
)
_MOUNTED: dict[str, Any] = {
    "name": {"$ref": "#/definitions/name"},
    "mountPath": {"$ref": "#/definitions/mountPath"},
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

_COUNT = {"$ref": "#/definitions/count"}
_OF_CONTAINERS = {name: {"$ref": "#/definitions/amount"} for name in RESOURCES[:2]}
_OF_PODS = {"pods": _COUNT, **{name: {"$ref": "#/definitions/amount"} for name in RESOURCES[:6]}}

_DEFINITIONS: dict[str, Any] = {
    **{name: form.schema() for name, form in FORMS.items()},
    "containerResources": {"type": "object", "additionalProperties": False, "properties": _OF_CONTAINERS},
    "containerRequests": {
        "type": "object",
        "required": ["cpu", "memory"],
        "additionalProperties": False,
        "properties": _OF_CONTAINERS,
    },
    "containerLimits": {
        "type": "object",
        "required": ["memory"],
        "additionalProperties": False,
        "properties": _OF_CONTAINERS,
    },
    "podQuota": {"type": "object", "additionalProperties": False, "properties": _OF_PODS},
    "quota": {
        "type": "object",
        "propertyNames": {"$ref": "#/definitions/quotaKey"},
        "properties": {
            **{name: {"$ref": "#/definitions/amount"} for name in RESOURCES},
            **dict.fromkeys(COUNTED_RESOURCES, _COUNT),
        },
        "patternProperties": {COUNTED: _COUNT, STORAGE: {"$ref": "#/definitions/amount"}},
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
            "name": {"$ref": "#/definitions/accountName"},
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
    "idRange": {
        "type": "object",
        "description": "Ids of users or groups, both ends included.",
        "required": ["min", "max"],
        "additionalProperties": False,
        "properties": {end: {"type": "integer", "minimum": 0, "maximum": 2**31 - 1} for end in ("min", "max")},
    },
    "scalar": _SCALAR,
    "labels": {
        "type": "object",
        "propertyNames": {"$ref": "#/definitions/labelKey"},
        "additionalProperties": {"$ref": "#/definitions/labelValue"},
    },
    "annotations": {
        "type": "object",
        "propertyNames": {"$ref": "#/definitions/labelKey"},
        "additionalProperties": {"type": "string"},
    },
    "env": {
        "type": "object",
        "propertyNames": {"$ref": "#/definitions/envName"},
        "additionalProperties": {
            "type": [*_SCALAR["type"], "object"],
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": {
                name: {"type": "object"} for name in ("secretKeyRef", "configMapKeyRef", "fieldRef", "resourceFieldRef")
            },
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
    """All that is asked of a chart's values, from the text of its values.yaml."""
    values = (chart / "values.yaml").read_text()
    lines = values.splitlines()
    root = yaml.compose(values, Loader=yaml.SafeLoader)
    if root is None:
        raise Failure(f"{chart / 'values.yaml'} is empty")
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", **_schema_of_node(root, lines)}
    for dependency in yaml.safe_load((chart / "Chart.yaml").read_text()).get("dependencies", []):
        # helm itself puts a key for each dependency among the values.
        schema["properties"][dependency["name"]] = {"type": "object"}
    return _with_definitions(schema, _DEFINITIONS)


def schema_for_helm(schema: dict[str, Any]) -> dict[str, Any]:
    """What helm asks of values, of all that is asked: what it tells people in words."""
    definitions = {name: _for_helm(below) for name, below in _DEFINITIONS.items() if name not in FORMS}
    return _with_definitions(_for_helm({**schema, "definitions": {}}), definitions)


def forms_of(schema: dict[str, Any]) -> dict[str, Any]:
    """What spark-common.checkForms asks of values: the forms by name, and which of them stands where.

    Raises:
        Failure: the schema has a pattern or a choice that is no form, which nothing would ask.
    """
    values = _rule_of(schema)
    names = sorted(set(re.findall(r'"(?:form|keys)": "(\w+)"', json.dumps(values))))
    forms = {
        name: {"pattern": form.pattern, "says": form.says, "example": form.examples[0]}
        for name, form in ((name, FORMS[name]) for name in names)
    }
    return {"forms": forms, "values": values}


def generated(chart: Path) -> dict[str, str]:
    """File of a chart -> its text, of what is made of its values.yaml."""
    schema = schema_of(chart)
    # The first is read by people; helm reads the last at each render.
    return {
        "values.schema.json": json.dumps(schema_for_helm(schema), indent=2) + "\n",
        "ci/values.schema.json": json.dumps(schema, indent=1) + "\n",
        "files/forms.json": json.dumps(forms_of(schema), separators=(",", ":"), sort_keys=True) + "\n",
    }


def write_schemas(chart: Path) -> list[Path]:
    """Write what is made of a chart's values.yaml; return the files."""
    written = []
    for name, text in generated(chart).items():
        file = chart / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        written.append(file)
    return written


def _with_definitions(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A schema with the definitions that it refers to, and those that they refer to."""

    def references(below: Any) -> set[str]:
        named = set(re.findall(r'"#/definitions/(\w+)"', json.dumps(below)))
        return named.union(*(references(definitions[name]) for name in named))

    used = references({**schema, "definitions": {}})
    said = {key: value for key, value in schema.items() if key != "definitions"}
    return {**said, "definitions": {name: definitions[name] for name in sorted(used)}} if used else said


def _form_of(schema: dict[str, Any]) -> str:
    """The form that a schema names; empty: none."""
    name = str(schema.get("$ref", "")).removeprefix("#/definitions/")
    return name if name in FORMS else ""


def _is_empty(schema: Any) -> bool:
    return bool(schema == {"const": ""})


def _for_helm(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema as helm asks it: a form has a type and a range, and what only some keys have may all have."""
    if name := _form_of(schema):
        return {**FORMS[name].helm_schema(), **{key: value for key, value in schema.items() if key != "$ref"}}
    result: dict[str, Any] = {}
    for key, value in schema.items():
        match key:
            case "properties" | "definitions":
                result[key] = {name: _for_helm(below) for name, below in value.items()}
            case "items" | "additionalProperties" if isinstance(value, dict):
                result[key] = _for_helm(value)
            case "anyOf":
                (form,) = (option for option in value if not _is_empty(option))
                result = {**_for_helm(form), **result}
                # What a form asks of every text an empty one does not have.
                result.pop("minLength", None)
            case "propertyNames" | "oneOf":
                pass
            case "patternProperties":
                result["additionalProperties"] = {"type": ["string", "number"]}
            case _:
                result[key] = value
    return result


_KNOWN = {
    *("$schema", "$ref", "type", "description", "required", "default", "examples"),
    *("enum", "const", "minimum", "maximum", "minLength", "maxLength"),
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
}
"""What helm tells in words, or what says nothing of values."""


def _rule_of(schema: dict[str, Any]) -> dict[str, Any]:
    """What helm does not ask of a value; empty: nothing.

    ``form``: of a text; ``empty``: it may be "" too; ``at``: key -> rule of its value; ``each``: rule of every item or
    value; ``keys``: form of keys; ``matching``: pattern of keys -> rule of their values; ``one``: keys of which one is
    given.
    """
    if name := _form_of(schema):
        return {"form": name}
    if "$ref" in schema:
        return _rule_of(_DEFINITIONS[schema["$ref"].removeprefix("#/definitions/")])
    rule: dict[str, Any] = {}
    for key, value in schema.items():
        match key:
            case "properties":
                below = {name: _rule_of(of_one) for name, of_one in value.items()}
                rule["at"] = {name: found for name, found in below.items() if found}
            case "items" | "additionalProperties":
                rule["each"] = _rule_of(value) if isinstance(value, dict) else {}
            case "anyOf":
                (form,) = (option for option in value if not _is_empty(option))
                rule |= {**_rule_of(form), "empty": True}
            case "propertyNames" if _form_of(value):
                rule["keys"] = _form_of(value)
            case "patternProperties":
                rule["matching"] = {pattern: _rule_of(below) for pattern, below in value.items()}
            case "oneOf" if all(option.keys() == {"required"} and len(option["required"]) == 1 for option in value):
                rule["one"] = [option["required"][0] for option in value]
            case "definitions":
                pass
            case _ if key not in _KNOWN:
                raise Failure(
                    f"a schema has {key}: {value}, which helm tells nobody in words: write a form in value_forms.py"
                )
    return {key: value for key, value in rule.items() if value}


def _schema_of_node(node: yaml.Node, lines: list[str]) -> dict[str, Any]:
    if isinstance(node, yaml.MappingNode):
        properties = {}
        for key, value in node.value:
            description, extra = _comment_above(key.start_mark.line, lines)
            told = {"description": description} if description else {}
            # Beside a $ref everything else is ignored in draft-07; what helm asks has no $ref to a form.
            properties[key.value] = (
                {**extra, **told} if "$ref" in extra else _in_range({**_schema_of_node(value, lines), **told, **extra})
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
