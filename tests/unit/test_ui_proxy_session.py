"""The session cookie of spark-ui-proxy: whom it lets in, and where its limits are."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from spark_ui_proxy.config import Config, ConfigError, Hosts, Login
from spark_ui_proxy.session import Session, SessionError, Sessions

HOST = "spark.example.com"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """One with a key of its own."""
    (tmp_path / "key").write_bytes(secrets.token_bytes(32))
    return Config(login=Login(session_key_file=str(tmp_path / "key")))


_ENDS = int(time.time()) + 3600


def session(**given: object) -> Session:
    """Anna's, for an hour."""
    return replace(Session("anna", "anna's", _ENDS - 7200, _ENDS), **given)  # type: ignore[arg-type]


def read(sessions: Sessions, cookies: str, host: str) -> Session | None:
    """The first session that it finds."""
    return next(sessions.read(cookies, host), None)


def pairs(headers: list[str]) -> list[str]:
    """Of Set-Cookie headers, what a browser sends back."""
    return [pair for pair in (header.partition(";")[0] for header in headers) if not pair.endswith("=")]


def sent(sessions: Sessions, what: Session) -> str:
    """The Cookie header of a browser that has a session and nothing else."""
    return "; ".join(pairs(sessions.headers(what, HOST)))


def token(groups: int) -> str:
    """As a company's login makes them: groups as GUIDs, a signature of RSA."""
    claims = {"iss": "https://login.example.com", "sub": "anna", "groups": [str(uuid4()) for _ in range(groups)]}
    parts = [
        json.dumps({"alg": "RS256", "kid": "1"}).encode(),
        json.dumps(claims, separators=(",", ":")).encode(),
        secrets.token_bytes(256),
    ]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def test_a_session_is_read_where_it_was_made_and_nowhere_else(config: Config) -> None:
    sessions = Sessions(config)
    cookie = sent(sessions, session())
    assert read(sessions, f"other=1; {cookie}", HOST) == session()
    assert read(sessions, cookie, "other.example.com") is None
    assert read(sessions, "", HOST) is None


def test_a_session_ends(config: Config) -> None:
    sessions = Sessions(config)
    assert read(sessions, sent(sessions, session(ends=int(time.time()) - 1)), HOST) is None


def test_no_bit_of_a_cookie_can_be_changed(config: Config) -> None:
    sessions = Sessions(config)
    name, _, value = sent(sessions, session()).partition("=1.")
    sealed = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        assert read(sessions, f"{name}=1.{base64.urlsafe_b64encode(changed).decode()}", HOST) is None


@pytest.mark.parametrize(
    "value",
    [
        *("", "x", "====", "é", "A" * 5000, "\udcff", "AAAA", base64.b64encode(bytes(range(64))).decode()),
        *("1.", "1.AAAA", "2.AAAA", "0.AAAA", "5.AAAA", "-1.AAAA", "1.é", "²." + "A" * 64, "1." + "A" * 5000),
    ],
)
def test_what_is_no_cookie_of_ours_is_nobodys(config: Config, value: str) -> None:
    sessions = Sessions(config)
    assert read(sessions, f"{sessions.cookie}={value}", HOST) is None


def test_a_false_cookie_before_the_true_one_is_passed_over(config: Config) -> None:
    sessions = Sessions(config)
    cookie = sent(sessions, session())
    assert read(sessions, f"{sessions.cookie}=planted; {cookie}", HOST) == session()
    ended = sent(sessions, session(ends=int(time.time()) - 1))
    assert read(sessions, f"{ended}; {cookie}", HOST) == session()


def test_a_new_key_opens_old_sessions_as_long_as_the_previous_one_is_there(config: Config) -> None:
    key = Path(config.login.session_key_file)
    sessions = Sessions(config)
    old = sent(sessions, session())
    key.rename(key.with_name("previous"))
    key.write_bytes(secrets.token_bytes(48))
    assert read(sessions, old, HOST) == session()
    new = sent(sessions, session(user="vera"))
    assert read(sessions, new, HOST) == session(user="vera")
    key.with_name("previous").unlink()
    assert read(sessions, old, HOST) is None
    assert read(Sessions(config), new, HOST) == session(user="vera")


