"""The gateway's requests, read."""

from __future__ import annotations

from aiohttp import web

from spark_ui_proxy.asked import Asked


def original(request: web.Request) -> Asked:
    """The client's request, which the gateway describes in X-Original-* (`/authz`, `/-/answer`)."""
    headers = request.headers
    return Asked(
        method=headers.get("X-Original-Method", ""),
        target=headers.get("X-Original-URI", ""),
        host=headers.get("X-Original-Host", ""),
        headers=_all(request),
    )


def asked_of(request: web.Request) -> Asked:
    """The client's request, which the gateway passes on as it is (the page, login, the API)."""
    return Asked(request.method, request.raw_path, request.headers.get("Host", ""), _all(request))


def _all(request: web.Request) -> dict[str, list[str]]:
    return {name.lower(): request.headers.getall(name) for name in request.headers}
