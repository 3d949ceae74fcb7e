"""Attacks on the end of spark-ui-proxy's sessions: with its chart's own rights, several replicas, real API servers."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import socket
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import yaml
from answers import Answer
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from grants import bind, service_account, wait_until_granted
from kubernetes import client
from ui_proxy import HOST, Decider, account_token, bearer, running_decider

from chartproof.apiserver import ApiServer
from kindling_dev.guides import commands
from kindling_dev.scenarios import CHARTS

HTML = {"Accept": "text/html"}
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
RELEASE = "spark-ui-proxy"
LIST = f"{RELEASE}-logouts"
"""The ConfigMap that says who has logged out."""
_ALL_KNOW_S = 2.0
"""The guide's promise: so soon every replica knows of a logout."""
_API_SERVER_REMEMBERS_S = 10
"""So long an API server itself takes a token for good without a look."""


@dataclass(frozen=True)
class Site:
    """A release of the chart in a namespace of its own, one team whose viewers are there too, and replicas."""

    server: ApiServer
    name: str
    folder: Path
    until_the_end: ExitStack
    values: dict[str, Any]
    started: list[Decider] = field(default_factory=list)

    @property
    def team(self) -> str:
        """The namespace that it shows."""
        return f"team-{self.name}"

    def helm(self, *argv: str, program: str = "helm", **values: Any) -> None:
        """Run helm on the release, with its values and some more."""
        given = {**self.values, **values}
        chart = [] if argv[0] in ("rollback", "uninstall") else [str(CHARTS / RELEASE), "--values=-"]
        self.server.helm(program).run(
            [argv[0], RELEASE, *chart, *argv[1:], f"--namespace={self.name}"], json.dumps(given)
        )

    def replica(self, *, api_server: str = "", ready: bool = True) -> Decider:
        """One more, with the chart's configuration, account and rights, and the key of all."""
        written = self.server.cluster.core.read_namespaced_config_map(RELEASE, self.name).data["config.yaml"]
        config = yaml.safe_load(written)
        config["login"]["sessionKeyFile"] = str(self.folder / "key" / "key")
        config |= {"drainSeconds": 0} | ({"apiServer": api_server} if api_server else {})
        folder = self.folder / f"r{len(self.started)}"
        token = account_token(self.server, self.name, RELEASE)
        self.started.append(
            self.until_the_end.enter_context(running_decider(self.server, folder, config, token=token, ready=ready))
        )
        return self.started[-1]

    def token(self, person: str = "vera", **given: Any) -> str:
        """Of a viewer: `vera` and `anna` are some."""
        return account_token(self.server, self.name, person, **given)

    def listed(self) -> Any:
        """The ConfigMap of those who have logged out."""
        return self.server.cluster.core.read_namespaced_config_map(LIST, self.name)

    def rewrite(self, data: Mapping[str, str] | None) -> None:
        """Somebody with an admin's rights writes into it what they like, or empties it."""
        core = self.server.cluster.core
        patch = [{"op": "add", "path": "/data", "value": dict(data or {})}]
        core.patch_namespaced_config_map(LIST, self.name, patch)

    def reason(self, decider: Decider, cookie: Mapping[str, str]) -> str:
        """Of the decision about a page of the team's history, which is away: `no-history` is a yes."""
        return decider.authz(f"/{self.team}/shs/", cookie).reason

    def lets_in(self, decider: Decider, cookie: Mapping[str, str]) -> bool:
        """Whether a session counts, for UIs and for the page."""
        found = (0, "")
        for _ in range(3):  # it may end between the two questions
            found = decider.request("GET", "/", {**cookie, **HTML}).status, self.reason(decider, cookie)
            if found in ((200, "no-history"), (302, "login"), (503, "unavailable")):
                return found[0] == 200
        raise AssertionError(found)


MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[MakeSite]:
    """Installs the chart and spark-namespace for a team; replicas end with the test."""
    with ExitStack() as until_the_end:

        def make_site(server: ApiServer, **values: Any) -> Site:
            name = f"door-{uuid4().hex[:8]}"
            shown = {"namespaces": {"names": [f"team-{name}"]}, **values}
            site = Site(server, name, tmp_path, until_the_end, shown)
            (tmp_path / "key").mkdir()
            (tmp_path / "key" / "key").write_bytes(secrets.token_bytes(32))
            accounts = [{"namespace": name, "name": person} for person in ("vera", "anna")]
            team = {
                "namespace": {"name": site.team},
                "access": {"viewers": {"serviceAccounts": accounts}},
                "global": {"uiProxy": {"namespace": name}},
                # Policies of teams that stay make the server slow, and no pod is made here.
                "guard": {"enabled": False},
            }
            install = ["install", site.team, str(CHARTS / "spark-namespace"), "--namespace=kindling-system"]
            server.helm().run([*install, "--create-namespace", "--values=-"], json.dumps(team))
            site.helm("install", "--create-namespace")
            people = [service_account(name, person) for person in ("vera", "anna")]
            wait_until_granted(server.cluster, site.team, people, "get applications.kindling.local")
            return site

        yield make_site


def session(decider: Decider, token: str, host: str = HOST) -> dict[str, str]:
    """Log in; the cookie as a header."""
    answer = decider.log_in(token, host=host)
    assert answer.status == 303, answer.text
    return {"Cookie": answer.cookie}


def log_out(decider: Decider, cookie: Mapping[str, str], **headers: str) -> Answer:
    """Send the form of the page."""
    return decider.request("POST", "/-/logout", {**cookie, **(headers or SAME_ORIGIN)})


def refuses(site: Site, decider: Decider, cookie: Mapping[str, str]) -> bool:
    """Whether a session counts no longer."""
    return not site.lets_in(decider, cookie)


def said_at_login(decider: Decider, cookie: Mapping[str, str]) -> str:
    """Why a browser with a cookie finds itself at the login page; "": nothing is said."""
    page = decider.request("GET", "/-/login", {**cookie, **HTML})
    assert page.status == 200
    found = re.search(r'role="status">([^<]*)<', page.text)
    return " ".join(found[1].split()) if found else ""


@pytest.fixture(scope="module")
def newest(apiserver: Callable[[str], ApiServer]) -> ApiServer:
    """The cluster's version of Kubernetes."""
    return apiserver("1.34")


def test_a_copied_cookie_ends_with_the_logout_on_all_replicas(server: ApiServer, make_site: MakeSite) -> None:
    site = make_site(server)
    one, two = site.replica(), site.replica()
    copied, elsewhere, annas = (session(one, site.token(who)) for who in ("vera", "vera", "anna"))
    assert all(site.lets_in(decider, cookie) for decider in (one, two) for cookie in (copied, elsewhere, annas))
    began = time.monotonic()
    out = log_out(one, copied)
    assert (out.status, out.headers["location"]) == (303, "/-/login")
    assert not site.lets_in(one, copied)
    two.wait(lambda: not site.lets_in(two, copied), "the other replica knows")
    took = time.monotonic() - began
    print(f"Kubernetes {server.version}: all replicas refuse a copied cookie {took:.2f} s after the logout")
    assert took < _ALL_KNOW_S
    for decider in (one, two):
        # All sessions of the account are over, nobody else's.
        assert not site.lets_in(decider, elsewhere)
        assert site.lets_in(decider, annas)
        assert "logged out" in said_at_login(decider, copied)
        assert decider.request("GET", "/-/api/v1/applications", copied).status == 401
    again = session(two, site.token())
    assert all(site.lets_in(decider, again) for decider in (one, two))
    assert not site.lets_in(one, copied)


def test_a_replica_that_starts_later_knows_of_logouts(server: ApiServer, make_site: MakeSite) -> None:
    site = make_site(server)
    first = site.replica()
    copied, annas = session(first, site.token()), session(first, site.token("anna"))
    log_out(first, copied)
    first.stop()
    later = site.replica()
    assert not site.lets_in(later, copied)
    assert site.lets_in(later, annas)


def test_in_host_mode_a_logout_counts_at_every_host(newest: ApiServer, make_site: MakeSite) -> None:
    site = make_site(newest, hosts={"mode": "namespace", "domain": HOST})
    decider, own = site.replica(), f"{site.team}.{HOST}"
    at_home, at_team = session(decider, site.token()), session(decider, site.token(), own)
    path = f"/{site.team}/shs/"
    assert decider.authz(path, at_team, host=own).reason == "no-history"
    log_out(decider, at_home)
    assert decider.authz(path, at_team, host=own).reason == "login"


