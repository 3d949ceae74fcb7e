"""The page in a browser: what people find, how it stays current, who can use it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from accessibility import violations
from page_world import Open, World, application, finished
from playwright.sync_api import Locator, Page, expect

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}"
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])


def titles(page: Page) -> list[str]:
    """The applications' names, from top to bottom."""
    return page.locator("tbody .title").all_inner_texts()


def rows(page: Page) -> Locator:
    """Of the applications."""
    return page.get_by_role("table", name="Spark applications").get_by_role("rowheader")


def fill(world: World) -> None:
    """One of everything that the page shows."""
    world.person.namespaces |= {"team-c"}
    world.person.troubles["team-c"] = "the right to list pods is missing: install spark-namespace with global.uiProxy"
    world.put(
        application("flights"),
        application("waits", state="pending", target=None, executors=0),
        application("broken", state="failed", target=None, namespace="team-b", user="bob"),
        application("done", state="succeeded", target=None),
        application("hidden", target=None, problem="spark.ui.port is 5000: ports from 4040 to 4100 are shown"),
        application("twice", disputed=True),
    )
    world.finish("team-a", finished("yesterday") | finished("killed", completed=False))
    world.finish("team-b", finished("weekly", user="bob"), "does not answer in time")


def test_live_and_finished_applications_are_in_one_table_live_ones_first_then_the_latest(
    world: World, open_page: Open
) -> None:
    now = datetime.now(UTC)
    world.put(application("younger", created=now), application("older", created=now - timedelta(days=2)))
    world.put(application("failed-now", state="failed", target=None, created=now - timedelta(minutes=1)))
    world.finish("team-a", finished("long-ago", ended=now - timedelta(days=9)) | finished("an-hour-ago"))
    page = open_page()
    assert titles(page) == ["younger", "older", "failed-now", "an-hour-ago", "long-ago"]
    tabs = page.get_by_role("navigation", name="State").get_by_role("link").all_inner_texts()
    assert [" ".join(tab.split()) for tab in tabs] == ["All 5", "Live 2", "Pending 0", "Failed 1", "Finished 3"]


def test_a_row_tells_who_where_how_long_with_what_and_leads_to_the_ui(world: World, open_page: Open) -> None:
    live = application("flights", cpu=8.5, memory=34 * 2**30)
    world.put(live)
    page = open_page()
    row = page.get_by_role("row", name=re.compile("flights"))
    for text in ("Running", live.app_id, "team-a", "ada", "5 min", "8.5", "34 GiB"):
        expect(row).to_contain_text(text)
    for link in (
        row.get_by_role("link", name="flights", exact=True),
        row.get_by_role("link", name="Live UI of flights"),
    ):
        expect(link).to_have_attribute("href", f"/spark/team-a/proxy/{live.app_id}/")


def test_a_finished_application_leads_to_its_history(world: World, open_page: Open) -> None:
    one = finished("yesterday", attempt="2")
    world.finish("team-b", one)
    row = open_page().get_by_role("row", name=re.compile("yesterday"))
    expect(row.get_by_role("link", name="History of yesterday")).to_have_attribute(
        "href", f"/spark/team-b/shs/history/{next(iter(one))}/2/jobs/"
    )
    expect(row).to_contain_text("14 min")


def test_search_namespace_user_and_state_narrow_the_list_and_stand_in_the_url(world: World, open_page: Open) -> None:
    fill(world)
    page = open_page()
    page.get_by_label("Search").fill("WEEK")
    expect(page.get_by_role("status")).to_have_text("1 application found")
    assert titles(page) == ["weekly"]
    page.get_by_label("Search").fill("")
    page.get_by_label("Namespace").select_option("team-b")
    expect(page.get_by_role("status")).to_have_text("2 applications found")
    page.get_by_role("link", name="Failed 1").click()
    expect(page.get_by_role("status")).to_have_text("1 application found")
    assert page.url == f"{world.url}?namespace=team-b&state=failed"
    shared = open_page("?namespace=team-b&state=failed")
    assert titles(shared) == ["broken"]
    expect(shared.get_by_label("Namespace")).to_have_value("team-b")
    page.get_by_role("link", name="Clear filters").click()
    expect(page.get_by_role("status")).to_have_text("9 applications")
    expect(page.get_by_label("Namespace")).to_have_value("")
    page.get_by_label("User").select_option("bob")
    expect(page.get_by_role("status")).to_have_text("2 applications found")
    page.go_back()
    expect(page.get_by_role("status")).to_have_text("9 applications")
    expect(page.get_by_label("User")).to_have_value("")


