"""The line of a driver's output that says best why it failed. Standard library only: it runs in any Spark image."""

from __future__ import annotations

import json
import re
import sys
from collections import deque
from pathlib import Path

import api_answers
import fetch_faults
import kerberos_faults

LIMIT = 1000  # characters; the kubelet keeps 4096 bytes of a termination message
LONGEST = 64 * 1024  # characters of a line that are looked at
MOST_LINES = 100  # of an exception with its causes, without most stack frames
_SAID = 3  # rank of spark-submit's and Python's own words; an application's exceptions have more
_MESSAGE = Path("/dev/termination-log")

_LOG_LINE = re.compile(r"^(\d\d/\d\d/\d\d|\d{4}-\d\d-\d\d)[ T]\d\d:\d\d:\d\d\S* +(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b")
_NOISE = re.compile(
    r"^(WARNING: |\s+at |\s*\.\.\. \d+ more|Using Spark's default log4j|Setting default log level|To adjust)"
)
_BEGINS = ("Traceback (most recent call last)", 'Exception in thread "')
_THROWN = re.compile(r"^[\w.$]+(Error|Exception|Exit|Interrupt|Failure)\b(: |$)")


class LastError:
    """Reads output line by line and keeps the best candidate; what comes later wins among equals.

    From best to worst: the end of a Python traceback, what the JVM says of a thread's death, spark-submit's own
    "Error: …", a log line of level ERROR, any other line that is no log line. Of a fault of Kerberos, a secure HDFS or
    a dependency, which an exception or its causes tell, cause and cure come first.
    """

    def __init__(self) -> None:
        self._best: tuple[int, str] = (0, "")
        self._error: list[str] = []
        self._addresses: list[str] = []
        self._notes: deque[str] = deque(maxlen=fetch_faults.MOST_NOTES)
        self._no_file = ""
        self._in_error = False
        self._in_traceback = False

    def know(self, addresses: list[str]) -> None:
        """Take what ``addresses.told`` says of the values that name what Spark fetches."""
        self._addresses = addresses[-fetch_faults.MOST_NOTES :]

    def read(self, line: str) -> None:
        """Take the next line."""
        level, text = _plain(line[:LONGEST].rstrip())
        text = api_answers.plain(text)
        if fetch_faults.is_note(text):
            self._notes.append(text)
        if fetch_faults.missing_file([text], of_start=True):
            self._no_file = text
        self._read_error(level, text)
        rank = self._rank(level, text)
        if rank and rank >= self._best[0]:
            self._best = (rank, text.strip()[:LIMIT])

    @property
    def line(self) -> str:
        """The best line so far, or ""; where a fault is known, its cause, its cure and the line that tells of it."""
        error = "\n".join(self._error)
        fault = kerberos_faults.fault_of(error) or fetch_faults.fault_of(error, [*self._addresses, *self._notes])
        fault = fault or kerberos_faults.unreached(error)
        if fault is None and self._best[0] <= _SAID:
            fault = fetch_faults.missing_file([self._no_file], of_start=True)
        return f"{fault.cause}; {fault.cure}: {fault.line.lstrip(': ')}"[:LIMIT] if fault else self._best[1]

    def _read_error(self, level: str, text: str) -> None:
        """Keep an exception and its causes: what is printed from there to the next line of the log proper."""
        if text.startswith(_BEGINS):
            self._in_error, self._error = True, []
        elif level:
            self._in_error = False
        if self._in_error and len(self._error) < MOST_LINES and (not _NOISE.match(text) or fetch_faults.is_frame(text)):
            self._error.append(text)

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
            return _SAID
        return 0 if self._in_traceback else 1


def leave_message(text: str) -> None:
    """Make a text this container's termination message, which Kubernetes shows in the pod's status.

    Where a pod template has moved the file, there is no message: the exit code counts, and is never lost for it.
    """
    try:
        _MESSAGE.write_text(printable(text), encoding="utf-8")
    except OSError as error:
        print(f"kindling: no termination message: {error}", file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """A text in one line of bounded length, with what a terminal would obey shown as an escape of Python's.

    It is for whoever asks Kubernetes; the log has what the application printed, as it printed it.
    """
    line = " ".join(text[: 4 * LIMIT].split())
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    return "".join(shown)[:LIMIT]


def _plain(line: str) -> tuple[str, str]:
    """The level ("" if it is no log line) and the text of a line, which may be a JSON object."""
    if line.startswith("{") and '"level"' in line:
        try:
            entry = json.loads(line)
            message = entry.get("message") or entry.get("msg") or ""
            return str(entry.get("level", "")), f"{entry.get('logger', '')}: {message}"
        except (ValueError, RecursionError):
            return "", line
    found = _LOG_LINE.match(line)
    return (found[2], line[found.end() :].strip(" :")) if found else ("", line)
