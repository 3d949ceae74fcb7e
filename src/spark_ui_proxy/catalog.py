"""The index, kept up to date pod by pod."""

from __future__ import annotations

import logging
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from spark_ui_proxy.addresses import Addresses, known_others
from spark_ui_proxy.claims import Claims
from spark_ui_proxy.config import Limits
from spark_ui_proxy.index import Application, HistoryServer, Index, Target
from spark_ui_proxy.pods import DRIVER, EXECUTOR, HISTORY_SERVER, Pod, read_pod

log = logging.getLogger(__name__)
Key = tuple[str, str]


class Catalog:
    """Puts pods into an index.

    Args:
        index: what it writes.
        limits: what a target may be.
        on_gone: called when an application or history server is no longer where it was.
        environment: tells of addresses that are no pod's.

    Attributes:
        pods: all pods, by uid.
        claims: who says that they have an address.
    """

    def __init__(
        self,
        index: Index,
        limits: Limits,
        on_gone: Callable[[], None],
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.index = index
        self.pods: dict[str, Pod] = {}
        self.claims = Claims()
        self._limits = limits
        self._addresses = Addresses(limits.pod_networks, known_others(environment))
        self._on_gone = on_gone
        self._drivers: dict[Key, dict[str, Pod]] = defaultdict(dict)
        self._histories: dict[str, dict[str, Pod]] = defaultdict(dict)
        self._executors: dict[Key, Counter[str]] = defaultdict(Counter)
        self._asked_ids: dict[str, str] = {}
        self._findings: dict[str, str] = {}

    def put(self, raw: dict[str, Any]) -> None:
        """A pod is new or has changed."""
        try:
            pod = read_pod(raw, self._limits, self._addresses)
        except (LookupError, TypeError, ValueError, OverflowError, AttributeError) as error:
            # One manifest that nobody foresaw must not hide the others.
            log.warning("pod not read", extra={"pod": raw["metadata"]["name"], "problem": repr(error)})
            self.drop(raw["metadata"]["uid"])
            return
        before = self.pods.get(pod.uid)
        if pod == before:
            return
        if before:
            self._remove(before)
        self.pods[pod.uid] = pod
        self._add(pod)
        keys = {self._key(item) for item in (before, pod) if item}
        self._rebuild(keys | self._keys(self.claims.replace(before, pod)))

    def drop(self, uid: str) -> None:
        """A pod is gone."""
        pod = self.pods.pop(uid, None)
        if pod:
            key = self._key(pod)
            self._remove(pod)
            self._asked_ids.pop(uid, None)
            self._findings.pop(uid, None)
            self._rebuild({key} | self._keys(self.claims.replace(pod, None)))

    def target(self, pod: Pod) -> Target | None:
        """Where the UI of a pod is, if its address is its own."""
        return None if pod.target and self.claims.problem(pod) else pod.target

    def settle(self, address: str, namespace: str, name: str, among: frozenset[str]) -> None:
        """The driver that answers at an address has said which pod it is.

        Args:
            address: that was asked.
            namespace, name: of the pod.
            among: the uids of those that claimed the address when it was asked.
        """
        claimants = (self.pods[uid] for uid in self.claims.claimants(address))
        owner = next((pod.uid for pod in claimants if (pod.namespace, pod.name) == (namespace, name)), "")
        self._rebuild(self._keys(self.claims.settle(address, owner, among)))

    def name(self, uid: str, app_id: str) -> None:
        """A driver whose manifest names no application has said which it runs; "": none."""
        pod = self.pods.get(uid)
        if pod and self._asked_ids.get(uid, "") != app_id:
            before = self._key(pod)
            self._remove(pod)
            self._asked_ids[uid] = app_id
            self._add(pod)
            self._rebuild({before, self._key(pod)})

    def find(self, uid: str, problem: str) -> None:
        """What is wrong with the UI of a driver, in a line; "": nothing."""
        pod = self.pods.get(uid)
        if pod and self._findings.get(uid, "") != problem:
            self._findings[uid] = problem
            self._rebuild({self._key(pod)})

    def _keys(self, uids: set[str]) -> set[tuple[str, str, str]]:
        return {self._key(self.pods[uid]) for uid in uids}

    def _key(self, pod: Pod) -> tuple[str, str, str]:
        return pod.role, pod.namespace, pod.app_id or self._asked_ids.get(pod.uid, "")

    def _add(self, pod: Pod) -> None:
        role, namespace, app_id = self._key(pod)
        if pod.leaving:
            return
        if role == HISTORY_SERVER:
            self._histories[namespace][pod.uid] = pod
        elif not app_id:
            return
        elif role == DRIVER:
            self._drivers[namespace, app_id][pod.uid] = pod
        elif role == EXECUTOR and pod.state in ("pending", "running"):
            self._executors[namespace, app_id].update(_asked_by(pod))

    def _remove(self, pod: Pod) -> None:
        role, namespace, app_id = self._key(pod)
        if role == HISTORY_SERVER:
            self._histories[namespace].pop(pod.uid, None)
        elif role == DRIVER:
            self._drivers[namespace, app_id].pop(pod.uid, None)
        elif role == EXECUTOR and app_id and pod.state in ("pending", "running") and not pod.leaving:
            self._executors[namespace, app_id].subtract(_asked_by(pod))

    def _rebuild(self, keys: set[tuple[str, str, str]]) -> None:
        for role, namespace, app_id in keys:
            if role == HISTORY_SERVER:
                self._place(self.index.histories, namespace, self._history(namespace))
                self._say_of_history(namespace)
            elif app_id:
                self._place(self.index.applications, (namespace, app_id), self._application((namespace, app_id)))

    def _place(self, table: dict[Any, Any], key: Any, new: Application | HistoryServer | None) -> None:
        old = table.get(key)
        if new == old:
            return
        if new:
            table[key] = new
        else:
            del table[key]
        self.index.version += 1
        if old and old.target and (new is None or new.target != old.target):
            self._on_gone()

    def _history(self, namespace: str) -> HistoryServer | None:
        pods = self._histories[namespace]
        if not pods:
            del self._histories[namespace]
            return None
        served = [
            (pod.created, pod.uid, pod, target) for pod in pods.values() if pod.ready and (target := self.target(pod))
        ]
        if not served:
            return None
        *_, pod, target = max(served)
        return HistoryServer(namespace, pod.name, target)

    def _say_of_history(self, namespace: str) -> None:
        """Why a namespace's history server may be no target."""
        pods = self._histories.get(namespace, {}).values()
        problems = (pod.problem or self.claims.problem(pod) for pod in pods)
        problem = "" if namespace in self.index.histories else next(filter(None, problems), "")
        if problem != self.index.history_problems.get(namespace, ""):
            self.index.history_problems.pop(namespace, None)
            if problem:
                self.index.history_problems[namespace] = problem
            self.index.version += 1

    def _application(self, key: Key) -> Application | None:
        drivers, executors = self._drivers[key], self._executors[key]
        if not drivers:
            del self._drivers[key]
            if not any(executors.values()):
                del self._executors[key]
            return None
        # One that is no target takes the id from none that is.
        pod = max(
            drivers.values(),
            key=lambda item: (self.target(item) is not None, item.state == "running", item.created, item.uid),
        )
        return Application(
            namespace=pod.namespace,
            app_id=key[1],
            pod=pod.name,
            pod_uid=pod.uid,
            name=pod.title,
            user=pod.user,
            state=pod.state,
            target=self.target(pod),
            created=pod.created,
            ended=pod.ended,
            problem=pod.problem or self.claims.problem(pod) or self._findings.get(pod.uid, ""),
            spark_version=pod.spark_version,
            executors=executors["running"],
            cpu=(pod.millicores + executors["millicores"]) / 1000,
            memory=pod.memory + executors["memory"],
            disputed=sum(item.state in ("pending", "running") for item in drivers.values()) > 1,
        )


def _asked_by(executor: Pod) -> dict[str, int]:
    return {
        "running": int(executor.state == "running"),
        "millicores": executor.millicores,
        "memory": executor.memory,
    }