@pytest.mark.parametrize(
    ("heading", "first"),
    [("Memory", "large"), ("Executors", "large"), ("CPU", "large"), ("Application", "large"), ("Started", "small")],
)
def test_a_heading_sorts_and_says_so_and_turns_the_order_at_the_second_click(
    world: World, open_page: Open, heading: str, first: str
) -> None:
    now = datetime.now(UTC)
    world.put(application("large", memory=2**40, executors=50, cpu=99.0, created=now - timedelta(days=1)))
    world.put(application("small", memory=2**29, executors=0, cpu=0.5, created=now))
    world.finish("team-a", finished("middle"))
    page = open_page()
    head = page.get_by_role("columnheader", name=re.compile(heading))
    head.get_by_role("link").click()
    expect(head).to_have_attribute("aria-sort", re.compile("ending"))
    assert titles(page)[0] == first
    way = head.get_attribute("aria-sort")
    head.get_by_role("link").click()
    expect(head).not_to_have_attribute("aria-sort", way or "")
    there = [title for title in titles(page) if title != "middle"]
    assert there[-1] == first


def test_pages_are_made_by_the_server_fifty_rows_each(world: World, open_page: Open) -> None:
    world.put(*(application(f"job-{number:03}") for number in range(120)))
    page = open_page("?sort=name")
    assert titles(page)[0] == "job-000"
    assert len(titles(page)) == 50
    page.get_by_role("link", name="Last").click()
    expect(page.locator(".pager")).to_contain_text("page 3 of 3")
    assert titles(page) == [f"job-{number:03}" for number in range(100, 120)]
    assert page.url.endswith("?sort=name&page=3")


def test_an_application_appears_ends_and_is_found_in_the_history_without_a_reload(
    world: World, open_page: Open
) -> None:
    world.put(application("stays"))
    page = open_page()
    page.evaluate("window.same = true")
    comes = application("comes")
    world.put(comes)
    row = page.get_by_role("row", name=re.compile("comes"))
    expect(row).to_contain_text("Running")
    world.put(replace(comes, executors=31))
    expect(row.locator(".executors")).to_have_text("31")
    world.put(replace(comes, state="failed", target=None))
    expect(row).to_contain_text("Failed")
    world.remove(comes)
    expect(row).to_contain_text("Failed")
    world.finish("team-a", finished("comes", app_id=comes.app_id))
    expect(row).to_contain_text("Ended")
    expect(row.get_by_role("link", name="History of comes")).to_be_visible()
    assert page.evaluate("window.same")


def test_a_driver_that_is_deleted_while_it_runs_is_shown_until_its_history_is_there(
    world: World, open_page: Open
) -> None:
    gone = application("gone")
    world.put(gone)
    page = open_page()
    row = page.get_by_role("row", name=re.compile("gone"))
    expect(row).to_contain_text("Running")
    world.remove(gone)
    expect(row).to_contain_text("Ended")
    expect(row).to_contain_text("history not there yet")
    world.finish("team-a", finished("gone", app_id=gone.app_id, completed=False))
    expect(row).to_contain_text("Unfinished")


def test_updates_keep_focus_selection_typed_text_and_scroll(world: World, open_page: Open) -> None:
    jobs = [application(f"job-{number:02}") for number in range(40)]
    world.put(*jobs)
    page = open_page("?sort=name")
    link = page.get_by_role("link", name="job-30", exact=True)
    link.focus()
    page.evaluate("getSelection().selectAllChildren(document.querySelectorAll('tbody .id')[30])")
    selected = page.evaluate("String(getSelection())")
    scrolled = page.evaluate("scrollY")
    assert scrolled > 0
    world.put(application("job-299"), application("job-31b"))
    world.put(replace(jobs[30], executors=77))
    expect(rows(page)).to_have_count(42)
    expect(link).to_be_focused()
    assert page.evaluate("String(getSelection())") == selected == jobs[30].app_id
    top = link.bounding_box()
    assert top
    assert 0 < top["y"] < 860
    page.get_by_label("Search").press_sequentially("job")
    world.put(application("job-41"))
    expect(rows(page)).to_have_count(43)
    expect(page.get_by_label("Search")).to_be_focused()
    expect(page.get_by_label("Search")).to_have_value("job")


