"""Values as the text that helm reads them from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def values_json(values: Mapping[str, Any]) -> str:
    """A JSON object that helm's parser of YAML reads as just these values; "" of none.

    Texts are quoted, as ``y`` and ``1e3`` would be a switch and a number to it, and it knows no surrogate pairs.
    """
    text = json.dumps(values, ensure_ascii=False) if values else ""
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
