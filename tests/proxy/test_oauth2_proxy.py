"""oauth2-proxy before the service, and an OpenID provider behind it: the guide's configuration."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

import pytest
import yaml
from ephemeral_port_reserve import reserve
from grants import bind
from hostile import Hostile, listening
from oidc_provider_mock import User, run_server_in_thread
from ports import listens
from proxy_world import Door, Team, World

from kindling_dev.golang import GoModule, build, required_version
from kindling_dev.guides import GUIDES
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_PACKAGE = "github.com/oauth2-proxy/oauth2-proxy/v7"
_MODULE = GoModule(
    "ci/oauth2-proxy",
    {"oauth2-proxy": _PACKAGE},
    stamps={f"{_PACKAGE}/pkg/version.VERSION": required_version(REPO / "ci/oauth2-proxy/go.mod", _PACKAGE)},
)
_SECRET = "shared by the two of them"
_DEADLINE_S = 60
_LOOK = "get applications.kindling.local"


def _guide() -> tuple[str, str, str]:
    """What it says under "Behind oauth2-proxy": values of spark-ui-proxy, oauth2-proxy's file, its container."""
    section = (
        (GUIDES / "see-applications.md").read_text().partition("### Behind oauth2-proxy\n")[2].partition("\n## ")[0]
    )
    values, file, container = re.findall(r"^```yaml\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    return values, file, container


@dataclass(frozen=True)
class Company:
    """A site.

    Attributes:
        front: what people reach: oauth2-proxy.
        back: what only oauth2-proxy is to reach.
        team: whose applications the group of `ada@example.com` may see; `otto@example.com` has no group.
        other: a team whose applications neither of them may see.
        path: of the team's application.
        driver: its driver.
    """

    front: Door
    back: Door
    team: Team
    other: Team
    path: str
    driver: Hostile

    def namespaces(self, cookie: str, **headers: str) -> list[str]:
        """Those that the API shows to who has a cookie."""
        answer = self.front.get("/-/api/v1/namespaces", cookie=cookie, **headers)
        assert answer.status == HTTPStatus.OK, answer.text
        return [item["name"] for item in yaml.safe_load(answer.text)["items"]]


@pytest.fixture(scope="module")
def company(world: World, address: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """All of it runs."""
    folder = tmp_path_factory.mktemp("oauth2-proxy")
    (folder / "client-secret").write_text(token_hex())
    (folder / "shared-secret").write_text(_SECRET)
    team, other = world.team(), world.team()
    for namespace in (team.name, other.name):
        analysts = {"kind": "Group", "name": f"oidc:analysts-{namespace}"}
        bind(world.server.cluster, namespace, [analysts], "Role/viewer", _LOOK)
    people = [
        User(sub="ada", claims={"email": "ada@example.com", "groups": ["staff", f"analysts-{team.name}"]}),
        User(sub="otto", claims={"email": "otto@example.com", "groups": []}),
    ]
    values, file, container = _guide()
    login = yaml.safe_load(values)["login"]
    proof = login["header"].pop("secret")
    header = {**login["header"], "secretHeader": proof["header"], "secretFile": str(folder / "shared-secret")}
    with (
        listening(address()) as driver,
        world.door(login={"mode": login["mode"], "header": header}) as back,
        run_server_in_thread(require_nonce=True, user_claims=people) as provider,
    ):
        port = reserve()
        here = {
            "0.0.0.0:4180": f"127.0.0.1:{port}",
            "/etc/oauth2-proxy": str(folder),
            "https://login.example.com": f"http://localhost:{provider.server_port}",
            "http://spark-ui-proxy.kindling-system.svc": f"http://{back.host}",
            "https://spark.example.com": f"http://127.0.0.1:{port}",
        }
        (folder / "config.yaml").write_text(_replaced(file, here))
        arguments = yaml.safe_load(_replaced(container, here))["args"]
        with _running(folder, [*arguments, "--cookie-secure=false"], port):
            path = back.shown(team, team.driver(driver.address, port=driver.port))
            yield Company(replace(back, port=port), back, team, other, path, driver)


def _replaced(text: str, names: Mapping[str, str]) -> str:
    for name, here in names.items():
        text = text.replace(name, here)
    return text


@contextmanager
def _running(folder: Path, arguments: list[str], port: int) -> Iterator[None]:
    """oauth2-proxy, once it listens."""
    environment = {**os.environ, "OAUTH2_PROXY_COOKIE_SECRET": token_hex(16)}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen([_program(), *arguments], env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            end = time.monotonic() + _DEADLINE_S
            while not listens(port):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < end, (folder / "log").read_text()
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


def _program() -> Path:
    return build(_MODULE, Settings.from_environment(), Progress()) / "oauth2-proxy"


@pytest.fixture
def log_in(company: Company, chromium: Browser) -> Callable[[str], str]:
    """Has somebody log in, in a browser of their own; returns its cookies, as a Cookie header has them."""

    def log_in(sub: str) -> str:
        with chromium.new_context() as context:
            page = context.new_page()
            page.goto(f"http://{company.front.host}/", timeout=_DEADLINE_S * 1000)
            page.get_by_role("button", name=sub, exact=True).click(timeout=_DEADLINE_S * 1000)
            page.wait_for_url(f"http://{company.front.host}/", timeout=_DEADLINE_S * 1000)
            assert f"{sub}@example.com" in page.content()
            return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in context.cookies(page.url))

    return log_in


@pytest.mark.long
def test_who_has_logged_in_sees_what_rbac_says(company: Company, log_in: Callable[[str], str]) -> None:
    assert company.front.get(f"{company.path}/jobs/").status in (HTTPStatus.FOUND, HTTPStatus.FORBIDDEN)
    ada, otto = log_in("ada"), log_in("otto")
    assert company.namespaces(ada) == [company.team.name]
    assert company.namespaces(otto) == []
    assert company.front.get(f"{company.path}/jobs/", cookie=ada).status == HTTPStatus.OK
    assert company.front.get(f"{company.path}/jobs/", cookie=otto).status == HTTPStatus.FORBIDDEN
    told = company.driver.headers_of()
    assert not {"cookie", "authorization", "x-spark-ui-proxy-secret", "x-auth-request-user"} & set(told)


@pytest.mark.long
@pytest.mark.parametrize("name", ["X-Auth-Request-Groups", "X_Auth_Request_Groups", "X-Auth_Request-Groups"])
def test_nobody_names_their_own_groups(company: Company, log_in: Callable[[str], str], name: str) -> None:
    claimed = [(name, f"analysts-{company.other.name}")] * 2
    path = "/-/api/v1/namespaces"
    assert _asked(company.front, path, [("Cookie", log_in("otto")), *claimed]) == (HTTPStatus.OK, '{"items":[]}')
    for secret in (_SECRET[:-1], ""):
        forged = [("X-Auth-Request-User", "x"), ("X-Spark-UI-Proxy-Secret", secret)]
        status, _ = _asked(company.back, path, [*forged, *claimed[:1]])
        assert status == HTTPStatus.UNAUTHORIZED


def _asked(door: Door, path: str, headers: list[tuple[str, str]]) -> tuple[int, str]:
    """Status and text; headers are sent as they are named, and as often."""
    connection = HTTPConnection("127.0.0.1", door.port, timeout=_DEADLINE_S)
    try:
        connection.putrequest("GET", path)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.long
def test_who_logs_out_is_nobody(company: Company, log_in: Callable[[str], str]) -> None:
    out = company.front.get("/oauth2/sign_out", cookie=log_in("ada"))
    assert out.status == HTTPStatus.FOUND
    assert "_oauth2_proxy=;" in out.headers["set-cookie"]
