"""What nginx lets through to an application, and what of its answers reaches a browser."""

from __future__ import annotations

import html
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest
from hostile import Hostile, ending_connections, listening
from prometheus_client.parser import text_string_to_metric_families
from proxy_world import Door, Team, World

_HELLO = "<html>hello</html>"
_METRICS = {
    *("requests", "request_seconds", "decisions", "decision_seconds", "reviews"),
    *("watch_age_seconds", "watch_synced", "watch_lists", "applications"),
}
"""What Prometheus finds of the service: requests, latencies, decisions, the watches' age; of nginx and the decider."""


@pytest.fixture(scope="module")
def team(hostile_team: Team) -> Team:
    """One for all tests here."""
    return hostile_team


@pytest.fixture
def path(shown: str, hostile: Hostile) -> str:
    """The same, with what was asked before forgotten."""
    hostile.seen.clear()
    return shown


@pytest.fixture(scope="module")
def token(team: Team) -> str:
    """Of somebody who may look."""
    return team.viewer


def test_nobody_gets_in_without_a_login(door: Door, path: str, hostile: Hostile) -> None:
    assert door.get(f"{path}/jobs/").status == 401
    assert door.get(f"{path}/jobs/", accept="text/html").status == 302
    assert hostile.seen == []


def test_a_decision_is_kept_for_whom_it_was_made(door: Door, path: str, token: str, team: Team) -> None:
    assert [door.get(f"{path}/jobs/?id=1", token).text for _ in range(2)] == [_HELLO] * 2
    assert door.log()[-1]["decision"] == "kept"
    assert door.get(f"{path}/jobs/").status == 401
    assert door.get(f"{path}/jobs/", team.submitter).status == 200
    assert door.log()[-1]["decision"] == "asked"
    assert door.get(f"{path}/jobs/", token, host="elsewhere").status == 200
    assert door.log()[-1]["decision"] == "asked"


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("POST", "/jobs/"),
        ("GET", "/jobs/job/kill/?id=0"),
        ("GET", "/jobs/job/KILL/?id=0"),
        ("GET", "/jobs/job/ki%6cl/?id=0"),
        ("GET", "/jobs/?doAs=admin"),
        ("GET", "/jobs/?x=%3b"),
        ("GET", "/./jobs/"),
        ("GET", "/jobs/."),
        ("GET", f"/jobs/?x={'x' * 8192}"),
    ],
)
def test_what_changes_something_or_reads_in_two_ways_is_always_asked(
    door: Door, path: str, token: str, method: str, rest: str
) -> None:
    assert door.get(f"{path}/jobs/", token).status == 200
    for _ in range(2):
        door.get(path + rest, token, method=method)
        assert door.log()[-1]["decision"] == "asked"


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "not kept"])
@pytest.mark.parametrize(
    "body",
    [
        "Content-Length: 4\r\n\r\nid=1",
        "Content-Length: 500\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nid=1\r\n0\r\n\r\n",
    ],
    ids=["whole", "late", "chunked"],
)
def test_a_get_with_a_body_reaches_nobody(
    door: Door, path: str, token: str, hostile: Hostile, body: str, kept: bool
) -> None:
    if kept:
        assert door.get(f"{path}/jobs/", token).status == 200
    seen = len(hostile.seen)
    head = f"GET /spark{path}/jobs/ HTTP/1.1\r\nHost: {door.host}\r\nAuthorization: Bearer {token}\r\n"
    assert door.raw(f"{head}{body}".encode()).startswith(b"HTTP/1.1 400 ")
    assert door.log()[-1]["reason"] == "body"
    assert len(hostile.seen) == seen


def test_a_decision_goes_with_its_application(door: Door, team: Team, token: str, address: Callable[[], str]) -> None:
    with listening(address()) as driver:
        app_id = team.driver(driver.address, port=driver.port)
        path = door.shown(team, app_id)
        assert door.get(f"{path}/jobs/", token).status == 200
        team.pods.delete(app_id)
        door.decider.wait(lambda: door.get(f"{path}/jobs/", token).status == 404, "the application is gone")
        seen = len(driver.seen)
        assert door.get(f"{path}/jobs/", token).status == 404
        assert len(driver.seen) == seen


