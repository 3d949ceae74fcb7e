"""The session cookie of spark-ui-proxy: whom it lets in, and where its limits are."""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import replace
from pathlib import Path

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
    return replace(Session("anna", ("on-call", "system:authenticated"), "", _ENDS - 7200, _ENDS), **given)  # type: ignore[arg-type]


def read(sessions: Sessions, cookies: str, host: str) -> Session | None:
    """The first session that it finds."""
    return next(sessions.read(cookies, host), None)


def pair(header: str) -> str:
    """Of a Set-Cookie header, what a browser sends back."""
    return header.partition(";")[0]


def test_a_session_is_read_where_it_was_made_and_nowhere_else(config: Config) -> None:
    sessions = Sessions(config)
    cookie = pair(sessions.header(session(), HOST))
    assert read(sessions, f"other=1; {cookie}", HOST) == session()
    assert read(sessions, cookie, "other.example.com") is None
    assert read(sessions, "", HOST) is None


def test_a_session_ends(config: Config) -> None:
    sessions = Sessions(config)
    assert read(sessions, pair(sessions.header(session(ends=int(time.time()) - 1), HOST)), HOST) is None


def test_no_bit_of_a_cookie_can_be_changed(config: Config) -> None:
    sessions = Sessions(config)
    name, _, value = pair(sessions.header(session(), HOST)).partition("=")
    sealed = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        assert read(sessions, f"{name}={base64.urlsafe_b64encode(changed).decode()}", HOST) is None


@pytest.mark.parametrize(
    "value", ["", "x", "====", "é", "A" * 5000, "\udcff", "AAAA", base64.b64encode(bytes(range(64))).decode()]
)
def test_what_is_no_cookie_of_ours_is_nobodys(config: Config, value: str) -> None:
    sessions = Sessions(config)
    assert read(sessions, f"{sessions.cookie}={value}", HOST) is None


def test_a_false_cookie_before_the_true_one_is_passed_over(config: Config) -> None:
    sessions = Sessions(config)
    cookie = pair(sessions.header(session(), HOST))
    assert read(sessions, f"{sessions.cookie}=planted; {cookie}", HOST) == session()
    ended = pair(sessions.header(session(ends=int(time.time()) - 1), HOST))
    assert read(sessions, f"{ended}; {cookie}", HOST) == session()


def test_a_new_key_opens_old_sessions_as_long_as_the_previous_one_is_there(config: Config) -> None:
    key = Path(config.login.session_key_file)
    sessions = Sessions(config)
    old = pair(sessions.header(session(), HOST))
    key.rename(key.with_name("previous"))
    key.write_bytes(secrets.token_bytes(48))
    assert read(sessions, old, HOST) == session()
    new = pair(sessions.header(session(user="vera"), HOST))
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
    given = Sessions(replace(config, **change)).header(session(), HOST)  # type: ignore[arg-type]
    assert given.startswith(f"{name}=")
    assert {"HttpOnly", "SameSite=Lax", "Secure", attributes} <= set(given.split("; "))
    assert "Domain" not in given


def test_without_tls_a_cookie_has_a_name_that_browsers_take(config: Config) -> None:
    insecure = replace(config, login=replace(config.login, secure_cookie=False))
    given = Sessions(insecure).header(session(), HOST)
    assert given.startswith("spark-ui=")
    assert "Secure" not in given


def test_what_no_cookie_holds_is_refused_in_a_line(config: Config) -> None:
    sessions = Sessions(config)
    for large, what in (
        (session(user="", groups=(), token=secrets.token_urlsafe(4000)), "Your token is too long"),
        (session(groups=tuple(secrets.token_hex(16) for _ in range(200))), "Your list of groups is too long"),
    ):
        with pytest.raises(SessionError, match=what):
            sessions.header(large, HOST)
    assert len(pair(sessions.header(session(token=secrets.token_urlsafe(1500)), HOST))) < 4096


def test_a_short_key_is_refused(config: Config) -> None:
    Path(config.login.session_key_file).write_bytes(b"secret")
    with pytest.raises(ConfigError, match="32 random ones"):
        Sessions(config).check()