@pytest.mark.parametrize("program", ["helm", "helm4"])
def test_helm_keeps_the_logouts(newest: ApiServer, make_site: MakeSite, program: str) -> None:
    site = make_site(newest)
    decider = site.replica()
    copied = session(decider, site.token())
    log_out(decider, copied)
    decider.stop()
    site.helm("upgrade", program=program, replicas=3)
    assert not site.lets_in(site.replica(), copied)
    site.helm("rollback", program=program)
    assert not site.lets_in(site.replica(), copied)


def test_a_list_that_was_wiped_is_written_again(newest: ApiServer, make_site: MakeSite) -> None:
    site = make_site(newest)
    decider = site.replica()
    copied = session(decider, site.token())
    log_out(decider, copied)
    before = site.listed().data
    assert before
    site.rewrite(None)
    decider.wait(lambda: site.listed().data == before, "it is written again")
    assert not site.lets_in(decider, copied)
    assert not site.lets_in(site.replica(), copied)


def test_a_list_made_anew_ends_every_session_before_it(newest: ApiServer, make_site: MakeSite) -> None:
    site = make_site(newest)
    decider = site.replica()
    copied, annas = session(decider, site.token()), session(decider, site.token("anna"))
    log_out(decider, copied)
    decider.stop()
    time.sleep(1)
    site.helm("uninstall")
    site.helm("install")
    later = site.replica()
    assert not site.lets_in(later, copied)
    assert not site.lets_in(later, annas)
    assert site.lets_in(later, session(later, site.token()))


def test_a_list_that_is_deleted_lets_nobody_in(newest: ApiServer, make_site: MakeSite) -> None:
    site = make_site(newest)
    decider = site.replica()
    cookie = session(decider, site.token())
    newest.cluster.core.delete_namespaced_config_map(LIST, site.name)
    decider.wait(lambda: site.reason(decider, cookie) == "unavailable", "it notices")
    assert not site.lets_in(decider, cookie)
    assert decider.authz(f"/{site.team}/shs/", bearer(site.token())).reason == "no-history"
    site.helm("upgrade", replicas=3)
    decider.wait(lambda: site.reason(decider, cookie) == "login", "the new list ends what was before it")


_REVIEWS = pytest.mark.parametrize("reviews", ["namespace", "cluster"])
_SERVERS_AND_REVIEWS = pytest.mark.parametrize(
    ("server", "reviews"),
    [
        ("1.34", "cluster"),
        ("1.24", "namespace"),
        pytest.param("1.34", "namespace", marks=pytest.mark.long),
        pytest.param("1.24", "cluster", marks=pytest.mark.long),
    ],
    indirect=["server"],
)
"""Each version and each kind of review; a test waits until an API server has forgotten its last answer."""
ON_CALL = "system:bootstrappers:on-call"
_SOON = {"reviewSeconds": 10}


@_SERVERS_AND_REVIEWS
def test_a_deleted_accounts_session_ends_and_says_why(server: ApiServer, make_site: MakeSite, reviews: str) -> None:
    site = make_site(server, rbac={"reviews": reviews}, login=_SOON)
    decider = site.replica()
    cookie, annas = session(decider, site.token()), session(decider, site.token("anna"))
    assert site.lets_in(decider, cookie)
    server.cluster.core.delete_namespaced_service_account("vera", site.name)
    most = _SOON["reviewSeconds"] + _API_SERVER_REMEMBERS_S + 5
    took = decider.wait(lambda: not site.lets_in(decider, cookie), "the account is gone", most)
    print(
        f"Kubernetes {server.version}, reviews of the {reviews}: a deleted account's session ended after {took:.0f} s"
    )
    asked = decider.answer(f"/{site.team}/shs/", {**cookie, **HTML})
    assert (asked.status, asked.headers["location"]) == (302, f"/-/login?to=/{site.team}/shs/")
    assert "no longer accepts" in said_at_login(decider, cookie)
    assert "Max-Age=0" in decider.request("GET", "/-/login", cookie).headers["set-cookie"]
    assert site.lets_in(decider, annas)
    # Another account of that name is another account.
    site.token()
    time.sleep(_API_SERVER_REMEMBERS_S)
    assert not site.lets_in(decider, cookie)


