"""The history server as its chart's pod runs it, without a cluster: command, environment, files, user and limits are
those of the rendered Deployment, in a container with an address of its own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from spark_ui import container, submission

from chartproof import Container, Manifest
from kindling_dev.command import run
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings
from kindling_dev.spark_image import LINES, ensure_spark_image

_APP = Path(__file__).parents[1] / "proxy/apps/logged.py"
_DEADLINE_S = 300


@dataclass(frozen=True)
class Usage:
    """What a container has used, in bytes.

    Attributes:
        peak: of its memory, with what the kernel keeps of files.
        resident: of the server's process, at most.
        limit: of its memory.
        killed: the kernel ended it, or a process in it, for want of memory.
    """

    peak: int
    resident: int
    limit: int
    killed: bool

    def __str__(self) -> str:
        return f"resident {self.resident >> 20} MiB, peak {self.peak >> 20} MiB of {self.limit >> 20} MiB"


@dataclass(frozen=True)
class HistoryPod:
    """A container that runs as the pod's container of Spark.

    Attributes:
        name: of the container.
        spec: as rendered.
    """

    name: str
    spec: Container

    @cached_property
    def address(self) -> str:
        """Where it listens."""
        return f"{self._inspect()['NetworkSettings']['IPAddress']}:18080"

    def status(self, path: str, token: str = "") -> int:
        """Of the answer at a path, to who brings a bearer token; 0: there is none."""
        return self.ask(path, token)[0]

    def ask(self, path: str, token: str = "") -> tuple[int, bytes]:
        """Status and body of the answer at a path; (0, b""): there is none."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(f"http://{self.address}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def rest(self, path: str) -> Any:
        """What it answers below `/api/v1`; None while it does not."""
        status, body = self.ask(f"/api/v1{path}")
        return json.loads(body) if status == 200 else None

    def applications(self) -> dict[str, bool]:
        """Those that are listed -> whether they have ended."""
        listed = self.rest("/applications") or []
        return {one["id"]: one["attempts"][0]["completed"] for one in listed}

    def probe(self, kind: str = "readinessProbe") -> bool:
        """Whether a probe of the pod succeeds."""
        command = self.spec.body[kind]["exec"]["command"]
        return subprocess.run(["docker", "exec", self.name, *command], capture_output=True, check=False).returncode == 0

    def log(self) -> str:
        """What it has printed."""
        done = subprocess.run(["docker", "logs", self.name], capture_output=True, text=True, check=True)
        return done.stdout + done.stderr

    def usage(self) -> Usage:
        """Of memory, until now."""
        program = """
import glob, pathlib
def of(*names):
    return next(int(path.read_text()) for path in map(pathlib.Path, names) if path.exists())
peak = of("/sys/fs/cgroup/memory.peak", "/sys/fs/cgroup/memory/memory.max_usage_in_bytes")
lines = [line for path in glob.glob("/proc/[0-9]*/status") for line in open(path)]
print(peak, max(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM")))
"""
        peak, resident = map(int, run(["docker", "exec", self.name, "python3", "-c", program]).split())
        facts = self._inspect()
        return Usage(peak, resident, facts["HostConfig"]["Memory"], facts["State"]["OOMKilled"])

    def kept(self) -> int:
        """How many applications' UIs are on its disk."""
        program = "import pathlib; print(len(list(pathlib.Path('/var/spark/history/apps').iterdir())))"
        return int(run(["docker", "exec", self.name, "python3", "-c", program]))

    def disk(self) -> int:
        """MiB that are used of the volume of its state."""
        return int(run(["docker", "exec", self.name, "du", "-sm", "/var/spark/history"]).split()[0])

    def wait(self, ask: Callable[[], object], what: str) -> float:
        """Wait until something is so; the seconds that it took.

        Raises:
            AssertionError: the server has ended, or it took more than five minutes.
        """
        start = time.monotonic()
        while not ask():
            assert self._inspect()["State"]["Running"], f"the server has ended: {self.log()[-3000:]}"
            assert time.monotonic() - start < _DEADLINE_S, f"not so after {_DEADLINE_S} s: {what}: {self.log()[-3000:]}"
            time.sleep(0.1)
        return time.monotonic() - start

    def kill(self) -> None:
        """End it as the kernel or a lost node does."""
        run(["docker", "kill", self.name])

    def _inspect(self) -> Any:
        return json.loads(run(["docker", "inspect", self.name]))[0]


@contextmanager
def history_pod(
    manifest: Manifest, line: str, folders: Mapping[str, Path], *, disk_mebibytes: int = 0, ready: bool = True
) -> Iterator[HistoryPod]:
    """Run it until the context ends.

    Args:
        manifest: a render of the chart.
        line: of Spark, "4.3".
        folders: of its volumes, by their names, those that are not of the render; "" holds the others.
        disk_mebibytes: real size of the volume `state`, in memory; 0: its folder has none.
        ready: wait until its startup probe succeeds.
    """
    deployment = manifest.one("Deployment")
    spec, pod = deployment.container("history-server"), deployment.pod["spec"]
    user = pod["securityContext"]
    argv = [f"--user={user['runAsUser']}:{user['runAsGroup']}"]
    security = spec.body["securityContext"]
    argv += ["--read-only"] * security["readOnlyRootFilesystem"]
    argv += [f"--cap-drop={capability}" for capability in security["capabilities"]["drop"]]
    argv += ["--security-opt=no-new-privileges"] * (not security["allowPrivilegeEscalation"])
    argv.append(f"--memory={int(spec.body['resources']['limits']['memory'].removesuffix('Mi')) << 20}")
    argv += [f"--env={key}={value}" for key, value in spec.env.items()]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    for path, volume in spec.mounts.items():
        if volume == "state" and disk_mebibytes:
            argv.append(f"--tmpfs={path}:rw,mode=0777,size={disk_mebibytes}m")
        elif "Memory" in str(volumes[volume].get("emptyDir")):
            argv.append(f"--tmpfs={path}:rw,mode=0777")
        else:
            argv.append(f"--volume={_folder(manifest, volumes[volume], folders)}:{path}")
    command = [*spec.body.get("command", []), *spec.args]
    argv += ["--entrypoint="] * ("command" in spec.body)
    with _running(line, argv, command, spec) as server:
        if ready:
            server.wait(lambda: server.probe("startupProbe"), "its startup probe succeeds")
        yield server


