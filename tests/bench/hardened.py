"""What the hardened preset costs: one job that shuffles between two executors, with and without it, in turn.

CPU seconds are those of the processes in driver and executors, from their start to the end of the work: what else the
machine does changes them least. Run, on the cluster of scripts/up: scripts/bootstrap tests.bench.hardened [RUNS]
"""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass, fields

import yaml
from rich.console import Console
from rich.table import Table

from chartproof import Cluster, Helm
from chartproof.helm import build_dependencies
from kindling_dev import tools
from kindling_dev.command import run
from kindling_dev.progress import Progress
from kindling_dev.settings import ADMIN_NAMESPACE, REPO, Settings

_TEAM = "bench-hardened"
_PROFILES = ("default", "hardened")
_DEADLINE_S = 300
_TICKS_A_SECOND = 100
_MEGABYTES = 256
_APP = f"""
import time
from pathlib import Path
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
spark.range(4).repartition(4, "id").count()
begun = time.monotonic()
# Text that hardly packs: what is said to move moves.
rows = spark.range(0, {_MEGABYTES} * 2**20 // 64, 1, 4).selectExpr("id", "sha2(CAST(id AS STRING), 256) AS text")
rows.repartition(4, "text").write.format("noop").mode("overwrite").save()
print("SECONDS", time.monotonic() - begun, flush=True)
while not Path("/tmp/go").exists():
    time.sleep(0.5)
"""


@dataclass(frozen=True)
class Measure:
    """One run.

    Attributes:
        work: seconds that the shuffle took.
        cpu: seconds of CPU of driver and executors, their start included.
    """

    work: float
    cpu: float


class Bench:
    """A team's namespace under measurement."""

    def __init__(self, settings: Settings) -> None:
        self._kubectl = ["kubectl", f"--kubeconfig={settings.kubeconfig}", f"--namespace={_TEAM}"]
        self._cluster = Cluster(settings.kubeconfig)
        self._helm = Helm(kubeconfig=settings.kubeconfig)

    def set_up(self) -> None:
        """Make the namespace and its Secret."""
        build_dependencies(REPO / "charts", self._helm)
        chart = str(REPO / "charts/spark-namespace")
        values = f"--set=namespace.name={_TEAM},global.security.profile=hardened"
        self._helm.run(["install", _TEAM, chart, values, f"--namespace={ADMIN_NAMESPACE}", "--create-namespace"])
        run([*self._kubectl, "create", "secret", "generic", "spark-auth", "--from-literal=secret=of-a-bench"])

    def tear_down(self) -> None:
        """Remove both."""
        self._helm.run(["uninstall", _TEAM, f"--namespace={ADMIN_NAMESPACE}", "--ignore-not-found"])
        run([*self._kubectl, "delete", "namespace", _TEAM, "--ignore-not-found"])

    def measure(self, profile: str) -> Measure:
        """Run the job once."""
        values = {
            "app": {"source": _APP},
            "driver": {"requestCores": "300m"},
            "executor": {"requestCores": "300m", "instances": 2},
            "sparkConf": {"spark.scheduler.minRegisteredResourcesRatio": 1},
            "security": {"profile": profile},
        }
        argv = ["install", profile, str(REPO / "charts/spark-job"), f"--namespace={_TEAM}", "--values=-"]
        self._helm.run(argv, yaml.safe_dump(values))
        role = {"namespace": _TEAM, "label_selector": f"spark-role=driver,app.kubernetes.io/instance={profile}"}

        def running(pod: object, _: str) -> str | None:
            return pod.metadata.name if pod.status.phase == "Running" else None  # type: ignore[attr-defined]

        listing = self._cluster.core.list_namespaced_pod
        driver = self._cluster.wait_for(listing, running, f"the {profile} driver", _DEADLINE_S, **role)
        told = self._cluster.wait_for_log(_TEAM, driver, "SECONDS ", _DEADLINE_S)
        pods = listing(_TEAM, label_selector=f"spark-role,app.kubernetes.io/instance={profile}").items
        cpu = sum(self._cpu(pod.metadata.name) for pod in pods)
        self._helm.run(["uninstall", profile, f"--namespace={_TEAM}", "--wait"])
        return Measure(float(told.split()[1]), cpu)

    def _cpu(self, pod: str) -> float:
        """CPU seconds of a pod's processes and of their children that have ended."""
        table = run([*self._kubectl, "exec", pod, "--", "sh", "-c", "cat /proc/[0-9]*/stat"])
        # proc(5): after the name in brackets, the 12th to 15th field.
        ticks = [line.rpartition(")")[2].split()[11:15] for line in table.splitlines()]
        return sum(int(count) for counts in ticks for count in counts) / _TICKS_A_SECOND


def _report(measures: dict[str, list[Measure]]) -> None:
    runs = len(measures["default"])
    table = Table("", *_PROFILES, "ratio", title=f"a shuffle of {_MEGABYTES} MB, medians of {runs}", min_width=60)
    for field in fields(Measure):
        default, hardened = (statistics.median(getattr(m, field.name) for m in measures[p]) for p in _PROFILES)
        table.add_row(f"{field.name}, s", f"{default:.1f}", f"{hardened:.1f}", f"{hardened / default:.2f}")
    Console().print(table)


def main(runs: int) -> None:
    """Measure both in turn."""
    settings, progress = Settings.from_environment(), Progress()
    tools.ensure_tools(settings, progress, tools.FOR_UP)
    bench = Bench(settings)
    measures: dict[str, list[Measure]] = {profile: [] for profile in _PROFILES}
    try:
        bench.set_up()
        for number in range(runs):
            for profile, taken in measures.items():
                taken.append(bench.measure(profile))
                progress.say(f"{profile} {number + 1}: {taken[-1]}")
    finally:
        bench.tear_down()
    _report(measures)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
