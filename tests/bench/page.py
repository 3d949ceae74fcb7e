"""What spark-ui-proxy's list costs with 1,000 applications live and 10,000 finished: time of an answer, and memory.

The service is a process of its own. A change is a driver that starts: then rows are made, sorted and rendered anew.
Processor time is told too: on a machine that has other things to do it says more.
Run: PYTHONPATH=tests/shared scripts/bootstrap tests.bench.page [REQUESTS]
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from page_world import BASE, application, finished, serving
from rich.console import Console
from rich.table import Table

from spark_ui_proxy.config import Config
from spark_ui_proxy.finished import FinishedApplication

LIVE, FINISHED, NAMESPACES, USERS = 1_000, 10_000, 20, 100
QUESTIONS = {
    "page, after a change": ("", True, False),
    "page": ("", False, False),
    "page, nothing new (304)": ("", False, True),
    "search, after a change": ("?q=nightly+etl", True, False),
    "sorted by memory, after a change": ("?sort=-memory", True, False),
    "API, 50 rows, after a change": ("-/api/v1/applications", True, False),
    "API, 500 rows, after a change": ("-/api/v1/applications?limit=500", True, False),
}
"""What is asked -> path and query, whether a driver starts before, whether the last ETag is given."""


@dataclass(frozen=True)
class Cost:
    """Of one question.

    Attributes:
        median, p99: milliseconds until the whole answer is there.
        processor: milliseconds of the service's processor time for each.
        size: bytes of the answer.
    """

    median: float
    p99: float
    processor: float
    size: int


class Service:
    """The service in a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.page", "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = self._line()

    def change(self) -> None:
        """A driver starts."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._line()

    def cost(self, path: str, requests: int, *, changes: bool, tagged: bool) -> Cost:
        """Ask so often."""
        tag, seconds, processor, size = "", [], 0.0, 0
        for number in range(requests + 3):
            if changes:
                self.change()
            request = urllib.request.Request(self.url + path, headers={"If-None-Match": tag} if tagged else {})
            used, began = self._processor_seconds(), time.perf_counter()
            try:
                with urllib.request.urlopen(request) as answer:
                    size, tag = len(answer.read()), answer.headers["ETag"]
            except urllib.error.HTTPError as error:
                if error.code != 304:
                    raise
                size = 0
            if number >= 3:
                seconds.append(time.perf_counter() - began)
                processor += self._processor_seconds() - used
        p99 = statistics.quantiles(seconds, n=100)[98]
        return Cost(statistics.median(seconds) * 1e3, p99 * 1e3, processor / requests * 1e3, size)

    def megabytes(self) -> float:
        """Memory that it holds, at most since its start."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(30)

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def _processor_seconds(self) -> float:
        threads = Path(f"/proc/{self._process.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def main(requests: int) -> None:
    """Ask everything, print the table."""
    service = Service()
    table = Table("asked", "median ms", "p99 ms", "processor ms", "kB")
    try:
        for name, (path, changes, tagged) in QUESTIONS.items():
            cost = service.cost(path, requests, changes=changes, tagged=tagged)
            figures = (f"{cost.median:.1f}", f"{cost.p99:.1f}", f"{cost.processor:.1f}", f"{cost.size / 1e3:.0f}")
            table.add_row(name, *figures)
        Console().print(table, f"memory: {service.megabytes():.0f} MB at most")
    finally:
        service.stop()


def serve() -> None:
    """The service: prints its URL; at each line that comes in a driver starts."""
    chance, now = random.Random(1), datetime.now(UTC)
    names = ("nightly-etl", "orders-hourly", "features-daily", "clickstream-sessions")
    namespaces = [f"team-{number:02}" for number in range(NAMESPACES)]

    def some() -> dict[str, str]:
        return {"user": f"user-{chance.randrange(USERS)}"}

    with serving(Config(base_path=BASE)) as world:
        world.person.namespaces = set(namespaces)
        world.put(
            *(
                application(
                    chance.choice(names),
                    namespace=chance.choice(namespaces),
                    created=now - timedelta(seconds=chance.random() * 9e4),
                    memory=chance.randrange(1, 400) << 30,
                    target=None,
                    **some(),
                )
                for _ in range(LIVE)
            )
        )
        for namespace in namespaces:
            past: dict[str, FinishedApplication] = {}
            for _ in range(FINISHED // NAMESPACES):
                past |= finished(chance.choice(names), ended=now - timedelta(seconds=chance.random() * 9e6), **some())
            world.finish(namespace, past)
        print(world.url, flush=True)
        for _ in sys.stdin:
            world.put(application(chance.choice(names), namespace=namespaces[0], target=None, **some()))
            print("started", flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
