"""The index, kept up to date pod by pod."""

from __future__ import annotations

import itertools
import logging
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from spark_ui_proxy.addresses import Addresses, known_others
from spark_ui_proxy.claims import Claims
from spark_ui_proxy.config import Limits
from spark_ui_proxy.index import Application, HistoryServer, Index, Named, Target
from spark_ui_proxy.pods import DRIVER, EXECUTOR, HISTORY_SERVER, UI_PORTS, Pod, read_pod

log = logging.getLogger(__name__)
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a driver said of an application; `turn`: of all that say its id, the first has the least."""

    named: Named
    turn: int


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
        self._answers: dict[str, dict[str, _Answer]] = {}
        self._turns = itertools.count()
        self._findings: dict[str, dict[str, str]] = defaultdict(dict)

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
        keys = {key for item in (before, pod) if item for key in self._keys(item)}
        self._rebuild(keys | self._keys_of(self.claims.replace(before, pod)))

    def drop(self, uid: str) -> None:
        """A pod is gone."""
        pod = self.pods.pop(uid, None)
        if pod:
            keys = self._keys(pod)
            self._remove(pod)
            self._answers.pop(uid, None)
            self._findings.pop(uid, None)
            self._rebuild(keys | self._keys_of(self.claims.replace(pod, None)))

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
        self._rebuild(self._keys_of(self.claims.settle(address, owner, among)))

    def ports(self, target: Target) -> range:
        """Where the UIs of a pod's applications may be, if its manifest names none: from its target on."""
        return range(target.port, min(target.port + UI_PORTS, self._limits.driver_ports[1] + 1))

    def named(self, uid: str) -> dict[int, Named]:
        """What the driver of a pod has said that it runs, by port."""
        return {answer.named.port: answer.named for answer in self._answers.get(uid, {}).values()}

    def targets(self, pod: Pod) -> list[Target]:
        """Where a pod's drivers listen if its address is its own, which this does not say."""
        if not pod.target:
            return []
        return [replace(pod.target, port=port) for port in self.named(pod.uid)] or [pod.target]

    def name(self, target: Target, found: Iterable[Named]) -> None:
        """A driver whose manifest names no application has said which it runs.

        Args:
            target: of the pod, where it was asked. It counts for nothing if that is not the pod's any longer.
            found: of one id at several ports, the first counts.
        """
        pod = self.pods.get(target.pod_uid)
        if not pod or pod.app_id or self.target(pod) != target:
            return
        old, new = self._answers.get(pod.uid, {}), {}
        for named in found:
            if named.port in self.ports(target) and named.app_id not in new:
                known = old.get(named.app_id)
                new[named.app_id] = _Answer(named, known.turn if known else next(self._turns))
        if new == old:
            return
        before = self._keys(pod)
        self._remove(pod)
        self._answers[pod.uid] = new
        self._add(pod)
        for app_id in old.keys() - new.keys():
            self._findings[pod.uid].pop(app_id, None)
        self._rebuild(before | self._keys(pod))

    def find(self, namespace: str, app_id: str, uid: str, problem: str) -> None:
        """What is wrong with the UI of an application that a pod runs, in a line; "": nothing."""
        key, pod = (DRIVER, namespace, app_id), self.pods.get(uid)
        if pod and key in self._keys(pod) and self._findings[uid].get(app_id, "") != problem:
            self._findings[uid] |= {app_id: problem}
            self._rebuild({key})

    def _keys_of(self, uids: set[str]) -> set[tuple[str, str, str]]:
        return {key for uid in uids for key in self._keys(self.pods[uid])}

    def _keys(self, pod: Pod) -> set[tuple[str, str, str]]:
        """What a pod is of: a history server of its namespace, a driver or executor of applications."""
        if pod.role == DRIVER and not pod.app_id:
            return {(pod.role, pod.namespace, app_id) for app_id in self._answers.get(pod.uid, {})}
        return {(pod.role, pod.namespace, pod.app_id)}

    def _add(self, pod: Pod) -> None:
        if pod.leaving:
            return
        for role, namespace, app_id in self._keys(pod):
            if role == HISTORY_SERVER:
                self._histories[namespace][pod.uid] = pod
            elif not app_id:
                continue
            elif role == DRIVER:
                self._drivers[namespace, app_id][pod.uid] = pod
            elif role == EXECUTOR and pod.state in ("pending", "running"):
                self._executors[namespace, app_id].update(_asked_by(pod))

    def _remove(self, pod: Pod) -> None:
        for role, namespace, app_id in self._keys(pod):
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
        app_id = key[1]
        pod = max(drivers.values(), key=lambda item: self._rank(item, app_id))
        answer = None if pod.app_id else self._answers[pod.uid][app_id]
        named = answer.named if answer else Named(app_id, 0)
        target = self.target(pod)
        return Application(
            namespace=pod.namespace,
            app_id=app_id,
            pod=pod.name,
            pod_uid=pod.uid,
            name=named.name or pod.title,
            user=pod.user or named.user,
            state=pod.state,
            target=replace(target, port=named.port) if target and named.port else target,
            created=max(pod.created, named.started or pod.created),
            ended=pod.ended,
            problem=pod.problem or self.claims.problem(pod) or self._findings[pod.uid].get(app_id, ""),
            spark_version=pod.spark_version or named.spark_version,
            executors=executors["running"],
            cpu=(pod.millicores + executors["millicores"]) / 1000,
            memory=pod.memory + executors["memory"],
            disputed=sum(item.state in ("pending", "running") for item in drivers.values()) > 1,
        )

    def _rank(self, pod: Pod, app_id: str) -> tuple[bool, bool, bool, float, str]:
        """Of several pods with one id, that with the greatest counts.

        What a manifest tells is taken by no driver's answer. Of two manifests, one that is no target takes the id from
        none that is; else the newest that runs has it. Of two answers, that which was there first stays for as long as
        its pod lives, whatever else is said of that pod.
        """
        alive = pod.state in ("pending", "running")
        if not pod.app_id:
            return False, alive, True, -float(self._answers[pod.uid][app_id].turn), pod.uid
        return True, self.target(pod) is not None, pod.state == "running", pod.created.timestamp(), pod.uid


def _asked_by(executor: Pod) -> dict[str, int]:
    return {
        "running": int(executor.state == "running"),
        "millicores": executor.millicores,
        "memory": executor.memory,
    }
