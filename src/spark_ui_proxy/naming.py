"""Drivers whose manifest names no application (notebooks, Connect servers) are asked which ones they run.

A notebook's pod has a driver for each kernel: the first has the pod's port of Spark's UI, each other the next that is
free when it starts. So each of those ports is asked that Spark itself would try, at intervals; in between the ports of
what runs, and the first few others, where the next kernel will be.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import aiohttp

from spark_ui_proxy.catalog import Catalog
from spark_ui_proxy.index import Named, Target
from spark_ui_proxy.naming_answers import read_named
from spark_ui_proxy.pods import DRIVER
from spark_ui_proxy.rest import RestError, get_json
from spark_ui_proxy.witness import Witness

_PERIOD_S = 5.0
_WHOLE_S = 30.0
"""After so long all ports of a pod are asked."""
_FURTHER = 4
"""Ports that are asked in between though nothing is known to be there."""
_AT_ONCE = 4
"""Pods of one namespace."""
_MOST_BYTES = 2**14
"""A driver's list has one application, in some 500 bytes."""
_PATIENCE_S, _SHORT_PATIENCE_S = 3.0, 1.0
"""Where something is known to be, and where not."""


class Naming:
    """Asks them every few seconds, since a notebook may start another application at any time.

    Args:
        catalog: knows the pods, and is told what they say.
        client: for requests to drivers.
        witness: asks which pod they are before what is new of theirs is told to anybody.
    """

    def __init__(self, catalog: Catalog, client: aiohttp.ClientSession, witness: Witness) -> None:
        self._catalog = catalog
        self._client = client
        self._witness = witness
        self._whole_at: dict[Target, float] = {}

    async def run(self) -> None:
        """Ask until cancelled; a namespace whose pods are slow waits for these alone."""
        rounds: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                nameless = self._nameless()
                there = {target for targets in nameless.values() for target in targets}
                self._whole_at = {target: at for target, at in self._whole_at.items() if target in there}
                for namespace, targets in nameless.items():
                    if namespace not in rounds or rounds[namespace].done():
                        rounds[namespace] = group.create_task(self._round(namespace, targets))
                await asyncio.sleep(_PERIOD_S)
                rounds = {namespace: task for namespace, task in rounds.items() if not task.done()}

    def _nameless(self) -> dict[str, list[Target]]:
        """The drivers to ask, by namespace."""
        found: dict[str, list[Target]] = defaultdict(list)
        for pod in self._catalog.pods.values():
            if pod.role == DRIVER and not pod.app_id and (target := self._catalog.target(pod)):
                found[pod.namespace].append(target)
        return found

    async def _round(self, namespace: str, targets: Iterable[Target]) -> None:
        room = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(self._name(namespace, target, room) for target in targets))

    async def _name(self, namespace: str, target: Target, room: asyncio.Semaphore) -> None:
        async with room:
            known = self._catalog.named(target.pod_uid)
            asked = (self._ask(target, port, known.get(port)) for port in self._ports(target, known))
            found = list(filter(None, await asyncio.gather(*asked)))
            ids = {named.app_id for named in known.values()}
            new = next((named for named in found if named.app_id not in ids), None)
            if new:
                # If that is another pod's driver, the target is not this pod's from now on. One is enough: a pod has
                # one address. Each would be a megabyte of many names that a driver makes up.
                await self._witness.ask(namespace, replace(target, port=new.port))
        self._catalog.name(target, found)

    def _ports(self, target: Target, known: Iterable[int]) -> list[int]:
        """Where to ask now, in order."""
        ports, now = self._catalog.ports(target), time.monotonic()
        if now - self._whole_at.get(target, float("-inf")) > _WHOLE_S:
            self._whole_at[target] = now
            return list(ports)
        others = (port for port in ports if port not in known)
        return sorted({*(port for port in known if port in ports), *islice(others, _FURTHER)})

    async def _ask(self, target: Target, port: int, known: Named | None) -> Named | None:
        """What the driver at a port runs; None: no driver is there, or it does not say."""
        patience = _PATIENCE_S if known or port == target.port else _SHORT_PATIENCE_S
        try:
            place = replace(target, port=port)
            found = await get_json(self._client, place, "/applications", {}, seconds=patience, largest=_MOST_BYTES)
        except (aiohttp.ClientConnectorError, RestError):
            return None
        except (aiohttp.ClientError, TimeoutError):
            return known  # it is busy: what it last said holds
        return read_named(found, port)
