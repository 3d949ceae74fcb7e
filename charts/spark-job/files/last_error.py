"""The line of a driver's output that says best why it failed. Standard library only: it runs in any Spark image."""

from __future__ import annotations

import json
import re
from pathlib import Path

LIMIT = 1000  # characters; the kubelet keeps 4096 bytes of a termination message
_MESSAGE = Path("/dev/termination-log")

_LOG_LINE = re.compile(r"^(\d\d/\d\d/\d\d|\d{4}-\d\d-\d\d)[ T]\d\d:\d\d:\d\d\S* +(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b")
_NOISE = re.compile(
    r"^(WARNING: |\s+at |\s*\.\.\. \d+ more|Using Spark's default log4j|Setting default log level|To adjust)"
)
_THROWN = re.compile(r"^[\w.$]+(Error|Exception|Exit|Interrupt|Failure)\b(: |$)")


class LastError:
    """Reads output line by line and keeps the best candidate; what comes later wins among equals.

    From best to worst: the end of a Python traceback, what the JVM says of a thread's death, spark-submit's own
    "Error: …", a log line of level ERROR, any other line that is no log line.
    """

    def __init__(self) -> None:
        self._best: tuple[int, str] = (0, "")
        self._in_traceback = False

    def read(self, line: str) -> None:
        """Take the next line."""
        level, text = _plain(line.rstrip())
        rank = self._rank(level, text)
        if rank and rank >= self._best[0]:
            self._best = (rank, text.strip()[:LIMIT])

    @property
    def line(self) -> str:
        """The best line so far, or ""."""
        return self._best[1]

    def _rank(self, level: str, text: str) -> int:
        if not text.strip() or _NOISE.match(text):
            return 0
        if level:
            return 2 if level in ("ERROR", "FATAL") else 0
        if text.startswith("Traceback (most recent call last)"):
            self._in_traceback = True
            return 0
        if self._in_traceback and not text[0].isspace():
            self._in_traceback = False
            return 5
        if text.startswith('Exception in thread "') or _THROWN.match(text):
            return 4
        if text.startswith("Error: ") or "can't open file" in text:
            return 3
        return 0 if self._in_traceback else 1


def leave_message(text: str) -> None:
    """Make a text this container's termination message, which Kubernetes shows in the pod's status."""
    _MESSAGE.write_text(text[:LIMIT])


def _plain(line: str) -> tuple[str, str]:
    """The level ("" if it is no log line) and the text of a line, which may be a JSON object."""
    if line.startswith("{") and '"level"' in line:
        try:
            entry = json.loads(line)
        except ValueError:
            return "", line
        message = entry.get("message") or entry.get("msg") or ""
        return str(entry.get("level", "")), f"{entry.get('logger', '')}: {message}"
    found = _LOG_LINE.match(line)
    return (found[2], line[found.end() :].strip(" :")) if found else ("", line)
