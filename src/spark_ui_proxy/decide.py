"""The decision about one request: who asks, what for, may they, and where it is."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Literal

from spark_ui_proxy.asked import Asked
from spark_ui_proxy.config import Config
from spark_ui_proxy.doctor import Doctor
from spark_ui_proxy.history_page import same_page
from spark_ui_proxy.identity import BadIdentityError, Identity, Person
from spark_ui_proxy.index import Application, Index, Target
from spark_ui_proxy.kube import ApiError
from spark_ui_proxy.paths import METHODS, BadTargetError, Route, parse
from spark_ui_proxy.permission import Permission
from spark_ui_proxy.watcher import Watcher

Reason = Literal[
    "ok",
    "login",  # nobody has logged in
    "bad-identity",  # headers that an ingress must not let through
    "bad-request",
    "bad-method",
    "moved",  # the same page, with the "/" that Spark needs, or below its own application
    "forbidden",  # or there is no such namespace
    "kill-forbidden",  # they may look, not end
    "kill-disabled",
    "cross-site",  # a page of another site asks, in the browser of somebody who may
    "not-found",
    "finished",  # the application is in the history
    "ended",  # it has ended, and no history server is known
    "not-ready",  # the driver's pod is not yet running
    "unsupported",  # the pod may be no target
    "misconfigured",  # the application overrides its prefix
    "no-history",  # the namespace's history server is away
    "stale",  # the watch is silent: addresses may be others'
    "unavailable",  # the API server does not answer
]
_NO_LINKS = ("/api/", "/metrics/")
"""Paths whose answers hold no links."""


@dataclass(frozen=True)
class Decision:
    """What to do with a request.

    Attributes:
        reason: `ok` or why not.
        detail: the same for people, in a line, where there is more to say.
        person: who asks, where that is known.
        route: what they ask for, where it could be read.
        target: where to ask, if `ok`.
        location: where the same page is now, if `finished`.
        seconds: how long the gateway may keep it.
        application: what it is about, where that may be told.
    """

    reason: Reason
    detail: str = ""
    person: Person | None = None
    route: Route | None = None
    target: Target | None = None
    location: str = ""
    seconds: float = 0
    application: Application | None = None


class Decider:
    """Decides about requests for the UIs of applications and history servers.

    Args:
        config: what is served, and how.
        index: what runs.
        watcher: whether that still counts.
        identity: who asks.
        permission: what they may.
        doctor: looks at a driver's UI once.
    """

    def __init__(
        self,
        config: Config,
        index: Index,
        watcher: Watcher,
        identity: Identity,
        permission: Permission,
        doctor: Doctor,
    ) -> None:
        self._config = config
        self._index = index
        self._watcher = watcher
        self._identity = identity
        self._permission = permission
        self._doctor = doctor

    async def decide(self, asked: Asked) -> Decision:
        """What to do with a request."""
        if asked.method not in METHODS:
            return Decision("bad-method", f"{asked.method} is not served: {', '.join(METHODS)} are")
        try:
            route = parse(asked.target, asked.host, self._config)
        except BadTargetError as error:
            return Decision("bad-request", str(error))
        if asked.header("service-worker"):
            return Decision("bad-request", "no application may put a service worker before the others", route=route)
        if route.kind == "service":
            return Decision("not-found", route=route)
        try:
            person, until = await self._identity.of(asked)
            if person is None:
                return Decision("login", route=route)
            decision = await self._for(person, asked, route)
        except BadIdentityError as error:
            return Decision("bad-identity", str(error), route=route)
        except ApiError as error:
            return Decision("unavailable", str(error), route=route)
        if decision.reason == "ok" and not route.rest:
            decision = Decision("moved", location=f"{route.context}/", application=decision.application)
        return replace(
            decision, person=person, route=route, seconds=max(0.0, min(decision.seconds, until - time.time()))
        )

    async def _for(self, person: Person, asked: Asked, route: Route) -> Decision:
        # The shared history shows all, whatever the path to it.
        if route.kind == "shared-history" or (
            route.kind == "history" and route.namespace == self._config.shared_history
        ):
            return await self._shared(person, asked)
        if not self._watcher.shows(route.namespace):
            return Decision("forbidden")
        if not await self._permission.allows(person, "view", route.namespace):
            return Decision("forbidden")
        if not self._watcher.fresh(route.namespace):
            return Decision("stale")
        if route.kind == "history":
            return self._history(asked, route.namespace)
        if asked.method == "POST" or route.kills:
            refused = await self._refusal(person, asked, route)
            if refused:
                return Decision(refused)
        return await self._driver(person, asked, route)

    async def _refusal(self, person: Person, asked: Asked, route: Route) -> Reason | None:
        """Why somebody may not end a job or stage in a UI now; None: they may."""
        if not self._config.kill:
            return "kill-disabled"
        if not await self._permission.allows(person, "kill", route.namespace):
            return "kill-forbidden"
        # A program with a bearer token says nothing of sites. A browser does, also where an ingress adds the token.
        program = person.via == "bearer" and not (asked.header("origin") or asked.header("sec-fetch-site"))
        return None if program or asked.same_origin else "cross-site"

    async def _driver(self, person: Person, asked: Asked, route: Route) -> Decision:
        elsewhere = self._elsewhere(route)
        if elsewhere:
            return Decision("moved", location=elsewhere)
        application = self._index.applications.get((route.namespace, route.app_id))
        if application is None or application.state in ("succeeded", "failed"):
            return await self._ended(person, route, application)
        target = application.target
        if target is None:
            return _not_shown(application)
        problem = await self._doctor.problem(application, target, route.context)
        now = self._index.applications.get((route.namespace, route.app_id))
        if now is None or now.target != target:
            return _not_shown(now or application)
        if problem and not route.rest.startswith(_NO_LINKS):
            return Decision("misconfigured", problem, application=application)
        keep = asked.method != "POST" and not route.kills and not problem
        return Decision(
            "ok", target=target, seconds=self._config.decision_seconds if keep else 0, application=application
        )

    def _elsewhere(self, route: Route) -> str:
        """Where a page is that the master of a standalone cluster has a link to, below itself; "": here.

        The master would fetch an application's page, whose own links then lead to the master.
        """
        _, word, app_id, page = [*route.rest.split("/", 3), "", "", ""][:4]
        if word != "proxy" or (route.namespace, app_id) not in self._index.applications:
            return ""
        query = f"?{route.query}" if route.query else ""
        return f"{route.context.removesuffix(route.app_id)}{app_id}/{page}{query}"

    async def _ended(self, person: Person, route: Route, application: Application | None) -> Decision:
        """An application that runs no longer, or never did: its history knows."""
        if route.namespace in self._index.histories:
            base = f"{self._config.base_path}/{route.namespace}/shs"
        elif self._config.shared_history in self._index.histories and await self._sees_all(person):
            base = f"{self._config.base_path}/shs"
        else:
            return Decision("ended" if application else "not-found", application=application)
        page = same_page(route)
        return Decision("finished", location=base + page, application=application)

    async def _shared(self, person: Person, asked: Asked) -> Decision:
        namespace = self._config.shared_history
        if not namespace or not await self._sees_all(person):
            return Decision("forbidden")
        if not self._watcher.fresh(namespace):
            return Decision("stale")
        return self._history(asked, namespace)

    def _history(self, asked: Asked, namespace: str) -> Decision:
        if asked.method == "POST":
            return Decision("bad-method", "a history server has nothing to end")
        server = self._index.histories.get(namespace)
        if server is None:
            return Decision("no-history", self._index.history_problems.get(namespace, ""))
        return Decision("ok", target=server.target, seconds=self._config.decision_seconds)

    async def _sees_all(self, person: Person) -> bool:
        return await self._permission.sees_all(person, self._watcher.namespaces())


def _not_shown(application: Application) -> Decision:
    """About a running application that has no target, or no longer that of a moment ago."""
    return Decision("unsupported" if application.problem else "not-ready", application.problem, application=application)
