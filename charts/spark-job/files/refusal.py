"""Recognises, in what Spark prints, that the API server refused to make a pod. Standard library only."""

from __future__ import annotations

import json

EXIT_CODE = 78  # EX_CONFIG of sysexits.h: nothing that another try would change by itself

LONGEST = 64 * 1024  # characters of a line that are looked at
_SAID = ("is forbidden", "orbidden!")
_DENIES = ("admission webhook ", "ValidatingAdmissionPolicy ")


def refusal_of(line: str) -> str:
    """What the API server said, in one line, if this line of a log tells of a refused pod; else ""."""
    line = line[:LONGEST]
    if line.startswith("{"):
        line = _message_of(line) or line
    if "pods" not in line or not _is_refusal(line):
        return ""
    said = line.partition("essage: ")[2] or line
    return said.partition("\n")[0].partition(". Received status: ")[0].strip()[:1000]


def _message_of(line: str) -> str | None:
    """The message of a log line that is a JSON object; None if it is no such line."""
    try:
        message = json.loads(line).get("message")
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, str) else None


def _is_refusal(line: str) -> bool:
    # No pattern: of a line that says "admission webhook" again and again, each one is looked at once.
    return any(words in line for words in _SAID) or any(" denied" in line.partition(who)[2] for who in _DENIES)