def test_an_application_gets_only_the_headers_that_spark_reads(
    door: Door, path: str, token: str, hostile: Hostile
) -> None:
    answer = door.get(
        f"{path}/jobs/?id=1&doAs=admin",
        token,
        cookie="spark-ui=secret",
        accept="text/html",
        accept_encoding="gzip",
        x_forwarded_context="');alert(1)//",
        x_forwarded_for="10.0.0.1",
        x_forwarded_host="evil",
        forwarded="for=evil",
        x_forwarded_user="admin",
        x_original_uri="/evil",
        referer="http://127.0.0.1/spark/other-team/",
        origin="http://evil",
        purpose="prefetch",
        te="trailers",
        proxy_authorization="Basic x",
        x_anything="x",
        user_agent="a browser",
    )
    assert answer.status == 200
    assert hostile.seen[-1].split(b"\r\n")[0] == b"GET /jobs/?id=1 HTTP/1.1"
    assert hostile.headers_of() == {
        "host": f"{hostile.address}:{hostile.port}",
        "x-forwarded-context": f"/spark{path}",
        "accept": "text/html",
        "accept-encoding": "gzip",
        "purpose": "prefetch",
        "user-agent": "a browser",
    }


def test_of_an_applications_headers_only_harmless_ones_reach_the_browser(door: Door, path: str, token: str) -> None:
    answer = door.get(f"{path}/all-headers", token)
    assert (answer.status, answer.text) == (200, _HELLO)
    assert set(answer.headers) == {
        "date",
        "server",
        "connection",
        "content-length",
        "content-type",
        "x-frame-options",
        "x-content-type-options",
        "content-security-policy",
        "cache-control",
    }
    assert answer.headers["server"] == "nginx"
    assert answer.headers["cache-control"] == "no-cache, no-store, must-revalidate"


def test_files_are_kept_by_the_browser_of_one_person_alone(door: Door, path: str, token: str) -> None:
    answer = door.get(f"{path}/static/webui.js", token)
    assert answer.headers["cache-control"] == "private, max-age=3600"
    assert "cache-control" in door.get(f"{path}/jobs/", token).headers


@pytest.mark.parametrize(
    ("location", "becomes"),
    [
        ("http://{host}/jobs/?a=1&b=2", "{path}/jobs/?a=1&b=2"),
        ("http://{host}", "{path}/"),
        ("/jobs/", "{path}/jobs/"),
        ("/", "{path}/"),
        ("{path}/jobs/", "{path}/jobs/"),
        ("{path}", "{path}"),
        ("{path}x/jobs/", "{path}{path}x/jobs/"),
    ],
)
def test_a_redirect_stays_below_the_applications_path(
    door: Door, path: str, token: str, hostile: Hostile, location: str, becomes: str
) -> None:
    names = {"host": f"{hostile.address}:{hostile.port}", "path": f"/spark{path}"}
    hostile.redirect = location.format(**names)
    answer = door.get(f"{path}/redirect", token)
    assert (answer.status, answer.headers["location"]) == (302, becomes.format(**names))
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/",
        "http://evil.example/",
        "http://{host}.evil.example/",
        "http://{host}@evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "http:/evil.example",
        "jobs/",
        "?id=1",
        "",
        "/../../other/proxy/app/jobs/job/kill/?id=1",
        "/x/%2e%2e/%2E./other/",
        "/..",
        "{path}/../other/",
    ],
)
def test_a_redirect_elsewhere_is_not_passed_on(
    door: Door, path: str, token: str, hostile: Hostile, location: str
) -> None:
    hostile.redirect = location.format(host=f"{hostile.address}:{hostile.port}", path=f"/spark{path}")
    answer = door.get(f"{path}/redirect", token)
    assert answer.status == 502
    assert "location" not in answer.headers
    assert "evil" not in answer.text


def test_an_answer_that_is_no_redirect_points_nowhere(door: Door, path: str, token: str) -> None:
    answer = door.get(f"{path}/created", token)
    assert answer.status == 201
    assert not {"location", "content-location"} & set(answer.headers)