@_REVIEWS
def test_a_session_ends_with_what_its_token_is_bound_to(newest: ApiServer, make_site: MakeSite, reviews: str) -> None:
    site = make_site(newest, rbac={"reviews": reviews}, login=_SOON)
    decider, core = site.replica(), newest.cluster.core
    site.token()
    bound = core.create_namespaced_secret(site.name, {"metadata": {"name": "laptop"}}).metadata
    spec = {
        "audiences": [],
        "boundObjectRef": {"apiVersion": "v1", "kind": "Secret", "name": bound.name, "uid": bound.uid},
    }
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    token = core.create_namespaced_service_account_token("vera", site.name, request).status.token
    cookie = session(decider, token)
    assert site.lets_in(decider, cookie)
    core.delete_namespaced_secret("laptop", site.name)
    most = _SOON["reviewSeconds"] + _API_SERVER_REMEMBERS_S + 5
    decider.wait(lambda: not site.lets_in(decider, cookie), "the token's Secret is gone", most)


@contextmanager
def bootstrap_token(server: ApiServer, *groups: str) -> Iterator[tuple[str, str]]:
    """A token of Kubernetes whose groups can change, and the name of its Secret."""
    key, secret = secrets.token_hex(3), secrets.token_hex(8)
    name = f"bootstrap-token-{key}"
    data = {
        "token-id": key,
        "token-secret": secret,
        "usage-bootstrap-authentication": "true",
        "auth-extra-groups": ",".join(groups),
    }
    body = {"metadata": {"name": name}, "type": "bootstrap.kubernetes.io/token", "stringData": data}
    server.cluster.core.create_namespaced_secret("kube-system", body)
    yield f"{key}.{secret}", name
    with suppress(client.ApiException):
        server.cluster.core.delete_namespaced_secret(name, "kube-system")


@_SERVERS_AND_REVIEWS
def test_who_left_a_group_sees_no_more_after_the_review(server: ApiServer, make_site: MakeSite, reviews: str) -> None:
    permission = {"allowSeconds": 10, "denySeconds": 1}
    site = make_site(server, rbac={"reviews": reviews}, login=_SOON, permission=permission)
    group = {"kind": "Group", "name": ON_CALL}
    bind(server.cluster, site.team, [group], "Role/access-viewers", "get applications.kindling.local")
    decider = site.replica()
    with bootstrap_token(server, ON_CALL) as (token, name):
        decider.wait(lambda: decider.log_in(token).status == 303, "the API server knows the token")
        cookie = session(decider, token)
        assert site.reason(decider, cookie) == "no-history"
        change = {"stringData": {"auth-extra-groups": "system:bootstrappers:others"}}
        server.cluster.core.patch_namespaced_secret(name, "kube-system", change)
        most = _SOON["reviewSeconds"] + _API_SERVER_REMEMBERS_S + 10
        took = decider.wait(lambda: site.reason(decider, cookie) == "forbidden", "the group is left", most)
        print(f"Kubernetes {server.version}, reviews of the {reviews}: a group that was left counted {took:.0f} s more")
        # They are still who they are; with the account the session ends.
        assert decider.request("GET", "/", {**cookie, **HTML}).status == 200
        server.cluster.core.delete_namespaced_secret(name, "kube-system")
        decider.wait(lambda: site.reason(decider, cookie) == "login", "the account is gone", most)


def test_a_token_longer_than_a_cookie_is_asked_about_too(newest: ApiServer, make_site: MakeSite) -> None:
    site = make_site(newest, rbac={"reviews": "cluster"}, login={"audiences": ["spark-ui"], **_SOON})
    decider = site.replica()
    long = site.token(audiences=["spark-ui", *(secrets.token_hex(16) for _ in range(200))])
    cookie, other = session(decider, long), session(decider, long)
    assert len(cookie["Cookie"]) > 4096
    assert site.lets_in(decider, cookie)
    # One part of a session lets nobody in.
    for part in cookie["Cookie"].split("; "):
        assert refuses(site, decider, {"Cookie": part})
    newest.cluster.core.delete_namespaced_service_account("vera", site.name)
    most = _SOON["reviewSeconds"] + _API_SERVER_REMEMBERS_S + 30
    decider.wait(lambda: refuses(site, decider, cookie), "the account is gone", most)
    assert refuses(site, decider, other)


