"""The API server, asked with the pod's own token, which is read again for each request. Standard library only."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeVar

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def in_brackets(host: str) -> str:
    """A host as URLs and Spark ask for it: Kubernetes gives an address of IPv6 without brackets."""
    return f"[{host}]" if ":" in host else host


def api_server(environment: Mapping[str, str]) -> str:
    """The URL of the API server, as Kubernetes tells every container."""
    host, port = environment.get("KUBERNETES_SERVICE_HOST", ""), environment.get("KUBERNETES_SERVICE_PORT", "443")
    return f"https://{in_brackets(host)}:{port}"


_HOST = api_server(os.environ)
_QUIET_S = 60  # a watch or log without a word for so long is asked for again: its connection may be dead
_LONGEST = 8 * 1024 * 1024  # bytes of a line at once: an event of a watch has less, and a log may hold any line
AWAY = (OSError, HTTPException, ValueError)
"""What an API server that is away, or goes away in the middle of an answer, looks like (URLError is an OSError)."""

T = TypeVar("T")


class RefusedError(Exception):
    """The API server said no; ``status`` is its HTTP status code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def namespace() -> str:
    """The pod's own namespace."""
    return (_ACCOUNT / "namespace").read_text()


def ask(method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
    """One request; the answer as an object.

    Raises:
        RefusedError: the API server answered with an error.
    """
    with _open(method, path, body, kind) as answer:
        return read(answer.read())


def read(text: str | bytes) -> Any:
    """What the API server says, as an object.

    Raises:
        RefusedError: it is nested too deeply: the API server keeps more levels (managedFields) than Python reads.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise RefusedError(0, "an answer of the API server is nested too deeply to be read") from None


def pieces(path: str) -> Iterator[bytes]:
    """The lines of an answer that goes on, a watch or a log, until the API server ends it.

    A line with more bytes than a program should keep comes in pieces, of which the last alone ends with a newline.
    """
    with _open("GET", path) as answer:
        yield from iter(lambda: answer.readline(_LONGEST), b"")


def lines(path: str) -> Iterator[str]:
    """The same as text."""
    return (piece.decode(errors="replace") for piece in pieces(path))


def patiently(act: Callable[[], T]) -> T:
    """Do something again and again until the API server is there; other refusals are raised."""
    wait_s = 0.5
    while True:
        try:
            return act()
        except RefusedError as refused:
            if refused.status not in (429, 500, 502, 503, 504):
                raise
            problem: Exception = refused
        except AWAY as error:
            problem = error
        print(f"kindling: the API server does not answer ({problem}); trying again", file=sys.stderr, flush=True)
        time.sleep(wait_s)
        wait_s = min(wait_s * 2, 5)


def _open(method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
    token = (_ACCOUNT / "token").read_text()
    request = urllib.request.Request(
        _HOST + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": kind},
    )
    context = ssl.create_default_context(cafile=str(_ACCOUNT / "ca.crt"))
    try:
        return urllib.request.urlopen(request, context=context, timeout=_QUIET_S)
    except urllib.error.HTTPError as error:
        text = error.read(_LONGEST).decode(errors="replace")
        with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
            text = json.loads(text)["message"]
        raise RefusedError(error.code, text) from None
