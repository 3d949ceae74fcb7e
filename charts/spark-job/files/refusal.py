"""Recognises, in what Spark prints, that the API server refused to make a pod. Standard library only."""

from __future__ import annotations

import json

import api_answers

EXIT_CODE = 78  # EX_CONFIG of sysexits.h: nothing that another try would change by itself

LONGEST = 64 * 1024  # characters of a line that are looked at
_SAID = ("is forbidden", "orbidden!")
_DENIES = ("admission webhook ", "ValidatingAdmissionPolicy ")


def refusal_of(line: str) -> str:
    """What the API server said, in one line, if this line of a log tells of a refused pod; else ""."""
    line = line[:LONGEST]
    lines = _lines_of(line) if line.startswith("{") else [line.partition("\n")[0]]
    return next((said for text in lines if (said := _refusal_in(api_answers.plain(text)))), "")


def _refusal_in(line: str) -> str:
    invalid = api_answers.invalid_at(line)
    if invalid >= 0 and line.startswith('Pod "', invalid):
        return line[invalid:].strip()[:1000]
    return _said(line).strip()[:1000] if "pods" in line and _is_refusal(line) else ""


def _said(line: str) -> str:
    """What the API server said, without what stands before."""
    answer = line.partition(api_answers.ANSWERED)[2]
    return (answer.partition(": ")[2] if answer else line.partition("essage: ")[2]) or line


def _lines_of(line: str) -> list[str]:
    """The lines that a JSON object of a log stands for, an exception's too; the line itself if it is no such object."""
    try:
        entry = json.loads(line)
        return [text for key in ("message", "exception") for text in str(entry.get(key) or "").splitlines()]
    except (AttributeError, ValueError, RecursionError):
        return [line]


def _is_refusal(line: str) -> bool:
    # No pattern: of a line that says "admission webhook" again and again, each one is looked at once.
    return any(words in line for words in _SAID) or any(" denied" in line.partition(who)[2] for who in _DENIES)
