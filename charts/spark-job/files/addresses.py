"""Says which values name what Spark fetches: Java does not. Standard library only."""

from __future__ import annotations

import json
from pathlib import Path

from fetch_faults import FETCHES

_FILE = Path(__file__).parent / "addresses.json"
"""Name of a value -> addresses, as the chart made it; absent where a run fetches nothing."""


def told() -> list[str]:
    """Print a line for each address; return the lines."""
    if not _FILE.exists():
        return []
    named = json.loads(_FILE.read_text(encoding="utf-8"))
    lines = [f"{FETCHES}{address.partition('?')[0]} ({value})" for value in sorted(named) for address in named[value]]
    for line in lines:
        print(line, flush=True)
    return lines