@pytest.mark.parametrize("rest", ["/huge-headers", "/split"])
def test_an_answer_that_breaks_http_is_refused(door: Door, path: str, token: str, rest: str) -> None:
    answer = door.get(path + rest, token)
    assert answer.status == 502
    assert "set-cookie" not in answer.headers


def _raw_get(door: Door, path: str, token: str) -> bytes:
    head = f"GET /spark{path} HTTP/1.1\r\nHost: {door.host}\r\nAuthorization: Bearer {token}\r\n"
    return door.raw(f"{head}Connection: close\r\n\r\n".encode())


@pytest.mark.parametrize("rest", ["/early", "/switch", "/no-status"])
def test_an_answer_that_is_none_yet_is_refused(door: Door, path: str, token: str, rest: str) -> None:
    got = _raw_get(door, path + rest, token)
    assert got.startswith(b"HTTP/1.1 502 ")
    assert b"evil" not in got


@pytest.mark.parametrize("rest", ["/no-http", "/nearly-http"])
def test_bytes_that_are_no_http_reach_nobody(door: Door, path: str, token: str, rest: str) -> None:
    assert _raw_get(door, path + rest, token) == b""


def test_an_answer_of_two_lengths_has_one_here(door: Door, path: str, token: str) -> None:
    got = _raw_get(door, f"{path}/two-lengths", token)
    # Newer versions of nginx refuse it.
    assert got.startswith(b"HTTP/1.1 502 ") or (got.count(b"hello") == 1 and b"Content-Length" not in got)


def test_a_second_answer_reaches_nobody(door: Door, path: str, token: str) -> None:
    assert door.get(f"{path}/two-answers", token).text == "first"
    for _ in range(4):
        assert door.get(f"{path}/jobs/", token).text == _HELLO


def test_an_endless_answer_takes_no_memory_and_ends_with_its_reader(
    door: Door, path: str, token: str, hostile: Hostile
) -> None:
    connection = HTTPConnection("127.0.0.1", door.port)
    connection.request("GET", f"/spark{path}/endless", headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    for _ in range(200):
        assert len(answer.read(1 << 20)) == 1 << 20
    assert door.megabytes() < 60
    answer.close()
    connection.close()
    sent = -1

    def stopped() -> bool:
        nonlocal sent
        before, sent = sent, hostile.sent
        time.sleep(0.2)
        return before == hostile.sent

    door.decider.wait(stopped, "nobody reads any more")


def test_what_comes_slowly_comes_at_once(door: Door, path: str, token: str) -> None:
    connection = HTTPConnection("127.0.0.1", door.port, timeout=10)
    connection.request("GET", f"/spark{path}/drip", headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    # The whole takes 200 s.
    assert answer.read(3) == b"xxx"
    connection.close()


def test_one_person_takes_no_more_than_their_share(world: World, team: Team, path: str, hostile: Hostile) -> None:
    limits = {"perUser": 4, "perApplication": 6}
    with world.door(limits=limits) as door:
        viewer, submitter = team.viewer, team.submitter
        answers = []

        def wait(token: str) -> None:
            answers.append(door.get(f"{path}/wait", token).status)

        with ThreadPoolExecutor(9) as pool:
            for _ in range(4):
                pool.submit(wait, viewer)
            door.decider.wait(lambda: sum(b"/wait" in seen for seen in hostile.seen) == 4, "four wait")
            answer = door.get(f"{path}/jobs/", viewer)
            assert (answer.status, answer.text.count("\n")) == (429, 1)
            assert door.get(f"{path}/static/webui.js", viewer).status == 200
            assert door.get(f"{path}/jobs/", submitter).status == 200
            for _ in range(2):
                pool.submit(wait, submitter)
            door.decider.wait(lambda: sum(b"/wait" in seen for seen in hostile.seen) == 6, "six wait")
            assert door.get(f"{path}/jobs/", submitter).status == 429
            assert door.get(f"{path}/static/webui.js", submitter).status == 200
            hostile.hurry.set()
        assert answers == [200] * 6


def test_a_driver_that_does_not_answer_is_said_to_be_so(
    door: Door, team: Team, token: str, address: Callable[[], str]
) -> None:
    path = door.shown(team, team.driver(address()))
    answer = door.get(f"{path}/jobs/", token, accept="text/html")
    assert answer.status == 502
    assert "does not answer" in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert door.log()[-1]["reason"] == "unreachable"


@pytest.mark.parametrize("reset", [True, False])
def test_a_pod_that_ends_connections_is_said_to_be_so(
    door: Door, team: Team, token: str, address: Callable[[], str], reset: bool
) -> None:
    with ending_connections(address(), reset=reset) as (ip, port):
        path = door.shown(team, team.driver(ip, port=port))
        answer = door.get(f"{path}/jobs/", token, accept="text/html")
    assert answer.status == 502
    told = " ".join(html.unescape(answer.text).split())
    assert "ends the connection" in told
    for cure in ("portLevelMtls", 'driver.labels: {sidecar.istio.io/inject: "false"}', "spark.ssl.ui.enabled=false"):
        assert cure in told
    assert door.log()[-1]["reason"] == "closed"


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("https://{ip}:4440/jobs/", "spark.ssl.ui.enabled=false"),
        ("https://{ip}.evil.example/", "a place outside of itself"),
        ("https://evil.example:4440/", "a place outside of itself"),
    ],
)
def test_only_a_redirect_to_its_own_https_is_explained(
    door: Door, token: str, shown: str, hostile: Hostile, to: str, says: str
) -> None:
    hostile.redirect = to.format(ip=hostile.address)
    answer = door.get(f"{shown}/redirect", token, accept="text/html")
    assert answer.status == 502
    assert says in answer.text
    assert "location" not in answer.headers


