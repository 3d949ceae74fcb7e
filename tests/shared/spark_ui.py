"""Real Spark on this machine, without a cluster: drivers that wait for a test's word, and history servers."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from ephemeral_port_reserve import reserve

from kindling_dev.progress import Progress
from kindling_dev.settings import Settings
from kindling_dev.spark_image import LINES, ensure_spark_image
from spark_ui_proxy.index import Target

_DEADLINE_SECONDS = 240
JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Options of a JVM that lives for a test."""
_OF_A_LIST = {"LogStart", "EnvironmentUpdate", "ApplicationStart", "ApplicationEnd"}
"""Events that a history server needs for its list."""
_APPLICATION = """
import pathlib, sys, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.appName(sys.argv[1]).getOrCreate()
context, go, tasks = spark.sparkContext, pathlib.Path("/test/go"), int(sys.argv[2])

def work(number):
    while int(go.read_text()) <= number:
        time.sleep(0.1)
    return number

context.parallelize(range(tasks), tasks).map(work).count()
while int(go.read_text()) <= tasks:
    time.sleep(0.1)
spark.stop()
"""


@dataclass(frozen=True)
class Driver:
    """A running application of one job: a task ends when `go` has allowed it, the application after all of them.

    Attributes:
        app_id: as Spark names it.
        target: of its UI.
        events: the folder of its event log.
        container: its name.
    """

    app_id: str
    target: Target
    events: Path
    folder: Path
    container: str

    def go(self, tasks: int) -> None:
        """So many tasks may end; more than there are: the application ends too."""
        new = self.folder / "new"
        new.write_text(str(tasks))
        new.rename(self.folder / "go")

    def end(self) -> None:
        """The application ends; returns when its event log has its end."""
        self.go(10**6)
        _wait(lambda: not list(self.events.rglob("*.inprogress")) and any(self.events.iterdir()), "the event log's end")

    def kill(self) -> None:
        """It dies without a word."""
        subprocess.run(["docker", "kill", self.container], capture_output=True, check=True)


def event_log(folder: Path) -> dict[str, str]:
    """Configuration of a driver that logs its events in a folder of the one that its container has as /test."""
    events = folder / "events"
    events.mkdir(exist_ok=True)
    for path in (folder, events):
        path.chmod(0o777)
    return {"spark.eventLog.enabled": "true", "spark.eventLog.dir": "file:///test/events"}


def submission(program: str, *arguments: str | int, cores: int, conf: Mapping[str, object]) -> list[str | int]:
    """The command that runs a program of the folder /test in a container, with some of Spark's configuration."""
    whole = {
        "spark.driver.memory": "512m",
        "spark.driver.log.localDir": "/tmp",  # has a page of it, from Spark 4 on
        "spark.driver.extraJavaOptions": JAVA,
        **conf,
    }
    settings = [word for key, value in whole.items() for word in ("--conf", f"{key}={value}")]
    return ["/opt/spark/bin/spark-submit", f"--master=local[{cores}]", *settings, f"/test/{program}", *arguments]


@contextmanager
def driver(
    line: str,
    folder: Path,
    *,
    name: str = "of-a-test",
    tasks: int = 10,
    address: str = "",
    port: int = 4040,
    conf: Mapping[str, str] | None = None,
) -> Iterator[Driver]:
    """An application on Spark of a line ("4.3"), with one core, and more of Spark's configuration if wanted.

    With an address of 127.0.0.0/8 its UI has Spark's own port there, or another that Spark is to take.
    """
    target = _target(address, port)
    (folder / "go").write_text("0")
    (folder / "application.py").write_text(_APPLICATION)
    own = {
        "spark.ui.port": target.port,
        "spark.driver.bindAddress": target.ip,
        "spark.driver.host": target.ip,
        **event_log(folder),
        "spark.eventLog.compress": "false",
        **(conf or {}),
    }
    command = submission("application.py", name, tasks, cores=1, conf=own)
    with container(line, folder, command, f"SPARK_LOCAL_IP={target.ip}") as running:
        app_id = _wait(lambda: rest(target, "/applications")[0]["id"], "the driver's UI")
        _wait(lambda: rest(target, f"/applications/{app_id}/jobs?status=running"), "its job")
        yield Driver(app_id, target, folder / "events", folder, running)


