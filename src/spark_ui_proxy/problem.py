"""Answers for programs: what is wrong, and the headers of all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web

HEADERS = MappingProxyType(
    {
        "Cache-Control": "private, no-cache",
        "Vary": "Cookie, Authorization",
        "X-Content-Type-Options": "nosniff",
    }
)


def problem(status: int, title: str, detail: str, **more: str) -> web.Response:
    """An error as problem+json (RFC 9457), in one line; keyword arguments are members of its own."""
    members: Mapping[str, str | int] = {"title": title, "status": status, "detail": detail, **more}
    return web.Response(
        text=json.dumps(members) + "\n", status=status, content_type="application/problem+json", headers=HEADERS
    )