def test_a_focused_row_that_moves_keeps_the_focus(world: World, open_page: Open) -> None:
    moves = application("moves", executors=1)
    world.put(moves, *(application(f"job-{number}", executors=5) for number in range(5)))
    page = open_page("?sort=-executors")
    link = page.get_by_role("link", name="moves", exact=True)
    link.focus()
    world.put(replace(moves, executors=90))
    expect(page.locator("tbody .title").first).to_have_text("moves")
    expect(link).to_be_focused()


def test_updates_can_be_paused(world: World, open_page: Open) -> None:
    world.put(application("first"))
    page = open_page()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "true")
    world.put(application("second"))
    other = open_page()
    world.put(application("third"))
    expect(rows(other)).to_have_count(3)
    assert titles(page) == ["first"]
    page.get_by_role("button", name="Pause").click()
    expect(rows(page)).to_have_count(3)


def test_nothing_is_sent_again_while_nothing_happens(world: World, open_page: Open) -> None:
    world.put(application("stays"))
    page = open_page()
    with page.expect_response(lambda answer: answer.status == 304):
        pass


def test_the_keyboard_alone_searches_sorts_opens_the_log_line_and_reaches_the_ui(world: World, open_page: Open) -> None:
    live = application("flights")
    world.put(live, application("other"))
    page = open_page()
    keys = page.keyboard
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    keys.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    keys.type("flights/")
    keys.press("Backspace")
    expect(page.get_by_role("status")).to_have_text("1 application found")
    reached = []
    for _ in range(40):
        keys.press("Tab")
        focused = page.evaluate(
            "(() => { const e = document.activeElement, s = getComputedStyle(e);"
            " return [e.innerText || e.getAttribute('aria-label') || e.id, s.outlineStyle, s.outlineWidth] })()"
        )
        if focused[0] == "Log":
            break
        assert focused[1:] == ["solid", "3px"], f"the focus is not seen on {focused[0]}"
        reached.append(focused[0])
    assert {"Started (UTC)", "flights", "UI"} <= set(reached)
    keys.press("Enter")
    box = page.get_by_role("dialog", name="Log of flights")
    expect(box).to_contain_text(f"kubectl logs --follow --namespace team-a {live.pod}")
    keys.press("Escape")
    expect(box).to_be_hidden()
    keys.press("Shift+Tab")
    expect(page.get_by_role("link", name="Live UI of flights")).to_be_focused()


def test_the_log_line_is_copied(world: World, open_page: Open) -> None:
    live = application("flights", state="failed", target=None)
    world.put(live)
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Log of flights").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"kubectl logs --namespace team-a {live.pod}"


@SCHEMES
@pytest.mark.parametrize("width", [1360, 390])
def test_axe_finds_nothing(world: World, open_page: Open, scheme: str, width: int) -> None:
    fill(world)
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 860})
    page.locator("summary").click()
    assert not violations(page)
    page.get_by_role("button", name="Log of flights").click()
    assert not violations(page)


@SCHEMES
@pytest.mark.parametrize("case", ["no namespace", "no application", "no match"])
def test_axe_finds_nothing_on_empty_pages(world: World, open_page: Open, scheme: str, case: str) -> None:
    if case == "no namespace":
        world.person.namespaces = set()
    assert not violations(open_page("?q=nothing" if case == "no match" else "", color_scheme=scheme))


@pytest.mark.parametrize(("width", "headings"), [(1360, 11), (390, 9)])
def test_a_screen_reader_hears_a_table_with_its_headings_and_rows(
    world: World, open_page: Open, width: int, headings: int
) -> None:
    world.put(application("flights"))
    page = open_page(viewport={"width": width, "height": 860})
    # The browser's own tree: on a phone styles make the table something else for the eye alone.
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    heard = Counter(node["role"]["value"] for node in nodes if not node["ignored"])
    assert (heard["table"], heard["columnheader"], heard["rowheader"], heard["row"]) == (1, headings, 1, 2)
    (table,) = [node for node in nodes if node["role"]["value"] == "table" and not node["ignored"]]
    assert table["name"]["value"] == "Spark applications, page 1 of 1"


