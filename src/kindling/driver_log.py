"""What the end of a driver's (or submitter's) log tells: refused pods, lost executors, the error that ended it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

_REFUSAL = re.compile(
    r"((?:pods|configmaps|services|persistentvolumeclaims|networkpolicies\S*|statefulsets\S*)"
    r'(?: "[^"]*")? is forbidden: .*?'
    r"|[^:]*admission webhook .* denied .*?"
    r"|.*ValidatingAdmissionPolicy .* denied .*?)"
    r"(?:\. Received status: |; trying again in |\.?$)"
)
_REGISTERED = "Registered executor"
_LOST = re.compile(
    r"The executor with id (\S+) exited with exit code 137\(SIGKILL, possible container OOM\)"
    r"|termination reason: OOMKilled"
)
_TRACEBACK = "Traceback (most recent call last):"  # in Java's stack traces too, at the end of a line
_EXITED = re.compile(r"The executor with id \S+ exited with exit code .*")
_GAVE_UP = re.compile(r"Max number of executor failures \(\d+\) reached")
_LOG_LINE = re.compile(
    r"^(?:\d\d/\d\d/\d\d|\d{4}-\d\d-\d\d)[ T]\d\d:\d\d:\d\d\S* +(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b"
)
_THROWN = re.compile(
    r"^(?:Exception in thread \"[^\"]*\" )?((?:[\w$]+\.)*[\w$]*(?:Error|Exception|Exit|Interrupt|Failure))(: .*)?$"
)
_WRAPPERS = ("py4j.protocol.Py4JJavaError", "pyspark.errors.exceptions.captured.PythonException")


@dataclass(frozen=True)
class Error:
    """The exception that ended an application.

    Attributes:
        line: its last line, "ValueError: column delay is missing".
        is_python: whether a Python traceback led to it.
        text: all that the log says from there on.
    """

    line: str
    is_python: bool
    text: str


def plain(lines: Sequence[str]) -> list[str]:
    """The lines with those that are JSON objects (``log.json``) as text: message, then stack trace."""
    out: list[str] = []
    for line in lines:
        entry = _json(line)
        if entry is None:
            out.append(line)
            continue
        moment = str(entry.get("ts", "0000-00-00 00:00:00"))[:19].replace("T", " ")
        message = entry.get("message") or entry.get("msg") or ""
        out.append(f"{moment} {entry.get('level')} {entry.get('logger', '')}: {message}")
        out += str(entry.get("exception") or "").splitlines()
    return out


def refusals(lines: Sequence[str]) -> list[str]:
    """What the API server refused to Spark, in its words, oldest first, since an executor last came up."""
    found: list[str] = []
    for line in lines:
        if _REGISTERED in line:
            found.clear()
        elif ("forbidden" in line or "denied" in line) and (match := _REFUSAL.search(line)):
            found.append(" ".join(match[1].split()))
    return found


def executors_out_of_memory(lines: Sequence[str]) -> str:
    """The last line that tells of an executor killed for its memory, or ""."""
    return next((line.strip() for line in reversed(lines) if _LOST.search(line)), "")


def executor_exit(lines: Sequence[str]) -> str:
    """How an executor ended last, as Spark says it: "The executor with id 1 exited with exit code 1(…)."; or ""."""
    match = last_matching(lines, _EXITED)
    return match[0].strip() if match else ""


def gave_up_on_executors(lines: Sequence[str]) -> bool:
    """Whether Spark ended the application because too many executors failed."""
    return any(_GAVE_UP.search(line) for line in lines)


def last_matching(lines: Sequence[str], pattern: re.Pattern[str]) -> re.Match[str] | None:
    """The last match of a pattern in the lines."""
    return next((match for line in reversed(lines) if (match := pattern.search(line))), None)


def error_of(lines: Sequence[str]) -> Error | None:
    """The exception that ended the application: the last Python traceback's, else the last of a Java thread.

    Where Python only passes on what the JVM threw, the JVM's own words; where the JVM passes on what a Python worker
    threw, the worker's.
    """
    starts = [number for number, line in enumerate(lines) if _TRACEBACK in line]
    if starts and (error := _python_error(lines, starts[-1])):
        return error
    for number in range(len(lines) - 1, -1, -1):
        if lines[number].startswith('Exception in thread "') and (match := _THROWN.match(lines[number])):
            block = _block(lines, number)
            return Error(_root(block) or f"{match[1]}{match[2] or ''}", False, "\n".join(block))
    return None


def _python_error(lines: Sequence[str], start: int) -> Error | None:
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if not line or line[0].isspace() or _LOG_LINE.match(line):
            continue
        block = _block(lines, number)
        text = "\n".join(lines[start:number]) + "\n" + "\n".join(block)
        if line.startswith(_WRAPPERS):
            thrown = next((later[2:] for later in block[1:] if later.startswith(": ")), "")
            return Error(_root(block) or thrown or line, True, text)
        return Error(line.strip(), True, text)
    return None


def _root(block: Sequence[str]) -> str:
    """The innermost cause that a Java stack trace names."""
    return next(
        (line.removeprefix("Caused by: ").strip() for line in reversed(block) if line.startswith("Caused by: ")), ""
    )


def _block(lines: Sequence[str], start: int) -> list[str]:
    """From an exception's line to the next line of the log proper."""
    end = next((n for n in range(start + 1, len(lines)) if _LOG_LINE.match(lines[n])), len(lines))
    return list(lines[start:end])


def _json(line: str) -> dict[str, str] | None:
    if not line.startswith("{") or '"level"' not in line:
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
