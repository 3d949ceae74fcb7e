"""Drivers whose manifest names no application (notebooks, Connect servers) are asked which one they run."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import aiohttp

from spark_ui_proxy.catalog import Catalog
from spark_ui_proxy.index import Target
from spark_ui_proxy.pods import APP_ID, DRIVER
from spark_ui_proxy.rest import RestError, get_json

_PERIOD_S = 5.0
_AT_ONCE = 4
"""Of one namespace."""
_MOST_BYTES = 2**16
_PATIENCE_S = 3.0


class Naming:
    """Asks them every few seconds, since a notebook may start another application at any time.

    Args:
        catalog: knows the pods, and is told the ids.
        client: for requests to drivers.
    """

    def __init__(self, catalog: Catalog, client: aiohttp.ClientSession) -> None:
        self._catalog = catalog
        self._client = client

    async def run(self) -> None:
        """Ask until cancelled; a namespace whose pods are slow waits for these alone."""
        rounds: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                for namespace, targets in self._nameless().items():
                    if namespace not in rounds or rounds[namespace].done():
                        rounds[namespace] = group.create_task(self._round(targets))
                await asyncio.sleep(_PERIOD_S)
                rounds = {namespace: task for namespace, task in rounds.items() if not task.done()}

    def _nameless(self) -> dict[str, list[Target]]:
        """The drivers to ask, by namespace."""
        found: dict[str, list[Target]] = defaultdict(list)
        for pod in self._catalog.pods.values():
            if pod.role == DRIVER and not pod.app_id and (target := self._catalog.target(pod)):
                found[pod.namespace].append(target)
        return found

    async def _round(self, targets: Iterable[Target]) -> None:
        room = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(self._name(target, room) for target in targets))

    async def _name(self, target: Target, room: asyncio.Semaphore) -> None:
        async with room:
            try:
                found = await get_json(
                    self._client, target, "/applications", {}, seconds=_PATIENCE_S, largest=_MOST_BYTES
                )
            except (aiohttp.ClientConnectorError, RestError):
                found = None
            except (aiohttp.ClientError, TimeoutError):
                return  # it is busy: what it last said holds
        self._catalog.name(target.pod_uid, only_id(found))


def only_id(applications: Any) -> str:
    """The id in a driver's list of applications, which is one; "" if there is none, or it is no id."""
    try:
        found = applications[0]["id"]
    except (LookupError, TypeError):
        return ""
    return found if isinstance(found, str) and APP_ID.fullmatch(found) else ""
