"""What the end of a driver's (or submitter's) log tells: refused pods, lost executors, the error that ended it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kindling import api_answers
from kindling.foreign import bounded, read_json

LONGEST_JSON = 1024 * 1024
"""Characters of a line that is a JSON object with a stack trace in it."""
MOST_LINES = 20_000
"""That stack traces may make of the lines of a log."""
_FORBIDDEN = re.compile(
    r"(?:pods|configmaps|services|persistentvolumeclaims|networkpolicies\S{0,64}|statefulsets\S{0,64})"
    r'(?: "[^"]{0,253}")? is forbidden: '
)
_WEBHOOK, _POLICY, _DENIED = "admission webhook ", "ValidatingAdmissionPolicy ", " denied "
_REFUSED = ("forbidden", "denied", " is invalid: ")
_AGAIN = "; trying again in "
_TOLD = 100  # characters by which a text is found again
_REGISTERED = "Registered executor"
_LOST = re.compile(
    r"The executor with id (\S+) exited with exit code 137\(SIGKILL, possible container OOM\)"
    r"|termination reason: OOMKilled"
)
_TRACEBACK = "Traceback (most recent call last):"  # in Java's stack traces too, at the end of a line
_EXITED = re.compile(r"The executor with id \S+ exited with exit code .*")
_GAVE_UP = re.compile(r"Max number of executor failures \((\d{1,18})\) reached")
_LOG_LINE = re.compile(
    r"^((?:\d\d/\d\d/\d\d|\d{4}-\d\d-\d\d)[ T]\d\d:\d\d:\d\d)\S* +(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b"
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
    """The lines as people read them: a JSON object (``log.json``) as message and stack trace, an answer as its text."""
    out: list[str] = []
    for line in lines:
        out += _entry(line) or [line]
    return [bounded(api_answers.plain(line)) for line in out[-MOST_LINES:]]


def refusals(lines: Sequence[str]) -> list[str]:
    """What the API server refused to Spark, in its words, oldest first, since an executor last came up."""
    found: list[str] = []
    for line in lines:
        if _REGISTERED in line:
            found.clear()
        elif any(words in line for words in _REFUSED) and (text := _refusal(api_answers.plain(line))):
            found.append(" ".join(text.split()))
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


def given_up_line(lines: Sequence[str]) -> str:
    """By what words Spark ended the application because too many executors failed, or ""."""
    match = last_matching(lines, _GAVE_UP)
    return match[0] if match else ""


def most_failures(lines: Sequence[str]) -> str:
    """How many executors may fail, where more did and Spark ended the application; or ""."""
    match = last_matching(lines, _GAVE_UP)
    return match[1] if match else ""


def given_up(lines: Sequence[str]) -> str:
    """By what words Spark ended an application because of its executors, since one last came up; or ""."""
    for line in reversed(lines):
        if _REGISTERED in line:
            return ""
        if match := _GAVE_UP.search(line):
            return match[0]
    return ""


def moment_of(lines: Sequence[str], text: str) -> str:
    """When a text was last logged, as the log writes it: "26/11/21 08:02:33"; "" if it does not say."""
    last = next((number for number in range(len(lines) - 1, -1, -1) if text[:_TOLD] in lines[number]), -1)
    for number in range(last, -1, -1):
        if match := _LOG_LINE.match(lines[number]):
            return match[1]
    return ""


def last_matching(lines: Sequence[str], pattern: re.Pattern[str]) -> re.Match[str] | None:
    """The last match of a pattern in the lines."""
    return next((match for line in reversed(lines) if (match := pattern.search(line))), None)


def told(lines: Sequence[str], words: str) -> list[str]:
    """Each line of the log proper with some words, and the exception that it tells; the last one first."""
    return ["\n".join(_block(lines, n)) for n in range(len(lines) - 1, -1, -1) if words in lines[n]]


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


def _refusal(line: str) -> str:
    """What the API server said, of a line that tells of it; or ""."""
    starts = []
    if match := _FORBIDDEN.search(line):
        starts.append((match.start(), match.end()))
    if (denied := _denied(line, _WEBHOOK)) is not None:
        starts.append((line.rfind(":", 0, line.find(_WEBHOOK)) + 1, denied))
    if (denied := _denied(line, _POLICY)) is not None:
        starts.append((0, denied))
    if (invalid := api_answers.invalid_at(line)) >= 0:
        starts.append((invalid, invalid))
    if not starts:
        return ""
    start, said = min(starts)
    end = line.find(_AGAIN, said)
    return line[start:end] if end >= 0 else line[start:].removesuffix(".")


def _denied(line: str, who: str) -> int | None:
    """Where it stands what somebody denied; None: who is not named, or did not."""
    named = line.find(who)
    denied = line.find(_DENIED, named + len(who)) if named >= 0 else -1
    return denied + len(_DENIED) if denied >= 0 else None


def _entry(line: str) -> list[str] | None:
    """The lines that a JSON object of a log stands for; None if it is no such object."""
    if not line.startswith("{") or '"level"' not in line or len(line) > LONGEST_JSON:
        return None
    try:
        entry = read_json(line)
        moment = str(entry.get("ts", "0000-00-00 00:00:00"))[:19].replace("T", " ")
        message = entry.get("message") or entry.get("msg") or ""
        head = f"{moment} {entry.get('level')} {entry.get('logger', '')}: {message}"
        return [head, *str(entry.get("exception") or "").splitlines()]
    except (ValueError, RecursionError):
        return None
