"""The process: what runs beside what, and who is told of what."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from spark_ui_proxy import logs
from spark_ui_proxy.answers import Answers
from spark_ui_proxy.authz import asked_of, original
from spark_ui_proxy.board import Board
from spark_ui_proxy.catalog import Catalog
from spark_ui_proxy.config import Config
from spark_ui_proxy.decide import Decider
from spark_ui_proxy.doctor import Doctor
from spark_ui_proxy.forget import Forgetting
from spark_ui_proxy.identity import BadIdentityError, Identity, TokenReader
from spark_ui_proxy.index import Index
from spark_ui_proxy.kube import Api, ApiError
from spark_ui_proxy.login import Login
from spark_ui_proxy.logouts import Logouts
from spark_ui_proxy.metrics import Metrics
from spark_ui_proxy.naming import Naming
from spark_ui_proxy.page.rendering import Pages
from spark_ui_proxy.page.site import routes as page_routes
from spark_ui_proxy.paths import BadTargetError, namespace_of
from spark_ui_proxy.permission import Permission
from spark_ui_proxy.rest import new_client
from spark_ui_proxy.session import Sessions
from spark_ui_proxy.viewing import Sight
from spark_ui_proxy.watcher import Watcher
from spark_ui_proxy.witness import Witness

log = logging.getLogger(__name__)
_LONGEST_HEADER = 2**16
_GATEWAY_S = 2.0
_BACKLOG = 1024
"""More connections than nginx makes at once for one address."""


class Service:
    """All parts of the service, put together.

    Args:
        config: the whole configuration.
        api: the API server.
        drivers: for requests to drivers and history servers.
    """

    def __init__(self, config: Config, api: Api, drivers: aiohttp.ClientSession) -> None:
        self.config = config
        self.index = Index()
        self.forgetting = Forgetting(config.control_socket)
        self.catalog = Catalog(self.index, config.limits, self.forgetting.decisions)
        self.watcher = Watcher(api, config, self.catalog)
        self.witness = Witness(self.catalog, drivers)
        self.naming = Naming(self.catalog, drivers, self.witness)
        self.permission = Permission(api, config)
        self.pages = Pages(config.base_path)
        self.board = Board(config, self.index, drivers, self, self._asks_history)
        self.stopping = False
        tokens = TokenReader(api, config)
        sessions = Sessions(config)
        self.logouts = Logouts(api, config, self.forgetting.decisions)
        self._identity = Identity(config, tokens, sessions, self.logouts)
        self._identity.check()
        self.doctor = Doctor(self.catalog, drivers, self.witness)
        self._decider = Decider(config, self.index, self.watcher, self._identity, self.permission, self.doctor)
        self._answers = Answers(config, self.pages)
        self._login = Login(config, tokens, sessions, self._identity, self.logouts, self.pages)
        self._metrics = Metrics(
            self.index,
            self.watcher,
            (tokens.known, tokens.of_sessions, self.permission.known),
            [self.logouts.watch] if self.has_sessions else [],
        )

    @property
    def has_sessions(self) -> bool:
        """Whether people log in here."""
        return self.config.login.mode == "token"

    def gateway_app(self) -> web.Application:
        """What nginx asks, and what it passes on."""
        app = web.Application()
        app.add_routes([web.get("/authz", self._authz), web.get("/-/answer", self._answer)])
        if self.has_sessions:
            app.add_routes(self._login.routes())
        app.add_routes(page_routes(self.board, self.pages, self.config))
        if self.config.base_path:
            app.add_routes([web.get(self.config.base_path, self._page_moved)])
        return app

    def operations_app(self) -> web.Application:
        """Health and metrics."""
        app = web.Application()
        app.add_routes([web.get("/healthz", self._healthz), web.get("/readyz", self._readyz)])
        app.add_routes([web.get("/metrics", self._prometheus)])
        return app

    async def sight(self, request: web.Request) -> Sight | None:
        """What the one who asks may see; None: they have to log in.

        Raises:
            web.HTTPException: that cannot be found out.
        """
        asked = asked_of(request)
        try:
            only = namespace_of(asked.host, self.config)
            person, _ = await self._identity.of(asked)
            if person is None:
                return None
            names = self.watcher.namespaces()
            # What a driver serves at its namespace's host may read this there too.
            here = names if only is None else names.keys() & {only}
            seen = await self.permission.visible(person, here, again="if-none-match" in asked.headers)
            everything = only is None and seen == names.keys() and await self.permission.sees_all(person, names)
        except (BadIdentityError, BadTargetError) as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        except ApiError as error:
            raise web.HTTPServiceUnavailable(text="The cluster does not answer: try again in a moment.\n") from error
        viewer = "" if person.via == "anonymous" else person.user
        return Sight(viewer, person.via == "session", frozenset(seen), everything, by_ingress=person.via == "header")

    def _asks_history(self, namespace: str) -> bool:
        return self.watcher.shows(namespace) or namespace == self.config.shared_history

    def problems(self) -> Mapping[str, str]:
        """Namespace -> why its watch is in trouble, in a line."""
        return {name: state.problem for name, state in self.watcher.namespaces().items() if state.problem}

    async def _authz(self, request: web.Request) -> web.Response:
        asked = original(request)
        began = time.perf_counter()
        decision = await self._decider.decide(asked)
        namespace = decision.route.namespace if decision.route else ""
        self._metrics.decided(namespace, decision.reason, time.perf_counter() - began)
        logs.audit(asked, decision)
        headers = {"X-Reason": decision.reason, "X-Decision-Seconds": "0"}
        if decision.person:
            headers["X-User"] = decision.person.label
        if decision.reason != "ok":
            return web.Response(status=401 if decision.reason == "login" else 403, headers=headers)
        target, route = decision.target, decision.route
        assert target
        assert route
        headers |= {
            "X-Upstream": target.address,
            "X-Upstream-Path": route.upstream_path,
            "X-Context": route.context,
            "X-Application": f"{route.namespace}/{route.app_id or 'shs'}",
            "X-Decision-Seconds": f"{decision.seconds:g}",
        }
        return web.Response(headers=headers)

    async def _answer(self, request: web.Request) -> web.Response:
        asked = original(request)
        return self._answers.of(asked, await self._decider.decide(asked), request.headers.get("X-Reason", ""))

    async def _page_moved(self, _: web.Request) -> web.Response:
        raise web.HTTPMovedPermanently(f"{self.config.base_path}/")

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        if self.stopping:
            return web.Response(status=503, text="it is being stopped\n")
        waiting = [watch.scope or "the cluster" for watch in self.watcher.all_watches() if not watch.settled]
        if waiting:
            return web.Response(status=503, text=f"no list yet of {', '.join(waiting)}\n")
        # Sessions that are over would be let in, or all be refused.
        if self.has_sessions and self.logouts.missing:
            return web.Response(status=503, text=f"{self.logouts.missing}\n")
        return web.Response(text="ok\n")

    async def _prometheus(self, _: web.Request) -> web.Response:
        body = generate_latest(self._metrics.registry) + await self._counts_of_gateway()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _counts_of_gateway(self) -> bytes:
        """What nginx has counted; nothing where it does not listen."""
        connector = aiohttp.UnixConnector(self.config.control_socket)
        timeout = aiohttp.ClientTimeout(total=_GATEWAY_S)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.get("http://gateway/metrics") as answer,
            ):
                return await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return b""


async def serve(config: Config) -> None:
    """Run until SIGTERM or SIGINT; then serve a while longer, no longer ready, and end.

    Raises:
        OSError, ConfigError: a socket, port or key cannot be used.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    api = Api(config.api_server, Path(config.token_file), Path(config.ca_file))
    async with api, new_client() as drivers:
        service = Service(config, api, drivers)
        async with _listening(service), _beside(service):
            await stop.wait()
            service.stopping = True
            log.info("draining", extra={"seconds": config.drain_seconds})
            await asyncio.sleep(config.drain_seconds)


