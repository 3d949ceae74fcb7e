"""What running applications do now: their drivers are asked while, and only while, they are on somebody's screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

from spark_ui_proxy.index import Application
from spark_ui_proxy.rest import RestError, get_json, has_page, text
from spark_ui_proxy.shares import Shares

LOG_PAGE = "/logs/"
_ASKED_AT_ONCE = 8
"""Of one namespace."""
_SECONDS, _LARGEST_ANSWER = 3, 2**18
_FRESH_SECONDS, _AFTER_FAILURE_SECONDS = 3, 15
_ON_SCREEN_SECONDS, _FORGOTTEN_SECONDS = 10, 120


@dataclass(frozen=True, slots=True)
class Progress:
    """The running jobs of an application.

    Attributes:
        jobs: how many run; 0: none, the application waits for work.
        job: the oldest one's id.
        name: its name, as Spark shows it ("count at job.py:5").
        done, total, failed: tasks of all running jobs.
    """

    jobs: int
    job: int
    name: str
    done: int
    total: int
    failed: int


@dataclass
class _Seen:
    application: Application
    wanted_at: float
    due_at: float = 0
    progress: Progress | None = None
    has_log: bool | None = None
    asking: bool = False


class ProgressReader:
    """Asks drivers for their running jobs; `tick` is called at least every second."""

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self._client = client
        self._slots = Shares(_ASKED_AT_ONCE)
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._asking: set[asyncio.Task[None]] = set()

    def of(self, application: Application) -> Progress | None:
        """What is known; None: nothing, or the driver does not say."""
        seen = self._seen.get(_key(application))
        return seen.progress if seen else None

    def has_log(self, application: Application) -> bool:
        """Whether its UI is known to have a page of the driver's log (Spark 4, with spark.driver.log.localDir)."""
        seen = self._seen.get(_key(application))
        return bool(seen and seen.has_log)

    def want(self, applications: Iterable[Application]) -> None:
        """These are on somebody's screen."""
        now = time.monotonic()
        for application in applications:
            if application.target:
                seen = self._seen.setdefault(_key(application), _Seen(application, now))
                seen.application, seen.wanted_at = application, now
        self.tick()

    def tick(self) -> None:
        """Ask those that are wanted and due; forget the others."""
        now = time.monotonic()
        for key, seen in list(self._seen.items()):
            if now - seen.wanted_at > _FORGOTTEN_SECONDS:
                del self._seen[key]
            elif now - seen.wanted_at <= _ON_SCREEN_SECONDS and now >= seen.due_at and not seen.asking:
                seen.asking = True
                task = asyncio.create_task(self._ask(seen))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)

    def stop(self) -> None:
        """End what is being asked."""
        for task in self._asking:
            task.cancel()

    async def _ask(self, seen: _Seen) -> None:
        application, pause = seen.application, _FRESH_SECONDS
        assert application.target
        try:
            async with self._slots.of(application.namespace):
                raw = await get_json(
                    self._client,
                    application.target,
                    f"/applications/{application.app_id}/jobs",
                    {"status": "running"},
                    seconds=_SECONDS,
                    largest=_LARGEST_ANSWER,
                )
                seen.progress = _parse(raw)
                if seen.has_log is None:
                    seen.has_log = await has_page(self._client, application.target, LOG_PAGE, seconds=_SECONDS)
        except (RestError, TimeoutError, aiohttp.ClientError):
            seen.progress, pause = None, _AFTER_FAILURE_SECONDS
        finally:
            seen.due_at, seen.asking = time.monotonic() + pause, False


def _key(application: Application) -> tuple[str, str]:
    """One pod may run several; one id may come to another pod."""
    return application.pod_uid, application.app_id


def _parse(raw: Any) -> Progress | None:
    """The running jobs of a REST answer; None if it is no such answer."""
    if not isinstance(raw, list):
        return None
    with suppress(KeyError, TypeError, ValueError, AttributeError):
        jobs = [job for job in raw if job["status"] == "RUNNING"]
        if not jobs:
            return Progress(0, 0, "", 0, 0, 0)
        oldest = min(jobs, key=lambda job: _count(job["jobId"]))
        total = sum(_count(job["numTasks"]) for job in jobs)
        # Spark counts tasks of attempts that were done again, and those of skipped stages as neither.
        done = sum(_count(job["numCompletedTasks"]) + _count(job["numSkippedTasks"]) for job in jobs)
        return Progress(
            jobs=len(jobs),
            job=_count(oldest["jobId"]),
            name=text(oldest["name"], 120),
            done=min(done, total),
            total=total,
            failed=sum(_count(job["numFailedTasks"]) for job in jobs),
        )
    return None


def _count(raw: Any) -> int:
    if type(raw) is not int or not 0 <= raw < 2**53:
        raise ValueError(raw)
    return raw
