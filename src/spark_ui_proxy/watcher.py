"""Keeping up with the cluster: one list and watch per configured namespace, or one for all."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

from spark_ui_proxy.catalog import Catalog
from spark_ui_proxy.config import Config
from spark_ui_proxy.kube import Api, ApiError
from spark_ui_proxy.pods import SELECTOR

log = logging.getLogger(__name__)
SILENCE_S = 60.0
"""After this long without word from the API server nothing is routed: an address may be another pod's by then."""
_WATCH_S = (30, 45)
"""A watch lasts so long; each new one that the API server grants is word from it."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 15.0
_REFUSED_PAUSE_S = 10.0
_GONE, _FORBIDDEN, _NOT_FOUND = 410, 403, 404


@dataclass
class Watch:
    """How one watch does.

    Attributes:
        scope: its namespace; "": the whole cluster.
        synced: it has had a whole list.
        refused: the API server does not let it list.
        word: when the API server last answered, by time.monotonic().
        problem: why it does not follow at the moment, in a line; or "".
        lists: how often it has listed all.
    """

    scope: str
    synced: bool = False
    refused: bool = False
    word: float = field(default_factory=time.monotonic)
    problem: str = ""
    lists: int = 0

    @property
    def age(self) -> float:
        """Seconds since the last word."""
        return time.monotonic() - self.word

    @property
    def fresh(self) -> bool:
        """Whether what it says still counts."""
        return self.synced and self.age <= SILENCE_S

    @property
    def settled(self) -> bool:
        """Whether waiting for its first list makes sense no longer.

        An API server that falls silent later is no reason to send people elsewhere: no other replica hears it.
        """
        return self.synced or self.refused


@dataclass(frozen=True)
class NamespaceState:
    """A namespace that is shown: `problem` says in a line why its applications may be missing or old, or is ""."""

    name: str
    problem: str


class Store(Protocol):
    """Who takes the objects that a watch finds."""

    def put(self, raw: dict[str, Any]) -> None:
        """An object is new or has changed."""

    def drop(self, uid: str) -> None:
        """An object is gone."""


class Watcher:
    """All watches of a configuration.

    Args:
        api: asked.
        config: which namespaces.
        catalog: takes the pods.
    """

    def __init__(self, api: Api, config: Config, catalog: Catalog) -> None:
        namespaces = config.namespaces
        self._api = api
        self._namespaces = namespaces
        self._catalog = catalog
        self._selected = _Names()
        shared = (config.shared_history,) if config.shared_history else ()
        scopes = ("",) if namespaces.cluster_wide else dict.fromkeys(namespaces.names + shared)
        self.watches = {scope: Watch(scope) for scope in scopes}
        self._listed = False
        self._of_namespaces = Watch("namespaces") if namespaces.cluster_wide else None

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for scope, watch in self.watches.items():
                path = f"/api/v1/namespaces/{scope}/pods" if scope else "/api/v1/pods"
                tasks.create_task(follow(self._api, path, {"labelSelector": SELECTOR}, self._catalog, watch))
            if self._of_namespaces:
                selector = {"labelSelector": self._namespaces.selector} if self._namespaces.selector else {}
                tasks.create_task(
                    follow(self._api, "/api/v1/namespaces", selector, self._selected, self._of_namespaces)
                )

    def all_watches(self) -> list[Watch]:
        """Those of pods, and that of namespaces if there is one."""
        return [*self.watches.values(), *([self._of_namespaces] if self._of_namespaces else [])]

    def shows(self, namespace: str) -> bool:
        """Whether a namespace's applications are served at all."""
        return namespace in (self._selected.names if self._of_namespaces else self._namespaces.names)

    def fresh(self, namespace: str) -> bool:
        """Whether what is known of a namespace's pods still counts.

        Before every namespace was listed, or refuses to be, none does: another pod there may have the same address.
        """
        watch = self.watches.get("" if self._of_namespaces else namespace)
        return watch is not None and watch.fresh and self._all_listed()

    def _all_listed(self) -> bool:
        if not self._listed:
            self._listed = all(watch.settled for watch in self.watches.values())
        return self._listed

    def namespaces(self) -> dict[str, NamespaceState]:
        """All that are shown, by name."""
        if self._of_namespaces:
            whole = self.watches[""].problem or self._of_namespaces.problem
            return {name: NamespaceState(name, whole) for name in sorted(self._selected.names)}
        return {name: NamespaceState(name, self.watches[name].problem) for name in sorted(self._namespaces.names)}