@pytest.mark.parametrize(
    ("change", "name", "attributes"),
    [
        ({}, "__Host-spark-ui", "Path=/"),
        ({"base_path": "/spark"}, "__Secure-spark-ui", "Path=/spark/"),
        ({"base_path": "/spark", "hosts": Hosts("namespace", HOST)}, "__Host-spark-ui", "Path=/"),
    ],
)
def test_a_cookie_is_for_this_host_and_its_paths_alone(
    config: Config, change: dict[str, object], name: str, attributes: str
) -> None:
    headers = Sessions(replace(config, **change)).headers(session(token=token(150)), HOST)  # type: ignore[arg-type]
    assert [header.partition("=")[0] for header in headers] == [name, *(f"{name}-{part}" for part in (1, 2, 3))]
    for given in headers:
        assert {"HttpOnly", "SameSite=Lax", "Secure", attributes} <= set(given.split("; "))
        assert "Domain" not in given


def test_without_tls_a_cookie_has_a_name_that_browsers_take(config: Config) -> None:
    insecure = replace(config, login=replace(config.login, secure_cookie=False))
    given, *_ = Sessions(insecure).headers(session(), HOST)
    assert given.startswith("spark-ui=")
    assert "Secure" not in given


@pytest.mark.parametrize(("groups", "parts"), [(1, 1), (80, 1), (150, 2), (200, 2), (400, 4)])
def test_a_token_with_many_groups_is_kept_in_parts(config: Config, groups: int, parts: int) -> None:
    sessions = Sessions(config)
    what = session(token=token(groups))
    cookies = pairs(sessions.headers(what, HOST))
    assert len(cookies) == parts
    assert max(map(len, cookies)) <= 4096
    # A browser sends them in any order.
    for order in (cookies, cookies[::-1]):
        assert read(sessions, "; ".join(order), HOST) == what
    for missing in range(parts):
        assert read(sessions, "; ".join([*cookies[:missing], *cookies[missing + 1 :]]), HOST) is None


def test_parts_of_two_sessions_are_never_put_together(config: Config) -> None:
    sessions = Sessions(config)
    annas, veras = (session(user=user, token=token(150)) for user in ("anna", "vera"))
    one, two = (pairs(sessions.headers(what, HOST)) for what in (annas, veras))
    assert read(sessions, "; ".join([one[0], two[1]]), HOST) is None
    # Whoever sets cookies for a longer path may put theirs before ours.
    assert list(sessions.read("; ".join([*two, *one]), HOST)) == [veras, annas]
    planted = [f"{name}={value}" for name in ("__Host-spark-ui", "__Host-spark-ui-1") for value in ("3.AAAA", "AAAA.B")]
    assert read(sessions, "; ".join([*planted * 20, *one]), HOST) == annas


def test_a_shorter_session_and_a_logout_remove_old_parts(config: Config) -> None:
    sessions = Sessions(config)
    old = pairs(sessions.headers(session(token=token(150)), HOST))
    first, *removed = sessions.headers(session(), HOST)
    assert all("=; " in header and "Max-Age=0" in header for header in removed)
    assert len(removed) == 3
    # An old part that is there nevertheless is none of the new session's.
    assert read(sessions, "; ".join([*pairs([first]), old[1]]), HOST) == session()
    assert len(sessions.end()) == 4
    assert all("=; " in header and "Max-Age=0" in header for header in sessions.end())


@pytest.mark.parametrize(
    "odd",
    [
        "a.b.c",
        "e30.e30.",
        "e30=.e30=.x",
        "eyJ9.eyJ9.sig",
        "_w._w.x",
        "....",
        "x" * 500,
        "e31.e31.AA",
        "é.é.é",
        "Cg.Cg.x",
    ],
)
def test_a_token_comes_back_as_it_was(config: Config, odd: str) -> None:
    sessions = Sessions(config)
    assert read(sessions, sent(sessions, session(token=odd)), HOST) == session(token=odd)


def test_what_no_cookies_hold_is_refused_in_a_line(config: Config) -> None:
    sessions = Sessions(config)
    for large in (secrets.token_urlsafe(12_000), token(800), "a" * 2**18):
        with pytest.raises(SessionError, match=r"token is too long .* log in with one that names fewer groups") as told:
            sessions.headers(session(token=large), HOST)
        assert len(str(told.value).splitlines()) == 1


def test_a_short_key_is_refused(config: Config) -> None:
    Path(config.login.session_key_file).write_bytes(b"secret")
    with pytest.raises(ConfigError, match="32 random ones"):
        Sessions(config).check()
