"""Asking as another: ``as``, ``as-groups``, ``as-uid`` and ``as-user-extra`` of a kubeconfig's user.

The Kubernetes client passes over them, and would ask with all the rights of the login itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from urllib3 import HTTPHeaderDict


def ask_as(api: Any, user: Mapping[str, Any]) -> None:
    """Have a client (ApiClient) ask as whom a kubeconfig's user names, if it names one."""
    others = list(_headers(user))
    if not others:
        return
    plain = api.rest_client.request

    def request(method: str, url: str, headers: Mapping[str, str] | None = None, **more: Any) -> Any:
        # A group is a header line; a dict has one line of a name.
        lines = HTTPHeaderDict(headers or {})
        for name, value in others:
            lines.add(name, value)
        return plain(method, url, headers=lines, **more)

    api.rest_client.request = request


def _headers(user: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "as" in user:
        yield "Impersonate-User", str(user["as"])
    if "as-uid" in user:
        yield "Impersonate-Uid", str(user["as-uid"])
    for group in user.get("as-groups") or []:
        yield "Impersonate-Group", str(group)
    for key, values in (user.get("as-user-extra") or {}).items():
        for value in values:
            yield f"Impersonate-Extra-{quote(key, safe='')}", str(value)
