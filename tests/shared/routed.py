"""A real driver behind the service, and what its REST says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from answers import Answer
from crawl import crawl
from proxy_world import Door, Team
from spark_driver import BusyDriver

Kind = Literal["job", "stage"]


@dataclass(frozen=True)
class Routed:
    """A driver that can be asked for through the service.

    Attributes:
        path: of its application, below the base.
        team: whose it is.
        viewer, submitter: their tokens.
    """

    driver: BusyDriver
    door: Door
    path: str
    team: Team
    viewer: str
    submitter: str

    @property
    def prefix(self) -> str:
        """The path with the base."""
        return self.door.base + self.path

    def get(self, page: str, token: str = "", **more: str) -> Answer:
        """Ask for a page as the viewer, or with another token."""
        return self.door.get(f"{self.path}/{page}", token or self.viewer, **more)

    def rest(self, path: str) -> object:
        """An answer of its REST."""
        answer = self.get(f"api/v1/applications{path.format(app=self.driver.app_id)}")
        assert answer.status == 200, answer.text[:300]
        return json.loads(answer.body)

    def crawl(self, prefix: str, *starts: str, enough: int) -> int:
        """How many links from some pages on answer, and stay below a prefix."""
        base = self.door.base

        def ask(path: str) -> Answer:
            return self.door.get(path.removeprefix(base), self.viewer)

        return len(crawl(ask, f"{base}{prefix}/", [f"{base}{start}" for start in starts], enough))

    def running(self, kind: Kind) -> int:
        """The job, or its stage, that waits to be killed."""
        found: list[int] = []

        def runs() -> bool:
            jobs = self.rest("/{app}/jobs?status=running")
            assert isinstance(jobs, list)
            own = [job for job in jobs if job.get("jobGroup") == "long"]
            found[:] = [number for job in own for number in ([job["jobId"]] if kind == "job" else job["stageIds"])]
            return bool(found) and self.status(kind, found[0]) in ("RUNNING", "ACTIVE")

        self.door.decider.wait(runs, f"a {kind} to kill")
        return found[0]

    def status(self, kind: Kind, number: int) -> str:
        """What Spark says of a job or stage, "FAILED"."""
        told = self.rest(f"/{{app}}/{kind}s/{number}")
        # Stages have attempts.
        one = told[0] if isinstance(told, list) else told
        assert isinstance(one, dict)
        return str(one["status"])