@contextmanager
def bare_server(line: str, events: Path) -> Iterator[HistoryPod]:
    """Spark's history server with its own defaults, over a folder of event logs, in the memory that the chart gives."""
    command = ["/opt/spark/bin/spark-class", "org.apache.spark.deploy.history.HistoryServer"]
    options = ["--memory=2g", f"--volume={events}:/var/spark/events"]
    options.append("--env=SPARK_HISTORY_OPTS=-Dspark.history.fs.logDirectory=file:/var/spark/events")
    with _running(line, options, command, Container({"name": "bare"})) as server:
        yield server


@contextmanager
def _running(line: str, options: list[str], command: list[str], spec: Container) -> Iterator[HistoryPod]:
    """A container of a line's image, with an address of its own, until the context ends."""
    image = ensure_spark_image(LINES[line], Settings.from_environment(), Progress())
    name = f"kindling-test-{uuid4().hex[:12]}"
    try:
        run(["docker", "run", "--detach", f"--name={name}", *options, image, *command])
        yield HistoryPod(name, spec)
        run(["docker", "stop", "--time=30", name])
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)


def _folder(manifest: Manifest, volume: dict[str, Any], folders: Mapping[str, Path]) -> Path:
    """A volume's folder, which the pod's user may write to."""
    name = volume["name"]
    folder = folders.get(name) or folders[""] / name
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o777)
        for key, text in (manifest.one("ConfigMap").body["data"] if "configMap" in volume else {}).items():
            (folder / key).write_text(text)
    return folder


@contextmanager
def logging_application(
    line: str, folder: Path, *, queries: int, ballast: int = 0, packed: bool = False
) -> Iterator[str]:
    """A real application whose event log rolls, in `events` of an empty folder, as that of a chart's driver; its id.

    It has done its work when the context begins, and has ended after it.

    Args:
        line: of Spark, "4.3".
        folder: an empty one.
        queries: how many, of ten tasks and an exchange each.
        ballast: bytes that each job and stage weighs more in the log.
        packed: the log is compressed, as the chart has it.
    """
    shutil.copy(_APP, folder)
    events = folder / "events"
    events.mkdir()
    for path in (folder, events):
        path.chmod(0o777)
    conf = {
        "spark.ui.enabled": "false",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": "file:///test/events",
        "spark.eventLog.rolling.enabled": "true",
        "spark.eventLog.rolling.maxFileSize": "10m",  # the least that Spark takes
        "spark.eventLog.compress": packed,
    }

    def wait(told: Callable[[], object], what: str) -> None:
        end = time.monotonic() + _DEADLINE_S
        while not told():
            assert time.monotonic() < end, f"{what} did not come within {_DEADLINE_S} s"
            time.sleep(0.2)

    with container(line, folder, submission(_APP.name, queries, ballast, cores=1, conf=conf)) as name:
        wait(lambda: re.search("^DONE$", run(["docker", "logs", name]), re.MULTILINE), "the application's work")
        (log,) = events.iterdir()
        yield log.name.removeprefix("eventlog_v2_")
        (folder / "end").touch()
        wait(lambda: not list(log.glob("appstatus_*.inprogress")), "the application's end")


def copied(log: Path, ids: Iterable[str], target: Path, change: Callable[[str], str] = str) -> None:
    """Copies of a log in text, under the ids of other applications.

    Args:
        log: its folder.
        ids: of the copies' applications.
        target: where they go.
        change: what becomes of each file's text.
    """
    old = log.name.removeprefix("eventlog_v2_")
    texts = {path.name: change(path.read_text()) for path in log.iterdir() if not path.name.startswith(".")}
    for new in ids:
        folder = target / f"eventlog_v2_{new}"
        folder.mkdir()
        for name, text in texts.items():
            (folder / name.replace(old, new)).write_text(text.replace(old, new))
        folder.chmod(0o777)


def grown(text: str, megabytes: int) -> str:
    """A log's events, with those of one task again and again under other ids until they have a size."""
    if not text:
        return text
    lines = text.splitlines(keepends=True)
    end = next(number for number, line in enumerate(lines) if '"Event":"SparkListenerTaskEnd"' in line)
    pair = [next(line for line in lines if '"Event":"SparkListenerTaskStart"' in line), lines[end]]
    task = re.compile(r'"Task ID":\d+,"Index":\d+')
    number = (megabytes << 20) // sum(map(len, pair))
    more = [task.sub(f'"Task ID":{10**6 + copy},"Index":{100 + copy}', line) for copy in range(number) for line in pair]
    return "".join([*lines[: end + 1], *more, *lines[end + 1 :]])
