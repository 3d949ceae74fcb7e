"""People with many groups, whose tokens, cookies and headers are long: through nginx, before a real API server."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from answers import Answer
from grants import bind
from playwright.sync_api import Browser, expect
from proxy_world import Door, Team, World
from ui_proxy import account_token

_AUDIENCE = "spark-ui"
_SECRET = secrets.token_hex(16)
_LOOK = "get applications.kindling.local"


@pytest.fixture(scope="module")
def patient(world: World) -> Iterator[Door]:
    """The service, for tokens that name things besides the account."""
    with world.door(login={"audiences": [_AUDIENCE]}) as door:
        yield door


@pytest.fixture
def path(patient: Door, team: Team, address: Callable[[], str]) -> str:
    """Of an application, which nothing runs: who may see it is told that it is out of reach."""
    return patient.shown_to(team, team.driver(address()), token(team, 1))


def token(team: Team, groups: int) -> str:
    """The viewer's, as long as one of Entra ID with so many groups: its audiences are GUIDs, as groups are there."""
    audiences = [_AUDIENCE, *(str(uuid4()) for _ in range(groups))]
    return account_token(team.world.server, team.name, "viewer", audiences=audiences)


def log_in(door: Door, given: str) -> Answer:
    """Send the form, as a browser does."""
    form = urlencode({"token": given}).encode()
    headers = {"content_type": "application/x-www-form-urlencoded", "origin": f"http://{door.host}"}
    return door.get("/-/login", method="POST", body=form, **headers)


@pytest.mark.parametrize(("groups", "cookies"), [(5, 1), (150, 2), (200, 2), (400, 4)])
def test_a_person_with_many_groups_logs_in_and_out(
    patient: Door, team: Team, path: str, groups: int, cookies: int
) -> None:
    answer = log_in(patient, token(team, groups))
    assert answer.status == 303, answer.text
    assert len(answer.cookie.split("; ")) == cookies
    assert patient.get(f"{path}/", cookie=answer.cookie).status == 502
    assert patient.get("/-/api/v1/namespaces", cookie=answer.cookie).json["items"][0]["name"] == team.name
    out = patient.get("/-/logout", method="POST", cookie=answer.cookie, sec_fetch_site="same-origin")
    assert (out.status, out.cookie, out.headers["set-cookie"].count("Max-Age=0")) == (303, "", 4)
    assert patient.get(f"{path}/", cookie=answer.cookie, accept="text/html").status == 302


@pytest.mark.parametrize(
    ("groups", "status", "said"),
    [
        (520, 400, "This token is too long for a session"),
        (700, 400, "characters, and 32,768 is the most that is taken here"),
        (2000, 413, "What you sent is longer than 64 KB"),
    ],
)
def test_a_token_that_is_too_long_is_refused_with_the_cure(
    patient: Door, team: Team, groups: int, status: int, said: str
) -> None:
    answer = log_in(patient, token(team, groups))
    told = " ".join(answer.text.split())
    assert (answer.status, answer.cookie) == (status, "")
    assert said in told
    assert "log in with " in told
    assert "fewer groups, such as a service account" in told


def test_a_browser_keeps_the_cookies_of_400_groups(
    patient: Door, team: Team, address: Callable[[], str], chromium: Browser
) -> None:
    app_id = team.driver(address())
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"http://{patient.host}/?namespace={team.name}")
    for number in (520, 400):
        page.get_by_label("token").fill(token(team, number))
        page.get_by_role("button", name="Log in").click()
        if number == 520:
            expect(page.get_by_role("alert")).to_contain_text("too long for a session")
    expect(page.get_by_role("link", name=app_id, exact=True)).to_be_visible(timeout=60_000)
    names = sorted(cookie["name"] for cookie in context.cookies())
    assert names == ["spark-ui", "spark-ui-1", "spark-ui-2", "spark-ui-3"]
    # A session of few groups leaves nothing of the one before.
    page.goto(f"http://{patient.host}/-/login")
    page.get_by_label("token").fill(token(team, 1))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name=app_id, exact=True)).to_be_visible(timeout=60_000)
    assert [cookie["name"] for cookie in context.cookies()] == ["spark-ui"]
    context.close()


@pytest.mark.parametrize("groups", [150, 400])
def test_an_ingress_may_name_many_groups(
    world: World, team: Team, address: Callable[[], str], tmp_path: Path, groups: int
) -> None:
    names = [str(uuid4()) for _ in range(groups)]
    subject = {"kind": "Group", "name": names[-1], "apiGroup": "rbac.authorization.k8s.io"}
    bind(world.server.cluster, team.name, [subject], "Role/viewer", _LOOK)
    (tmp_path / "secret").write_text(_SECRET)
    with world.door(login={"mode": "header", "header": {"secretFile": str(tmp_path / "secret")}}) as door:
        app = door.shown_to(team, team.driver(address()), team.viewer)
        who = {"x_forwarded_user": "ada", "x_spark_ui_proxy_secret": _SECRET}
        assert door.get(f"{app}/", **who, x_forwarded_groups=",".join(names)).status == 502
        assert door.get(f"{app}/", **who, x_forwarded_groups=",".join(names[:-1])).status == 403
        # Too many for a line of a header.
        answer = door.get(f"{app}/", **who, x_forwarded_groups=",".join(str(uuid4()) for _ in range(2000)))
        assert answer.status == 431
        assert "A header of your request is longer than 16 KB" in answer.text