def copy_event_log(events: Path, target: Path, ends: Iterable[tuple[str, int]]) -> None:
    """Copy the one event log of a folder, less its jobs, under other names.

    Args:
        events: the folder.
        target: where the copies go.
        ends: of each copy the application's id, and when it ended, in milliseconds.
    """
    (log,) = events.iterdir()
    old = log.name.removeprefix("eventlog_v2_")
    files = [log] if log.is_file() else [path for path in log.iterdir() if not path.name.startswith(".")]
    texts = {path.relative_to(events): _without_jobs(path) for path in files}
    for app_id, end in ends:
        for path, lines in texts.items():
            copy = target / str(path).replace(old, app_id)
            copy.parent.mkdir(exist_ok=True)
            text = lines.replace(old, app_id).replace('"<end>"', str(end)).replace('"<start>"', str(end - 60_000))
            copy.write_text(text)
    for path in target.rglob("*"):
        path.chmod(0o777 if path.is_dir() else 0o644)


def _without_jobs(log: Path) -> str:
    kept = []
    for line in log.read_text().splitlines():
        event = json.loads(line)
        kind = event["Event"]
        if kind == "SparkListenerEnvironmentUpdate":
            for facts in ("Classpath Entries", "Hadoop Properties", "System Properties", "Metrics Properties"):
                event[facts] = {}
        if kind in ("SparkListenerApplicationStart", "SparkListenerApplicationEnd"):
            event["Timestamp"] = f"<{kind.removeprefix('SparkListenerApplication').lower()}>"
        if kind.removeprefix("SparkListener") in _OF_A_LIST:
            # A history server looks for events by how their lines begin, without a space.
            kept.append(json.dumps(event, separators=(",", ":")) + "\n")
    return "".join(kept)


@contextmanager
def history_server(line: str, events: Path, address: str = "") -> Iterator[Target]:
    """A history server over a folder of event logs; with an address of 127.0.0.0/8 it has Spark's own port there."""
    target = _target(address, 18080)
    java = f"{JAVA} -Dspark.history.ui.port={target.port} -Dspark.history.fs.logDirectory=file:///test"
    java += " -Dspark.history.fs.update.interval=1s"
    command = ["/opt/spark/bin/spark-class", "org.apache.spark.deploy.history.HistoryServer"]
    with container(
        line, events, command, f"SPARK_HISTORY_OPTS={java}", "SPARK_DAEMON_MEMORY=1g", f"SPARK_LOCAL_IP={target.ip}"
    ):
        _wait(lambda: isinstance(rest(target, "/applications?limit=1"), list), "the history server")
        yield target


@contextmanager
def container(line: str, folder: Path, command: list[Any], *environment: str) -> Iterator[str]:
    """A program of a line's image in this machine's network, with a folder as /test; its container's name."""
    image = ensure_spark_image(LINES[line], Settings.from_environment(), Progress())
    name = f"kindling-test-{uuid4().hex[:12]}"
    argv = ["docker", "run", "--detach", "--rm", f"--name={name}", "--network=host", f"--volume={folder}:/test"]
    argv += [f"--env={setting}" for setting in environment]
    run = subprocess.run(
        [*argv, "--entrypoint=", image, *map(str, command)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    try:
        yield name
    finally:
        # Not checked: a program that has ended is being removed already.
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)


def rest(target: Target, path: str) -> Any:
    """What a UI's REST answers, below `/api/v1`."""
    with urllib.request.urlopen(f"http://{target.ip}:{target.port}/api/v1{path}", timeout=10) as answer:
        return json.load(answer)


def _target(address: str, port: int) -> Target:
    return Target(uuid4().hex, address, port) if address else Target(uuid4().hex, "127.0.0.1", reserve())


def _wait(ask: Any, what: str) -> Any:
    end = time.monotonic() + _DEADLINE_SECONDS
    while True:
        try:
            if found := ask():
                return found
        except (OSError, IndexError, ValueError):  # not listening yet, nothing in the list yet, "starting up"
            pass
        assert time.monotonic() < end, f"{what} did not come within {_DEADLINE_SECONDS} s"
        time.sleep(0.2)
