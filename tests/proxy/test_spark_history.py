"""Applications that have ended, in a real history server behind the service; one that ends while somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect
from routed import Routed
from spark_pages import PAGES, window
from spark_ui import driver, history_server

pytestmark = pytest.mark.parametrize("routed", ["4.3", pytest.param("3.5", marks=pytest.mark.long)], indirect=True)
_DEADLINE_MS = 120_000


@pytest.fixture(scope="session")
def history(routed: Routed, address: Callable[[], str]) -> Iterator[str]:
    """Where the history server of the driver's namespace stands, below the base."""
    with history_server(routed.driver.line, routed.driver.folder / "events", address()) as target:
        routed.team.pods.history_server(ip=target.ip)
        path = f"/{routed.team.name}/shs"
        door = routed.door
        door.decider.wait(lambda: door.get(f"{path}/", routed.viewer).status == 200, "the history server is routed")
        yield path


@pytest.fixture
def ended(routed: Routed, history: str) -> str:
    """Where the application stands there that the driver ran before."""
    return f"{history}/history/{routed.driver.ended}"


def test_chromium_shows_every_page_of_what_has_ended(
    routed: Routed, history: str, ended: str, chromium: Browser
) -> None:
    with window(chromium, routed.door, ended, routed.viewer, history) as opened:
        opened.walks(routed.driver.line, {})


def test_two_hundred_links_of_what_has_ended_answer_below_the_prefix(routed: Routed, history: str, ended: str) -> None:
    assert routed.crawl(history, *(f"{ended}/{page}" for page in PAGES), enough=200) == 200


def test_who_looks_when_a_driver_is_killed_is_told_so_and_taken_to_its_history(
    routed: Routed, history: str, chromium: Browser, address: Callable[[], str]
) -> None:
    with driver(routed.driver.line, routed.driver.folder, address=address()) as dying:
        pod = "dying"
        routed.team.pods.make(pod, labels={"spark-app-selector": dying.app_id}, ip=dying.target.ip)
        path = routed.door.shown(routed.team, dying.app_id)
        with window(chromium, routed.door, path, routed.viewer) as opened:
            opened.shows("jobs/", "Spark Jobs")
            dying.kill()
            opened.page.get_by_role("link", name="Stages", exact=True).click()
            expect(opened.page.get_by_role("heading")).to_contain_text("does not answer", timeout=_DEADLINE_MS)
            assert opened.page.url == f"{opened.root}/stages/"
            routed.team.pods.set_status(pod, "Failed")
            # By itself: nobody clicks.
            opened.page.wait_for_url(f"**{history}/history/{dying.app_id}/stages/")
            expect(opened.page.locator("body")).to_contain_text("Stages for All Jobs", timeout=_DEADLINE_MS)
