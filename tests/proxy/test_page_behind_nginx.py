"""The page as people have it: through nginx, after a login with a token of the cluster."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect
from proxy_world import Door, Team

_DEADLINE_MS = 60_000


@dataclass
class Window:
    """A browser's window that remembers what went wrong in it."""

    context: BrowserContext
    page: Page
    errors: list[str] = field(default_factory=list)


@pytest.fixture
def window(chromium: Browser) -> Iterator[Callable[..., Window]]:
    """Opens one."""
    opened: list[Window] = []

    def window(scheme: str = "light") -> Window:
        context = chromium.new_context(color_scheme=scheme)  # type: ignore[arg-type]
        context.set_default_timeout(_DEADLINE_MS)
        new = Window(context, context.new_page())
        new.page.on("console", lambda line: new.errors.append(line.text) if line.type == "error" else None)
        opened.append(new)
        return new

    yield window
    for one in opened:
        one.context.close()
    assert not [error for one in opened for error in one.errors]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_people_log_in_see_their_applications_come_and_go_and_log_out(
    door: Door, team: Team, window: Callable[..., Window], address: Callable[[], str], scheme: str
) -> None:
    first = team.driver(address())
    page = window(scheme).page
    page.goto(f"http://{door.host}/spark/?namespace={team.name}")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert not _violations(page)
    page.get_by_label("token").fill(team.viewer)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text(first)).to_be_visible(timeout=_DEADLINE_MS)
    assert page.url.endswith(f"/spark/?namespace={team.name}")
    assert not _violations(page)
    second = team.driver(address())
    expect(page.get_by_text(second)).to_be_visible(timeout=_DEADLINE_MS)
    team.pods.delete(first)
    row = page.get_by_role("row").filter(has=page.get_by_text(first))
    expect(row).to_contain_text("Ended", timeout=_DEADLINE_MS)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_script_with_a_token_lists_what_it_may_see_alone(door: Door, team: Team, address: Callable[[], str]) -> None:
    app_id = team.driver(address())
    door.shown(team, app_id)
    other = team.world.team()
    door.shown(other, other.driver(address()))
    answer = door.get("/-/api/v1/applications", team.viewer)
    assert [item["id"] for item in json.loads(answer.body)["items"]] == [app_id]
    again = door.get("/-/api/v1/applications", team.viewer, if_none_match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert door.get("/-/api/v1/applications").status == 401
    assert door.get("/-/openapi.json").status == 200


def test_a_page_for_who_may_not_reads_well(door: Door, team: Team, window: Callable[..., Window]) -> None:
    opened = window()
    opened.page.goto(f"http://{door.host}/spark/")
    opened.page.get_by_label("token").fill(team.viewer)
    opened.page.get_by_role("button", name="Log in").click()
    opened.page.goto(f"http://{door.host}/spark/kube-system/proxy/spark-1/")
    expect(opened.page.get_by_role("heading", level=1)).to_be_visible()
    assert not _violations(opened.page)
    assert opened.errors.pop().startswith("Failed to load resource: the server responded with a status of 403")


def _violations(page: Page) -> str:
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    results = Axe().run(page, options={"runOnly": rules})
    return results.generate_report() if results.violations_count else ""
