"""How long until a first result: of a warm Connect server, of a notebook's new kernel, of a new spark-job.

All three count the same rows with one executor, in turn, in one namespace, with the same cores and memory:

* connect: a program with the thin client on this machine, by a forwarded port, to a server with an executor that is
  there already (``executor.dynamicAllocation.min: 1``); timed from the program's start;
* kernel: a new kernel of a notebook that runs; timed from the request to start it;
* job: ``helm install`` of spark-job; timed from there to its line in the log.

Run: PYTHONPATH=tests/shared:tests/e2e scripts/bootstrap tests.bench.connect [RUNS]
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connect import COUNT, TOKEN, ConnectServer, on_the_laptop
from notebook import COUNT as CELL
from notebook import Notebook
from rich.console import Console
from rich.table import Table
from team import SMALL, Team
from waiting import wait_until

from chartproof import Cluster, Helm
from chartproof.helm import build_dependencies
from kindling_dev.command import Failure
from kindling_dev.settings import ADMIN_NAMESPACE, REPO, Settings
from kindling_dev.spark_image import DEFAULT_LINE

_NAMESPACE = "bench-connect"
_JOB = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("counted", spark.range(1000).repartition(2).count(), flush=True)
"""


@contextmanager
def bench_team() -> Iterator[Team]:
    """A namespace of the bench's own, which goes with the context."""
    settings = Settings.from_environment()
    team = Team(_NAMESPACE, Helm(kubeconfig=settings.kubeconfig), Cluster(settings.kubeconfig), REPO / "charts")
    build_dependencies(team.charts, team.helm)
    admin = f"--namespace={ADMIN_NAMESPACE}"
    values = json.dumps({"namespace": {"name": team.name}})
    team.helm.run(["install", team.name, str(team.charts / "spark-namespace"), admin, "--values=-"], values)
    try:
        yield team
    finally:
        for release in json.loads(team.helm.run(["list", f"--namespace={team.name}", "--output=json"])):
            team.uninstall(release["name"])
        team.helm.run(["uninstall", team.name, admin])
        team.kubectl("delete", "namespace", team.name)


def of_connect(place: str) -> float:
    """Seconds until a new client has its result."""
    began = time.monotonic()
    told = on_the_laptop(COUNT, f"sc://{place}", SPARK_CONNECT_AUTHENTICATE_TOKEN=TOKEN)
    if "counted 1000" not in told.stdout:
        raise SystemExit(f"the client did not count: {told}")
    return time.monotonic() - began


def of_kernel(notebook: Notebook, url: str) -> float:
    """Seconds until a new kernel has its result."""
    began = time.monotonic()
    kernel = notebook.start_kernel(url)
    told = kernel.run(CELL)
    if "counted 1000" not in told.text:
        raise SystemExit(f"the kernel did not count: {told}")
    seconds = time.monotonic() - began
    # Its session ends, so that the next kernel's has the CPU to itself.
    kernel.run("spark.stop()")
    return seconds


def of_job(team: Team, number: int) -> float:
    """Seconds until a new job's log has its result."""
    began = time.monotonic()
    release = f"job-{number}"
    team.install(release, line=DEFAULT_LINE, app={"source": _JOB}, executor={**SMALL["executor"], "instances": 1})
    wait_until(lambda: "counted 1000" in log_of(team, release), f"{release} counted", 180)
    seconds = time.monotonic() - began
    team.uninstall(release)
    return seconds


def log_of(team: Team, release: str) -> str:
    """What its driver has printed so far."""
    try:
        return team.kubectl("logs", f"--selector=app.kubernetes.io/instance={release},spark-role=driver", "--tail=-1")
    except Failure:
        return ""  # The container waits to be started.


def main(runs: int) -> None:
    """Measure, and print medians and ratios."""
    measured: dict[str, list[float]] = {"connect": [], "kernel": [], "job": []}
    warm: dict[str, Any] = {"dynamicAllocation": {"min": 1}}
    with bench_team() as team:
        server, notebook = ConnectServer(team), Notebook(team)
        server.install(executor=warm)
        team.set_namespace(guard={"secrets": ["connect-token", "connect-tls", "notebook-token"]})
        notebook.install(idle={"kernels": ""})
        with server.forwarded() as place:
            of_connect(place)
            for number in range(runs):
                measured["connect"].append(of_connect(place))
                with notebook.forwarded() as url:
                    measured["kernel"].append(of_kernel(notebook, url))
                measured["job"].append(of_job(team, number))
    report(measured)


def report(measured: dict[str, list[float]]) -> None:
    """Print the medians, and how often the warm server's goes into each; keep the figures in artifacts/."""
    base = statistics.median(measured["connect"])
    table = Table("first result of", "median, s", "runs", "times a warm server's")
    for name, seconds in measured.items():
        median = statistics.median(seconds)
        table.add_row(name, f"{median:.1f}", " ".join(f"{one:.1f}" for one in seconds), f"{median / base:.1f}")
    Console().print(table)
    folder = REPO / "artifacts"
    folder.mkdir(exist_ok=True)
    (folder / "bench-connect.json").write_text(json.dumps(measured, indent=2))


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 3)
