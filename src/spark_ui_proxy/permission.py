"""Who may see and end what: the cluster's own RBAC, asked by access reviews in the application's namespace."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Any, Literal

from spark_ui_proxy.config import Config
from spark_ui_proxy.identity import Person
from spark_ui_proxy.kube import Api, ApiError
from spark_ui_proxy.memory import Memory

log = logging.getLogger(__name__)
Action = Literal["view", "kill"]
_API = "/apis/authorization.k8s.io/v1"
_FORBIDDEN, _UNAUTHORIZED, _NOT_FOUND = 403, 401, 404
_ASKED_AGAIN = 2
"""Namespaces that a list on a screen asks about again at a time."""
_REFUSED_SECONDS = 300
"""How much longer than anywhere else a refusal counts at most for such a list."""


class Permission:
    """Asks the API server, and remembers its answers for a while.

    Args:
        api: asked.
        config: which right stands for what, and which reviews may be used.
    """

    def __init__(self, api: Api, config: Config) -> None:
        self._api = api
        self._cluster = config.permission.reviews == "cluster"
        self._attributes: dict[Action, dict[str, str]] = (
            {
                "view": {"group": "kindling.local", "resource": "applications", "verb": "get"},
                "kill": {"group": "kindling.local", "resource": "applications", "verb": "update"},
            }
            if config.permission.resource == "applications"
            else {
                "view": {"group": "", "resource": "pods", "subresource": "proxy", "verb": "get"},
                "kill": {"group": "", "resource": "pods", "subresource": "proxy", "verb": "create"},
            }
        )
        self.known: Memory[tuple[str, Action, str], bool] = Memory(
            "permission",
            lambda allowed: config.permission.allow_seconds if allowed else config.permission.deny_seconds,
        )

    async def allows(self, person: Person, action: Action, namespace: str) -> bool:
        """Whether somebody may do something in a namespace.

        Raises:
            ApiError: the API server cannot be asked.
        """
        return await self.known.get((person.key, action, namespace), lambda: self._ask(person, action, namespace))

    async def visible(self, person: Person, namespaces: Iterable[str], *, again: bool = False) -> set[str]:
        """Those of some namespaces whose applications somebody may see.

        Args:
            again: a list that is on a screen asks whether it has changed. Of the refusals that no longer count, only a
                few are then asked about each time, those of longest ago: who may see 2 of 200 namespaces, and has the
                page open, would have the API server asked 20 times a second.

        Raises:
            ApiError: the API server cannot be asked.
        """
        names = list(namespaces)
        if self._cluster and names and await self.allows(person, "view", ""):
            return set(names)
        if again:
            names = self._due(person, names)
        answers = await asyncio.gather(*(self.allows(person, "view", name) for name in names))
        return {name for name, allowed in zip(names, answers, strict=True) if allowed}

    def _due(self, person: Person, names: Iterable[str]) -> list[str]:
        """Less those whose last answer is a refusal that need not be asked about yet."""
        last = [(name, self.known.last((person.key, "view", name))) for name in names]
        refused = sorted((answer[0], name) for name, answer in last if answer and not answer[1])
        ended = time.monotonic() - _REFUSED_SECONDS
        later = {name for until, name in refused[_ASKED_AGAIN:] if until > ended}
        return [name for name, _ in last if name not in later]

    async def sees_all(self, person: Person, namespaces: Iterable[str]) -> bool:
        """Whether somebody may see every namespace: of the cluster where that can be asked, else of those given.

        Raises:
            ApiError: the API server cannot be asked.
        """
        if self._cluster:
            return await self.allows(person, "view", "")
        names = set(namespaces)
        return bool(names) and await self.visible(person, names) == names

    async def _ask(self, person: Person, action: Action, namespace: str) -> bool:
        attributes = {**self._attributes[action], "namespace": namespace}
        spec: dict[str, Any] = {"resourceAttributes": attributes}
        if self._cluster or not person.token:
            spec |= {"user": person.user, "groups": list(person.groups)}
        kind, path, token = (
            ("SubjectAccessReview", f"{_API}/subjectaccessreviews", "")
            if self._cluster
            else ("SelfSubjectAccessReview", f"{_API}/selfsubjectaccessreviews", person.token)
            if person.token
            else ("LocalSubjectAccessReview", f"{_API}/namespaces/{namespace}/localsubjectaccessreviews", "")
        )
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "metadata": {}, "spec": spec}
        if kind == "LocalSubjectAccessReview":
            review["metadata"] = {"namespace": namespace}
        try:
            answer = await self._api.create(path, review, token)
        except ApiError as error:
            if token and error.status == _UNAUTHORIZED:
                return False
            if error.status in (_FORBIDDEN, _NOT_FOUND):
                # The service's own right is missing: nobody is let in, and the admin is told.
                log.warning("review refused", extra={"namespace": namespace, "problem": str(error)})
                return False
            raise
        return bool(answer["status"].get("allowed"))
