"""The page and its API as a process serves them, over an index that a test fills: what is theirs is real."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aiohttp import web

from spark_ui_proxy.board import Board
from spark_ui_proxy.config import Config
from spark_ui_proxy.finished import FinishedApplication, History
from spark_ui_proxy.index import Application, HistoryServer, Index, Target
from spark_ui_proxy.page.rendering import Pages
from spark_ui_proxy.page.site import routes
from spark_ui_proxy.rest import new_client
from spark_ui_proxy.viewing import Sight

if TYPE_CHECKING:
    from playwright.sync_api import Page

BASE = "/spark"
Open = Callable[..., "Page"]
"""Opens the page in a window of its own: `open_page(query, **settings of the browser's context)`."""


@dataclass
class Person:
    """Who looks, and which watches are in trouble; a test may change both."""

    namespaces: set[str] = field(default_factory=lambda: {"team-a", "team-b"})
    everything: bool = False
    viewer: str = "ada@example.com"
    logged_in: bool = True
    troubles: dict[str, str] = field(default_factory=dict)

    async def sight(self, _: web.Request) -> Sight | None:
        """What they may see."""
        seen = Sight(self.viewer, bool(self.viewer), frozenset(self.namespaces), self.everything)
        return seen if self.logged_in else None

    def problems(self) -> Mapping[str, str]:
        """As given."""
        return self.troubles


class World:
    """The service, and what a test makes happen to it.

    Attributes:
        person: who looks.
        url: of the page.
        board: what the page asks; its finished applications are given by `finish`, or read from a real history server.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, index: Index, board: Board, person: Person, url: str) -> None:
        self.person = person
        self.url = url
        self.board = board
        self._loop = loop
        self._index = index

    def put(self, *applications: Application) -> None:
        """These are there now, as the watch would say it."""

        def put() -> None:
            for application in applications:
                self._index.applications[application.namespace, application.app_id] = application
            self._index.version += 1

        self._do(put)

    def remove(self, *applications: Application) -> None:
        """Their pods are gone."""

        def remove() -> None:
            for application in applications:
                del self._index.applications[application.namespace, application.app_id]
            self._index.version += 1

        self._do(remove)

    def history_server(self, namespace: str, target: Target | None) -> None:
        """A history server is ready, or (None) is not any more."""

        def change() -> None:
            self._index.histories.pop(namespace, None)
            if target:
                self._index.histories[namespace] = HistoryServer(namespace, "history-0", target)
            self._index.version += 1

        self._do(change)

    def finish(self, namespace: str, applications: dict[str, FinishedApplication], problem: str = "") -> None:
        """What a namespace's history server listed when it was read."""
        finished = self.board.finished

        def finish() -> None:
            read = datetime(2026, 11, 21, 3, 10, tzinfo=UTC)
            # Not asked again: what was read is what the test says.
            finished.histories[namespace] = History(applications, problem, read, asked_at=float("inf"))
            finished.version += 1
            self._index.histories[namespace] = HistoryServer(namespace, "history-0", Target("", "127.0.0.1", 1))

        self._do(finish)

    def listed(self, query: str = "") -> Any:
        """What the API lists."""
        with urllib.request.urlopen(f"{self.url}-/api/v1/applications{query}") as answer:
            return json.load(answer)

    def _do(self, change: Callable[[], None]) -> None:
        done: Future[None] = Future()

        def run() -> None:
            change()
            done.set_result(None)

        self._loop.call_soon_threadsafe(run)
        done.result(30)


@contextmanager
def serving(config: Config) -> Iterator[World]:
    """The service on a port of 127.0.0.1, in a thread with a loop of its own."""
    loop, ready, stop, made = asyncio.new_event_loop(), threading.Event(), asyncio.Event(), list[World]()

    async def serve() -> None:
        index, person = Index(), Person()
        async with new_client() as client:
            board = Board(config, index, client, person)
            app = web.Application()
            app.add_routes(routes(board, Pages(config.base_path), config))
            runner = web.AppRunner(app)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            made.append(World(loop, index, board, person, f"http://127.0.0.1:{port}{config.base_path}/"))
            running = asyncio.create_task(board.run())
            ready.set()
            await stop.wait()
            running.cancel()
            await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(30)
        yield made[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


def application(name: str = "nightly-etl", **changes: Any) -> Application:
    """A running application of team-a."""
    uid = uuid4().hex
    values = {
        "namespace": "team-a",
        "app_id": f"spark-{uid}",
        "pod": f"{name}-{uid[:5]}",
        "pod_uid": uid,
        "name": name,
        "user": "ada",
        "state": "running",
        "target": Target(uid, "127.0.0.1", 1),
        "created": datetime.now(UTC) - timedelta(minutes=5, seconds=10),
        "spark_version": "4.3.0",
        "executors": 4,
        "cpu": 9.0,
        "memory": 34 * 2**30,
    }
    return Application(**{**values, **changes})


def finished(name: str = "nightly-etl", **changes: Any) -> dict[str, FinishedApplication]:
    """A finished application, by its id."""
    ended = changes.pop("ended", datetime.now(UTC) - timedelta(hours=1))
    values = {
        "app_id": f"spark-{uuid4().hex}",
        "attempt": "",
        "name": name,
        "user": "ada",
        "started": ended - timedelta(minutes=14),
        "ended": ended,
        "completed": True,
        "spark_version": "4.3.0",
    }
    one = FinishedApplication(**{**values, **changes})
    return {one.app_id: one}
