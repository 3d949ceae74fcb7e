"""``python -m kindling``, and the program ``kindling`` of an installed package."""

from __future__ import annotations

import sys

from kindling import terminal
from kindling.cli import run


def main() -> None:
    """Run the command that the arguments name; leave with its exit code."""
    terminal.guard()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
