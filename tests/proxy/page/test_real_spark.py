"""Progress and history from Spark itself, of both lines."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from page_world import Open, World, application
from playwright.sync_api import expect
from spark_ui import Driver, container, copy_event_log, driver, history_server, rest, submission
from waiting import wait_until

_FAILS = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.appName("fails").getOrCreate()
assert spark.range(10).count() == 10
{end}
sys.exit(3)
"""
LINES = pytest.mark.parametrize("line", ["4.3", pytest.param("3.5", marks=pytest.mark.long)])


@pytest.fixture(scope="module")
def driver_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Driver]]:
    """A driver of a line, one for all tests."""
    made: dict[str, Driver] = {}
    with ExitStack() as stack:

        def driver_of(line: str) -> Driver:
            if line not in made:
                made[line] = stack.enter_context(driver(line, tmp_path_factory.mktemp("driver"), name="flights"))
            return made[line]

        yield driver_of


@LINES
def test_an_application_progresses_ends_and_is_in_its_history(
    world: World, open_page: Open, driver_of: Callable[[str], Driver], line: str
) -> None:
    real = driver_of(line)
    live = application("flights", app_id=real.app_id, target=real.target)
    world.put(live)
    page = open_page()
    row = page.get_by_role("row", name=re.compile("flights"))
    bar = row.get_by_role("progressbar", name="Tasks of flights")
    for tasks in (0, 4, 7):
        real.go(tasks)
        expect(row).to_contain_text(f"job 0: {tasks}/10 tasks")
        expect(bar).to_have_attribute("value", str(tasks))
    (item,) = world.listed()["items"]
    assert item["links"]["log"] == (f"/spark/team-a/proxy/{real.app_id}/logs/" if line == "4.3" else None)
    real.go(10)
    expect(row).to_contain_text("idle")
    with history_server(line, real.events) as target:
        world.history_server("team-a", target)
        real.end()
        world.put(replace(live, state="succeeded", target=None))
        expect(row.get_by_role("link", name="History of flights")).to_be_visible(timeout=60_000)
        world.remove(live)
        expect(row).to_contain_text("Ended")
        world.history_server("team-a", None)
        expect(page.get_by_role("list", name="Sources in trouble")).to_contain_text("its history server is not ready")
        expect(row).to_contain_text("Ended")


@pytest.mark.long
@pytest.mark.parametrize(
    ("line", "end", "state"),
    [
        ("4.3", "spark._jsc.sc().stop(3)", "failed"),  # as spark-submit does on Kubernetes
        ("4.3", "spark.stop()", "ended"),
        ("3.5", "pass", "ended"),
    ],
)
def test_of_one_that_failed_the_page_says_what_its_log_says_and_no_more(
    world: World, open_page: Open, tmp_path: Path, line: str, end: str, state: str
) -> None:
    events = tmp_path / "events"
    events.mkdir()
    for folder in (tmp_path, events):
        folder.chmod(0o777)
    (tmp_path / "fails.py").write_text(_FAILS.format(end=end))
    conf = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": "file:///test/events", "spark.ui.enabled": "false"}
    with container(line, tmp_path, submission("fails.py", cores=1, conf=conf), "SPARK_LOCAL_IP=127.0.0.1") as name:
        done = subprocess.run(["docker", "wait", name], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "3"
    with history_server(line, events) as target:
        wait_until(lambda: rest(target, "/applications"), "Spark has read the log")
        (told,) = rest(target, "/applications")
        live = application("fails", app_id=told["id"], state="failed", target=None)
        world.put(live)
        world.history_server("team-a", target)
        row = open_page().get_by_role("row", name=re.compile("fails"))
        expect(row.get_by_role("link", name="History of fails")).to_be_visible()
        expect(row).to_contain_text("Failed")
        world.remove(live)
        expect(row).to_contain_text(state.capitalize())
        assert [item["state"] for item in world.listed()["items"]] == [state]


@LINES
@pytest.mark.long
def test_ten_thousand_finished_applications_are_all_listed_and_new_ones_follow(
    world: World, driver_of: Callable[[str], Driver], tmp_path: Path, line: str
) -> None:
    real = driver_of(line)
    real.end()
    now = int(time.time() * 1000)
    # Many of them end in one millisecond, as no site's do: more than a part of the list that is asked for at once.
    ends = [(f"spark-{number:05}", now - 10**6 - (number if number < 8_800 else 9_000)) for number in range(10_000)]
    tmp_path.chmod(0o777)
    copy_event_log(real.events, tmp_path, ends)
    with history_server(line, tmp_path) as target:
        began = time.monotonic()
        wait_until(
            lambda: len(rest(target, "/applications?status=completed")) == 10_000, "Spark has read all logs", 540
        )
        told = time.monotonic() - began
        world.history_server("team-a", target)
        began = time.monotonic()
        wait_until(lambda: world.listed()["total"] == 10_000, "all are listed")
        print(f"Spark {line} listed them after {told:.0f} s, and the service {time.monotonic() - began:.1f} s later")
        first, last = (world.listed(f"?limit=1&page={page}")["items"][0]["id"] for page in (1, 10_000))
        assert (first, last) == ("spark-00000", "spark-09999")
        copy_event_log(real.events, tmp_path, [("spark-new", now)])
        wait_until(lambda: world.listed()["items"][0]["id"] == "spark-new", "the new one is the first of the list")
        assert world.listed()["total"] == 10_001
