"""What one person sees: the list, with links and progress, and how its sources do: of the page and of the API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from spark_ui_proxy.config import Config
from spark_ui_proxy.finished import Finished
from spark_ui_proxy.index import Index
from spark_ui_proxy.links import Links
from spark_ui_proxy.listing import SHARED, Found, Listing, Row
from spark_ui_proxy.progress import Progress, ProgressReader
from spark_ui_proxy.query import LIVE, Query
from spark_ui_proxy.viewing import Sight, Viewing

_TICK_SECONDS = 0.5


@dataclass(frozen=True)
class Shown:
    """An application with all that is shown of it; "" where there is no link or line."""

    row: Row
    ui: str
    history: str
    log: str
    logs: str
    progress: Progress | None

    def json(self) -> dict[str, Any]:
        """As openapi.yaml's `Application`."""
        row, progress = self.row, self.progress
        return {
            "namespace": row.namespace,
            "id": row.app_id,
            "name": row.name,
            "user": row.user,
            "state": row.state,
            "started": iso(row.started),
            "ended": iso(row.ended) if row.ended else None,
            "sparkVersion": row.spark_version,
            "pod": row.pod,
            "executors": row.executors,
            "cpu": row.cpu,
            "memoryBytes": row.memory,
            "progress": progress
            and {
                "jobs": progress.jobs,
                "job": progress.job,
                "name": progress.name,
                "tasksDone": progress.done,
                "tasksTotal": progress.total,
                "tasksFailed": progress.failed,
            },
            "disputed": row.disputed,
            "problem": row.problem,
            "links": {"ui": self.ui or None, "history": self.history or None, "log": self.log or None},
            "logs": self.logs or None,
        }


@dataclass(frozen=True)
class Source:
    """A namespace's applications and where they are known from.

    Attributes:
        name: of the namespace; `shs`: the shared history.
        problem: why its watch is in trouble, in a line; or "".
        has_history: a history server was seen.
        history_problem: what is wrong with it, in a line; or "".
        as_of: with a problem: when it was last read without one.
    """

    name: str
    live: int
    finished: int
    problem: str
    has_history: bool
    history_problem: str
    as_of: datetime | None

    def json(self) -> dict[str, Any]:
        """As openapi.yaml's `Namespace`."""
        history = {"problem": self.history_problem, "asOf": iso(self.as_of) if self.as_of else None}
        counts = {"live": self.live, "finished": self.finished}
        return {"name": self.name, **counts, "problem": self.problem, "history": history if self.has_history else None}


class Board:
    """Answers for the page and its API; `run` keeps what it tells.

    Args:
        config: where the service stands.
        index: what lives.
        client: asks drivers and history servers; `rest.new_client`.
        viewing: who looks.
        shows: whether a namespace's history server is asked at all.

    Attributes:
        finished: what the history servers told.
    """

    def __init__(
        self,
        config: Config,
        index: Index,
        client: aiohttp.ClientSession,
        viewing: Viewing,
        shows: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.viewing = viewing
        self._config = config
        self.finished = Finished(index, client, shows)
        self._progress = ProgressReader(client)
        self._listing = Listing(index, self.finished, config.shared_history)
        self._links = Links(config)

    async def run(self) -> None:
        """Ask history servers and drivers, and notice what ends while nobody looks, until cancelled."""
        try:
            while True:
                self._listing.refresh()
                self.finished.tick()
                self._progress.tick()
                await asyncio.sleep(_TICK_SECONDS)
        finally:
            self.finished.stop()
            self._progress.stop()

    def find(self, query: Query, sight: Sight) -> tuple[Found, list[Shown]]:
        """What a query finds, and the rows of its page as they are shown."""
        self.finished.look()
        found = self._listing.find(query, sight)
        return found, self._show(found.rows)

    def get(self, namespace: str, app_id: str, sight: Sight) -> Shown | None:
        """One application, if there is one that may be seen."""
        row = self._listing.get(namespace, app_id, sight)
        return self._show([row])[0] if row else None

    def sources(self, sight: Sight) -> list[Source]:
        """The namespaces that may be seen, and the shared history, by name."""
        problems = self.viewing.problems()
        shared = [SHARED] if sight.everything and self._config.shared_history else []
        return [self._source(name, problems.get(name, "")) for name in [*sorted(sight.namespaces), *shared]]

    def _source(self, name: str, problem: str) -> Source:
        states = self._listing.count(name)
        live = sum(states[state] for state in LIVE)
        history = self.finished.histories.get(self._config.shared_history if name == SHARED else name)
        return Source(
            name=name,
            live=live,
            finished=states.total() - live,
            problem=problem,
            has_history=history is not None,
            history_problem=history.problem if history else "",
            as_of=history.read if history and history.problem else None,
        )

    def _show(self, rows: Iterable[Row]) -> list[Shown]:
        self._progress.want(row.live for row in rows if row.live and row.state == "running")
        return [
            Shown(
                row=row,
                ui=self._links.ui(row),
                history=self._links.history(row),
                log=self._links.log(row) if row.live and self._progress.has_log(row.live) else "",
                logs=self._links.logs(row),
                progress=self._progress.of(row.live) if row.live else None,
            )
            for row in rows
        ]


def iso(moment: datetime) -> str:
    """A moment as JSON and HTML have it: `2026-11-21T20:57:01Z`."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
