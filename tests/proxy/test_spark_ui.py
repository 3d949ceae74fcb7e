"""Each page of a real driver, of both Spark lines, through nginx: for programs, for a crawler, and in Chromium."""

from __future__ import annotations

import html
import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urldefrag, urlencode, urljoin, urlsplit

import pytest
from answers import Answer
from playwright.sync_api import Browser
from proxy_world import Door, Team, World
from spark_driver import BusyDriver, busy_driver

_ATTRIBUTES = re.compile(r"""(?:href|src|action)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_WORDS_OF_KILLING = re.compile("kill", re.IGNORECASE)
_PAGES = {
    "jobs/": "Spark Jobs",
    "stages/": "Stages for All Jobs",
    "storage/": "Storage",
    "environment/": "Environment",
    "executors/": "Executors",
    "executors/threadDump/?executorId=driver": "Thread dump",
    "SQL/": "SQL",
    "SQL/execution/?id=0": "Details for Query",
    "StreamingQuery/": "Streaming Query",
}
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
    "/{app}/sql/0",
    "/{app}/environment",
]


@dataclass(frozen=True)
class Routed:
    """A real driver behind the service.

    Attributes:
        path: of it, below the base.
        team: whose it is.
        viewer, submitter: their tokens.
    """

    driver: BusyDriver
    door: Door
    path: str
    team: Team
    viewer: str
    submitter: str

    @property
    def prefix(self) -> str:
        """The path with the base."""
        return self.door.base + self.path

    def get(self, page: str, token: str = "", **more: str) -> Answer:
        """Ask for a page as the viewer, or with another token."""
        return self.door.get(f"{self.path}/{page}", token or self.viewer, **more)

    def rest(self, path: str) -> object:
        """An answer of its REST."""
        answer = self.get(f"api/v1/applications{path.format(app=self.driver.app_id)}")
        assert answer.status == 200, answer.text[:300]
        return json.loads(answer.body)

    def running_job(self) -> int:
        """The job that waits to be killed."""
        found: list[int] = []

        def runs() -> bool:
            jobs = self.rest("/{app}/jobs?status=running")
            assert isinstance(jobs, list)
            found[:] = [job["jobId"] for job in jobs if job.get("jobGroup") == "long"]
            return bool(found)

        self.door.decider.wait(runs, "a job to kill")
        return found[0]

    def is_killed(self, job: int) -> bool:
        """Whether it failed."""
        told = self.rest(f"/{{app}}/jobs/{job}")
        assert isinstance(told, dict)
        return bool(told["status"] == "FAILED")


@pytest.fixture(scope="module", params=["4.3", "3.5"])
def routed(
    request: pytest.FixtureRequest,
    world: World,
    door: Door,
    address: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Routed]:
    """A driver of each line."""
    with busy_driver(request.param, address(), tmp_path_factory.mktemp("driver")) as driver:
        team = world.team()
        team.pods.make("driver", labels={"spark-app-selector": driver.app_id}, ip=driver.address)
        path = door.shown(team, driver.app_id)
        yield Routed(driver, door, path, team, team.viewer, team.submitter)


def test_every_rest_endpoint_answers(routed: Routed) -> None:
    for path in _REST:
        assert routed.rest(path)


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


def test_two_hundred_links_stay_below_the_prefix(routed: Routed) -> None:
    links: set[str] = set()
    seen: set[str] = set()
    waiting = deque(f"{routed.prefix}/{page}" for page in _PAGES)
    while waiting and len(seen) < 60:
        page = waiting.popleft()
        if page in seen or _WORDS_OF_KILLING.search(page):
            continue
        seen.add(page)
        answer = routed.door.get(page.removeprefix(routed.door.base), routed.viewer)
        assert answer.status in (200, 301, 302, 307), f"{page}: {answer.status}"
        if answer.status != 200 or "html" not in answer.headers.get("content-type", ""):
            continue
        for match in _ATTRIBUTES.finditer(answer.text):
            link = urldefrag(html.unescape(match[1] or match[2] or ""))[0]
            scheme = urlsplit(link).scheme
            if not link or scheme in ("javascript", "data"):
                continue
            whole = urljoin(page, link)
            assert whole.startswith(f"{routed.prefix}/"), f"{page} has a link to {link}"
            links.add(whole)
            if "/static/" not in whole:
                waiting.append(whole)
    assert len(links) >= 200, f"{len(links)} links on {len(seen)} pages"


@pytest.mark.check(17)
def test_who_may_only_look_ends_nothing(routed: Routed) -> None:
    job = routed.running_job()
    kill = f"{routed.path}/jobs/job/kill/?id={job}"
    cookie = routed.door.session(routed.viewer)
    for given in ({"token": routed.viewer}, {"cookie": cookie, "sec_fetch_site": "same-origin"}):
        assert routed.door.get(kill, **given).status == 403
        assert routed.door.get(kill, method="POST", body=f"id={job}".encode(), **given).status == 403
    assert not routed.is_killed(job)


@pytest.mark.check(17)
def test_who_may_ends_a_job_from_its_own_page_and_from_no_other(routed: Routed) -> None:
    job = routed.running_job()
    kill = f"{routed.path}/jobs/job/kill/?id={job}"
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
    assert not routed.is_killed(job)
    own = {"cookie": cookie, "sec_fetch_site": "same-origin"}
    if routed.driver.line == "3.5":
        answer = routed.door.get(kill, **own)
    else:
        assert routed.door.get(kill, **own).status == 405
        form = {"content_type": "application/x-www-form-urlencoded", **own}
        assert routed.door.get(kill, method="POST", body=f"id={job}".encode(), **form).status == 403
        assert not routed.is_killed(job)
        token = re.search(r"""csrfToken["'][^>]*value=["']([^"']+)""", routed.get("jobs/", routed.submitter).text)
        assert token
        body = urlencode({"id": job, "csrfToken": token[1]}).encode()
        answer = routed.door.get(f"{routed.path}/jobs/job/kill/", method="POST", body=body, **form)
    assert (answer.status, answer.headers["location"]) == (302, f"{routed.prefix}/jobs/")
    routed.door.decider.wait(lambda: routed.is_killed(job), "the job is killed")


def test_chromium_shows_every_page_without_an_error(routed: Routed, chromium: Browser) -> None:
    context = chromium.new_context()
    context.set_default_timeout(120_000)
    page = context.new_page()
    wrong: list[str] = []
    origin = f"http://{routed.door.host}"
    page.goto(f"{origin}{routed.prefix}/jobs/")
    page.fill("input[name=token]", routed.viewer)
    page.click("button:has-text('Log in')")
    page.wait_for_url(f"{origin}{routed.prefix}/jobs/")
    page.on("console", lambda line: wrong.append(f"console: {line.text}") if line.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on("requestfailed", lambda request: wrong.append(f"{request.url}: {request.failure}"))
    page.on("response", lambda answer: wrong.append(f"{answer.url}: {answer.status}") if answer.status >= 400 else None)
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((f"{origin}{routed.prefix}/", "data:", "blob:"))
            else wrong.append(f"outside: {request.url}")
        ),
    )
    logs = {"logs/": "Load New"} if routed.driver.line != "3.5" else {}
    for name, title in {**_PAGES, **logs}.items():
        page.goto(f"{origin}{routed.prefix}/{name}", wait_until="networkidle")
        assert title.lower() in page.inner_text("body").lower(), name
        assert not wrong, f"{name}: {wrong}"
    for start, link in (
        ("jobs/", "a[href*='/jobs/job/?id=']"),
        ("stages/", "a[href*='/stages/stage/?id=']"),
        ("storage/", "a[href*='/storage/rdd/?id=']"),
        ("StreamingQuery/", "a[href*='/StreamingQuery/statistics']"),
    ):
        page.goto(f"{origin}{routed.prefix}/{start}", wait_until="networkidle")
        page.locator(link).last.click()
        page.wait_for_load_state("networkidle")
        assert page.url.startswith(f"{origin}{routed.prefix}/")
        assert not wrong, f"{start} {link}: {wrong}"
    page.goto(f"{origin}{routed.prefix}/executors/", wait_until="networkidle")
    page.locator("#active-executors-table td", has_text="driver").first.wait_for()
    context.close()


@pytest.mark.long
def test_connections_that_spark_has_closed_fail_nobody(routed: Routed) -> None:
    for _ in range(3):
        assert [routed.get("jobs/").status for _ in range(5)] == [200] * 5
        # Spark 4 closes what is idle for 8 s.
        time.sleep(8.5)
    assert {line["status"] for line in routed.door.log() if line["path"] == f"{routed.prefix}/jobs/"} <= {200, 302}


def test_a_job_that_sets_the_prefix_itself_is_told_which_line_to_drop(
    world: World, door: Door, address: Callable[[], str], tmp_path: Path
) -> None:
    with busy_driver("4.3", address(), tmp_path, **{"spark.ui.proxyBase": "/its/own"}) as driver:
        team = world.team()
        team.pods.make("driver", labels={"spark-app-selector": driver.app_id}, ip=driver.address)
        token = team.viewer
        path = f"/{team.name}/proxy/{driver.app_id}/jobs/"
        # Until the driver has shown a page, it gets the benefit of the doubt.
        door.decider.wait(lambda: door.get(path, token).status == 502, "it is seen")
        answer = door.get(path, token, accept="text/html")
    assert "spark.ui.proxyBase" in answer.text
