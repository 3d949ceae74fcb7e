"""How soon ten thousand applications are listed: the chart's history server beside Spark's own with its defaults.

Both are containers of one image with one limit of memory, over one folder of logs: copies of a real application's,
less its jobs. They take turns; each is killed and started again, as after a lost node.
Run: PYTHONPATH=tests/shared scripts/bootstrap tests.bench.history [APPLICATIONS] [ROUNDS]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path

from history_pod import HistoryPod, bare_server, history_pod, logging_application
from rich.console import Console
from rich.table import Table
from spark_ui import copy_event_log

from chartproof import Helm

_CHART = Path(__file__).parents[2] / "charts/spark-history-server"
_ASKED = 20


@dataclass(frozen=True)
class Cost:
    """Of one life of a server.

    Attributes:
        ready, listed: seconds from its start until it answers, and until it lists all.
        answer: median milliseconds for the list of all.
        resident: MiB of memory, at most.
    """

    ready: float
    listed: float
    answer: float
    resident: float


def life(server: Callable[[], AbstractContextManager[HistoryPod]], applications: int) -> Cost:
    """Start it, wait for the list, ask for it, kill it."""
    start = time.monotonic()
    with server() as pod:
        pod.wait(lambda: pod.status("/api/v1/version") == 200, "it answers")
        ready = time.monotonic() - start
        pod.wait(lambda: len(pod.rest("/applications") or []) == applications, "all applications are listed")
        listed, seconds = time.monotonic() - start, []
        for _ in range(_ASKED):
            began = time.monotonic()
            pod.rest("/applications")
            seconds.append(time.monotonic() - began)
        cost = Cost(ready, listed, statistics.median(seconds) * 1e3, pod.usage().resident / 2**20)
        pod.kill()
    return cost


def lives(events: Path, scratch: Path, applications: int, rounds: int) -> dict[str, list[Cost]]:
    """Of each server, in turn; the chart's lives again with the state that its first life left."""
    values = {"global": {"eventLog": {"store": "claim"}}}
    manifest = Helm().template(_CHART, release="history", namespace="team-a", values=values)
    costs: dict[str, list[Cost]] = {"Spark's own": [], "the chart's": [], "the chart's, again": []}
    for number in range(rounds):
        folders = {"event-logs": events, "": scratch / f"round-{number}"}
        own, ours = partial(bare_server, "4.3", events), partial(history_pod, manifest, "4.3", folders, ready=False)
        for name, server in zip(costs, (own, ours, ours), strict=True):
            costs[name].append(life(server, applications))
    return costs


def main(applications: int, rounds: int) -> None:
    """Make the logs, run all in turn, print the table."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        real, events = scratch / "real", scratch / "events"
        for folder in (real, events):
            folder.mkdir()
        with logging_application("4.3", real, queries=1):
            pass
        now = int(time.time() * 1000)
        copy_event_log(real / "events", events, ((f"app-{number}", now - number) for number in range(applications)))
        events.chmod(0o777)
        costs = lives(events, scratch, applications, rounds)
    table = Table("server", "answers after s", "lists all after s", "list ms", "MiB")
    medians = {
        server: [statistics.median(column) for column in zip(*map(astuple, of), strict=True)]
        for server, of in costs.items()
    }
    for server, figures in medians.items():
        table.add_row(server, *(f"{figure:.1f}" for figure in figures))
    own, *ours = medians.values()
    for server, figures in zip(("ratio", "ratio, again"), ours, strict=True):
        table.add_row(server, *(f"{mine / other:.2f}" for mine, other in zip(figures, own, strict=True)))
    Console().print(table)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*given, *(10_000, 3)[len(given) :])
