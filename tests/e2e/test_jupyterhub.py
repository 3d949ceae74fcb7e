"""A JupyterHub with KubeSpawner: its users' notebooks are drivers in their teams' namespaces, apart from each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub import Hub, Person, installed_hub
from notebook import COUNT, Kernel
from team import Team

PORTS = {"driver": (8888, 7078, 7079, 4040), "executor": (7079,)}
"""What a notebook's pod and an executor listen at."""
KNOCK = """
import socket
for place in {places}:
    try:
        socket.create_connection(place, 3).close()
        print("KNOCKED", *place, "open")
    except OSError as error:
        print("KNOCKED", *place, type(error).__name__)
"""


def pods_of(team: Team, person: str, role: str) -> list[Any]:
    """A user's pods of a role, "driver" or "executor"."""
    labels = f"spark-role={role},kindling.local/notebook=jupyter-{person}"
    pods: list[Any] = team.cluster.core.list_namespaced_pod(team.name, label_selector=labels).items
    return pods


def places(team: Team, person: str) -> list[tuple[str, int]]:
    """Where all pods of a user listen."""
    return [
        (pod.status.pod_ip, port)
        for role, ports in PORTS.items()
        for pod in pods_of(team, person, role)
        for port in ports
    ]


def knocked(kernel: Kernel, targets: list[tuple[str, int]]) -> dict[str, str]:
    """What comes of connections from a kernel: "open", or an error's name."""
    told = kernel.run(KNOCK.format(places=targets))
    return {f"{host}:{port}": said for host, port, said in re.findall(r"KNOCKED (\S+) (\d+) (\w+)", told.text)}


@pytest.fixture
def teams(new_team: Callable[[], Team]) -> dict[str, Team]:
    """Two teams, by the guide's names."""
    return {"team-a": new_team(), "team-b": new_team()}


@pytest.fixture
def hub(teams: dict[str, Team], tmp_path: Path) -> Iterator[Hub]:
    """The guide's hub for them."""
    values = {"executor": {"requestCores": "50m", "memory": "512m", "dynamicAllocation": {"idleTimeout": "600s"}}}
    with installed_hub(teams, tmp_path, **values) as hub:
        yield hub


def test_users_have_notebooks_apart_from_each_other(hub: Hub, teams: dict[str, Team]) -> None:
    team_a = teams["team-a"]
    with hub.open() as url:
        anna, amir, ben = (Person.logged_in(hub, url, name) for name in ("anna", "amir", "ben"))
        for person in (anna, amir, ben):
            person.start()
        with anna.kernel() as hers, amir.kernel() as his, ben.kernel() as bens:
            for kernel in (hers, his, bens):
                told = kernel.run(COUNT)
                assert "counted 1000" in told.text, told
            anna_at = places(team_a, "anna")
            assert len(anna_at) == 5
            assert set(knocked(hers, anna_at).values()) == {"open"}
            assert set(knocked(his, anna_at).values()) == {"TimeoutError"}
            assert set(knocked(bens, anna_at + places(team_a, "amir")).values()) == {"TimeoutError"}
