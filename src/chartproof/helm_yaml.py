"""YAML as helm reads it (sigs.k8s.io/yaml): 2026-11-21 and 12:30 are texts, 1e3 is a number, y is a switch."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times quicker, where libyaml is there


class TwiceError(yaml.YAMLError):
    """A key that stands twice in a map, in the words of helm's parser where it is strict.

    Attributes:
        line: the line of the second one in the text that was read, from 1.
        told: which key.
    """

    def __init__(self, key: str, line: int) -> None:
        self.line = line
        self.told = f"key {json.dumps(key, ensure_ascii=False)} already set in map"
        super().__init__(f"line {line}: {self.told}")


class HelmLoader(_Base):  # type: ignore[misc]
    """Reads documents as helm does; keys of maps are texts, as in JSON."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - add_implicit_resolver fills a class's own
    bool_values = _Base.bool_values | {"y": True, "n": False}

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict[str, Any]:
        """A map with its keys as JSON has them: 80 is "80".

        Raises:
            TwiceError: a key stands twice: parsers differ in which of the two they take, and some take neither.
        """
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if (key.tag, str(key.value)) in seen:
                raise TwiceError(str(key.value), key.start_mark.line + 1)
            seen.add((key.tag, str(key.value)))
        pairs = super().construct_mapping(node, deep).items()
        return {key if isinstance(key, str) else json.dumps(key): value for key, value in pairs}


_FORMS = {  # in the order in which helm tries them (goyaml.v2, resolve.go)
    "bool": "true|True|TRUE|yes|Yes|YES|on|On|ON|y|Y|false|False|FALSE|no|No|NO|off|Off|OFF|n|N",
    "null": "~|null|Null|NULL|",
    "merge": "<<",
    "int": "[-+]?(0x[0-9a-fA-F_]+|0b[01_]+|0o?[0-7_]*|[1-9][0-9_]*)",
    "float": r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
}
for _tag, _form in _FORMS.items():
    HelmLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_form})\Z"), None)
