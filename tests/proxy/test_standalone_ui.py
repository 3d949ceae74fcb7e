"""The UI of a standalone cluster's master and workers, and of what runs there, at the service."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import pytest
from answers import Answer
from crawl import crawl
from playwright.sync_api import Browser, expect
from proxy_world import Door, Team, World
from spark_pages import window
from spark_ui import JAVA, container

MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"
APPLICATION = """
import time
from pyspark.sql import SparkSession
context = SparkSession.builder.appName("of the cluster").getOrCreate().sparkContext
context.parallelize(range(2), 2).count()
time.sleep(3600)
"""


@dataclass(frozen=True)
class Shown:
    """A cluster with an application, behind the service.

    Attributes:
        team: whose.
        path: of the master, below the base.
        app_id: of the application.
        master: where its UI listens.
    """

    door: Door
    team: Team
    path: str
    app_id: str
    master: str


@pytest.fixture(scope="module")
def shown(
    world: World, door: Door, address: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shown]:
    """Master, worker and driver with the settings that the chart gives them."""
    team, folder = world.team(), tmp_path_factory.mktemp("cluster")
    (folder / "application.py").write_text(APPLICATION)
    folder.chmod(0o777)
    master, worker, driver = address(), address(), address()
    path = f"/{team.name}/proxy/standalone"
    base = f"{door.base}{path}"
    url = f"spark://{master}:7077"

    def run(where: str, options: str, *command: str | int) -> AbstractContextManager[str]:
        daemon = f"SPARK_DAEMON_JAVA_OPTS=-Dspark.ui.reverseProxy=true {options}"
        small = ("SPARK_DAEMON_MEMORY=256m", f"JAVA_TOOL_OPTIONS={JAVA}")
        return container("4.3", folder, list(command), f"SPARK_LOCAL_IP={where}", daemon, *small)

    starts = ("/opt/spark/bin/spark-class",)
    of_worker = (WORKER, "--host", worker, "--webui-port", 8081, "--work-dir", "/tmp/work", url)
    conf = {"spark.driver.host": driver, "spark.ui.port": 4040, "spark.executor.memory": "512m"}
    settings = [word for key, value in conf.items() for word in ("--conf", f"{key}={value}")]
    submits = ("/opt/spark/bin/spark-submit", "--master", url, *settings, "/test/application.py")
    with (
        run(master, f"-Dspark.ui.proxyBase={base}", *starts, MASTER, "--host", master, "--webui-port", 4040),
        run(worker, f"-Dspark.ui.reverseProxyUrl={base}", *starts, *of_worker),
        run(driver, "", *submits),
    ):
        team.pods.driver("standalone", ip=master)
        token = team.viewer
        found: list[str] = []

        def runs() -> bool:
            text = door.get(f"{path}/", token).text
            found[:] = re.findall(r"app-\d{14}-\d{4}", text)
            return bool(found) and "RUNNING" in text

        door.decider.wait(runs, "the application runs", 120)
        team.pods.driver(found[0], ip=driver)
        door.shown(team, found[0])
        yield Shown(door, team, path, found[0], master)


def test_links_of_master_and_workers_stay_below_it(shown: Shown) -> None:
    token, base = shown.team.viewer, shown.door.base
    own = f"{base}{shown.path}"
    home = shown.door.get(f"{shown.path}/", token).text
    (worker,) = set(re.findall(rf'href="({own}/proxy/worker-[^"/]+)', home))
    page = shown.door.get(f"{worker.removeprefix(base)}/", token)
    assert page.status == 200
    assert "Spark Worker at" in page.text
    (log,) = set(re.findall(r'href="([^"]+logType=stderr)"', page.text.replace("&amp;", "&")))
    assert log.startswith(f"{worker}/logPage/")
    assert "CoarseGrainedExecutorBackend" in shown.door.get(log.removeprefix(base), token).text

    def ask(path: str) -> Answer:
        answer = shown.door.get(path.removeprefix(base), token)
        # "Back to Master": Spark has the master's own address there, whatever its UI stands below.
        return replace(answer, body=answer.body.replace(f"http://{shown.master}:4040".encode(), own.encode()))

    # Links to the application lead to its own place.
    assert len(crawl(ask, f"{base}/{shown.team.name}/proxy/", [f"{own}/", f"{worker}/"], 15)) == 15


def test_the_masters_link_to_an_application_leads_to_its_own_place(shown: Shown) -> None:
    token = shown.team.viewer
    link = f"{shown.path}/proxy/{shown.app_id}"
    for _ in range(2):
        # A decision about the master's page is kept, and counts for nothing here.
        assert shown.door.get(f"{shown.path}/", token).status == 200
        for below in ("", "/", "/jobs/", "/stages/stage/?id=0&attempt=0"):
            answer = shown.door.get(f"{link}{below}", token)
            assert answer.status == 301
            wanted = f"{shown.door.base}/{shown.team.name}/proxy/{shown.app_id}{below or '/'}"
            assert answer.headers["location"] == wanted


def test_who_may_not_look_sees_no_cluster(shown: Shown, team: Team) -> None:
    for page in (f"{shown.path}/", f"{shown.path}/proxy/{shown.app_id}/"):
        assert shown.door.get(page, team.viewer).status == 403


def test_chromium_shows_master_and_worker(shown: Shown, chromium: Browser) -> None:
    with window(chromium, shown.door, shown.path, shown.team.viewer) as opened:
        page = opened.page
        page.goto(f"{opened.root}/")
        page.get_by_role("link", name=re.compile("^worker-")).click()
        page.get_by_role("link", name="stderr").first.click()
        expect(page.get_by_text("CoarseGrainedExecutorBackend").first).to_be_visible()
        page.get_by_role("button", name="Load New").click()
        page.wait_for_load_state("networkidle")
        assert not opened.faults.found
