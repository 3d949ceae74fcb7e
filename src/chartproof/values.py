"""Values: read and merged as helm does it, and written so that helm reads just them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from chartproof.helm_yaml import HelmLoader, TwiceError

_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def values_json(values: Mapping[str, Any]) -> str:
    """A JSON object that helm's parser of YAML reads as just these values; "" of none.

    Texts are quoted, as ``y`` and ``1e3`` would be a switch and a number to it, and it knows no surrogate pairs.
    """
    text = json.dumps(values, ensure_ascii=False) if values else ""
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def values_of(files: Iterable[Path]) -> dict[str, Any]:
    """The values of files, later ones winning.

    Raises:
        ValueError: a key stands twice in a file; helm would take the last one.
    """
    values: dict[str, Any] = {}
    for file in files:
        try:
            values = merged(values, yaml.load(file.read_text(), Loader=HelmLoader) or {})
        except TwiceError as error:
            raise ValueError(f"{file}: {error}") from None
    return values


def merged(values: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Values with more on top, as helm merges files: maps key by key, all else replaced."""
    both = dict(values)
    for key, value in more.items():
        below = both.get(key)
        both[key] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return both