def test_two_browsers_of_one_person_wait_for_no_other(
    door: Door, team: Team, token: str, address: Callable[[], str]
) -> None:
    with listening(address()) as busy, ThreadPoolExecutor(12) as pool:
        path = door.shown(team, team.driver(busy.address, port=busy.port))
        # Six connections each, as many as a browser has to a host.
        waiting = [pool.submit(door.get, f"{path}/wait", token) for _ in range(12)]
        door.decider.wait(lambda: sum(b"/wait" in seen for seen in busy.seen) == 12, "all are passed on")
        busy.hurry.set()
        assert [answer.result().status for answer in waiting] == [200] * 12


@pytest.mark.parametrize("where", ["{path}/jobs/", "/-/login", "/"])
def test_a_body_is_small(door: Door, path: str, team: Team, where: str) -> None:
    where, submitter = where.format(path=path), team.submitter
    assert door.get(where, submitter, method="POST", body=b"x" * 2**16).status != 413
    assert door.get(where, submitter, method="POST", body=b"x" * (2**16 + 1)).status == 413
    chunks = f"{2**16 + 1:x}\r\n{'x' * (2**16 + 1)}\r\n0\r\n\r\n"
    head = f"POST /spark{where} HTTP/1.1\r\nHost: {door.host}\r\nAuthorization: Bearer {submitter}\r\n"
    assert door.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n{chunks}".encode())[9:12] == b"413"


@pytest.mark.long
def test_a_driver_that_takes_a_minute_is_said_to_be_slow(
    door: Door, team: Team, token: str, address: Callable[[], str]
) -> None:
    with listening(address()) as silent:
        path = door.shown(team, team.driver(silent.address, port=silent.port))
        answer = door.get(f"{path}/wait", token, accept="text/html")
        silent.hurry.set()
    assert answer.status == 504
    assert "takes too long" in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert door.log()[-1]["reason"] == "slow"


def test_a_right_taken_away_ends_with_kept_decisions(world: World, address: Callable[[], str]) -> None:
    team = world.team()
    permission = {"reviews": "cluster", "allowSeconds": 2, "denySeconds": 60}
    with listening(address()) as driver, world.door(permission=permission, decisionSeconds=2) as door:
        path = door.shown(team, team.driver(driver.address, port=driver.port))
        token, submitter = team.viewer, team.submitter
        cookie = door.session(token)

        def answers() -> set[int]:
            return {door.get(f"{path}/jobs/", **given).status for given in ({"token": token}, {"cookie": cookie})}

        assert answers() == {200}
        team.revoke("viewer")
        door.decider.wait(lambda: answers() == {403}, "it is taken away")
        seen = len(driver.seen)
        assert answers() == {403}
        assert len(driver.seen) == seen
        assert door.get(f"{path}/jobs/", submitter).status == 200


