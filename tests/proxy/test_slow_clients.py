"""Clients that hold on to connections, and what is left for the others."""

from __future__ import annotations

import contextlib
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from proxy_world import Door, Team, World

_CONNECTIONS = 1500
_MEMORY_LIMIT_MEGABYTES = 256
"""Of the chart's nginx."""
_LONG = "".join(f"X-{number}: {'x' * 15_000}\r\n" for number in range(3))
_SLOW = {
    "half a header": "GET / HTTP/1.1\r\nHost: x\r\nX-A",
    "long headers that never end": f"GET / HTTP/1.1\r\nHost: x\r\n{_LONG}",
    "a login that comes byte by byte": "POST /spark/-/login HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\nt",
    "a body for an application": "POST {path}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\nt",
    "a page that nobody reads": "GET /spark/-/login HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.fixture(scope="module")
def door(world: World) -> Iterator[Door]:
    """A service of its own: the others' tests shall not feel this."""
    with world.door(basePath="/spark") as door:
        yield door


@pytest.fixture
def open_files() -> Iterator[None]:
    """As many as 1,500 connections need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.long
@pytest.mark.usefixtures("open_files")
@pytest.mark.parametrize("sent", _SLOW.values(), ids=_SLOW)
def test_many_slow_connections_keep_nobody_out(door: Door, shown: str, hostile_team: Team, sent: str) -> None:
    token = hostile_team.viewer
    with ExitStack() as connections:
        for _ in range(_CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", door.port), source_address=("127.0.0.66", 0))
            connections.enter_context(connection)
            connection.sendall(sent.format(path=f"/spark{shown}").encode())
        for number in range(20):
            # Not kept: each is a decision.
            assert door.get(f"{shown}/jobs/?x=%20{number}", token).status == 200
            assert door.get("/-/api/v1/namespaces", token).status == 200
        assert door.megabytes() < _MEMORY_LIMIT_MEGABYTES


def test_a_login_that_does_not_end_is_hung_up_on(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door.port), timeout=30) as connection:
        connection.sendall(_SLOW["a login that comes byte by byte"].encode())
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100)[:12] in (b"HTTP/1.1 408", b"")
