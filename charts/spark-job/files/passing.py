"""What a child prints, passed on. Standard library only: it runs in any Spark image."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO

from last_error import LONGEST


def pass_on(source: IO[bytes], target: IO[bytes]) -> Iterator[str]:
    """Write what comes from a pipe at once and unchanged, and yield its lines.

    A line with more than LONGEST bytes is yielded in pieces: the memory that this takes is the pod's.
    """
    begun = b""
    while data := os.read(source.fileno(), LONGEST):
        target.write(data)
        target.flush()
        *lines, begun = (begun + data).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)
        if len(begun) > LONGEST:
            yield begun.decode(errors="replace")
            begun = b""
    if begun:
        yield begun.decode(errors="replace")