def test_a_new_key_brings_no_logged_out_cookie_back(newest: ApiServer, make_site: MakeSite) -> None:
    site = make_site(newest)
    one, two = site.replica(), site.replica()
    copied, annas = session(one, site.token()), session(one, site.token("anna"))
    log_out(one, copied)
    key = site.folder / "key" / "key"
    key.rename(key.with_name("previous"))
    key.write_bytes(secrets.token_bytes(32))
    for decider in (one, two, site.replica()):
        decider.wait(partial(refuses, site, decider, copied), "it knows", _ALL_KNOW_S)
        assert site.lets_in(decider, annas)


def sealed_as(content: Any, key: bytes, info: str, name: str) -> dict[str, str]:
    """A cookie made with the site's own key."""
    cipher = AESGCM(HKDF(SHA256(), length=32, salt=None, info=info.encode()).derive(key))
    nonce = os.urandom(12)
    packed = zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 9)
    value = nonce + cipher.encrypt(nonce, packed, f"spark-ui-proxy session of {HOST}".encode())
    return {"Cookie": f"{name}={base64.urlsafe_b64encode(value).decode().rstrip('=')}"}


def test_a_cookie_of_before_the_upgrade_leads_to_the_login(newest: ApiServer, make_site: MakeSite) -> None:
    site = make_site(newest)
    decider, ends = site.replica(), int(time.time()) + 3600
    key = (site.folder / "key" / "key").read_bytes()
    name = session(decider, site.token())["Cookie"].partition("=")[0]
    user = f"system:serviceaccount:{site.name}:vera"
    old: list[Any] = [["", [], site.token(), ends], [user, ["system:authenticated"], "", ends], [], {}, "text", 7, None]
    for content in old:
        cookie = sealed_as(content, key, "spark-ui-proxy session cookie", name)
        assert site.reason(decider, cookie) == "login", content
        page = decider.request("GET", "/", {**cookie, **HTML})
        assert (page.status, page.headers["location"]) == (302, "/-/login?to=/")
        assert decider.request("GET", "/-/login", cookie).status == 200
        assert log_out(decider, cookie).status == 303
        # A new session beside it counts.
        new = session(decider, site.token())
        assert site.lets_in(decider, {"Cookie": f"{cookie['Cookie']}; {new['Cookie']}"})


def test_nobody_ends_the_sessions_of_others(newest: ApiServer, make_site: MakeSite) -> None:
    site = make_site(newest)
    decider = site.replica()
    veras, annas = session(decider, site.token()), session(decider, site.token("anna"))
    name, _, value = veras["Cookie"].partition("=")
    forged = f"{value[:-2]}{'AA' if value[-2:] != 'AA' else 'BB'}"
    before = site.listed().metadata.resource_version
    for cookie in ({}, {"Cookie": f"{name}=nonsense"}, {"Cookie": f"{name}={forged}"}, {"Cookie": f"{name}="}):
        assert log_out(decider, cookie).status == 303
    # A token is not a session: it ends nothing, and itself goes on.
    assert log_out(decider, bearer(site.token())).status == 303
    # Nor do other sites in the browser of who is logged in, nor the same cookie at another host.
    for headers in ({"X": "y"}, {"Origin": "https://evil.example.com"}, {"Sec-Fetch-Site": "cross-site"}):
        assert log_out(decider, veras, **headers).status == 403
    assert log_out(decider, veras, Host="other.example.com", **SAME_ORIGIN).status == 303
    assert decider.request("GET", "/-/logout", veras).status == 405
    time.sleep(1.5)
    assert site.listed().metadata.resource_version == before
    assert site.lets_in(decider, veras)
    log_out(decider, annas)
    assert site.lets_in(decider, veras)
    # A session that is over ends no other.
    again = session(decider, site.token("anna"))
    time.sleep(2)
    log_out(decider, annas)
    assert site.lets_in(decider, again)


def test_whoever_logs_in_and_out_for_ever_fills_nothing(newest: ApiServer, make_site: MakeSite) -> None:
    site = make_site(newest)
    one, two = site.replica(), site.replica()
    token, annas, times = site.token(), session(one, site.token("anna")), 200
    events: list[str] = []
    began = time.monotonic()

    def in_and_out(number: int) -> None:
        decider = (one, two)[number % 2]
        assert log_out(decider, session(decider, token)).status == 303
        events.append(site.listed().metadata.resource_version)

    with ThreadPoolExecutor(16) as attackers:
        list(attackers.map(in_and_out, range(times)))
    took = time.monotonic() - began
    writes, size = len(set(events)), len(json.dumps(site.listed().data))
    print(f"{times} logouts in {took:.1f} s: {writes} writes, a list of {size} bytes")
    assert writes <= 2 * (took + 2)
    assert size < 200
    assert site.lets_in(one, annas)
    assert site.lets_in(two, session(two, token))


