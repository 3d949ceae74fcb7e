"""Pods with a forged status, behind nginx: no request goes where they say, whoever asks, and whatever for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from forging import GATED, Forger, bare, whole
from hostile import Hostile, listening
from proxy_world import Door, Team, World
from spark_ui import driver
from speaking import speaking

_KILL = "/jobs/job/kill/?id=1"


@pytest.fixture
def victim(address: Callable[[], str]) -> Iterator[Hostile]:
    """Another team's driver."""
    with listening(address()) as victim:
        yield victim


def asked_for(door: Door, team: Team, app_id: str) -> set[int]:
    """Statuses of all that a submitter, a viewer and a stranger ask of an application."""
    path = f"/{team.name}/proxy/{app_id}"
    return {
        door.get(f"{path}{page}", token, method=method, body="" if method == "POST" else None).status
        for token in (team.submitter, team.viewer, "")
        for method, page in (("GET", "/jobs/"), ("GET", _KILL), ("POST", _KILL), ("POST", "/jobs/"), ("HEAD", "/"))
    }


@pytest.mark.parametrize(
    ("spec", "status"),
    [(GATED, bare), (GATED, whole), ({}, bare), ({}, whole)],
    ids=["a gate", "a gate, all forged", "no node", "no node, all forged"],
)
def test_a_forged_driver_shows_and_ends_nothing_of_another_team(
    door: Door,
    world: World,
    team: Team,
    victim: Hostile,
    spec: Mapping[str, Any],
    status: Callable[[str], Mapping[str, Any]],
) -> None:
    other = world.team()
    app_id = other.driver(victim.address, port=victim.port)
    door.shown(other, app_id)
    evil = Forger.of(world.server, team.name).pod(status(victim.address), spec=spec)
    path = f"/{team.name}/proxy/{evil}/jobs/"
    door.decider.wait(lambda: door.get(path, team.viewer).status == 502, "it is told of")
    assert asked_for(door, team, evil) <= {401, 403, 502}
    sent = b"\n".join(victim.seen)
    assert b"kill" not in sent
    assert team.name.encode() not in sent
    assert f"/{team.name}/proxy" not in {line["path"] for line in door.log() if line["upstream"] == victim.address}


def test_a_forged_driver_of_an_unwatched_one_is_refused_at_once(
    door: Door, world: World, team: Team, address: Callable[[], str]
) -> None:
    with speaking(address(), "team-elsewhere", "pi-driver") as driver:
        evil = Forger.of(world.server, team.name).pod(whole(driver.address))
        path = f"/{team.name}/proxy/{evil}{_KILL}"

        def kill() -> int:
            return door.get(path, team.submitter, method="POST", body="").status

        door.decider.wait(lambda: kill() not in (403, 404, 503), "the pod is seen")
        assert kill() == 502
        assert [request for request in driver.asked if "kill" in request] == []


@pytest.mark.parametrize("line", ["4.3", pytest.param("3.5", marks=pytest.mark.long)])
def test_a_driver_of_spark_takes_its_address_back(
    line: str, door: Door, world: World, team: Team, address: Callable[[], str], tmp_path: Path
) -> None:
    other, pod = world.team(), "pi-driver"
    own = {"spark.kubernetes.namespace": other.name, "spark.kubernetes.driver.pod.name": pod}
    with driver(line, tmp_path, address=address(), conf=own) as spark:
        forger = Forger.of(world.server, team.name)
        # Beforehand, and with the name and id of the other.
        evil = forger.pod(whole(spark.target.ip), name=pod, app_id=spark.app_id, container=_ports(4040))
        stolen = f"/{team.name}/proxy/{evil}/jobs/"
        door.decider.wait(lambda: door.get(stolen, team.submitter).status == 502, "the forged pod is found out")
        other.pods.make(pod, labels={"spark-app-selector": spark.app_id}, ip=spark.target.ip)
        page = f"/{other.name}/proxy/{spark.app_id}/jobs/"
        door.decider.wait(lambda: door.get(page, other.viewer).status == 200, "the driver is shown")
        forger.pod(whole(spark.target.ip), container=_ports(4040))
        after = door.decider.wait(lambda: door.get(page, other.viewer).status == 200, "it stays", 10)
        print(f"Spark {line}: shown {after:.2f} s after its address was claimed")
        assert door.get(stolen, team.submitter).status == 502
        kill = door.get(f"/{team.name}/proxy/{evil}{_KILL}", team.submitter, method="POST", body="")
        assert kill.status == 502


def _ports(number: int) -> dict[str, Any]:
    return {"ports": [{"name": "spark-ui", "containerPort": number}]}


def test_an_old_decision_is_not_kept_for_a_claimed_address(
    door: Door, world: World, team: Team, victim: Hostile
) -> None:
    other = world.team()
    page = door.shown(other, other.driver(victim.address, port=victim.port)) + "/jobs/"
    assert door.get(page, other.viewer).status == 200
    Forger.of(world.server, team.name).pod(whole(victim.address), name="thief")
    door.decider.wait(lambda: door.get(page, other.viewer).status == 502, "neither is shown", 4)
    said = door.get(page, other.viewer, accept="application/json").json
    assert "another running pod says that it has the same address" in said["detail"].lower()
    Forger.of(world.server, team.name).delete("thief")
    door.decider.wait(lambda: door.get(page, other.viewer).status == 200, "it is shown again")


def test_a_forged_history_server_shows_nothing_of_another_team(
    door: Door, world: World, team: Team, address: Callable[[], str]
) -> None:
    other = world.team()
    with listening(address(), 18080) as history:
        other.pods.history_server(ip=history.address)
        door.decider.wait(lambda: door.get(f"/{other.name}/shs/", other.viewer).status == 200, "theirs is shown")
        forger = Forger.of(world.server, team.name)
        for spec, status in ((GATED, bare(history.address)), ({}, whole(history.address, "history-server"))):
            forger.pod(status, role="history-server", spec=spec)
        own = f"/{team.name}/shs/"
        door.decider.wait(
            lambda: "Its pod is there" in door.get(own, team.viewer, accept="text/html").text, "it is told of"
        )
        for token in (team.submitter, team.viewer, ""):
            assert door.get(own, token).status in (401, 503)
        assert not any(team.name.encode() in seen for seen in history.seen)
