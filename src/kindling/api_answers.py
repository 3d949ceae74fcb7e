"""What the API server answered to Spark, out of the words of Spark's client of Kubernetes (fabric8).

Those words name the answer twice: as text, and as an object, ``Status(apiVersion=v1, code=403, …)``, which people
need not see. Standard library and Python 3.8 only: ``scripts/generate`` copies this file to the chart's programs.
"""

from __future__ import annotations

import re

_ASKED = "Failure executing: "
_STATUS = ". Received status: Status("
_REST_OF_STATUS = ", metadata=ListMeta("
"""Of a status that began on an earlier line."""
_HEAD = re.compile(r"Failure executing: ([A-Z]{1,16}) at: (?:[a-z]{1,8}://[^\s/]{1,300})?(/\S{0,1000})\. Message: ")
_CODE = re.compile(r"\bcode=(\d{3})\b")
_INVALID = re.compile(r'\b[A-Z][A-Za-z]{1,64}(?:\.[a-z0-9.-]{1,128})? "[^"]{0,253}" is invalid: ')
ANSWERED = "the API server answered "


def plain(line: str) -> str:
    """A line with the answer in it as code and text; any other line as it is."""
    if _STATUS in line:
        line, _, status = line.partition(_STATUS)
        code = _CODE.search(status)
    elif line.rstrip(".").endswith("additionalProperties={})") and _REST_OF_STATUS in line:
        return line.partition(_REST_OF_STATUS)[0]
    else:
        code = None
    if _ASKED not in line:
        return line
    return _HEAD.sub(lambda found: f"{ANSWERED}{_number(code)}to {found[1]} {found[2]}: ", line, count=1)


def invalid_at(line: str) -> int:
    """Where a line says that a field of an object is invalid (HTTP 422), as the answer to Spark; -1: it does not."""
    if _ASKED not in line and ANSWERED not in line:
        return -1
    found = _INVALID.search(line)
    return found.start() if found else -1


def _number(code: re.Match[str] | None) -> str:
    return f"{code[1]} " if code else ""
