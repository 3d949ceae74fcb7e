"""The page as people have it: through nginx, after a login with a token of the cluster."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from accessibility import violations
from faults import Faults
from playwright.sync_api import Browser, Page, expect
from proxy_world import Door, Team

_DEADLINE_MS = 60_000


@dataclass(frozen=True)
class Window:
    """A browser's window, and what went wrong in it."""

    page: Page
    faults: Faults


@pytest.fixture
def window(chromium: Browser) -> Iterator[Callable[..., Window]]:
    """Opens one; at the end of the test nothing is wrong in any."""
    opened: list[Window] = []

    def window(scheme: str = "light") -> Window:
        context = chromium.new_context(color_scheme=scheme)  # type: ignore[arg-type]
        context.set_default_timeout(_DEADLINE_MS)
        page = context.new_page()
        opened.append(Window(page, Faults(page)))
        return opened[-1]

    yield window
    for one in opened:
        one.page.context.close()
    assert not [fault for one in opened for fault in one.faults.found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_people_log_in_see_their_applications_come_and_go_and_log_out(
    door: Door, team: Team, window: Callable[..., Window], address: Callable[[], str], scheme: str
) -> None:
    first = team.driver(address())
    page = window(scheme).page
    page.goto(f"http://{door.host}/spark/?namespace={team.name}")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert not violations(page)
    page.get_by_label("token").fill(team.viewer)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name=first, exact=True)).to_be_visible(timeout=_DEADLINE_MS)
    assert page.url.endswith(f"/spark/?namespace={team.name}")
    assert not violations(page)
    second = team.driver(address())
    expect(page.get_by_role("link", name=second, exact=True)).to_be_visible(timeout=_DEADLINE_MS)
    team.pods.delete(first)
    row = page.get_by_role("row").filter(has_text=first)
    expect(row).to_contain_text("Ended", timeout=_DEADLINE_MS)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_logout_ends_the_session_in_every_browser(door: Door, team: Team, window: Callable[..., Window]) -> None:
    here, there = window(), window()
    for one in (here, there):
        one.page.goto(f"http://{door.host}/spark/")
        expect(one.page.get_by_text("Logging out ends all sessions of the account")).to_be_visible()
        one.page.get_by_label("token").fill(team.viewer)
        one.page.get_by_role("button", name="Log in").click()
        expect(one.page.get_by_role("button", name="Log out")).to_be_visible()
    here.page.get_by_role("button", name="Log out").click()
    expect(here.page.get_by_role("heading", name="Log in")).to_be_visible()
    with there.faults.expecting(401):
        there.page.goto(f"http://{door.host}/spark/?state=live")
        expect(there.page.get_by_role("status")).to_have_text("This session is over: its account has logged out.")
        assert there.page.url.endswith("/spark/-/login?to=/spark/?state%3Dlive")
        assert not violations(there.page)
        there.page.get_by_label("token").fill(team.viewer)
        there.page.get_by_role("button", name="Log in").click()
        expect(there.page.get_by_role("button", name="Log out")).to_be_visible()


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
    with opened.faults.expecting(403):
        opened.page.goto(f"http://{door.host}/spark/kube-system/proxy/spark-1/")
        expect(opened.page.get_by_role("heading", level=1)).to_be_visible()
    assert not violations(opened.page)
