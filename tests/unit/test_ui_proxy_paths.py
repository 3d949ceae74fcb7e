"""What request targets spark-ui-proxy takes, and what they ask for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_ui_proxy.config import Config, Hosts
from spark_ui_proxy.history_page import same_page
from spark_ui_proxy.paths import BadTargetError, Route, parse

ROOT, BELOW = Config(), Config(base_path="/spark")
HOSTS = Config(hosts=Hosts("namespace", "spark.example.com"))
PAGES = [
    ("/", Route("service", rest="/")),
    ("/-/api/v1/applications?namespace=a", Route("service", rest="/-/api/v1/applications", query="namespace=a")),
    ("/team-a/proxy/app-1", Route("driver", "team-a", "app-1", "/team-a/proxy/app-1", "")),
    ("/team-a/proxy/app-1/", Route("driver", "team-a", "app-1", "/team-a/proxy/app-1", "/")),
    ("/team-a/proxy/a.b_c/jobs/?id=1", Route("driver", "team-a", "a.b_c", "/team-a/proxy/a.b_c", "/jobs/", "id=1")),
    ("/team-a/shs/history/x/jobs/", Route("history", "team-a", "", "/team-a/shs", "/history/x/jobs/")),
    ("/shs", Route("shared-history", "", "", "/shs", "")),
    ("/shs/api/v1/version", Route("shared-history", "", "", "/shs", "/api/v1/version")),
]
HOSTILE = [
    *("jobs", "//team-a/proxy/app-1/", "http://169.254.169.254/", "https://team-a/proxy/x/", "*", "team-a:443"),
    *(f"/team-a/proxy/app-1/{rest}" for rest in ("../../b/", "..", "./x", "a//b", "..;/x", "jobs;a=b/", "a\\..\\b")),
    *(
        f"/team-a/proxy/app-1/{rest}"
        for rest in ("%2e%2e/", "%2E/", "..%2f", "a%2fb", "a%5cb", "%252e", "%00", "%0d%0aX:y", "%3b", "%zz", "%f", "é")
    ),
    *(f"/team-a/proxy/app-1/jobs/?{query}" for query in ("a=%0d%0aX", "a=%00", "a b", "a=\r\n", "a#b", "%zz")),
    *(f"/team-a/proxy/{app}/" for app in ("", "..", "-a", "a%20b", "a@b", "10.0.0.1:80@x", "a" * 129)),
    *(f"/{namespace}/proxy/app-1/" for namespace in ("proxy", "history", "Team", "a.b", "-a", "a" * 64, "team%2da")),
    *("/team-a", "/team-a/", "/team-a/other/x", "/proxy/app-1/", "/history/", f"/team-a/proxy/app-1/{'a' * 9000}"),
    *("/team-a/proxy/app-1/%c0%ae%c0%ae/", "/team-a/proxy/app-1/%ff"),
]


@pytest.mark.parametrize(("target", "route"), PAGES, ids=[target for target, _ in PAGES])
def test_a_path_is_read_below_any_base(target: str, route: Route) -> None:
    assert parse(target, "any", ROOT) == route
    below = parse(f"/spark{target}", "any", BELOW)
    assert below.context == (f"/spark{route.context}" if route.context else "")
    assert (below.kind, below.namespace, below.rest, below.query) == (
        route.kind,
        route.namespace,
        route.rest,
        route.query,
    )


@pytest.mark.parametrize("target", HOSTILE, ids=lambda target: ascii(target)[:50])
def test_what_no_browser_sends_is_refused(target: str) -> None:
    for config, path in ((ROOT, target), (BELOW, f"/spark{target}")):
        with pytest.raises(BadTargetError):
            parse(path, "any", config)


def test_a_path_outside_the_base_is_refused() -> None:
    for target in ("/team-a/proxy/app-1/", "/sparkling/team-a/proxy/app-1/", "/", "/Spark/"):
        with pytest.raises(BadTargetError):
            parse(target, "any", BELOW)


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_whatever_is_asked_upstream_is_a_plain_absolute_path(text: str) -> None:
    try:
        route = parse(f"/team-a/proxy/app-1/{text}", "any", ROOT)
    except BadTargetError:
        return
    path = route.upstream_path
    assert path.startswith("/")
    assert path.isascii()
    assert path.isprintable()
    assert " " not in path
    assert "//" not in path.partition("?")[0]
    assert not {".", ".."} & set(path.partition("?")[0].split("/"))


@pytest.mark.parametrize(
    ("query", "passed"),
    [
        ("doAs=root", ""),
        ("id=1&doAs=root&x=2", "id=1&x=2"),
        ("DOAS=root&id=1", "id=1"),
        ("do%41s=root", ""),
        ("%64oAs=a&doAs=b", ""),
        ("columns[0][data]=x&length=20", "columns[0][data]=x&length=20"),
        ("q=doAs", "q=doAs"),
    ],
)
def test_nobody_asks_in_anothers_name(query: str, passed: str) -> None:
    assert parse(f"/team-a/proxy/app-1/jobs/?{query}", "any", ROOT).query == passed


@pytest.mark.parametrize("rest", ["/jobs/job/kill/?id=1", "/stages/stage/kill", "/x/KILL/", "/jobs/job/%6bill/"])
def test_paths_that_end_something_are_known(rest: str) -> None:
    assert parse(f"/team-a/proxy/app-1{rest}", "any", ROOT).kills
    assert not parse("/team-a/proxy/skill-1/jobs/", "any", ROOT).kills


def test_a_host_serves_its_own_namespace_alone() -> None:
    own = "team-a.spark.example.com"
    assert parse("/team-a/proxy/app-1/", f"{own}:8443", HOSTS).namespace == "team-a"
    assert parse("/team-a/shs/", own.upper(), HOSTS).kind == "history"
    assert parse("/", own, HOSTS).kind == "service"
    assert parse("/shs/", "spark.example.com", HOSTS).kind == "shared-history"
    for host, target in [
        ("team-b.spark.example.com", "/team-a/proxy/app-1/"),
        ("spark.example.com", "/team-a/proxy/app-1/"),
        (own, "/shs/"),
        ("team-a.evil.com", "/team-a/proxy/app-1/"),
        ("team-a.spark.example.com.evil.com", "/team-a/proxy/app-1/"),
        ("x.team-a.spark.example.com", "/team-a/proxy/app-1/"),
        ("127.0.0.1", "/team-a/proxy/app-1/"),
        ("", "/"),
    ]:
        with pytest.raises(BadTargetError):
            parse(target, host, HOSTS)


@pytest.mark.parametrize(
    ("live", "finished"),
    [
        ("", "/history/app-1/jobs/"),
        ("/", "/history/app-1/jobs/"),
        ("/stages/stage/?id=3&attempt=0", "/history/app-1/stages/stage/?id=3&attempt=0"),
        ("/executors/threadDump/?executorId=driver", "/history/app-1/executors/"),
        ("/jobs/job/kill/?id=1", "/history/app-1/jobs/"),
        ("/streaming/batch/?id=1", "/history/app-1/jobs/"),
        ("/StreamingQuery/", "/history/app-1/StreamingQuery/"),
        ("/api/v1/applications/app-1/jobs", "/api/v1/applications/app-1/jobs"),
        ("/static/webui.css", "/static/webui.css"),
        ("/logPage/?self&logType=out", "/history/app-1/executors/"),
    ],
)
def test_each_live_page_has_its_place_in_the_history(live: str, finished: str) -> None:
    assert same_page(parse(f"/team-a/proxy/app-1{live}", "any", ROOT)) == finished
