"""What the tests of this tier share: the service as a pod runs it (nginx and decider) before a real API server.

No cluster: pods are objects of the API server whose addresses are of 127.0.0.0/8, where real drivers, or attackers,
listen.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator

import pytest
from hostile import Hostile, listening
from proxy_world import Door, Team, World
from routed import Routed
from spark_driver import busy_driver

from chartproof.apiserver import ApiServer


@pytest.fixture(scope="session")
def world(apiserver: Callable[[str], ApiServer]) -> World:
    """The API server, with the rights that the service and people have."""
    return World(apiserver("1.34"))


@pytest.fixture(scope="session")
def door(world: World) -> Iterator[Door]:
    """The service, below /spark."""
    with world.door(basePath="/spark") as door:
        yield door


@pytest.fixture
def team(world: World) -> Team:
    """A namespace with people in it."""
    return world.team()


@pytest.fixture(scope="session")
def address(worker_number: int) -> Callable[[], str]:
    """Gives an address of 127.0.0.0/8 that no other test has."""
    numbers = itertools.count(1)

    def address() -> str:
        number = next(numbers)
        return f"127.{100 + worker_number}.{number // 250}.{number % 250 + 1}"

    return address


@pytest.fixture(scope="module")
def hostile(address: Callable[[], str]) -> Iterator[Hostile]:
    """An attacker's driver, listening."""
    with listening(address()) as hostile:
        yield hostile


@pytest.fixture(scope="module")
def hostile_team(world: World) -> Team:
    """Whose driver it is."""
    return world.team()


@pytest.fixture(scope="module")
def shown(door: Door, hostile_team: Team, hostile: Hostile) -> str:
    """Where its application stands below the base."""
    return door.shown(hostile_team, hostile_team.driver(hostile.address, port=hostile.port))


@pytest.fixture(scope="session", params=["4.3", "3.5"])
def routed(
    request: pytest.FixtureRequest,
    world: World,
    door: Door,
    address: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Routed]:
    """A driver of each line, one for all tests."""
    with busy_driver(request.param, address(), tmp_path_factory.mktemp("driver")) as driver:
        team = world.team()
        team.pods.make("driver", labels={"spark-app-selector": driver.app_id}, ip=driver.address)
        path = door.shown(team, driver.app_id)
        yield Routed(driver, door, path, team, team.viewer, team.submitter)


@pytest.fixture(scope="session")
def worker_number() -> int:
    """Of the process of the test run: 0, 1, …"""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
