"""Values that several charts have: each is written once, in ci/shared-values.yaml."""

from __future__ import annotations

import re
from pathlib import Path

from kindling_dev.settings import REPO

SOURCE = REPO / "ci/shared-values.yaml"
_SECTION = re.compile(r"(\w+):$")
_KEY = re.compile(r"(?:  )?(\w+):")
_COMMENT = re.compile(r"(?:  )?#")
Name = tuple[str, str]
"""Section and key of a value; the section of one that stands outside of all is ""."""


def write_shared_values(chart: Path) -> None:
    """Write the values that a chart shares into its ``values.yaml``, where it has keys of their names."""
    file = chart / "values.yaml"
    file.write_text(with_shared(file.read_text(), SOURCE.read_text()))


def with_shared(text: str, source: str) -> str:
    """The text of a values file in which each value that the source has is as it is there."""
    lines, shared = text.splitlines(keepends=True), parts(source)
    for name, span in reversed(_spans(text).items()):
        if name in shared:
            lines[span] = [shared[name]]
    return "".join(lines)


def parts(text: str) -> dict[Name, str]:
    """What a values file sets: the lines of each value, with the comments above it."""
    lines = text.splitlines(keepends=True)
    return {name: "".join(lines[span]) for name, span in _spans(text).items()}


def _spans(text: str) -> dict[Name, slice]:
    found: dict[Name, slice] = {}
    section, name, begin = "", ("", ""), 0
    for number, line in enumerate(text.splitlines()):
        if not line.startswith(" "):
            header = _SECTION.match(line)
            section = header[1] if header else ""
        key = _KEY.match(line)
        if not line or _SECTION.match(line):
            name, begin = ("", ""), number + 1
        elif key:
            name = (section, key[1])
            found[name] = slice(begin, number + 1)
            begin = number + 1
        elif not _COMMENT.match(line) and name in found:
            # A comment at the level of keys is of the next one, but for one that no key follows.
            found[name] = slice(found[name].start, number + 1)
            begin = number + 1
    return found
