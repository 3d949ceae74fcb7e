"""A team's history server in the cluster, and what it answers."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import yaml
from team import QUICK, Team

from kindling_dev.command import Failure
from kindling_dev.spark_image import DEFAULT_LINE, SparkLine

SERVER = "history"
SMALL: dict[str, Any] = {
    "claim": {"accessMode": "ReadWriteOnce", "size": "1Gi"},
    "state": {"size": "512Mi"},
    "memory": "1g",
    "requestCores": "50m",
    "updateInterval": "1s",
}
"""A server for a cluster of one node."""
COUNT = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
assert spark.range(1000).count() == 1000
print("APPLICATION", spark.sparkContext.applicationId)
"""
"""An application of one query, which tells its id."""


@dataclass(frozen=True)
class History:
    """A release of spark-history-server in a team's namespace, whose jobs write to its store.

    Attributes:
        team: whose.
        event_log: global.eventLog of the team.
    """

    team: Team
    event_log: dict[str, Any]

    def install(self, line: SparkLine = DEFAULT_LINE, action: str = "install", **values: Any) -> None:
        """Install (or upgrade) the server and wait until it is ready; keyword arguments are values at the top level."""
        image = {"tag": f"{line.version}-python3"}
        merged = {**SMALL, "image": image, "global": {"eventLog": self.event_log}, **values}
        chart = str(self.team.charts / "spark-history-server")
        argv = [action, SERVER, chart, "--namespace", self.team.name, "--wait", "--timeout=240s", "--values=-"]
        self.team.helm.run(argv, yaml.safe_dump(merged))

    def test(self) -> None:
        """`helm test`, which fails the test if its pod does."""
        self.team.helm.run(["test", SERVER, "--namespace", self.team.name])

    def run(self, release: str, line: SparkLine = DEFAULT_LINE, *, packed: bool = True, **values: Any) -> str:
        """Run an application to its end; its id. Its event log is text unless it is packed."""
        facts = {"eventLog": self.event_log}
        app = {"source": COUNT}
        conf = {**QUICK, "spark.eventLog.compress": packed}
        self.team.install(release, line=line, **{"global": facts, "app": app, "sparkConf": conf, **values})
        end = self.team.end_of(release)
        assert end.succeeded, end
        (told,) = [one for one in self.team.log_of(end).splitlines() if one.startswith("APPLICATION ")]
        return told.split()[1]

    def pods(self) -> list[Any]:
        """The server's pods."""
        labels = f"app.kubernetes.io/instance={SERVER},app.kubernetes.io/component=server"
        listed = self.team.cluster.core.list_namespaced_pod(self.team.name, label_selector=labels)
        return [pod for pod in listed.items if not pod.metadata.deletion_timestamp]

    def python(self, source: str, *arguments: str) -> str:
        """Run a program beside the server; what it prints."""
        where = ("exec", f"deployment/{SERVER}", "--container=history-server", "--")
        return self.team.kubectl(*where, "python3", "-c", source, *arguments)

    def ask(self, path: str) -> Any:
        """What the server answers at a path of its REST interface; None while there is nothing."""
        url = f"/api/v1/namespaces/{self.team.name}/services/{SERVER}:http/proxy/api/v1/{path}"
        try:
            return json.loads(self.team.kubectl("get", f"--raw={url}"))
        except Failure:
            return None

    def application(self, application: str, deadline_s: float = 60) -> dict[str, Any]:
        """Wait until a finished application is shown; what REST says of it."""
        deadline = time.monotonic() + deadline_s
        while True:
            found = self.ask(f"applications/{application}")
            if found and all(attempt["completed"] for attempt in found["attempts"]):
                return dict(found)
            assert time.monotonic() < deadline, f"{application} is not shown: {self.ask('applications')}"
            time.sleep(0.5)

    def number(self, expected: int, deadline_s: float) -> None:
        """Wait until so many applications are shown."""
        deadline = time.monotonic() + deadline_s
        while (found := len(self.ask(f"applications?limit={expected + 1}") or [])) != expected:
            assert time.monotonic() < deadline, f"{found} applications are shown, and not {expected}"
            time.sleep(1)