def test_a_logout_ends_what_nginx_has_kept(world: World, address: Callable[[], str]) -> None:
    team = world.team()
    with (
        listening(address()) as driver,
        world.door(decisionSeconds=3600) as door,
        world.door(decisionSeconds=3600) as replica,
    ):
        path = door.shown(team, team.driver(driver.address, port=driver.port))
        key = (door.decider.folder / "key").read_bytes()
        (replica.decider.folder / "key").write_bytes(key)
        cookie = {"cookie": door.session(team.viewer), "host": door.host}
        annas = {"cookie": door.session(team.submitter), "host": door.host}
        doors = (door, replica)
        assert {one.get(f"{path}/jobs/", **who).status for one in doors for who in (cookie, annas) for _ in "12"} == {
            200
        }
        assert {one.log()[-1]["decision"] for one in doors} == {"kept"}
        assert door.get("/-/logout", method="POST", origin=f"http://{door.host}", **cookie).status == 303
        replica.decider.wait(lambda: replica.get(f"{path}/jobs/", **cookie).status == 401, "the other knows", 2)
        assert door.get(f"{path}/jobs/", **cookie).status == 401
        assert {one.get(f"{path}/jobs/", **annas).status for one in doors} == {200}
        # Who has no session makes nginx forget nothing.
        for one in doors:
            assert one.get("/-/logout", method="POST", origin=f"http://{door.host}", host=door.host).status == 303
            assert one.get(f"{path}/jobs/", **annas).status == 200
            assert one.log()[-1]["decision"] == "kept"


def test_a_history_server_that_has_just_gone_down_is_said_to_be_away(
    door: Door, team: Team, token: str, address: Callable[[], str]
) -> None:
    team.pods.history_server(ip=address())
    path = f"/{team.name}/shs/"

    def is_asked() -> bool:
        door.get(path, token)
        return bool(door.log()[-1]["reason"] == "unreachable")

    door.decider.wait(is_asked, "the history server is asked")
    answer = door.get(path, token, accept="text/html")
    assert (answer.status, answer.headers["retry-after"]) == (503, "3")
    assert "The history server is away" in answer.text


def test_headers_of_a_long_login_are_taken(door: Door, path: str, token: str) -> None:
    assert door.get(f"{path}/jobs/", token, cookie=f"of_the_ingress={'x' * 12_000}").status == 200


def test_neither_query_nor_token_is_in_the_log(door: Door, path: str, token: str) -> None:
    door.get(f"{path}/jobs/?secret=1", token, cookie="a=secret", referer="http://x/?secret")
    _raw_get(door, f"{path}/cut?secret=1", token)
    _raw_get(door, f"{path}/no-http?secret=1", token)
    assert f"/spark{path}/jobs/" in {entry["path"] for entry in door.log()}
    written = (door.decider.folder / "gateway.log").read_text()
    assert "secret" not in written
    assert token not in written


def test_the_log_has_nothing_that_a_terminal_obeys(door: Door, path: str) -> None:
    for evil in (b"\x9b2J", b"\xe2\x80\xae", b"\x1b[2J"):
        head = f"GET /spark{path}/".encode() + evil + b" HTTP/1.1\r\nHost: evil" + evil + b"\r\n"
        door.raw(head + b"Connection: close\r\n\r\n")
    assert f"/spark{path}/" in {entry["path"] for entry in door.log()}
    written = (door.decider.folder / "gateway.log").read_bytes()
    lines = [line for line in written.split(b"\n") if line.startswith(b"{")]
    assert [line for line in lines if any(byte < 0x20 or byte > 0x7E for byte in line)] == []


def test_no_token_is_in_a_file(door: Door, path: str, token: str) -> None:
    form = b"to=%2F&token=" + token.encode()
    assert door.get("/-/login", method="POST", body=form, origin=f"http://{door.host}").status < 500
    door.get(f"{path}/jobs/", token)
    files = [file for file in (door.decider.folder / "nginx").rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if token.encode() in file.read_bytes()]


