"""The UIs of real Spark drivers, as people and programs see them through the service."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser
from proxy_world import Door, Team
from routed import Kind, Routed
from spark_pages import BATCHES, LIVE, PAGES, window
from spark_ui import driver

KINDS = pytest.mark.parametrize("kind", ["job", "stage"])
RUNNING = {"job": "RUNNING", "stage": "ACTIVE"}
_REST = [
    "",
    "/{app}",
    "/{app}/jobs",
    "/{app}/jobs?status=succeeded",
    "/{app}/jobs/0",
    "/{app}/stages",
    "/{app}/stages/0/0",
    "/{app}/stages/0/0/taskSummary",
    "/{app}/stages/0/0/taskList",
    "/{app}/executors",
    "/{app}/allexecutors",
    "/{app}/executors/driver/threads",
    "/{app}/storage/rdd",
    "/{app}/sql",
    "/{app}/environment",
]


def test_every_rest_endpoint_answers(routed: Routed) -> None:
    for path in _REST:
        assert routed.rest(path)
    queries = routed.rest("/{app}/sql")
    assert isinstance(queries, list)
    assert routed.rest(f"/{{app}}/sql/{queries[0]['id']}")


def test_metrics_are_to_be_had(routed: Routed) -> None:
    assert "metrics_executor_" in routed.get("metrics/executors/prometheus").text
    assert routed.get("metrics/json/").status == 200


def test_files_of_pages_are_kept_by_the_browser(routed: Routed) -> None:
    answer = routed.get("static/utils.js", accept_encoding="gzip")
    assert (answer.status, answer.headers["cache-control"]) == (200, "private, max-age=3600")
    assert answer.headers.get("content-encoding", "") == "gzip"
    assert "no-store" in routed.get("jobs/").headers["cache-control"]


@pytest.mark.parametrize(
    ("asked", "location"), [("", "/jobs/"), ("jobs", "/jobs/"), ("stages", "/stages/"), ("SQL?id=0", "/SQL/?id=0")]
)
def test_a_redirect_stays_below_the_prefix(routed: Routed, asked: str, location: str) -> None:
    answer = routed.get(asked)
    assert answer.status in (301, 302, 307)
    assert answer.headers["location"] == routed.prefix + location


def test_two_hundred_links_answer_below_the_prefix(routed: Routed) -> None:
    assert routed.crawl(routed.path, *(f"{routed.path}/{page}" for page in {**PAGES, **LIVE}), enough=200) == 200


def test_a_thread_dump_has_its_flame_graph(routed: Routed, chromium: Browser) -> None:
    with window(chromium, routed.door, routed.path, routed.viewer) as opened:
        opened.shows("executors/threadDump/?executorId=driver", "Thread dump")
        if routed.driver.line == "3.5":
            return  # it has none
        frames = opened.page.locator("#executor-flamegraph-chart svg g")
        if not frames.first.is_visible():
            opened.page.locator("#executor-flamegraph-header a").click()
        frames.first.wait_for()
        assert frames.count() > 20
        # Its own style sheet came too.
        colour = opened.page.locator(".d3-flame-graph rect").first.evaluate("one => getComputedStyle(one).stroke")
        assert colour == "rgb(238, 238, 238)"
        assert opened.faults.found == []


@pytest.mark.check(17)
@KINDS
def test_who_may_only_look_ends_nothing(routed: Routed, kind: Kind) -> None:
    number = routed.running(kind)
    kill = f"{routed.path}/{kind}s/{kind}/kill/?id={number}"
    cookie = routed.door.session(routed.viewer)
    for given in ({"token": routed.viewer}, {"cookie": cookie, "sec_fetch_site": "same-origin"}):
        assert routed.door.get(kill, **given).status == 403
        assert routed.door.get(kill, method="POST", body=f"id={number}".encode(), **given).status == 403
    assert routed.status(kind, number) == RUNNING[kind]


@pytest.mark.check(17)
@KINDS
def test_who_may_ends_a_job_or_stage_from_its_own_page_and_from_no_other(routed: Routed, kind: Kind) -> None:
    number = routed.running(kind)
    kill = f"{routed.path}/{kind}s/{kind}/kill/?id={number}"
    cookie = routed.door.session(routed.submitter)
    foreign = [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"origin": "http://evil.example"},
        {"referer": "http://evil.example/"},
        {},
    ]
    for headers in foreign:
        for method in ("GET", "POST"):
            assert routed.door.get(kill, method=method, cookie=cookie, **headers).status == 403
    assert routed.status(kind, number) == RUNNING[kind]
    own = {"cookie": cookie, "sec_fetch_site": "same-origin"}
    if routed.driver.line == "3.5":
        answer = routed.door.get(kill, **own)
    else:
        assert routed.door.get(kill, **own).status == 405
        form = {"content_type": "application/x-www-form-urlencoded", **own}
        assert routed.door.get(kill, method="POST", body=f"id={number}".encode(), **form).status == 403
        assert routed.status(kind, number) == RUNNING[kind]
        token = re.search(r"""csrfToken["'][^>]*value=["']([^"']+)""", routed.get(f"{kind}s/", routed.submitter).text)
        assert token
        body = urlencode({"id": number, "csrfToken": token[1]}).encode()
        answer = routed.door.get(f"{routed.path}/{kind}s/{kind}/kill/", method="POST", body=body, **form)
    assert (answer.status, answer.headers["location"]) == (302, f"{routed.prefix}/{kind}s/")
    routed.door.decider.wait(lambda: routed.status(kind, number) == "FAILED", f"the {kind} is killed")


def test_chromium_shows_every_page_without_an_error(routed: Routed, chromium: Browser) -> None:
    logs = {} if routed.driver.line == "3.5" else {"logs/": "Load New"}
    with window(chromium, routed.door, routed.path, routed.viewer) as opened:
        opened.walks(routed.driver.line, {**LIVE, **logs}, BATCHES)


@pytest.mark.long
def test_connections_that_spark_has_closed_fail_nobody(routed: Routed) -> None:
    for _ in range(3):
        assert [routed.get("jobs/").status for _ in range(5)] == [200] * 5
        # Spark 4 closes what is idle for 8 s.
        time.sleep(8.5)
    assert {line["status"] for line in routed.door.log() if line["path"] == f"{routed.prefix}/jobs/"} <= {200, 302}


def test_a_job_that_sets_the_prefix_itself_is_told_which_line_to_drop(
    door: Door, team: Team, address: Callable[[], str], tmp_path: Path
) -> None:
    with driver("4.3", tmp_path, address=address(), conf={"spark.ui.proxyBase": "/its/own"}) as own:
        team.pods.driver(own.app_id, ip=own.target.ip)
        token = team.viewer
        path = f"/{team.name}/proxy/{own.app_id}/jobs/"
        # Until the driver has shown a page, it gets the benefit of the doubt.
        door.decider.wait(lambda: door.get(path, token).status == 502, "it is seen")
        answer = door.get(path, token, accept="text/html")
    assert "spark.ui.proxyBase" in answer.text
