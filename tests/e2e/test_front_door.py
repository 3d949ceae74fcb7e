"""One door to a team's applications, live and finished: what people see and do there, and what goes on in faults."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from crawl import crawl
from door import LIVE, Door, Window
from history import History
from playwright.sync_api import Browser, expect
from team import OLD_LINE_LONG, Team

from kindling_dev.settings import ADMIN_NAMESPACE
from kindling_dev.spark_image import SparkLine

EXECUTORS = {"instances": 1, "requestCores": "200m"}
TABS = ("jobs", "stages", "environment", "executors", "SQL")
"""Those of a finished application; event logs do not hold what was cached."""
MAY_DO = {("list", "pods"), ("watch", "pods"), ("create", "localsubjectaccessreviews")}


@pytest.fixture
def door(team: Team) -> Iterator[Door]:
    """A door to the team's namespace."""
    name = uuid4().hex[:6]
    door = Door(team, f"door-{name}", f"viewer-{name}")
    door.install()
    yield door
    door.uninstall()


@pytest.fixture
def history(door: Door) -> History:
    """The team's history server."""
    history = History(door.team, {"store": "claim"})
    history.install()
    return history


@pytest.fixture
def live(history: History, line: SparkLine) -> str:
    """The id of an application that runs, and has run two jobs."""
    facts: dict[str, Any] = {"global": {"eventLog": history.event_log}}
    team = history.team
    team.install("live", line=line, app={"source": LIVE}, executor=EXECUTORS, **facts)
    pod = team.running("live", "driver")
    team.cluster.wait_for_log(team.name, pod.metadata.name, "looked at", 120)
    return f"spark-{pod.metadata.uid}"


@pytest.fixture
def window(chromium: Browser, door: Door) -> Iterator[Callable[[str], Window]]:
    """Opens a browser, logged in with the token of somebody; nothing that it asked for failed, but what it expected."""
    windows = []

    def window(account: str) -> Window:
        opened = Window(chromium.new_context(), door)
        windows.append(opened)
        opened.log_in(account)
        return opened

    yield window
    for opened in windows:
        opened.context.close()
    assert [error for opened in windows for error in opened.faults.found] == []


@OLD_LINE_LONG
def test_an_application_is_seen_live_killed_by_who_may_and_seen_in_the_history(
    live: str, door: Door, window: Callable[[str], Window], audit_log: Callable[[], list[dict[str, Any]]]
) -> None:
    viewer, engineer = window(door.viewer), window(door.team.engineer)
    viewer.page.get_by_role("link", name="live", exact=True).click()
    ui = f"{door.url}/{door.team.name}/proxy/{live}"
    viewer.page.wait_for_url(f"{ui}/jobs/")
    viewer.walks(ui, (*TABS, "storage"), executors=2)

    with viewer.faults.expecting(403):
        viewer.kills(ui)
        expect(viewer.page.get_by_role("heading")).to_contain_text("You may look, but not end jobs")
    (running,) = door.rest(f"{door.team.name}/proxy/{live}", f"applications/{live}/jobs?status=running")

    viewer.page.goto(f"{ui}/stages/")
    with engineer.faults.expecting(502):  # the list of jobs comes next, and the application may be gone by then
        engineer.kills(ui)
    assert door.team.end_of("live").succeeded
    finished = f"{door.url}/{door.team.name}/shs/history/{live}"
    viewer.page.reload()
    viewer.page.wait_for_url(f"{finished}/stages/")
    viewer.walks(finished, TABS, executors=2)
    (killed,) = door.rest(f"{door.team.name}/shs", f"applications/{live}/jobs?status=failed")
    assert killed["jobId"] == running["jobId"]

    own = f"system:serviceaccount:{ADMIN_NAMESPACE}:{door.release}"
    asked = [event for event in audit_log() if event["user"].get("username") == own]
    assert {(event["verb"], event["objectRef"]["resource"]) for event in asked} <= MAY_DO
    assert not [event for event in asked if event["responseStatus"]["code"] == 403]


@pytest.mark.long
def test_no_link_of_a_live_or_finished_application_leaves_its_prefix(live: str, door: Door, history: History) -> None:
    ui, shs = f"/{door.team.name}/proxy/{live}/", f"/{door.team.name}/shs/"
    assert len(crawl(door.ask, ui, [ui], 200)) == 200
    door.team.kubectl("delete", "pod", "--selector=app.kubernetes.io/instance=live,spark-role=driver")
    history.application(live)
    assert len(crawl(door.ask, shs, [f"{shs}history/{live}/"], 200)) == 200


@pytest.mark.long
@OLD_LINE_LONG
def test_a_history_server_that_is_away_takes_nothing_with_it(live: str, door: Door) -> None:
    ui, history = f"/{door.team.name}/proxy/{live}/jobs/", f"/{door.team.name}/shs/"
    door.team.kubectl("scale", "deployment/history", "--replicas=0")
    door.team.kubectl("wait", "pod", "--selector=spark-role=history-server", "--for=delete", "--timeout=60s")
    away = door.ask(history)
    assert (away.status, "history server" in away.text) == (503, True)
    assert door.ask(ui).status == 200
    door.team.kubectl("scale", "deployment/history", "--replicas=1")
    door.team.kubectl("rollout", "status", "deployment/history", "--timeout=120s")
    assert door.ask(history).status == 200


@pytest.mark.long
@OLD_LINE_LONG
def test_a_replica_that_is_deleted_under_load_fails_nobody(live: str, door: Door) -> None:
    with Load(door, f"/{door.team.name}/proxy/{live}/jobs/") as load:
        load.wait_for(500)
        of_release = f"--selector=app.kubernetes.io/instance={door.release}"
        first, *_ = door.team.kubectl("get", "pods", door.admin, of_release, "--output=name").split()
        door.team.kubectl("delete", door.admin, first, "--wait=false")
        load.wait_for(2000)
    assert load.failed <= load.done / 1000


class Load:
    """Four clients that ask for a page again and again.

    Attributes:
        done, failed: requests so far, and those of them without an answer of 200.
    """

    def __init__(self, door: Door, path: str) -> None:
        self.done = self.failed = 0
        self._url, self._token = door.url + path, door.token(door.viewer)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int, deadline_s: float = 120) -> None:
        """Wait until so many requests are done."""
        deadline = time.monotonic() + deadline_s
        while self.done < count:
            assert time.monotonic() < deadline, f"{self.done} requests"
            time.sleep(0.1)

    def _ask(self) -> None:
        request = urllib.request.Request(self._url, headers={"Authorization": f"Bearer {self._token}"})
        while not self._stop.is_set():
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    good = answer.status == 200
            except OSError:
                good = False
            self.done += 1
            self.failed += not good
