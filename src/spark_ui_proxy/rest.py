"""The REST of Spark's UIs, asked by the service itself: what they answer is not trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from spark_ui_proxy.index import Target


class RestError(Exception):
    """A UI that gives no usable answer; its text is what it does, in a few words."""


def new_client() -> aiohttp.ClientSession:
    """A client for UIs: it keeps no cookie, unpacks nothing, and its idle connections end before Spark's (8 s).

    Who asks limits what is open (`shares.Shares`): a limit here would be one that all namespaces wait for.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=4),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "spark-ui-proxy"},
        auto_decompress=False,
    )


async def get_json(
    client: aiohttp.ClientSession,
    target: Target,
    path: str,
    query: Mapping[str, str | int],
    *,
    seconds: float,
    largest: int,
) -> Any:
    """What a UI answers, parsed; redirects are not followed, since a target is an address that the watch knows.

    Args:
        path: below `/api/v1`.
        seconds: for the whole answer.
        largest: bytes of it.

    Raises:
        RestError: another status than 200, more than `largest` bytes, no JSON.
        TimeoutError, aiohttp.ClientError: no answer.
    """
    url = f"http://{target.address}/api/v1{path}"
    async with client.get(url, params=dict(query), timeout=_timeout(seconds), allow_redirects=False) as answer:
        if answer.status != 200:
            raise RestError(f"answers {answer.status}")
        body = bytearray()
        async for chunk in answer.content.iter_any():
            body += chunk
            if len(body) > largest:
                raise RestError(f"answers more than {largest >> 10} KiB")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RestError("answers no JSON") from None


async def has_page(client: aiohttp.ClientSession, target: Target, path: str, *, seconds: float) -> bool:
    """Whether a UI has a page: for one that it has not, Spark redirects to its first."""
    url = f"http://{target.address}{path}"
    try:
        async with client.head(url, timeout=_timeout(seconds), allow_redirects=False) as answer:
            return answer.status == 200
    except (TimeoutError, aiohttp.ClientError):
        return False


def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds, sock_connect=3)


def moment(milliseconds: int) -> datetime:
    """A time as Spark's REST has it.

    Raises:
        TypeError, ValueError, OverflowError, OSError: it is none.
    """
    return datetime.fromtimestamp(milliseconds // 1000, UTC) + timedelta(milliseconds=milliseconds % 1000)


def text(raw: Any, longest: int) -> str:
    """What a UI says, as text that any page can hold: no half characters, no controls that turn the line around."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in str(raw)[:longest])
