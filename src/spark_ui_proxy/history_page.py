"""Where a page of a running application is in the history."""

from __future__ import annotations

from spark_ui_proxy.paths import Route

_LIVE_ONLY = {
    "/executors/threadDump": "/executors/",
    "/executors/heapHistogram": "/executors/",
    "/logPage": "/executors/",
    "/log": "/executors/",
    "/streaming": "/jobs/",
    "/jobs/job/kill": "/jobs/",
    "/stages/stage/kill": "/stages/",
}
"""Pages that need the running driver, and what comes nearest."""
_OF_SERVER = ("/api/v1/applications/", "/static/")
"""Paths that a history server has once for all applications."""


def same_page(route: Route) -> str:
    """Path and query, below the history server's prefix, of the page that a route asked of a driver."""
    rest = route.rest
    if rest.startswith(_OF_SERVER):
        return route.upstream_path
    base = f"/history/{route.app_id}"
    for live, nearest in _LIVE_ONLY.items():
        if rest.rstrip("/") == live or rest.startswith(f"{live}/"):
            return base + nearest
    if rest in ("", "/"):
        return f"{base}/jobs/"
    return base + route.upstream_path