def line(account: str, moment: float) -> str:
    """As the list has them."""
    return f"{account} {moment:.0f}"


def test_a_list_that_is_full_forgets_nobody(newest: ApiServer, make_site: MakeSite) -> None:
    site = make_site(newest)
    one, two = site.replica(), site.replica()
    copied = session(one, site.token())
    log_out(one, copied)
    time.sleep(1)
    now = time.time()
    (key,) = site.listed().data
    theirs = site.listed().data[key].strip()
    # After the list was made, as its lines are; replicas' clocks may be that much ahead.
    others = (line(secrets.token_hex(16), now + number / 100) for number in range(20_000))
    site.rewrite({key: "\n".join([theirs, *others])})
    one.wait(lambda: len(site.listed().data[key].splitlines()) <= 10_001, "the oldest are put together")
    print(f"a full list has {len(site.listed().data[key])} bytes, {len(site.listed().data[key].splitlines())} lines")
    for decider in (one, two, site.replica()):
        assert not site.lets_in(decider, copied)
        new = session(decider, site.token())
        assert site.lets_in(decider, new)
        log_out(decider, new)
        assert not site.lets_in(decider, new)
    two.wait(lambda: not site.lets_in(two, new), "a full list takes one more", _ALL_KNOW_S)


@pytest.mark.parametrize(
    "content",
    ["nonsense", "a b c d", "* x", "\0", f"* {10**30}", "* -1", "é" * 1000, "* 99999999999", "[1, 2", "a" * 900_000],
    ids=lambda content: repr(content[:16]),
)
def test_a_list_that_cannot_be_read_ends_what_was_before(newest: ApiServer, make_site: MakeSite, content: str) -> None:
    site = make_site(newest)
    decider = site.replica()
    copied, annas = session(decider, site.token()), session(decider, site.token("anna"))
    log_out(decider, copied)
    (key,) = site.listed().data
    site.rewrite({key: content})
    decider.wait(lambda: not site.lets_in(decider, annas), "nobody is let in by a list that cannot be read")
    assert not site.lets_in(decider, copied)
    decider.wait(lambda: site.listed().data[key] != content, "it is written again")
    assert site.lets_in(decider, session(decider, site.token()))
    later = site.replica()
    assert not site.lets_in(later, copied)
    assert site.lets_in(later, session(later, site.token()))


def test_without_the_right_to_the_list_no_session_counts(newest: ApiServer, make_site: MakeSite) -> None:
    site = make_site(newest)
    first = site.replica()
    cookie = session(first, site.token())
    newest.cluster.rbac.delete_namespaced_role_binding(LIST, site.name)
    decider = site.replica(ready=False)
    decider.wait(lambda: "forbidden" in decider.operations("/readyz")[1], "it says what is missing")
    status, said = decider.operations("/readyz")
    assert (status, LIST in said) == (503, True)
    assert site.reason(decider, cookie) == "unavailable"
    assert decider.log_in(site.token()).status == 503
    assert decider.authz(f"/{site.team}/shs/", bearer(site.token())).reason == "no-history"


def test_an_admin_ends_all_sessions_as_the_guide_says(newest: ApiServer, make_site: MakeSite) -> None:
    site = make_site(newest)
    one, two = site.replica(), site.replica()
    copied, annas = session(one, site.token()), session(two, site.token("anna"))
    log_out(one, copied)
    two.wait(partial(refuses, site, two, copied), "it knows", _ALL_KNOW_S)
    before = site.listed().data["logouts"]
    command = commands("see-applications", "When a session ends").replace(
        "--namespace kindling-system", f"-n {site.name}"
    )
    environment = {**os.environ, "KUBECONFIG": str(newest.kubeconfig)}
    time.sleep(1)
    subprocess.run(["sh", "-euc", command], env=environment, check=True, capture_output=True)
    for decider in (one, two):
        decider.wait(partial(refuses, site, decider, annas), "all are over", _ALL_KNOW_S)
        assert site.lets_in(decider, session(decider, site.token("anna")))
        assert not site.lets_in(decider, copied)
    # It ended before, and is no news.
    assert before.splitlines()[1] not in site.listed().data["logouts"]


