"""spark-connect's programs: what the server is started with, which images it refuses, and whether something answers."""

from __future__ import annotations

import socket
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from programs import program

FOUR = "org/apache/spark/sql/connect/service/PreSharedKeyAuthenticationInterceptor.class"


@pytest.fixture(scope="module")
def start() -> Any:
    """The program that the server's container runs, as a module."""
    return program("spark-connect", "start")


@pytest.fixture(scope="module")
def answers() -> Any:
    """The probes' program, as a module."""
    return program("spark-connect", "answers")


def jars(folder: Path, *classes: str) -> Path:
    """A folder with a Connect server's jar that has classes."""
    with zipfile.ZipFile(folder / "spark-connect_2.13-1.0.jar", "w") as jar:
        for name in classes:
            jar.writestr(name, "")
    return folder


@contextmanager
def listening(says: bytes) -> Iterator[int]:
    """A server at a port of this machine that says something to who connects, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection = server.accept()[0]
            connection.recv(1000)
            connection.sendall(says)
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_the_servers_token_has_no_space_around_it(start: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("0123abcd\n")
    assert start.token(secret) == "0123abcd"
    secret.write_text(" \n")
    with pytest.raises(SystemExit, match=r"the token in login\.secret is empty"):
        start.token(secret)


@pytest.mark.parametrize(
    ("login", "listen", "says"),
    [
        ("token", "tls", "asks for no token and listens at every address"),
        ("token", "plaintext", "asks for no token and listens at every address"),
        ("anonymous", "loopback", "asks for no token and listens at every address"),
        ("anonymous", "plaintext", ""),
    ],
)
def test_a_server_that_asks_for_no_token_is_refused(
    start: Any, tmp_path: Path, login: str, listen: str, says: str
) -> None:
    settings = {"login": login, "listen": listen}
    refusal = start.refused(settings, jars(tmp_path, "Other.class"))
    assert (says in refusal) if says else not refusal
    assert start.refused(settings, jars(tmp_path, FOUR)) == ""


def test_a_token_or_a_jar_of_other_bytes_is_refused(start: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    with pytest.raises(SystemExit, match=r"the token in login\.secret is no text"):
        start.token(tmp_path / "token")
    (tmp_path / "spark-connect_2.13-4.3.0.jar").write_bytes(b"not a jar")
    assert "is no jar" in start.refused({"login": "token", "listen": "tls"}, tmp_path)


def test_an_image_without_a_server_is_refused(start: Any, tmp_path: Path) -> None:
    assert "the image has no Connect server" in start.refused({"login": "token", "listen": "tls"}, tmp_path)


@pytest.mark.parametrize(("text", "count"), [("\n  2\n   session(s) are online,\n running", "2"), ("", None)])
def test_sessions_are_those_of_sparks_page(start: Any, text: str, count: str | None) -> None:
    found = start.ONLINE.search(text)
    assert (found[1] if found else None) == count


def test_only_http2_answers(answers: Any) -> None:
    for says, kind in ((bytes([0, 0, 6, 4, 0, 0, 0, 0, 0]), 4), (b"", None), (b"HTTP/1.1 400", ord("P"))):
        with listening(says) as port:
            assert answers.first_frame("127.0.0.1", port, with_tls=False) == kind
