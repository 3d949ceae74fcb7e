"""What a gateway asks and is told, `/authz`: the contract for nginx, and for a site with a gateway of its own.

`GET /authz` at the decider's socket, for each request that is for an application or a history server:

- asked with `X-Original-Method`, `X-Original-URI` (raw, with the query) and `X-Original-Host`, and with the client's
  own Cookie, Authorization, Accept, Origin, Referer, Sec-Fetch-Site, Service-Worker and the trusted headers. What a
  client sends under a name of `X-Original-*`, `X-Client-Verified` or `X-Reason` must be overwritten.
- 200: the request may pass. Ask `X-Upstream` (IP:PORT) for `X-Upstream-Path` (raw), with `X-Forwarded-Context` set to
  `X-Context`, without the client's Cookie and Authorization. `X-Application` (NAMESPACE/ID, NAMESPACE/shs) and `X-User`
  (stands for a user, tells nothing) are for limits and logs. For `X-Decision-Seconds` the answer counts for all GETs
  and HEADs with the same credentials, host and path up to `X-Context`, if their rest is plain and has no "kill"; 0: for
  this request alone.
- 401 or 403: it may not; `X-Reason` says why in a word (`spark_ui_proxy.decide.Reason`). Any other answer: it may not.

`GET /-/answer` with the same headers gives the whole answer for a client whose request may not pass: a redirect, or a
page, or problem+json. It does so too for one that could not pass: `X-Reason: unreachable` or `slow`.

All else below the base path (`/`, `/-/…`) is passed on as it is, with the client's Host.
"""

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