class Line:
    """A way to an API server, through a port of 127.0.0.1, that can be cut."""

    def __init__(self, server: ApiServer) -> None:
        there = urlsplit(server.cluster.api_client.configuration.host)
        self._there = (there.hostname, there.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cut = False
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def sever(self) -> None:
        """From now on nothing passes."""
        self.cut = True
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """The end of it."""
        self.sever()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                if self.cut:
                    here.close()
                    continue
                there = socket.create_connection(self._there)
                for source, sink in ((here, there), (there, here)):
                    self._open.add(source)
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(65536):
                sink.sendall(part)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.discard(source)


@pytest.fixture
def way(newest: ApiServer) -> Iterator[Line]:
    """To the newest API server."""
    way = Line(newest)
    yield way
    way.close()


def test_a_logout_that_others_miss_is_told_and_made_good(newest: ApiServer, make_site: MakeSite, way: Line) -> None:
    site = make_site(newest)
    one, two = site.replica(api_server=way.url), site.replica()
    copied = session(one, site.token())
    way.sever()
    out = log_out(one, copied)
    assert out.status == 503
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert "cannot be told" in out.text
    assert not site.lets_in(one, copied)
    assert site.lets_in(two, copied)
    way.cut = False
    took = two.wait(lambda: not site.lets_in(two, copied), "the others are told when it is back", 30)
    print(f"{took:.1f} s after the API server is back all know of the logout")


@pytest.mark.long
def test_a_replica_that_hears_nothing_lets_nobody_in(newest: ApiServer, make_site: MakeSite, way: Line) -> None:
    seconds = {"allowSeconds": 3600}
    site = make_site(newest, permission=seconds, login={"reviewSeconds": 3600})
    one, two = site.replica(api_server=way.url), site.replica()
    copied = session(one, site.token())
    assert site.lets_in(one, copied)
    way.sever()
    log_out(two, copied)
    took = one.wait(lambda: site.reason(one, copied) == "unavailable", "silence", 90)
    print(f"a replica that hears nothing lets nobody in after {took:.0f} s")
    way.cut = False
    one.wait(lambda: site.reason(one, copied) == "login", "it hears again", 60)


def test_the_account_may_change_nothing_but_that_list(server: ApiServer, make_site: MakeSite) -> None:
    site = make_site(server)
    ask: Callable[..., Any] = client.AuthorizationV1Api(server.cluster.api_client).create_subject_access_review

    def may(verb: str, resource: str, name: str = "", namespace: str = "") -> bool:
        attributes = {"verb": verb, "resource": resource, "name": name, "namespace": namespace or site.name}
        user = f"system:serviceaccount:{site.name}:{RELEASE}"
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{site.name}", "system:authenticated"]
        return bool(ask({"spec": {"user": user, "groups": groups, "resourceAttributes": attributes}}).status.allowed)

    verbs = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
    assert {verb for verb in verbs if may(verb, "configmaps", LIST)} == {"list", "watch", "patch"}
    for verb in verbs:
        assert not may(verb, "configmaps", RELEASE)
        assert not may(verb, "configmaps")
        assert not may(verb, "secrets", "spark-ui-proxy-session")
        assert not may(verb, "configmaps", LIST, site.team)


def test_behind_an_ingress_the_page_says_whose_session_it_is(newest: ApiServer, make_site: MakeSite) -> None:
    site = make_site(newest, login={"mode": "header", "header": {"secret": {"secretName": "of-the-ingress"}}})
    assert not newest.cluster.core.list_namespaced_config_map(site.name, field_selector=f"metadata.name={LIST}").items
    (site.folder / "secret").write_text("of the authenticating ingress")
    config = yaml.safe_load(newest.cluster.core.read_namespaced_config_map(RELEASE, site.name).data["config.yaml"])
    config["login"]["header"]["secretFile"] = str(site.folder / "secret")
    token = account_token(newest, site.name, RELEASE)
    with running_decider(newest, site.folder / "d", {**config, "drainSeconds": 0}, token=token) as decider:
        proof = {"X-Spark-UI-Proxy-Secret": "of the authenticating ingress", "X-Forwarded-User": "ada"}
        page = decider.request("GET", "/", {**proof, **HTML})
        assert page.status == 200
        assert "log out there" in page.text
        assert "/-/logout" not in page.text
