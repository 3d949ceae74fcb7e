"""A team's namespace in the cluster, and runs of spark-job in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chartproof import Cluster, Helm, JobEnd
from kindling_dev.command import run
from kindling_dev.spark_image import SparkLine

RUN_DEADLINE_S = 180
SMALL: dict[str, Any] = {"driver": {"requestCores": "200m"}, "executor": {"requestCores": "200m"}}
"""Requests that let several tests' jobs run at once on two cores."""


@dataclass(frozen=True)
class Team:
    """A namespace that enforces ``restricted``, and what one does there.

    Attributes:
        name: the namespace.
        helm, cluster: as everywhere.
        charts: the charts' folder.
    """

    name: str
    helm: Helm
    cluster: Cluster
    charts: Path

    def install(self, release: str, *, line: SparkLine, action: str = "install", **values: Any) -> None:
        """Install (or upgrade) a release of spark-job; keyword arguments are values at the top level."""
        merged = {**SMALL, "image": {"tag": f"{line.version}-python3"}, **values}
        argv = [action, release, str(self.charts / "spark-job"), "--namespace", self.name, "--values=-"]
        self.helm.run(argv, yaml.safe_dump(merged))

    def uninstall(self, release: str) -> None:
        """Remove a release."""
        self.helm.run(["uninstall", release, "--namespace", self.name])

    def end_of(self, release: str, deadline_s: float = RUN_DEADLINE_S) -> JobEnd:
        """Wait for the end of a release's run."""
        return self.cluster.job_end(self.name, f"app.kubernetes.io/instance={release}", deadline_s)

    def log_of(self, end: JobEnd) -> str:
        """What a run printed."""
        return self.cluster.job_log(self.name, end.name)

    def objects(self) -> set[str]:
        """ "kind/name" of everything in the namespace that a run or a release may leave behind."""
        kinds = "pods,jobs,services,configmaps,secrets,persistentvolumeclaims,networkpolicies"
        listed = json.loads(self.kubectl("get", kinds, "--output=json"))
        return {f"{item['kind']}/{item['metadata']['name']}" for item in listed["items"]}

    def kubectl(self, *argv: str) -> str:
        """Run kubectl in the namespace as the cluster's admin."""
        return run(["kubectl", f"--kubeconfig={self.cluster.kubeconfig}", f"--namespace={self.name}", *argv])
