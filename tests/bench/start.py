"""How long until a Spark application computes, and until it has ended: spark-job against stock cluster mode.

Both run SparkPi with the same image, cores, memory and number of executors, in turn, on the cluster of scripts/up:

* stock: a Job that runs ``spark-submit --deploy-mode cluster`` under a service account bound to ``edit``, as Spark's
  guide has it, in a namespace without Pod Security; timed from ``kubectl apply``;
* kindling: ``helm install`` of spark-job in a namespace that enforces ``restricted``; timed from ``helm install``.

CPU seconds are those of the whole node (Spark, kubelet, control plane) and of the client, less what the idle node uses
in the same time. Run: scripts/bootstrap tests.bench.start [RUNS]
"""

from __future__ import annotations

import json
import re
import resource
import socket
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from http.client import HTTPConnection
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from chartproof import Cluster, Helm
from chartproof.helm import build_dependencies
from kindling_dev import tools
from kindling_dev.cluster import node_name
from kindling_dev.command import run
from kindling_dev.progress import Progress
from kindling_dev.settings import ADMIN_NAMESPACE, REPO, Settings
from kindling_dev.spark_image import DEFAULT_LINE

_PI = "local:///opt/spark/examples/src/main/python/pi.py"
_FIRST_TASK = re.compile(r"^(\S+) .*Starting task 0\.0 in stage 0\.0", re.MULTILINE)
_DEADLINE_S = 180
_IDLE_S = 15
_STOCK, _KINDLING = "bench-stock", "bench-kindling"


@dataclass(frozen=True)
class Measure:
    """One run, in seconds from the client's command.

    Attributes:
        first_task: until the driver started its first task.
        end: until the Job was Complete.
        cpu: processor time used meanwhile.
    """

    first_task: float
    end: float
    cpu: float


class Bench:
    """The cluster under measurement."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cluster = Cluster(settings.kubeconfig)
        self.helm = Helm(kubeconfig=settings.kubeconfig)
        self.idle_rate = self._idle_rate()

    def kubectl(self, *argv: str) -> str:
        """Run kubectl as the cluster's admin."""
        return run(["kubectl", f"--kubeconfig={self.settings.kubeconfig}", *argv])

    def measure(self, namespace: str, start: Callable[[], object], driver_selector: str, number: int) -> Measure:
        """Time one run, from before ``start`` to the end of the Job labelled run=``number``."""
        cpu_before, began, clock = self._cpu(), time.time(), time.monotonic()
        start()
        end = self.cluster.job_end(namespace, f"app.kubernetes.io/instance=run-{number}", _DEADLINE_S)
        seconds = time.monotonic() - clock
        cpu = self._cpu() - cpu_before - self.idle_rate * seconds
        if not end.succeeded:
            raise SystemExit(f"run {number} in {namespace} failed: {end}")
        pods = self.cluster.core.list_namespaced_pod(namespace, label_selector=driver_selector).items
        log = self.cluster.core.read_namespaced_pod_log(pods[0].metadata.name, namespace, timestamps=True)
        first = _FIRST_TASK.search(log)
        if not first:
            raise SystemExit(f"the driver of run {number} in {namespace} started no task")
        return Measure(datetime.fromisoformat(first[1]).timestamp() - began, seconds, cpu)

    def _cpu(self) -> float:
        """CPU seconds of the node since it started and of this process's ended children."""
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return _node_cpu(node_name(self.settings)) + children.ru_utime + children.ru_stime

    def _idle_rate(self) -> float:
        before = self._cpu()
        time.sleep(_IDLE_S)
        return (self._cpu() - before) / _IDLE_S


