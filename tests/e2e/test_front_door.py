"""One door to a team's applications, live and finished: what people see and do there, and what goes on in faults."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import pytest
from crawl import crawl
from door import LIVE, Door, Window, new_door
from history import History
from playwright.sync_api import Browser, expect
from team import OLD_LINE_LONG, Team
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError

from kindling_dev.settings import ADMIN_NAMESPACE
from kindling_dev.spark_image import SparkLine

EXECUTORS = {"instances": 1, "requestCores": "50m"}
TABS = ("jobs", "stages", "environment", "executors", "SQL")
"""Those of a finished application; event logs do not hold what was cached."""
MAY_DO = {
    *(("list", "pods"), ("watch", "pods"), ("create", "localsubjectaccessreviews")),
    *((verb, "configmaps") for verb in ("list", "watch", "patch")),
}
"""Verb and resource; of ConfigMaps, the list of logouts."""


@pytest.fixture
def door(team: Team) -> Iterator[Door]:
    """A door to the team's namespace."""
    with new_door(team) as door:
        door.let_in(team, door.viewer)
        door.install()
        yield door


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
def test_a_history_server_and_a_driver_that_go_are_told_of_and_take_nothing_with_them(
    live: str, door: Door, history: History, window: Callable[[str], Window]
) -> None:
    viewer = window(door.viewer)
    ui, shs = f"{door.team.name}/proxy/{live}", f"{door.team.name}/shs"
    viewer.page.goto(f"{door.url}/{shs}/")
    away = viewer.page.get_by_role("heading", name="The history server is away")
    with viewer.faults.expecting(503):
        door.team.kill(history.pods()[0], "history-server")
        viewer.page.reload()
        expect(away).to_be_visible()
        assert door.ask(f"/{ui}/jobs/").status == 200
        # The page looks again by itself.
        expect(away).to_be_hidden(timeout=120_000)
    expect(viewer.page).to_have_title("History Server")

    viewer.page.goto(f"{door.url}/{ui}/stages/")
    door.team.kubectl("delete", "pod", "--selector=app.kubernetes.io/instance=live,spark-role=driver")
    expect(viewer.page.get_by_role("link", name="Executors")).to_be_visible()
    viewer.page.get_by_role("link", name="Executors").click()
    finished = f"{door.url}/{shs}/history/{live}"
    viewer.page.wait_for_url(f"{finished}/executors/")
    viewer.walks(finished, TABS, executors=2)


@pytest.mark.long
@OLD_LINE_LONG
def test_a_replica_that_is_deleted_or_killed_under_load_fails_at_most_one_request_in_a_thousand(
    live: str, door: Door
) -> None:
    path = f"/{door.team.name}/proxy/{live}/jobs/"
    with Load(door, path) as load:
        load.wait_for(500)
        door.team.kubectl("delete", "pod", door.pods()[0].metadata.name, door.admin, "--wait=false")
        load.wait_for(2000)
    print(f"deleted: {load}")
    assert load.failed <= load.done / 1000, load.problems
    for container, number in {"nginx": 5000, "decider": 2000}.items():
        door.wait_until_ready()
        with Load(door, path) as load:
            load.wait_for(500)
            door.team.kill(door.pods()[0], container)
            load.wait_for(number)
        print(f"{container} killed: {load}")
        assert load.failed_again <= load.done / 1000, load.problems


class Load:
    """Four clients that ask for a page again and again, each on a connection that it keeps while it can.

    They pause between requests: how often one can be refused in a second tells nothing.

    Attributes:
        done: requests so far.
        failed: those of them without an answer of 200.
        failed_again: those of them that failed once more, as browsers ask again after a broken connection.
        problems: what came instead of answers, and how often.
    """

    def __init__(self, door: Door, path: str) -> None:
        self.done = self.failed = self.failed_again = 0
        self.problems: Counter[str] = Counter()
        self._url, self._headers = door.url + path, {"Authorization": f"Bearer {door.token(door.viewer)}"}
        self._stop, self._counting = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def __str__(self) -> str:
        again = f"and {self.failed_again} when they were sent again"
        return f"of {self.done} requests {self.failed} failed, {again}: {dict(self.problems)}"

    def wait_for(self, count: int, deadline_s: float = 180) -> None:
        """Wait until so many requests are done."""
        deadline = time.monotonic() + deadline_s
        while self.done < count:
            assert time.monotonic() < deadline, f"{self.done} requests"
            time.sleep(0.1)

    def _ask(self) -> None:
        with PoolManager(maxsize=1) as pool:
            while not self._stop.wait(0.01):
                problem = self._problem(pool)
                again = self._problem(pool) if problem else ""
                with self._counting:
                    self.done += 1
                    self.failed += bool(problem)
                    self.failed_again += bool(again)
                    self.problems.update(filter(None, (problem, again)))

    def _problem(self, pool: PoolManager) -> str:
        """What comes instead of an answer of 200; "" where that comes."""
        try:
            answer = pool.request("GET", self._url, headers=self._headers, timeout=30, retries=False, redirect=False)
        except HTTPError as error:
            return type(error).__name__
        return "" if answer.status == HTTPStatus.OK else str(answer.status)
