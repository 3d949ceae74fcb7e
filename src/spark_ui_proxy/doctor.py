"""A look at each driver before it is shown: is it at its address (`witness`), and does its UI follow its prefix?

A job that sets a prefix of its own breaks every link.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from dataclasses import dataclass, field

import aiohttp

from spark_ui_proxy.catalog import Catalog
from spark_ui_proxy.index import Application, Target
from spark_ui_proxy.shares import Shares
from spark_ui_proxy.witness import Witness

log = logging.getLogger(__name__)
_ROOT = re.compile(rb"setUIRoot\('([^'\n]{0,512})'\)")
_MOST_BYTES = 2**16
_TIMEOUT = aiohttp.ClientTimeout(total=5.0, sock_connect=2.0)
_PATIENCE_S = 1.5
"""A request waits so long for it, then goes on."""
_AT_ONCE = 8
"""Of one namespace."""
_AGAIN_S = 10.0
"""A driver that gave no answer is looked at again after so long."""


@dataclass(frozen=True)
class _Look:
    task: asyncio.Task[str | None]
    began: float = field(default_factory=time.monotonic)

    @property
    def in_vain(self) -> bool:
        """Whether it found nothing out, and another try is due."""
        return self.task.done() and self.task.result() is None and time.monotonic() - self.began > _AGAIN_S


class Doctor:
    """Looks at the first page of each driver once.

    Args:
        catalog: told what is wrong.
        client: for requests to drivers.
        witness: asks which pod they are; what it finds is in the catalog when `problem` has waited.
    """

    def __init__(self, catalog: Catalog, client: aiohttp.ClientSession, witness: Witness) -> None:
        self._catalog = catalog
        self._witness = witness
        self._client = client
        self._slots = Shares(_AT_ONCE)
        self._looks: dict[tuple[str, str, Target], _Look] = {}

    async def problem(self, application: Application, target: Target, context: str) -> str | None:
        """What is wrong with a UI, in a line that names what to drop; "": nothing; None: it does not say yet."""
        key = (application.namespace, application.app_id, target)
        look = self._looks.get(key)
        if look is None or look.in_vain:
            for gone in [known for known in self._looks if not self._is_there(*known)]:
                del self._looks[gone]
            look = self._looks[key] = _Look(asyncio.create_task(self._look(application, target, context)))
        await asyncio.wait([look.task], timeout=_PATIENCE_S)
        return look.task.result() if look.task.done() else None

    def _is_there(self, namespace: str, app_id: str, target: Target) -> bool:
        """Whether an application is still at a target: a kernel that is started anew is another, at the same port."""
        known = self._catalog.index.applications.get((namespace, app_id))
        return known is not None and known.target == target

    def stop(self) -> None:
        """End the looks."""
        for look in self._looks.values():
            look.task.cancel()

    async def _look(self, application: Application, target: Target, context: str) -> str | None:
        found, _ = await asyncio.gather(
            self._examine(application, target, context), self._witness.ask(application.namespace, target)
        )
        return found

    async def _examine(self, application: Application, target: Target, context: str) -> str | None:
        try:
            async with self._slots.of(application.namespace):
                root = await self._root(target, context)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.info("driver does not answer", extra={"target": str(target), "problem": type(error).__name__})
            return None
        problem = diagnosis(root, context, application.app_id)
        self._catalog.find(application.namespace, application.app_id, target.pod_uid, problem)
        return problem

    async def _root(self, target: Target, context: str) -> str | None:
        headers = {"X-Forwarded-Context": context, "Accept": "text/html"}
        content = b""
        async with self._client.get(
            f"http://{target.address}/jobs/", headers=headers, allow_redirects=False, timeout=_TIMEOUT
        ) as answer:
            async for chunk in answer.content.iter_any():
                content += chunk
                found = _ROOT.search(content)
                if found:
                    return found[1].decode(errors="replace")
                if len(content) > _MOST_BYTES:
                    break
        return None


def diagnosis(root: str | None, context: str, app_id: str) -> str:
    """What is wrong, in a line; "": nothing.

    Args:
        root: the prefix that the UI's page says it has; None: it says none.
        context: the prefix that it was given.
        app_id: of the application.
    """
    if root is None or root == context:
        return ""
    if root == "":
        return "its UI does not follow X-Forwarded-Context: Spark 2.2 or newer does"
    if root.endswith(f"/proxy/{app_id}"):
        wanted = context.removesuffix(f"/proxy/{app_id}")
        return (
            f"it sets spark.ui.reverseProxy=true, so that its links begin with {root}: drop that line, "
            f"or set spark.ui.reverseProxyUrl={wanted}"
        )
    return (
        f"it sets spark.ui.proxyBase={root} (or APPLICATION_WEB_PROXY_BASE), so that its links begin with that: "
        "drop that line"
    )
