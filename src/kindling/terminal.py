"""The one way to a terminal: what a cluster said is shown, and never obeyed.

Escape sequences move the cursor, rewrite what stands above, fill the clipboard (OSC 52) and make links; marks of
direction turn words around; characters without width hide in names. All of them are shown as Python writes them
("\\x1b"). Nothing else in this package prints.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

from kindling.foreign import bounded, one_line

if TYPE_CHECKING:
    from rich.console import Console

_LINE = 2000  # characters of a message of the program's own
_WIDTH = 120  # of tables that are piped
# They have a shape as Unicode counts, which is empty or joins another's.
_UNSEEN = frozenset(
    chr(code)
    for codes in (
        (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800, 0x3164, 0xFFA0),
        range(0xFE00, 0xFE10),
        range(0xE0100, 0xE01F0),
    )
    for code in codes
)


class _Shown(dict[int, str]):
    """How each character is shown; found out when it is first met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        is_seen = character.isprintable() and character not in _UNSEEN
        self[code] = character if is_seen else character.encode("unicode_escape").decode()
        return self[code]


_SHOWN = _Shown()
_SHOWN_LINES = _Shown({ord("\n"): "\n"})


def printable(text: str, *, lines: bool = False) -> str:
    """A text with what cannot be printed shown as an escape of Python's; ``lines`` keeps its newlines."""
    return text.translate(_SHOWN_LINES if lines else _SHOWN)


def line(text: str, most: int = _LINE) -> str:
    """A text as one printable line of bounded length."""
    return bounded(printable(one_line(text, most)), most)


def say(text: str) -> None:
    """Print a line."""
    print(line(text))


def complain(text: str) -> None:
    """Print a line on standard error."""
    print(f"kindling: {line(text)}", file=sys.stderr, flush=True)


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a JSON document, in ASCII: escapes of JSON are what a program expects."""
    print(json.dumps(value, indent=indent))


class Guard:
    """A stream on which everything is printable: tracebacks, warnings and logs of libraries too."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write it, printable and bounded."""
        self._stream.write(bounded(printable(text, lines=True), 64 * 1024))
        return len(text)

    def writelines(self, texts: Iterable[str]) -> None:
        """Write them one by one."""
        for text in texts:
            self.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def guard() -> None:
    """Guard standard error for the rest of the process; a terminal that lacks a character gets its number."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.stderr = Guard(sys.stderr)


def screen(*, markup: bool = False) -> Console:
    """rich on standard output: colours and lines that break on a terminal only, its own and nobody else's.

    Args:
        markup: whether "[bold]" in a string is markup; then whoever prints another's text escapes it.
    """
    from rich.console import Console
    from rich.segment import Segment

    class Screen(Console):
        def render(self, *arguments: Any, **more: Any) -> Iterable[Segment]:
            for segment in super().render(*arguments, **more):
                if segment.control:
                    yield segment
                else:
                    yield Segment(printable(segment.text, lines=True), segment.style)

    width = None if sys.stdout.isatty() else _WIDTH
    # "[link=…]" and ":skull:" in a name are that name.
    return Screen(highlight=False, soft_wrap=True, markup=markup, emoji=False, width=width)
