"""A notebook's pod, in which each kernel is a driver of an application of its own; and pods that say they have more."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
import spark_ui
from proxy_world import Door, Team, World
from speaking import speaking

_SOON_S = 15
"""A kernel that comes or ends is noticed within this time: two rounds of questions, and some room."""


def listed(door: Door, team: Team) -> dict[str, dict[str, Any]]:
    """What the API lists of a team, by id."""
    items = door.get(f"/-/api/v1/applications?namespace={team.name}&limit=500", team.viewer).json["items"]
    return {item["id"]: item for item in items}


@pytest.mark.parametrize("line", ["4.3", pytest.param("3.5", marks=pytest.mark.long)])
def test_kernels_of_a_notebook_are_seen_and_ended_apart(
    line: str, door: Door, team: Team, address: Callable[[], str], tmp_path: Path
) -> None:
    ip = address()
    own = {"spark.kubernetes.namespace": team.name, "spark.kubernetes.driver.pod.name": "notebook"}
    # Each asks for Spark's own port, as kernels do, and takes the next that is free.
    own["spark.ui.port"] = "4040"

    def kernel(name: str, port: int) -> Any:
        (tmp_path / name).mkdir()
        return spark_ui.driver(line, tmp_path / name, name=f"<b>{name}</b>", address=ip, port=port, conf=own)

    team.pods.make("notebook", ip=ip)
    history = f"{door.base}/{team.name}/shs/history"
    team.pods.history_server()
    with kernel("first", 4040) as first, kernel("second", 4041) as second:
        for found in (first, second):
            shown(door, team, found.app_id)
        for found, name in ((first, "first"), (second, "second")):
            path = f"/{team.name}/proxy/{found.app_id}"
            entry = listed(door, team)[found.app_id]
            assert (entry["name"], entry["state"], entry["pod"]) == (f"<b>{name}</b>", "running", "notebook")
            assert (entry["user"], entry["executors"], entry["problem"]) == ("spark", 0, "")
            assert entry["links"]["ui"] == f"{door.base}{path}/"
            assert door.get(f"{path}/", team.viewer).headers["location"] == f"{door.base}{path}/jobs/"
            page = door.get(f"{path}/environment/", team.viewer).text
            assert f"&lt;b&gt;{name}" in page
            assert f"{door.base}{path}/jobs/" in page
            assert door.get(f"{path}/api/v1/applications", team.viewer).json[0]["id"] == found.app_id
        assert "<b>" not in door.get("/", team.viewer, accept="text/html").text.partition("<tbody")[2]

        # It ends with its job.
        kill(door, team, second)
        page = f"/{team.name}/proxy/{second.app_id}/jobs/"
        gone = door.decider.wait(lambda: door.get(page, team.viewer).status == 302, "it is in the history", _SOON_S)
        assert door.get(page, team.viewer).headers["location"].startswith(f"{history}/{second.app_id}/")
        assert listed(door, team)[second.app_id]["state"] == "ended"
        assert jobs(door, team, first) == ["RUNNING"]
        # The gap that it leaves is taken by the next.
        with kernel("third", 4041) as third:
            page = f"/{team.name}/proxy/{third.app_id}/jobs/"
            came = door.decider.wait(lambda: door.get(page, team.viewer).status == 200, "a new one is shown", _SOON_S)
        print(f"Spark {line}: gone {gone:.1f} s after its job was killed, shown {came:.1f} s after its job began")


def shown(door: Door, team: Team, app_id: str) -> None:
    """Wait until the first page of an application is served."""
    page = f"/{team.name}/proxy/{app_id}/jobs/"
    door.decider.wait(lambda: door.get(page, team.viewer).status == 200, f"{app_id} is shown", _SOON_S)


def jobs(door: Door, team: Team, driver: spark_ui.Driver) -> list[str]:
    """How each job of a driver does."""
    path = f"/{team.name}/proxy/{driver.app_id}/api/v1/applications/{driver.app_id}/jobs"
    return [job["status"] for job in door.get(path, team.viewer).json]


def kill(door: Door, team: Team, driver: spark_ui.Driver) -> None:
    """End the job of a driver, by who may; who may only look does not."""
    path = f"/{team.name}/proxy/{driver.app_id}"
    form = {"content_type": "application/x-www-form-urlencoded"}
    token = re.search(r"""csrfToken["'][^>]*value=["']([^"']+)""", door.get(f"{path}/jobs/", team.submitter).text)
    body = urlencode({"id": 0, **({"csrfToken": token[1]} if token else {})}).encode()

    def ends(who: str) -> int:
        return door.get(f"{path}/jobs/job/kill/", who, method="POST", body=body, **form).status

    assert ends(team.viewer) == 403
    assert jobs(door, team, driver) == ["RUNNING"]
    assert ends(team.submitter) == 302


def test_a_further_port_takes_no_other_pods_id(door: Door, team: Team, address: Callable[[], str]) -> None:
    job, kernel = f"spark-{uuid4().hex}", f"spark-{uuid4().hex}"
    with ExitStack() as stack:

        def driver(ip: str, pod: str, port: int, app_id: str) -> list[str]:
            return stack.enter_context(speaking(ip, team.name, pod, port, app_id)).asked

        victim, notebook, evil = address(), address(), address()
        honest = {job: driver(victim, "job", 4040, job), kernel: driver(notebook, "notebook", 4041, kernel)}
        team.pods.make("job", labels={"spark-app-selector": job}, ip=victim)
        team.pods.make("notebook", ip=notebook)
        for app_id in honest:
            shown(door, team, app_id)
        own = f"spark-{uuid4().hex}"
        stolen = [driver(evil, "evil", port, app_id) for port, app_id in ((4040, job), (4041, kernel), (4042, own))]
        team.pods.make("evil", ip=evil)
        shown(door, team, own)
        entries = listed(door, team)
        assert {app_id: entries[app_id]["pod"] for app_id in (job, kernel, own)} == {
            job: "job",
            kernel: "notebook",
            own: "evil",
        }
        assert [entries[app_id]["disputed"] for app_id in (job, kernel, own)] == [True, True, False]
        for app_id, asked in honest.items():
            page = f"/{team.name}/proxy/{app_id}/jobs/"
            before = asked.count("GET /jobs/")
            assert door.get(page, team.viewer).status == 200
            assert door.get(page + "job/kill/", team.submitter, method="POST", body=b"id=0").status == 404
            assert asked.count("GET /jobs/") == before + 1
            assert asked.count("POST /jobs/job/kill/") == 1
        assert {path for asked in stolen[:2] for path in asked} <= {
            "GET /api/v1/applications",
            *(f"GET /api/v1/applications/{app_id}/environment" for app_id in (job, kernel)),
        }


def test_a_pod_that_answers_everywhere_displaces_nobody(
    door: Door, world: World, team: Team, address: Callable[[], str]
) -> None:
    other, evil, ip = world.team(), address(), address()
    kernel = f"spark-{uuid4().hex}"
    with ExitStack() as stack:
        stack.enter_context(speaking(ip, other.name, "notebook", 4040, kernel))
        other.pods.make("notebook", ip=ip)
        ids = {port: f"spark-{uuid4().hex}" for port in range(4040, 4100)} | {4100: kernel}
        asked = {
            port: stack.enter_context(speaking(evil, team.name, "evil", port, app_id)).asked
            for port, app_id in ids.items()
        }
        team.pods.make("evil", ip=evil)
        shown(door, other, kernel)
        door.decider.wait(lambda: len(listed(door, team)) > 1, "the pod's are listed", _SOON_S)
        assert set(listed(door, team)) == {ids[port] for port in range(4040, 4057)}
        assert not any(asked[port] for port in range(4057, 4101))
        assert set(listed(door, other)) == {kernel}
        assert door.get(f"/{team.name}/proxy/{kernel}/jobs/", team.viewer).status == 404