def test_connections_to_a_driver_are_kept(door: Door, path: str, token: str, hostile: Hostile) -> None:
    door.get(f"{path}/jobs/", token)
    before = hostile.connections
    for _ in range(10):
        assert door.get(f"{path}/jobs/", token).status == 200
    assert hostile.connections == before


def test_a_connection_that_a_driver_has_closed_fails_nobody(
    door: Door, path: str, token: str, hostile: Hostile
) -> None:
    for _ in range(3):
        door.get(f"{path}/jobs/", token)
        hostile.hang_up()
        assert door.get(f"{path}/jobs/", token).status == 200


def test_a_killed_gateway_starts_again(world: World) -> None:
    with world.door() as door:
        workers = Path(f"/proc/{door.nginx}/task/{door.nginx}/children").read_text().split()
        # As a container that dies: the worker would go on serving without its master.
        for process in (door.nginx, *map(int, workers)):
            os.kill(process, signal.SIGKILL)
        with pytest.raises(ConnectionError):
            door.get("/-/answer")
        with world.gateway(door.decider):
            door.decider.wait(lambda: door.get("/-/answer").status == 404, "it serves again")


def test_in_host_mode_each_namespace_has_its_own_session(world: World, team: Team, shown: str) -> None:
    with world.door(hosts={"mode": "namespace", "domain": "spark.example"}) as door:
        path = f"{shown}/jobs/"
        host, token = f"{team.name}.spark.example", team.viewer
        door.decider.wait(lambda: door.get(path, token, host=host).status == 200, "it is routed")
        cookie = door.session(token, host=host, origin=f"http://{host}")
        assert door.get(path, cookie=cookie, host=host).status == 200
        for other in ("spark.example", "other.spark.example", f"{host}.evil.example", door.host):
            assert door.get(path, token, host=other).status == 400
            assert door.get(path, cookie=cookie, host=other).status in (400, 401)
        foreign = path.replace(team.name, world.team().name)
        assert door.get(foreign, token, host=host).status == 400


def test_requests_are_counted_by_who_answers(world: World, team: Team, path: str) -> None:
    with world.door() as door:
        answered, refused = (
            f'spark_ui_proxy_requests_total{{by="{by}",status="{status}"}}'
            for by, status in (("application", "2xx"), ("service", "4xx"))
        )
        before = {name: door.decider.metric(name) for name in (answered, refused)}
        slow = 'spark_ui_proxy_request_seconds_bucket{le="+Inf"}'
        for _ in range(3):
            door.get(f"{path}/jobs/", team.viewer)
            door.get(f"{path}/jobs/")
        assert {name: door.decider.metric(name) - before[name] for name in before} == {answered: 3, refused: 3}
        assert door.decider.metric(slow) == door.decider.metric("spark_ui_proxy_request_seconds_count") >= 3
        status, text = door.decider.operations("/metrics")
    assert status == 200
    families = [family for family in text_string_to_metric_families(text) if family.name.startswith("spark_ui_proxy_")]
    assert {family.name.removeprefix("spark_ui_proxy_") for family in families} >= _METRICS
    assert len({family.name for family in families}) == len(families)
    assert not [family.name for family in families if not family.documentation or family.type == "unknown"]


def test_own_internal_paths_are_nobodys(door: Door, token: str) -> None:
    for path in ("/-/internal/authz", "/-/answer", "/-/internal", "/-/answer?x"):
        assert door.get(path, token, x_original_uri="/", x_reason="ok").status == 404
    for path in ("/authz", "/-/../authz", "/-/%61nswer", "/-//answer"):
        answer = door.get(path, token, x_original_uri="/spark/x/proxy/y/", x_original_method="GET")
        assert answer.status in (400, 404)
        assert "x-upstream" not in answer.headers


def test_the_decider_is_waited_for(world: World) -> None:
    with world.door() as door:
        door.decider.process.terminate()
        door.decider.process.wait()
        for path in ("/", "/team/proxy/app/", "/-/login"):
            answer = door.get(path)
            assert (answer.status, answer.headers["retry-after"]) == (503, "2")
