"""What goes wrong with the tool itself, as opposed to what it finds."""

from __future__ import annotations


class KindlingError(Exception):
    """Nothing could be found out: no cluster, no such name, no right. The message is one line for people."""
