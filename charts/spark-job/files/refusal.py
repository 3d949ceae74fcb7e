"""Recognises, in what Spark prints, that the API server refused to make a pod. Standard library only."""

from __future__ import annotations

import contextlib
import json
import re

EXIT_CODE = 78  # EX_CONFIG of sysexits.h: nothing that another try would change by itself

_MESSAGE = re.compile(r"[Mm]essage: (.*?)(?:\. Received status: |$)")
_REFUSED = re.compile(r"is forbidden|[Ff]orbidden!|admission webhook .* denied|ValidatingAdmissionPolicy .* denied")


def refusal_of(line: str) -> str:
    """What the API server said, in one line, if this line of a log tells of a refused pod; else ""."""
    if line.startswith("{"):
        with contextlib.suppress(ValueError):
            line = json.loads(line).get("message", line)
    if "pods" not in line or not _REFUSED.search(line):
        return ""
    found = _MESSAGE.search(line)
    return (found[1] if found else line).strip()[:1000]
