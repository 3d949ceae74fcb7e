"""The API server, as far as this service asks it: lists, watches, reviews and one patch, as plain JSON.

A team writes much of what its pods say: no pod may take the memory of this service, or end it.
"""

from __future__ import annotations

import io
import json
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp
import ijson

from spark_ui_proxy.files import Reread

Json = dict[str, Any]
_PAGE = 200
"""Objects of a page; a page of large ones is asked for again with fewer."""
_PAGE_BYTES = 4 * 2**20
"""More than 200 drivers have."""
_OBJECT_BYTES = 16 * 2**20
"""More than the largest object: etcd takes 1.5 MB, and JSON has six bytes for a `<`."""
_CONNECT_S = 5.0
_ANSWER_S = 15.0
_SILENCE_S = 10.0
"""A watch that is this much longer silent than it was to last is dead."""


class ApiError(Exception):
    """The API server refused, or did not answer.

    Attributes:
        status: of the answer; 0 if there was none.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Page:
    """A part of a list; `version` is the whole list's."""

    items: list[Json]
    version: str


class Api:
    """A client of one API server, with the identity of a token file.

    Args:
        server: its URL; "": as a pod finds it.
        token_file, ca_file: read again when they change, as a pod's do.
    """

    def __init__(self, server: str, token_file: Path, ca_file: Path) -> None:
        self._server = server or _in_cluster()
        self._token = Reread(token_file, lambda content: content.decode().strip())
        self._tls = Reread(ca_file, lambda content: ssl.create_default_context(cadata=content.decode()))
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Api:
        # Watches hold a connection each; reviews are limited by those who ask.
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def pages(self, path: str, params: Mapping[str, str]) -> AsyncIterator[Page]:
        """The pages of a list.

        Raises:
            ApiError: 410, if it took longer than the API server remembers; others.
        """
        following, size = "", _PAGE
        while True:
            asked = {**params, "limit": str(size), **({"continue": following} if following else {})}
            async with self._open("GET", path, asked) as answer:
                text = await _whole(answer, _PAGE_BYTES if size > 1 else _OBJECT_BYTES)
            if text is None:
                if size == 1:
                    raise ApiError(0, f"one object has more than {_OBJECT_BYTES >> 20} MiB")
                size = max(1, size // 10)
                continue
            page = _read(text)
            yield Page(page.get("items") or [], page["metadata"]["resourceVersion"])
            following = page["metadata"].get("continue", "")
            if not following:
                return

    @asynccontextmanager
    async def watch(
        self, path: str, params: Mapping[str, str], version: str, seconds: int
    ) -> AsyncIterator[AsyncIterator[Json]]:
        """The events after a resourceVersion, for some seconds; entering it means that the API server has agreed.

        Raises:
            ApiError: 410, if it no longer remembers that version; others. An event may say so too.
        """
        asked = {
            **params,
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
        }
        timeout = aiohttp.ClientTimeout(sock_connect=_CONNECT_S, sock_read=seconds + _SILENCE_S)
        async with self._open("GET", path, asked, timeout=timeout) as answer:
            yield _events(answer)

    async def create(self, path: str, body: Json, token: str = "") -> Json:
        """POST an object, with a token of somebody's own if one is given; return what the API server made of it.

        Raises:
            ApiError: it refused, or did not answer.
        """
        async with self._open("POST", path, {}, body=body, token=token) as answer:
            return await _object(answer)

    async def patch(self, path: str, body: Json) -> Json:
        """Merge into an object (RFC 7386); return what the API server made of it.

        Raises:
            ApiError: 409, if the patch has a resourceVersion that is no longer the object's; others.
        """
        async with self._open("PATCH", path, {}, body=body, kind="application/merge-patch+json") as answer:
            return await _object(answer)

    @asynccontextmanager
    async def _open(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        *,
        body: Json | None = None,
        kind: str = "application/json",
        token: str = "",
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            headers = {"Authorization": f"Bearer {token or self._token.get()}", "Accept": "application/json"}
            headers |= {"Content-Type": kind} if body is not None else {}
            async with self._session.request(
                method,
                self._server + path,
                params=params,
                json=body,
                headers=headers,
                ssl=self._tls.get(),
                allow_redirects=False,
                timeout=timeout or aiohttp.ClientTimeout(total=_ANSWER_S, sock_connect=_CONNECT_S),
            ) as answer:
                if answer.status >= 300:
                    raise ApiError(answer.status, _message(await answer.content.read(4096)) or str(answer.reason))
                yield answer
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ApiError(0, f"the API server does not answer: {str(error) or type(error).__name__}") from error


async def _events(answer: aiohttp.ClientResponse) -> AsyncIterator[Json]:
    line = bytearray()
    async for part in answer.content.iter_any():
        *ended, rest = part.split(b"\n")
        for end in ended:
            line += end
            if line.strip():
                yield _read(line)
            line = bytearray()
        line += rest
        if len(line) > _OBJECT_BYTES:
            raise ApiError(0, f"an event has more than {_OBJECT_BYTES >> 20} MiB")


async def _object(answer: aiohttp.ClientResponse) -> Json:
    text = await _whole(answer, _OBJECT_BYTES)
    if text is None:
        raise ApiError(0, f"an object has more than {_OBJECT_BYTES >> 20} MiB")
    return _read(text)


async def _whole(answer: aiohttp.ClientResponse, most: int) -> bytearray | None:
    """An answer's bytes; none, if there are more than `most`."""
    text = bytearray()
    async for part in answer.content.iter_any():
        text += part
        if len(text) > most:
            return None
    return text


def _read(text: bytearray) -> Json:
    """JSON of any depth: the API server keeps 10,000 levels (`managedFields`), more than Python's own reader takes."""
    try:
        read: Json = json.loads(text)
        return read
    except RecursionError:
        return _read_deep(text)


def _read_deep(text: bytearray) -> Json:
    built = ijson.ObjectBuilder()
    try:
        # Not ijson.items: it keeps a path for each level, and so takes a memory of depth times length.
        for event, value in ijson.basic_parse(io.BytesIO(text), use_float=True):
            built.event(event, value)
    except ijson.JSONError as error:
        raise ValueError(str(error)) from None
    read: Json = built.value
    return read


def _message(content: bytes) -> str:
    """What a Status says."""
    try:
        return str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        return ""


def _in_cluster() -> str:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