def _node_cpu(container: str) -> float:
    """The engine's own count of a container's CPU seconds; it is the same under cgroup v1 and v2."""
    connection = HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect("/var/run/docker.sock")
    connection.request("GET", f"/containers/{container}/stats?stream=false&one-shot=true")
    stats = json.load(connection.getresponse())
    return float(stats["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9


def _stock_job(number: int) -> dict[str, Any]:
    conf = {
        "spark.kubernetes.namespace": _STOCK,
        "spark.kubernetes.container.image": DEFAULT_LINE.published,
        "spark.kubernetes.authenticate.driver.serviceAccountName": "spark",
        "spark.kubernetes.driver.label.bench": f"run-{number}",
        "spark.kubernetes.driver.request.cores": "300m",
        "spark.kubernetes.executor.request.cores": "300m",
        "spark.driver.memory": "1g",
        "spark.executor.memory": "1g",
        "spark.executor.instances": "1",
    }
    command = ["/opt/spark/bin/spark-submit", "--master", "k8s://https://kubernetes.default.svc"]
    command += ["--deploy-mode", "cluster", "--name", f"run-{number}"]
    command += [word for key, value in conf.items() for word in ("--conf", f"{key}={value}")]
    container = {"name": "submit", "image": DEFAULT_LINE.published, "command": [*command, _PI, "4"]}
    metadata = {"name": f"run-{number}", "labels": {"app.kubernetes.io/instance": f"run-{number}"}}
    pod = {"restartPolicy": "Never", "serviceAccountName": "spark", "containers": [container]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**metadata, "namespace": _STOCK},
        "spec": {"backoffLimit": 0, "template": {"spec": pod}},
    }


def _stock(bench: Bench, number: int) -> Measure:
    manifest = bench.settings.cluster_dir / "bench-job.yaml"
    manifest.write_text(yaml.safe_dump(_stock_job(number)))
    return bench.measure(
        _STOCK, lambda: bench.kubectl("apply", "--filename", str(manifest)), f"bench=run-{number}", number
    )


def _kindling(bench: Bench, number: int) -> Measure:
    release = f"run-{number}"
    values = f"--set=app.file={_PI},app.args={{4}},driver.requestCores=300m,executor.requestCores=300m"
    argv = ["install", release, str(REPO / "charts/spark-job"), "--namespace", _KINDLING, values]
    selector = f"spark-role=driver,app.kubernetes.io/instance={release}"
    return bench.measure(_KINDLING, lambda: bench.helm.run(argv), selector, number)


def _set_up(bench: Bench) -> None:
    build_dependencies(REPO / "charts", bench.helm)
    bench.kubectl("create", "namespace", _STOCK)
    bench.kubectl("create", "serviceaccount", "spark", f"--namespace={_STOCK}")
    binding = ["create", "rolebinding", "spark-role", "--clusterrole=edit", f"--serviceaccount={_STOCK}:spark"]
    bench.kubectl(*binding, f"--namespace={_STOCK}")
    chart = str(REPO / "charts/spark-namespace")
    argv = ["install", _KINDLING, chart, f"--set=namespace.name={_KINDLING}", "--namespace", ADMIN_NAMESPACE]
    bench.helm.run([*argv, "--create-namespace"])


def _tear_down(bench: Bench) -> None:
    bench.helm.run(["uninstall", _KINDLING, "--namespace", ADMIN_NAMESPACE, "--ignore-not-found"])
    bench.kubectl("delete", "namespace", _STOCK, _KINDLING, "--ignore-not-found")


def _report(measures: dict[str, list[Measure]]) -> None:
    runs = len(measures["stock"])
    table = Table("", "stock cluster mode", "spark-job", "ratio", title=f"SparkPi, medians of {runs}", min_width=70)
    for column in table.columns[1:]:
        column.justify = "right"
    for field, name in (("first_task", "first task, s"), ("end", "end, s"), ("cpu", "CPU, s")):
        stock, ours = (statistics.median(getattr(m, field) for m in measures[way]) for way in ("stock", "kindling"))
        table.add_row(name, f"{stock:.1f}", f"{ours:.1f}", f"{ours / stock:.2f}")
    Console().print(table)
    folder = REPO / "artifacts"
    folder.mkdir(exist_ok=True)
    every = {way: [asdict(measure) for measure in list_] for way, list_ in measures.items()}
    (folder / "bench-start.json").write_text(json.dumps(every, indent=2) + "\n")


def main(runs: int) -> None:
    """Measure both ways in turn, after a run of each that does not count."""
    settings, progress = Settings.from_environment(), Progress()
    tools.ensure_tools(settings, progress, tools.FOR_UP)
    bench = Bench(settings)
    measures: dict[str, list[Measure]] = {"stock": [], "kindling": []}
    try:
        _set_up(bench)
        for number in range(runs + 1):
            for way, measure in (("stock", _stock), ("kindling", _kindling)):
                taken = measure(bench, number)
                progress.say(f"{way} {number}: {taken}" + ("" if number else " (not counted)"))
                if number:
                    measures[way].append(taken)
    finally:
        _tear_down(bench)
    _report(measures)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
