"""Running other programs: quiet when they work, one line and the log's end when they do not."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

_TAIL_LINES = 15
_LONGEST_S = 1800.0


class Failure(Exception):  # noqa: N818 - the word a person reads
    """Something a person must act on. The first line says what is wrong and what to do; more lines are evidence."""


def exit_code(act: Callable[[], object]) -> int:
    """Do what a program does; its exit code. A failure is said in a line, and has 1."""
    try:
        act()
    except Failure as failure:
        print(f"kindling: {failure}", file=sys.stderr)
        return 1
    return 0


def run(
    argv: Sequence[str | Path],
    *,
    log: Path | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: BinaryIO | None = None,
    what: str = "",
    timeout: float = _LONGEST_S,
) -> str:
    """Run a program to its end and return its standard output.

    Args:
        argv: the program and its arguments.
        log: a file that gets standard output and error as they come; nothing is returned then.
        cwd: folder to run in.
        env: variables added to this process's own.
        stdin: an open file for its standard input; it has none otherwise.
        what: what the program was doing, for the error ("build kind").
        timeout: seconds after which it is ended; nothing waits for ever.

    Raises:
        Failure: the program is missing, was ended by the timeout, or exited with another code than 0.
    """
    words = [str(word) for word in argv]
    what = what or shlex.join(words[:3])
    merged = {**os.environ, **env} if env else None
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("ab") if log else open(os.devnull, "wb") as sink:  # noqa: PTH123 - devnull is no path to make
            done = subprocess.run(
                words,
                cwd=cwd,
                env=merged,
                stdin=stdin or subprocess.DEVNULL,
                stdout=sink if log else subprocess.PIPE,
                stderr=subprocess.STDOUT if log else subprocess.PIPE,
                timeout=timeout,
                check=False,
            )
    except FileNotFoundError as error:
        raise Failure(f"could not {what}: {error.filename} is not installed") from None
    except subprocess.TimeoutExpired:
        raise Failure(f"could not {what}: no end after {timeout:.0f} s" + (f"; log: {log}" if log else "")) from None
    if done.returncode:
        text = log.read_text(errors="replace") if log else (done.stderr + done.stdout).decode(errors="replace")
        tail = "\n".join(f"    {line}" for line in text.strip().splitlines()[-_TAIL_LINES:])
        where = f"; log: {log}" if log else ""
        raise Failure(f"could not {what}: exit code {done.returncode}{where}\n{tail}")
    return "" if log else done.stdout.decode(errors="replace")


def succeeds(argv: Sequence[str | Path], *, timeout: float = _LONGEST_S) -> bool:
    """Whether a program exists and exits with 0 within the timeout (seconds)."""
    try:
        run(argv, timeout=timeout)
    except Failure:
        return False
    return True
