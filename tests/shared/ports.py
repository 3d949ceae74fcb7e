"""TCP ports of this machine."""

from __future__ import annotations

import socket


def listens(port: int, address: str = "127.0.0.1") -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0
