"""Finished applications, as the history servers tell them: read in the background, never while somebody waits.

Spark's REST (`/api/v1/applications`) lists the newest end first and has no pages; `maxEndDate` of the oldest
that is known gives the next ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import aiohttp

from spark_ui_proxy.index import HistoryServer, Index
from spark_ui_proxy.pods import APP_ID
from spark_ui_proxy.rest import RestError, get_json, moment, text

PART = 500
"""Applications asked for at once: what is parsed in some milliseconds."""
MOST, MOST_IN_ALL = 20_000, 25_000
"""Applications kept of one history server, and of all: the newest. One takes about 3 kB."""
_LARGEST_ANSWER = 4 * 2**20
_SECONDS_EACH, _SECONDS_IN_ALL = 20, 120
_READERS = 8
_LOOKED_AT_SECONDS, _UNWATCHED_SECONDS, _EXPECTED_SECONDS = 15, 120, 3
_SOMEBODY_LOOKS_SECONDS = 60
_FULL_SECONDS = 600
_OVERLAP = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class FinishedApplication:
    """What a history server knows of an application: its last attempt.

    Attributes:
        attempt: id of the attempt, "" where Spark has none (as on Kubernetes).
        completed: its log has an end; without one its driver was killed, or still writes.
        ended: of the log's end, or of its last line.
        failed: its log has an exit code other than 0. Else nobody knows: Spark 3.5 writes none, and Spark 4 writes 0
            for a driver that stopped Spark before it failed.
    """

    app_id: str
    attempt: str
    name: str
    user: str
    started: datetime
    ended: datetime
    completed: bool
    spark_version: str
    failed: bool = False


@dataclass
class History:
    """One namespace's history server, as far as it was read.

    Attributes:
        applications: by id.
        problem: why it cannot be read now, in a line; or "".
        read: when it was last read without one.
    """

    applications: dict[str, FinishedApplication] = field(default_factory=dict)
    problem: str = "is not read yet"
    read: datetime | None = None
    reading: asyncio.Task[None] | None = None
    asked_at: float = float("-inf")
    full_at: float = float("-inf")
    pod_uid: str = ""


class Finished:
    """The finished applications of every namespace that has a history server; `tick` is called at least every second.

    Args:
        index: where history servers are.
        client: asks them.
        shows: whether a namespace's applications are served at all.

    Attributes:
        histories: by namespace. What was read stays while a history server is away.
        version: rises when what they say changes.
    """

    def __init__(
        self, index: Index, client: aiohttp.ClientSession, shows: Callable[[str], bool] = lambda _: True
    ) -> None:
        self._shows = shows
        self.histories: dict[str, History] = {}
        self.version = 0
        self._index = index
        self._client = client
        self._readers = asyncio.Semaphore(_READERS)
        self._looked_at = float("-inf")
        self._expected: frozenset[str] = frozenset()

    def look(self) -> None:
        """Somebody looks at a list: read more often for a while."""
        self._looked_at = time.monotonic()

    def expect(self, namespaces: frozenset[str]) -> None:
        """In these namespaces an application just ended: its log may be there any moment."""
        self._expected = namespaces

    def tick(self) -> None:
        """Start the readings that are due; say which history servers are away."""
        servers = {name: server for name, server in self._index.histories.items() if self._shows(name)}
        for namespace, server in servers.items():
            history = self.histories.setdefault(namespace, History())
            reads = history.reading and not history.reading.done()
            if not reads and time.monotonic() >= history.asked_at + self._pause(namespace):
                history.asked_at = time.monotonic()
                history.reading = asyncio.create_task(self._read(server, history))
        for namespace in filter(self._shows, self._index.history_problems):
            self.histories.setdefault(namespace, History())
        for namespace, history in self.histories.items():
            if namespace not in servers:
                problem = self._index.history_problems.get(namespace)
                self._say(history, f"cannot be asked ({problem})" if problem else "is not ready")

    def stop(self) -> None:
        """End the readings."""
        for history in self.histories.values():
            if history.reading:
                history.reading.cancel()

    def _pause(self, namespace: str) -> float:
        """Seconds between two readings."""
        if time.monotonic() - self._looked_at > _SOMEBODY_LOOKS_SECONDS:
            return _UNWATCHED_SECONDS
        return _EXPECTED_SECONDS if namespace in self._expected else _LOOKED_AT_SECONDS

    async def _read(self, server: HistoryServer, history: History) -> None:
        problem = ""
        try:
            async with self._readers, asyncio.timeout(_SECONDS_IN_ALL):
                applications = await self._applications(server, history)
        except TimeoutError:
            problem = "does not answer in time"
        except RestError as error:
            problem = str(error)
        except aiohttp.ClientError as error:
            problem = f"cannot be reached ({type(error).__name__})"
        else:
            history.read = datetime.now(UTC)
            if applications != history.applications:
                history.applications = applications
                self.version += 1
        self._say(history, problem)

    def _say(self, history: History, problem: str) -> None:
        if history.problem != problem:
            history.problem = problem
            self.version += 1

    async def _applications(self, server: HistoryServer, history: History) -> dict[str, FinishedApplication]:
        """What the server lists now; of those with an end only the new ones, but for a full reading at times."""
        old = {key: known for key, known in history.applications.items() if known.completed}
        anew = time.monotonic() - history.full_at > _FULL_SECONDS or history.pod_uid != server.target.pod_uid
        if not anew and old:
            newest = max(known.ended for known in old.values())
            part = await self._ask(server, status="completed", limit=PART, minEndDate=_date(newest - _OVERLAP))
            completed = {**old, **part} if len(part) < PART else await self._all(server, history)
        else:
            completed = await self._all(server, history)
            history.full_at, history.pod_uid = time.monotonic(), server.target.pod_uid
        without_end = await self._ask(server, status="running", limit=PART)
        return _newest({**without_end, **completed}, self._room(history))

    def _room(self, history: History) -> int:
        """How many applications of a server are kept."""
        others = sum(len(other.applications) for other in self.histories.values() if other is not history)
        return min(MOST, max(PART, MOST_IN_ALL - others))

    async def _all(self, server: HistoryServer, history: History) -> dict[str, FinishedApplication]:
        """All completed ones, the newest first, part by part; only so many that there is room for."""
        most = self._room(history)
        found: dict[str, FinishedApplication] = {}
        limit, before = PART, ""
        while len(found) < most:
            part = await self._ask(
                server, status="completed", limit=limit, **({"maxEndDate": before} if before else {})
            )
            known = len(found)
            found.update(part)
            if len(part) < limit:
                break
            # More than a part may have ended in one millisecond: then a larger part is needed to get beyond it.
            limit = PART if len(found) > known else limit * 2
            before = _date(min(application.ended for application in part.values()))
        return found

    async def _ask(self, server: HistoryServer, **query: str | int) -> dict[str, FinishedApplication]:
        raw = await get_json(
            self._client, server.target, "/applications", query, seconds=_SECONDS_EACH, largest=_LARGEST_ANSWER
        )
        if not isinstance(raw, list):
            raise RestError("answers something that is no list of applications")
        parsed = (_parse(item) for item in raw)
        found = {application.app_id: application for application in parsed if application}
        # What was asked for, and no more: an answer of 4 MiB has room for tens of thousands.
        return dict(islice(found.items(), int(query["limit"])))


def _newest(applications: dict[str, FinishedApplication], most: int) -> dict[str, FinishedApplication]:
    if len(applications) <= most:
        return applications
    newest = sorted(applications.values(), key=lambda application: application.ended, reverse=True)
    return {application.app_id: application for application in newest[:most]}


def _parse(raw: Any) -> FinishedApplication | None:
    """One of the list; None for what no page could be opened for."""
    try:
        attempt = raw["attempts"][0]
        app_id, attempt_id = raw["id"], attempt.get("attemptId") or ""
        if not APP_ID.fullmatch(app_id) or (attempt_id and not APP_ID.fullmatch(attempt_id)):
            return None
        started, ended = attempt["startTimeEpoch"], attempt["endTimeEpoch"]
        if ended <= 0:
            ended = attempt["lastUpdatedEpoch"]
        return FinishedApplication(
            app_id=app_id,
            attempt=attempt_id,
            name=text(raw["name"], 256),
            user=text(attempt["sparkUser"], 128),
            started=moment(started),
            ended=moment(ended),
            completed=bool(attempt["completed"]),
            spark_version=text(attempt.get("appSparkVersion", ""), 32),
            failed=attempt.get("exitCode") not in (None, 0),
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError, OSError):
        return None


def _date(moment: datetime) -> str:
    """As Spark's REST takes it, to the millisecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}GMT"
