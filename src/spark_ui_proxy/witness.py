"""Which pod answers at an address? A driver is asked, since a pod that only says that it is there cannot answer for it.

Spark on Kubernetes knows its own pod: `spark.kubernetes.driver.pod.name` in `spark.kubernetes.namespace` is set by
spark-submit and by the charts, and Spark ends where no such pod is. A driver without them (a notebook in local mode,
REST switched off, busy) says nothing, and nothing follows from that.

Asked are drivers that are looked at for the first time, and all that claim an address which another pod claims too.
What they say is shown to nobody.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp

from spark_ui_proxy.catalog import Catalog
from spark_ui_proxy.index import Target
from spark_ui_proxy.naming_answers import only_id
from spark_ui_proxy.pods import DRIVER
from spark_ui_proxy.rest import RestError, get_json
from spark_ui_proxy.shares import Shares

_PERIOD_S = 0.5
_AGAIN_S = 10.0
"""An address that nobody has spoken for is asked about again after so long."""
_AT_ONCE = 4
"""Of one namespace."""
_PATIENCE_S = 3.0
_LIST_BYTES, _ENVIRONMENT_BYTES = 2**16, 2**20
_NAMESPACE, _POD = "spark.kubernetes.namespace", "spark.kubernetes.driver.pod.name"


class Witness:
    """Asks drivers which pod they are, and tells the catalog.

    Args:
        catalog: knows the pods, and whose address is disputed.
        client: for requests to drivers.
    """

    def __init__(self, catalog: Catalog, client: aiohttp.ClientSession) -> None:
        self._catalog = catalog
        self._client = client
        self._slots = Shares(_AT_ONCE)
        self._asked_at: dict[tuple[str, str], float] = {}
        self._asking: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Ask about what is disputed, until cancelled."""
        try:
            while True:
                for key, target in self._due().items():
                    self._asked_at[key] = time.monotonic()
                    task = asyncio.create_task(self.ask(key[0], target))
                    self._asking.add(task)
                    task.add_done_callback(self._asking.discard)
                await asyncio.sleep(_PERIOD_S)
        finally:
            for task in self._asking:
                task.cancel()

    def _due(self) -> dict[tuple[str, str], Target]:
        """The targets to ask, one for each namespace and port: pods of one namespace delay no other's."""
        now, claims = time.monotonic(), self._catalog.claims
        for key in [known for known, asked in self._asked_at.items() if now - asked > _AGAIN_S]:
            del self._asked_at[key]
        pods = (
            self._catalog.pods[uid]
            for address in claims.disputed
            if not claims.has_node(address)
            for uid in claims.claimants(address)
        )
        found = {
            (pod.namespace, target.address): target
            for pod in pods
            if pod.role == DRIVER
            for target in self._catalog.targets(pod)
        }
        return {key: target for key, target in found.items() if key not in self._asked_at}

    async def ask(self, namespace: str, target: Target) -> None:
        """Ask the driver at a target which pod it is; without an answer, or if it does not say, all stays as it is."""
        asked = self._catalog.claims.claimants(target.ip)
        try:
            async with self._slots.of(namespace):
                found = await self._testimony(target)
        except (aiohttp.ClientError, TimeoutError, RestError):
            return
        if found:
            self._catalog.settle(target.ip, *found, among=asked)

    async def _testimony(self, target: Target) -> tuple[str, str] | None:
        """Namespace and name of the pod that answers; None: it does not say.

        Raises:
            RestError, TimeoutError, aiohttp.ClientError: as `get_json`.
        """
        listed = await self._get(target, "/applications", _LIST_BYTES)
        app_id = only_id(listed)
        return (
            said(await self._get(target, f"/applications/{app_id}/environment", _ENVIRONMENT_BYTES)) if app_id else None
        )

    async def _get(self, target: Target, path: str, largest: int) -> Any:
        return await get_json(self._client, target, path, {}, seconds=_PATIENCE_S, largest=largest)


def said(environment: Any) -> tuple[str, str] | None:
    """Namespace and name of the pod that an environment of Spark's REST tells of; None: it tells of none."""
    try:
        known = {key: value for key, value in environment["sparkProperties"] if key in (_NAMESPACE, _POD)}
    except (LookupError, TypeError, ValueError):
        return None
    namespace, name = known.get(_NAMESPACE), known.get(_POD)
    return (namespace, name) if isinstance(namespace, str) and isinstance(name, str) else None
