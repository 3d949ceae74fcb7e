"""What nginx lets through to an application, and what of its answers reaches a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hostile import Hostile, listening
from proxy_world import Door, Team


@pytest.fixture
def hostile(address: Callable[[], str]) -> Iterator[Hostile]:
    """An attacker's driver, listening."""
    with listening(address()) as hostile:
        yield hostile


@pytest.fixture
def path(door: Door, team: Team, hostile: Hostile) -> str:
    """Where its application stands below the base."""
    return door.shown(team, team.driver(hostile.address, port=hostile.port))


def test_nobody_gets_in_without_a_login(door: Door, path: str, hostile: Hostile) -> None:
    hostile.seen.clear()
    assert door.get(f"{path}/jobs/").status == 401
    assert door.get(f"{path}/jobs/", accept="text/html").status == 302
    assert hostile.seen == []


def test_a_viewer_gets_in_and_the_second_time_nobody_is_asked(door: Door, team: Team, path: str) -> None:
    token = team.viewer
    assert [door.get(f"{path}/jobs/", token).text for _ in range(2)] == ["<html>hello</html>"] * 2
    assert door.log()[-1]["decision"] == "kept"
