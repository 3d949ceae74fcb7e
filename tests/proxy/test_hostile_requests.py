"""What nobody who logs in, and nobody who does not, can make the service do."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from hostile import Hostile, listening
from proxy_world import Door, Team, World
from ui_proxy import new_address

_WITHOUT_LOGIN = [
    "/{team}/proxy/{app}",
    "/{team}/proxy/{app}/",
    "/{team}/proxy/{app}/jobs/",
    "/{team}/proxy/{app}/jobs/job/?id=0",
    "/{team}/proxy/{app}/stages/stage/?id=0&attempt=0",
    "/{team}/proxy/{app}/environment/",
    "/{team}/proxy/{app}/executors/threadDump/?executorId=driver",
    "/{team}/proxy/{app}/SQL/execution/?id=0",
    "/{team}/proxy/{app}/api/v1/applications",
    "/{team}/proxy/{app}/api/v1/applications/{app}/environment",
    "/{team}/proxy/{app}/metrics/json/",
    "/{team}/proxy/{app}/metrics/prometheus/",
    "/{team}/proxy/{app}/metrics/executors/prometheus",
    "/{team}/proxy/{app}/jobs/job/kill/?id=0",
    "/{team}/proxy/{app}/stages/stage/kill/?id=0",
    "/{team}/proxy/{app}/static/webui.js",
    "/{team}/proxy/{app}/logPage/?logType=stdout",
    "/{team}/shs/",
    "/{team}/shs/history/{app}/jobs/",
    "/{team}/shs/api/v1/applications",
    "/shs/",
    "/no-such-team/proxy/{app}/",
    "/",
    "/-/api/v1/applications",
]


@dataclass(frozen=True)
class Scene:
    """A team's driver, another team's, and something that is neither.

    Attributes:
        path: of the driver, base included.
        app: its id.
        token: of the team's submitter.
        other_team, other_app: nothing of theirs is for that submitter.
        driver, foreign, bystander: what listens at their addresses, and at one that is no driver's.
    """

    door: Door
    team: str
    path: str
    app: str
    token: str
    other_team: str
    other_app: str
    driver: Hostile
    foreign: Hostile
    bystander: Hostile

    def nothing_left(self) -> None:
        """See that nothing reached anybody but the driver, and no request there that nobody sent."""
        assert self.bystander.connections == 0
        assert self.foreign.seen == []
        assert [seen for seen in self.driver.seen if b"smuggled" in seen] == []
        upstreams = {line["upstream"] for line in self.door.log()} - {""}
        sockets = {upstream for upstream in upstreams if upstream.startswith("unix:")}
        assert self.bystander.address not in " ".join(upstreams - sockets)


@pytest.fixture(scope="module")
def stage(world: World, door: Door, address: Callable[[], str]) -> Iterator[Scene]:
    """The two drivers are routed."""
    with listening(address()) as driver, listening(address()) as foreign, listening(address()) as bystander:
        team, other = world.team(), world.team()
        app = team.driver(driver.address, port=driver.port)
        other_app = other.driver(foreign.address, port=foreign.port)
        path = door.shown(team, app)
        door.shown(other, other_app)
        yield Scene(
            door, team.name, f"/spark{path}", app, team.submitter, other.name, other_app, driver, foreign, bystander
        )


@pytest.fixture
def scene(stage: Scene) -> Iterator[Scene]:
    """The same for each test, which begins with nothing seen and ends with nothing that got out."""
    stage.driver.seen.clear()
    stage.foreign.seen.clear()
    yield stage
    stage.nothing_left()


@pytest.mark.check(17)
@pytest.mark.parametrize("path", _WITHOUT_LOGIN)
def test_no_page_is_to_be_had_without_a_login(scene: Scene, path: str) -> None:
    asked = path.format(team=scene.team, app=scene.app)
    assert scene.door.get(asked).status in (401, 302)
    answer = scene.door.get(asked, accept="text/html")
    assert answer.status in (401, 302)
    assert "/-/login" in answer.headers.get("location", "/-/login")
    assert scene.door.get(asked, "no.such.token").status in (401, 302)
    assert scene.driver.seen == []


# {t}: the token's header line; {p}: the driver's path; {b}: an address and port that is no driver's.
_HEAD = "Host: {h}\r\n{t}"
_LINES = {
    "absolute URI": "GET http://{b}/ HTTP/1.1",
    "absolute URI of a path that is served": "GET http://{b}{p}/jobs/ HTTP/1.1",
    "two slashes": "GET //{b}/ HTTP/1.1",
    "no slash": "GET {b}/ HTTP/1.1",
    "CONNECT": "CONNECT {b} HTTP/1.1",
    "up": "GET {p}/../../../{b}/ HTTP/1.1",
    "up, encoded": "GET {p}/%2e%2e/%2e%2e/{b}/ HTTP/1.1",
    "up, encoded slashes": "GET {p}%2f..%2f..%2f{b}/ HTTP/1.1",
    "up, with a parameter": "GET {p}/..;/..;/{b}/ HTTP/1.1",
    "up, with backslashes": "GET {p}\\..\\..\\{b}\\ HTTP/1.1",
    "encoded slashes": "GET /spark/{team}%2fproxy%2f{app}/ HTTP/1.1",
    "encoded twice": "GET {p}/%252e%252e/{b}/ HTTP/1.1",
    "an address for an id": "GET /spark/{team}/proxy/{b}/ HTTP/1.1",
    "an address after the id": "GET {p}@{b}/ HTTP/1.1",
    "an address for a namespace": "GET /spark/{b}/proxy/{app}/ HTTP/1.1",
    "metadata of a cloud": "GET /spark/169.254.169.254/proxy/latest/meta-data/ HTTP/1.1",
    "the API server's address": "GET /spark/{team}/proxy/10.96.0.1:443/ HTTP/1.1",
    "an URL for an id": "GET /spark/{team}/proxy/http://{b}/ HTTP/1.1",
    "another team's": "GET /spark/{other_team}/proxy/{other_app}/ HTTP/1.1",
    "another team's id in this namespace": "GET /spark/{team}/proxy/{other_app}/ HTTP/1.1",
    "another team's, by a way up": "GET {p}/../../../{other_team}/proxy/{other_app}/ HTTP/1.1",
    "another team's, encoded": "GET /spark/{team}%2f..%2f{other_team}/proxy/{other_app}/ HTTP/1.1",
    "a zero": "GET {p}%00/ HTTP/1.1",
    "a line break, encoded": "GET {p}/%0d%0aHost:%20{b}/ HTTP/1.1",
    "a tab": "GET {p}/\t{b} HTTP/1.1",
    "words of Spark's pages": "GET /spark/proxy/{app}/jobs/ HTTP/1.1",
    "history's word": "GET /spark/history/{app}/jobs/ HTTP/1.1",
    "a fragment": "GET {p}/#@{b}/ HTTP/1.1",
    "HTTP 0.9": "GET {p}/jobs/",
    "HTTP 2": "PRI * HTTP/2.0",
    "too long": "GET {p}/{long} HTTP/1.1",
    "decider's own": "GET /-/internal/authz HTTP/1.1",
    "decider's own, below the base": "GET /spark/-/internal/authz HTTP/1.1",
}
_HEADERS = {
    "upgrade to HTTP 2": "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk",
    "upgrade to websockets": "Upgrade: websocket\r\nConnection: Upgrade",
    "two Hosts": "Host: {b}",
    "a header that has no end": "X-Long: {long}",
    "a service worker": "Service-Worker: script",
    "length and chunks": "Content-Length: 5\r\nTransfer-Encoding: chunked",
    "two lengths": "Content-Length: 5\r\nContent-Length: 50",
    "lengths in one line": "Content-Length: 5, 50",
    "a length with a sign": "Content-Length: +5",
    "chunks, misspelt": "Transfer-Encoding: xchunked",
    "chunks twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "chunks, and something": "Transfer-Encoding: chunked, identity",
    "a space before the colon": "Transfer-Encoding : chunked\r\nContent-Length: 5\r\nContent-Length : 50",
    "a folded header": "X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\nContent-Length: 50",
}
_SMUGGLED = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
_REFUSED = (b"400", b"401", b"403", b"404", b"405", b"413", b"414", b"431", b"501", b"505")


def _filled(scene: Scene, text: str) -> str:
    return text.format(
        h=scene.door.host,
        t=f"Authorization: Bearer {scene.token}\r\n",
        p=scene.path,
        b=f"{scene.bystander.address}:{scene.bystander.port}",
        team=scene.team,
        app=scene.app,
        other_team=scene.other_team,
        other_app=scene.other_app,
        long="x" * 70_000,
    )


@pytest.mark.check(18)
@pytest.mark.parametrize("line", _LINES.values(), ids=_LINES)
def test_no_path_leads_elsewhere(scene: Scene, line: str) -> None:
    got = scene.door.raw(_filled(scene, f"{line}\r\n{_HEAD}\r\n").encode())
    status = got[9:12]
    assert status in _REFUSED or got == b"" or b"<center>nginx</center>" in got, got[:300]
    assert b"hello" not in got
    assert scene.driver.seen == []


@pytest.mark.check(18)
@pytest.mark.parametrize("header", _HEADERS.values(), ids=_HEADERS)
def test_no_header_smuggles_a_request(scene: Scene, header: str) -> None:
    got = scene.door.raw(
        _filled(scene, f"POST {{p}}/jobs/ HTTP/1.1\r\n{_HEAD}{header}\r\n\r\n").encode() + _SMUGGLED.encode()
    )
    assert got[9:12] in _REFUSED, got[:300]
    assert b"hello" not in got


@pytest.mark.check(18)
@pytest.mark.parametrize(
    "name", ["Host", "X-Forwarded-Host", "X-Upstream", "X-Original-Host", "Forwarded", "X-Real-IP", "X-Host"]
)
def test_no_header_chooses_the_target(scene: Scene, name: str) -> None:
    bystander = f"{scene.bystander.address}:{scene.bystander.port}"
    for _ in range(2):
        answer = scene.door.get(scene.path.removeprefix("/spark") + "/jobs/", scene.token, **{name: bystander})
        assert answer.status == 200
    assert {seen["host"] for seen in map(scene.driver.headers_of, range(len(scene.driver.seen)))} == {
        f"{scene.driver.address}:{scene.driver.port}"
    }


@pytest.mark.check(18)
@pytest.mark.parametrize(
    "given",
    [
        {"spec": {"hostNetwork": True}},
        {"port": 10250},
        {"phase": "Succeeded"},
        {"role": "executor"},
    ],
    ids=["the node's network", "a port of the kubelet", "one that has ended", "an executor"],
)
def test_no_pod_is_a_target_but_a_running_driver(scene: Scene, world: World, given: dict[str, Any]) -> None:
    pods = Team(world, scene.team).pods
    forged = f"forged-{uuid4().hex[:8]}"
    labels = {"spark-app-selector": forged}
    pods.make(forged, labels=labels, ip=scene.bystander.address, **{"port": scene.bystander.port, **given})
    # What the watch tells of in turn: when the later pod is routed, the first has been seen.
    later = Team(world, scene.team).driver(new_address())
    scene.door.shown(Team(world, scene.team), later)
    assert scene.door.get(f"/{scene.team}/proxy/{forged}/jobs/", scene.token).status in (404, 502)


def test_a_request_that_comes_slowly_holds_nobody_up(scene: Scene) -> None:
    slow = []
    for _ in range(50):
        connection = socket.create_connection(("127.0.0.1", scene.door.port))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-A")
        slow.append(connection)
    assert scene.door.get(scene.path.removeprefix("/spark") + "/jobs/", scene.token).status == 200
    for connection in slow:
        connection.settimeout(30)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100)[:12] in (b"HTTP/1.1 408", b"")
        connection.close()