def test_on_a_phone_nothing_is_wider_than_the_screen(world: World, open_page: Open) -> None:
    fill(world)
    page = open_page(viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_without_script_the_same_is_done_by_links_and_a_form(world: World, open_page: Open) -> None:
    fill(world)
    page = open_page(java_script_enabled=False)
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()
    page.get_by_label("Namespace").select_option("team-b")
    page.get_by_role("button", name="Show").click()
    assert set(titles(page)) == {"broken", "weekly"}
    page.get_by_role("link", name="Failed 1").click()
    assert titles(page) == ["broken"]
    page.get_by_role("columnheader", name="Memory").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Memory")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("button", name="Log of broken").click()
    expect(page.get_by_role("dialog", name="Log of broken")).to_contain_text("kubectl logs --namespace team-b")


def test_script_and_server_say_how_long_in_the_same_words(world: World, open_page: Open) -> None:
    now = datetime.now(UTC)
    spans = [
        timedelta(minutes=3, seconds=20),
        timedelta(hours=2, minutes=5, seconds=9),
        timedelta(days=4, hours=3, minutes=9),
    ]
    world.put(*(application(f"job-{span}", created=now - span) for span in spans))
    said = [open_page(java_script_enabled=on).locator(".age").all_inner_texts() for on in (False, True)]
    assert said == [["3 min", "2 h 05 min", "4 d 3 h"]] * 2


def test_markup_in_names_users_and_problems_is_shown_as_text(world: World, open_page: Open) -> None:
    world.put(application(HOSTILE, user=HOSTILE, problem=HOSTILE, pod=HOSTILE))
    world.finish("team-b", finished(HOSTILE, user=HOSTILE), HOSTILE)
    page = open_page()
    assert titles(page) == [HOSTILE, HOSTILE]
    expect(page.get_by_role("list", name="Sources in trouble")).to_contain_text(HOSTILE)
    page.get_by_label("User").select_option(HOSTILE)
    expect(page.get_by_role("status")).to_have_text("2 applications found")
    assert page.locator("img[src=x], script:not([src])").count() == 0
    world.put(application(f"{HOSTILE} again", user=HOSTILE))
    expect(rows(page)).to_have_count(3)
    assert page.locator("img[src=x], script:not([src])").count() == 0


def test_a_namespace_is_seen_by_those_alone_who_may(world: World, open_page: Open) -> None:
    world.put(application("ours"), application("theirs", namespace="team-b"))
    world.finish("team-b", finished("their-last", user="mallory"))
    world.person.namespaces = {"team-a"}
    page = open_page()
    assert titles(page) == ["ours"]
    assert "team-b" not in page.content()
    assert "mallory" not in page.content()
    world.person.namespaces = {"team-a", "team-b"}
    expect(rows(page)).to_have_count(3)
    world.person.namespaces = {"team-b"}
    expect(page.get_by_text("ours")).to_have_count(0)


def test_sources_in_trouble_are_said_in_a_line(world: World, open_page: Open) -> None:
    fill(world)
    page = open_page()
    lines = page.get_by_role("list", name="Sources in trouble").get_by_role("listitem").all_inner_texts()
    assert lines == [
        "team-c: the right to list pods is missing: install spark-namespace with global.uiProxy",
        "team-b: its history server does not answer in time: finished applications are as of 03:10 UTC",
    ]


def test_flags_of_an_application_are_shown(world: World, open_page: Open) -> None:
    fill(world)
    page = open_page()
    expect(page.get_by_role("row", name=re.compile("hidden"))).to_contain_text("ports from 4040 to 4100 are shown")
    expect(page.get_by_role("row", name=re.compile("twice"))).to_contain_text("another driver has this id")


def test_an_empty_page_says_what_to_do(world: World, open_page: Open) -> None:
    page = open_page()
    expect(page.get_by_text("helm install mine charts/spark-job --namespace team-a")).to_be_visible()
    expect(open_page("?q=nothing").get_by_role("link", name="Clear filters").last).to_be_visible()
    world.person.namespaces = set()
    expect(page.get_by_text("kubectl auth can-i --list --namespace NAMESPACE | grep kindling.local")).to_be_visible()


def test_a_query_that_means_nothing_shows_all_and_says_so(world: World, open_page: Open) -> None:
    world.put(application("flights"))
    page = open_page("?sort=colour")
    expect(page.get_by_text("sort is 'colour'")).to_be_visible()
    assert titles(page) == ["flights"]


def test_a_login_that_ended_is_said_and_what_was_shown_stays(world: World, open_page: Open) -> None:
    world.put(application("flights"))
    page = open_page()
    world.person.logged_in = False
    expect(page.get_by_role("alert")).to_contain_text("Your login has ended")
    expect(page.get_by_role("link", name="Log in again")).to_have_attribute("href", world.url)
    assert titles(page) == ["flights"]
