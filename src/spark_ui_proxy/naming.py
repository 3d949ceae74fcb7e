"""Drivers whose manifest names no application (notebooks, Connect servers) are asked which one they run."""

from __future__ import annotations

import asyncio
import json

import aiohttp

from spark_ui_proxy.catalog import Catalog
from spark_ui_proxy.index import Target
from spark_ui_proxy.pods import APP_ID, DRIVER

_PERIOD_S = 5.0
_AT_ONCE = 8
_MOST_BYTES = 2**16
_TIMEOUT = aiohttp.ClientTimeout(total=3.0, sock_connect=1.0)


class Naming:
    """Asks them every few seconds, since a notebook may start another application at any time.

    Args:
        catalog: knows the pods, and is told the ids.
        session: for requests to drivers.
    """

    def __init__(self, catalog: Catalog, session: aiohttp.ClientSession) -> None:
        self._catalog = catalog
        self._session = session
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            targets = [
                pod.target
                for pod in self._catalog.pods.values()
                if pod.role == DRIVER and not pod.app_id and pod.target and not pod.leaving
            ]
            await asyncio.gather(*(self._name(target) for target in targets))
            await asyncio.sleep(_PERIOD_S)

    async def _name(self, target: Target) -> None:
        async with self._room:
            try:
                self._catalog.name(target.pod_uid, only_id(await self._ask(target)))
            except aiohttp.ClientConnectorError:
                self._catalog.name(target.pod_uid, "")
            except (aiohttp.ClientError, TimeoutError):
                pass  # it is busy: what it last said holds

    async def _ask(self, target: Target) -> bytes:
        url = f"http://{target.address}/api/v1/applications"
        async with self._session.get(
            url, headers={"Accept-Encoding": "identity"}, allow_redirects=False, timeout=_TIMEOUT
        ) as answer:
            content = b""
            while len(content) <= _MOST_BYTES:
                chunk = await answer.content.readany()
                if not chunk:
                    return content
                content += chunk
            return b""


def only_id(content: bytes) -> str:
    """The id in a driver's list of applications, which is one; "" if there is none, or it is no id."""
    try:
        found = json.loads(content)[0]["id"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return found if isinstance(found, str) and APP_ID.fullmatch(found) else ""
