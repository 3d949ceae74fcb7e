"""A standalone cluster in a team's namespace, and the Jobs that are submitted to it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml
from team import Team

CLUSTER = "standalone"
PORTS = """
import pathlib
files = (pathlib.Path(f"/proc/net/{name}") for name in ("tcp", "tcp6"))
rows = [line.split() for file in files for line in file.read_text().splitlines()[1:]]
print(sorted({int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A"}))
"""
"""The ports that a pod listens on."""


@dataclass(frozen=True)
class Standalone:
    """A release of spark-standalone.

    Attributes:
        team: in whose namespace.
    """

    team: Team

    def put(self, **programs: str) -> None:
        """Make the ConfigMap of the programs: name -> Python source."""
        data = {f"{name}.py": source for name, source in programs.items()}
        body = {"metadata": {"name": f"{CLUSTER}-programs"}, "data": data}
        self.team.cluster.core.create_namespaced_config_map(self.team.name, body)

    def job(self, *arguments: str) -> dict[str, Any]:
        """The Job of the release's ConfigMap, with other arguments."""
        read = self.team.cluster.core.read_namespaced_config_map(f"{CLUSTER}-client", self.team.name)
        job: dict[str, Any] = yaml.safe_load(read.data["job.yaml"])
        job["spec"]["template"]["spec"]["containers"][0]["args"] = list(arguments)
        return job

    def submit(self, job: dict[str, Any]) -> str:
        """Create a Job; its name."""
        created = self.team.cluster.batch.create_namespaced_job(self.team.name, job)
        return str(created.metadata.name)

    def log(self, job: str) -> str:
        """What a Job's driver has printed; "" before it runs."""
        pods = self.team.cluster.core.list_namespaced_pod(self.team.name, label_selector=f"job-name={job}").items
        if not pods or pods[0].status.phase == "Pending":
            return ""
        return self.team.kubectl("logs", pods[0].metadata.name)

    def wait_for(self, job: str, pattern: str, deadline_s: float) -> str:
        """Wait until a Job's driver has printed something; all of its log."""
        deadline = time.monotonic() + deadline_s
        while not re.search(pattern, log := self.log(job)):
            assert time.monotonic() < deadline, f"{job} did not print {pattern!r}: {log[-3000:]}"
            time.sleep(0.5)
        return log

    def end_of(self, job: str, deadline_s: float) -> str:
        """Wait until a Job is complete; its log."""
        self.team.kubectl("wait", "--for=condition=complete", f"--timeout={deadline_s:.0f}s", f"job/{job}")
        return self.log(job)

    def master(self) -> dict[str, Any]:
        """What the master says of itself."""
        ask = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:4040/json/').read().decode())"
        answer: dict[str, Any] = json.loads(
            self.team.kubectl("exec", f"{CLUSTER}-master-0", "--", "python3", "-c", ask)
        )
        return answer

    def wait_for_workers(self, number: int, deadline_s: float = 60) -> None:
        """Wait until so many workers are registered and alive."""
        deadline = time.monotonic() + deadline_s
        while (found := self.master()["aliveworkers"]) != number:
            assert time.monotonic() < deadline, f"{found} workers are alive, and not {number}"
            time.sleep(0.5)


@contextmanager
def installed(team: Team, *secrets: str, **values: Any) -> Iterator[Standalone]:
    """A cluster with two workers, for the time of the context.

    Args:
        team: in whose namespace.
        secrets: that its pods may mount besides.
        values: at the top level.
    """
    team.set_namespace(guard={"secrets": ["spark-auth", *secrets]})
    team.kubectl("create", "secret", "generic", "spark-auth", "--from-literal=secret=what-only-the-team-knows")
    site = team.charts.parent / "values/spark-standalone.yaml"
    argv = ["install", CLUSTER, str(team.charts / "spark-standalone"), "--namespace", team.name, "--wait"]
    argv += ["--timeout=180s", f"--values={site}", "--values=-"]
    team.helm.run(argv, yaml.safe_dump(values))
    try:
        yield Standalone(team)
    finally:
        team.kubectl("delete", "job", f"--selector=kindling.local/standalone={CLUSTER}")
        team.uninstall(CLUSTER)
