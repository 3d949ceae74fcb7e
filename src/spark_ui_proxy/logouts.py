"""Who has logged out: a ConfigMap that every replica watches and adds to."""

from __future__ import annotations

import asyncio
import copy
import logging
import random
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from spark_ui_proxy.config import Config
from spark_ui_proxy.ended import Ended, UnreadableError, account_of
from spark_ui_proxy.kube import Api, ApiError
from spark_ui_proxy.session import Session
from spark_ui_proxy.watcher import Watch, follow, list_all

log = logging.getLogger(__name__)
_KEY = "logouts"
_BETWEEN_WRITES_S = 1.0
"""Logouts of that time are written together: whatever somebody does, a replica writes once a second."""
_LONGEST_PAUSE_S = 15.0
_AFTER_CONFLICT_S = 0.2
_ANSWER_S = 8.0
_CONFLICT = 409


class Logouts:
    """Ends sessions, at every replica.

    What a replica knows never becomes less: it is written again where somebody has removed it. A list that cannot be
    read ends all sessions until then, and so does one that is made anew: it cannot tell what the one before it said.

    Args:
        api: has the ConfigMap.
        config: which one, and how long sessions last.
        changed: told that sessions have ended.

    Attributes:
        watch: how well this replica hears of the others' logouts.
    """

    def __init__(self, api: Api, config: Config, changed: Callable[[], None]) -> None:
        namespace, _, self._name = config.login.logouts.partition("/")
        self._api = api
        self._path = f"/api/v1/namespaces/{namespace}/configmaps"
        self._only = {"fieldSelector": f"metadata.name={self._name}"}
        self._longest = config.login.session_seconds
        self._changed = changed
        self.watch = Watch(f"configmap {config.login.logouts}")
        self._known = Ended()
        self._stored: Ended | None = None
        self._uid = self._version = ""
        self._ready = False
        self._to_write = asyncio.Event()
        self._waiting: list[tuple[str, int, asyncio.Future[bool]]] = []

    @property
    def missing(self) -> str:
        """Why nobody can be let in yet, in a line; "": the list was there once."""
        if self._ready:
            return ""
        return f"{self.watch.scope} is not read yet: {self.watch.problem or 'it is not there'}"

    def over(self, session: Session) -> bool:
        """Whether a session has ended before its time.

        Raises:
            ApiError: that cannot be known at the moment.
        """
        self._hears()
        return self._over(session)

    def first_moment(self, user: str) -> int:
        """When a session that is made now begins: after all that are over, whatever other replicas' clocks say.

        Raises:
            ApiError: that cannot be known at the moment.
        """
        self._hears()
        return max(int(time.time()), self._known.until(account_of(user)) + 1)

    async def end(self, sessions: Iterable[Session]) -> bool:
        """End all that the accounts of some sessions have; whether the list says so, which all replicas read.

        If not: they are over here, and the list is written as soon as that can be. A session that is over ends nothing:
        its copy must not throw out for ever who has logged in again.
        """
        now = int(time.time())
        ending = [(account_of(one.user), max(now, one.issued)) for one in sessions if not self._over(one)]
        if not ending:
            return True
        for account, moment in ending:
            self._known.end(account, moment)
        self._changed()
        self._to_write.set()
        if self._stored is None:
            return False
        answers = [asyncio.get_running_loop().create_future() for _ in ending]
        self._waiting += [(*what, answer) for what, answer in zip(ending, answers, strict=True)]
        self._tell()
        try:
            async with asyncio.timeout(_ANSWER_S):
                return all(await asyncio.gather(*answers))
        except TimeoutError:
            return False

    async def run(self) -> None:
        """Follow the list, and write it, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(follow(self._api, self._path, self._only, self, self.watch))
            tasks.create_task(self._write_for_ever())

    def put(self, raw: dict[str, Any]) -> None:
        """The list as it is now: the ConfigMap."""
        metadata = raw["metadata"]
        self._uid, self._version, self._ready = metadata["uid"], metadata["resourceVersion"], True
        before = copy.deepcopy(self._known)
        self._stored = self._read((raw.get("data") or {}).get(_KEY, ""))
        # A list says nothing of the time before it was made.
        made = int(datetime.fromisoformat(metadata["creationTimestamp"]).timestamp())
        self._known.everybody = max(self._known.everybody, made)
        self._known.add(self._stored)
        self._known.shorten(self._expired())
        if self._known.beyond(before):
            self._changed()
        self._stored.everybody = max(self._stored.everybody, made)
        if self._known.beyond(self._stored):
            self._to_write.set()
        self._tell()

    def drop(self, uid: str) -> None:
        """The list is gone."""
        if uid == self._uid:
            log.warning("nobody is let in: the list of logouts was deleted", extra={"scope": self.watch.scope})
            self._stored = None

    def _hears(self) -> None:
        if self._stored is None or not self.watch.fresh:
            raise ApiError(0, f"who has logged out is not known: {self.missing or self.watch.problem or 'silence'}")

    def _over(self, session: Session) -> bool:
        return session.issued <= max(self._known.until(account_of(session.user)), self._expired())

    def _expired(self) -> int:
        return int(time.time()) - self._longest

    def _read(self, text: str) -> Ended:
        now = int(time.time())
        try:
            return Ended.parse(text, now)
        except UnreadableError as error:
            log.warning("all sessions end", extra={"scope": self.watch.scope, "problem": str(error)})
            self._known.end_everybody(now)
            return Ended()

    def _tell(self) -> None:
        """Those who wait: their logout is written."""
        for account, moment, answer in self._waiting:
            if not answer.done() and self._stored is not None and self._stored.until(account) >= moment:
                answer.set_result(True)
        self._waiting = [waiting for waiting in self._waiting if not waiting[2].done()]

    def _give_up(self) -> None:
        """Those who wait are told that it will take longer."""
        for _, _, answer in self._waiting:
            if not answer.done():
                answer.set_result(False)
        self._waiting = []

    async def _write_for_ever(self) -> None:
        pause = _BETWEEN_WRITES_S
        while True:
            await self._to_write.wait()
            self._to_write.clear()
            if self._stored is None or not self._known.beyond(self._stored):
                continue
            try:
                await self._write()
                pause = _BETWEEN_WRITES_S
            except ApiError as error:
                log.warning("logouts are not written", extra={"scope": self.watch.scope, "problem": str(error)})
                self._give_up()
                self._to_write.set()
                pause = min(2 * pause, _LONGEST_PAUSE_S)
            await asyncio.sleep(pause)

    async def _write(self) -> None:
        """Add what the list does not say; what others have added since it was read stays.

        Raises:
            ApiError: it cannot be written.
        """
        while self._stored is not None and self._known.beyond(self._stored):
            self._known.shorten(self._expired())
            # With its version: it is written as it was read, or not at all.
            body = {"metadata": {"resourceVersion": self._version}, "data": {_KEY: self._known.text}}
            try:
                self.put(await self._api.patch(f"{self._path}/{self._name}", body))
                return
            except ApiError as error:
                if error.status != _CONFLICT:
                    raise
            await asyncio.sleep(random.uniform(0, _AFTER_CONFLICT_S))
            await list_all(self._api, self._path, self._only, self, set())
