"""What others wrote: text, JSON and packed records of a cluster, none of which is to be trusted with time or memory.

Whoever may make a pod writes its messages, its annotations and its log; whoever may make a ConfigMap writes what looks
like a record of helm's.
"""

from __future__ import annotations

import json
import re
import zlib
from typing import Any

LONGEST = 10 * 1024
"""Characters of a message, or of a line of a log, that are read."""
DEEPEST = 100
"""Levels of JSON that are read: a pod has some fifteen."""
_BRACKETS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_OTHER_BYTES = bytes(set(range(256)) - set(b'"[]{}'))
_ZLIB_OR_GZIP = zlib.MAX_WBITS | 32


def bounded(text: str | None, most: int = LONGEST) -> str:
    """The beginning of a text, if that is long; "" for none."""
    text = text or ""
    return text if len(text) <= most else f"{text[:most]} …"


def one_line(text: object, most: int = LONGEST) -> str:
    """A text in one line, bounded."""
    return bounded(" ".join(str(text).split()), most)


def read_json(text: str | bytes) -> Any:
    """JSON as an object.

    Raises:
        ValueError: it is none, or is nested too deeply to be read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def shallow(text: bytes) -> bytes:
    """The same JSON with null for whatever stands deeper than ``DEEPEST``, so that any reader can read it.

    An API server keeps fields of 10,000 levels (``managedFields``), which Python's reader does not take.
    """
    if not _is_deep(text):
        return text
    kept, start, depth = [], 0, 0
    for found in _BRACKETS.finditer(text):
        token = found[0]
        if token in b"[{":
            depth += 1
            if depth == DEEPEST + 1:
                kept.append(text[start : found.start()] + b"null")
        elif token in b"]}":
            if depth == DEEPEST + 1:
                start = found.end()
            depth -= 1
    # Where it ends too deeply it was cut, and is no JSON.
    return b"".join(kept) + (text[start:] if depth <= DEEPEST else b"")


def _is_deep(text: bytes) -> bool:
    """By passes of C's speed: a page of pods has megabytes."""
    plain = text.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _OTHER_BYTES)
    brackets = re.sub(rb'"[^"]*"', b"", plain)
    for _ in range(DEEPEST):
        if not brackets:
            return False
        inner = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if len(inner) == len(brackets):
            return len(brackets) > DEEPEST  # no JSON
        brackets = inner
    return bool(brackets)


def unpacked(packed: bytes, most: int) -> bytes:
    """What gzip made small, if that is no more than ``most`` bytes.

    Raises:
        ValueError: it is more, or not of gzip.
    """
    unpacker = zlib.decompressobj(_ZLIB_OR_GZIP)
    try:
        content = unpacker.decompress(packed, most + 1)
    except zlib.error as error:
        raise ValueError(f"not packed by gzip: {error}") from None
    if len(content) > most:
        raise ValueError(f"more than {most} bytes when unpacked")
    if not unpacker.eof:
        raise ValueError("its end is missing")
    return content
