"""Sections of ``global`` that several charts have: each is written once, in ci/shared-values.yaml."""

from __future__ import annotations

import re
from pathlib import Path

from kindling_dev.settings import REPO

SOURCE = REPO / "ci/shared-values.yaml"
_KEY = re.compile(r"  (\w+):")


def write_shared_values(chart: Path) -> None:
    """Write the sections that a chart shares into its ``values.yaml``, where it has keys of their names."""
    file = chart / "values.yaml"
    file.write_text(with_shared(file.read_text(), sections(SOURCE.read_text())))


def with_shared(text: str, shared: dict[str, str]) -> str:
    """The text of a values file in which each section of ``global`` that is shared is as it should be."""
    for name, own in sections(text).items():
        text = text.replace(own, shared.get(name, own), 1)
    return text


def sections(text: str) -> dict[str, str]:
    """The sections of ``global`` in a values file: each with the comments above it, by its name."""
    lines = text.splitlines(keepends=True)
    found: dict[str, str] = {}
    name, comments = "", ""
    for line in lines[lines.index("global:\n") + 1 :]:
        if not line.startswith("  "):
            break
        key = _KEY.match(line)
        if line.startswith("  #"):
            comments += line
        elif key:
            name = key[1]
            found[name] = comments + line
            comments = ""
        else:
            # A comment at the level of sections is of the next one, but for one that no key follows.
            found[name] += line
    return found