async def follow(api: Api, path: str, params: dict[str, str], store: Store, watch: Watch) -> None:
    """List, then watch, for ever; tell a store what comes and goes.

    The API server may forget the version that was last seen (410), end watches, restart, or refuse: all is tried again.
    """
    known: set[str] = set()
    version = ""
    pause = _FIRST_PAUSE_S
    while True:
        try:
            if not version:
                version = await list_all(api, path, params, store, known)
                watch.lists += 1
                _heard(watch)
            async with api.watch(path, params, version, random.randint(*_WATCH_S)) as events:
                _heard(watch)
                pause = _FIRST_PAUSE_S
                async for event in events:
                    version = _take(event, store, known)
                    _heard(watch)
            continue
        except ApiError as error:
            problem, status = str(error), error.status
        if status == _GONE:
            # What it knows stays until the new list is there.
            log.info("watch expired", extra={"scope": watch.scope})
            version = ""
        else:
            _lost(watch, status, problem)
            if status:
                version = ""
        wait = _REFUSED_PAUSE_S if watch.refused else pause
        pause = min(pause * 2, _LONGEST_PAUSE_S)
        await asyncio.sleep(wait * random.uniform(0.5, 1))


def _heard(watch: Watch) -> None:
    if watch.problem:
        log.info("watch recovered", extra={"scope": watch.scope})
    watch.word, watch.synced, watch.refused, watch.problem = time.monotonic(), True, False, ""


def _lost(watch: Watch, status: int, problem: str) -> None:
    if problem != watch.problem:
        log.warning("watch failed", extra={"scope": watch.scope, "status": status, "problem": problem})
    watch.problem = problem
    watch.refused = status in (_FORBIDDEN, _NOT_FOUND)


async def list_all(api: Api, path: str, params: dict[str, str], store: Store, known: set[str]) -> str:
    """Tell a store what there is, and what of the known is gone; return the version of the list.

    Raises:
        ApiError: it failed, perhaps half-way.
    """
    seen: set[str] = set()
    version = ""
    async for page in api.pages(path, params):
        version = page.version
        for item in page.items:
            uid = item["metadata"]["uid"]
            seen.add(uid)
            # At once: a list that fails half-way leaves what the next one has to look for.
            known.add(uid)
            store.put(item)
    for uid in known - seen:
        store.drop(uid)
    known.intersection_update(seen)
    return version


def _take(event: dict[str, Any], store: Store, known: set[str]) -> str:
    """Pass an event on; return the version that it stands for."""
    item = event["object"]
    if event["type"] == "ERROR":
        raise ApiError(int(item.get("code", 500)), str(item.get("message", "the watch failed")))
    if event["type"] == "DELETED":
        known.discard(item["metadata"]["uid"])
        store.drop(item["metadata"]["uid"])
    elif event["type"] != "BOOKMARK":
        known.add(item["metadata"]["uid"])
        store.put(item)
    return str(item["metadata"]["resourceVersion"])


class _Names:
    """The names of namespaces that have the labels."""

    def __init__(self) -> None:
        self._by_uid: dict[str, str] = {}
        self.names: set[str] = set()

    def put(self, raw: dict[str, Any]) -> None:
        self._by_uid[raw["metadata"]["uid"]] = raw["metadata"]["name"]
        self.names = set(self._by_uid.values())

    def drop(self, uid: str) -> None:
        self._by_uid.pop(uid, None)
        self.names = set(self._by_uid.values())