@asynccontextmanager
async def _beside(service: Service) -> AsyncIterator[None]:
    """What runs all the time; if one of these ends, so does the process."""
    whole = asyncio.current_task()
    assert whole
    parts = (service.watcher, service.forgetting, service.naming, service.witness, service.board)
    tasks = [asyncio.create_task(part.run()) for part in parts]
    if service.has_sessions:
        tasks.append(asyncio.create_task(service.logouts.run()))
    failed: list[BaseException] = []

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            failed.extend(error for error in [task.exception()] if error)
            whole.cancel()

    for task in tasks:
        task.add_done_callback(ended)
    try:
        yield
    except asyncio.CancelledError:
        if failed:
            raise failed[0] from None
        raise
    finally:
        service.doctor.stop()
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _listening(service: Service) -> AsyncIterator[None]:
    # nginx has an access log; the decider's own is that of denials.
    # As long headers as nginx takes: tokens and cookies of a company's login are.
    gateway = web.AppRunner(
        service.gateway_app(), access_log=None, max_field_size=_LONGEST_HEADER, max_line_size=_LONGEST_HEADER
    )
    operations = web.AppRunner(service.operations_app(), access_log=None)
    await gateway.setup()
    await operations.setup()
    socket = Path(service.config.socket)
    socket.unlink(missing_ok=True)
    try:
        mask = os.umask(0o177)
        try:
            await web.UnixSite(gateway, str(socket), backlog=_BACKLOG).start()
        finally:
            os.umask(mask)
        await web.TCPSite(operations, None, service.config.operations_port).start()
        log.info("serving", extra={"socket": str(socket), "operations_port": service.config.operations_port})
        yield
    finally:
        await gateway.cleanup()
        await operations.cleanup()
