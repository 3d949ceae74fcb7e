"""The history server as its chart's pod runs it, over real event logs: what it keeps, deletes, bears and needs."""

from __future__ import annotations

import base64
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from history_pod import HistoryPod, copied, grown, history_pod, logging_application
from jws import signed
from spark_ui import copy_event_log

from chartproof import Helm

pytestmark = pytest.mark.long
Serve = Callable[..., AbstractContextManager[HistoryPod]]
LINES = ["4.3", "3.5"]
DAY_S = 24 * 3600
MANY = 1000


@pytest.fixture
def serve(helm: Helm, charts: Path, tmp_path: Path) -> Serve:
    """Run the chart's pod over a folder of event logs; keyword arguments are values at the top level."""

    def serve(
        line: str,
        events: Path,
        *,
        kept: str = "state",
        key: Path | None = None,
        disk_mebibytes: int = 0,
        ready: bool = True,
        **values: Any,
    ) -> AbstractContextManager[HistoryPod]:
        shown = {"updateInterval": "1s", "global": {"eventLog": {"store": "claim"}}, **values}
        chart = charts / "spark-history-server"
        manifest = helm.template(chart, release="history", namespace="team-a", values=shown, checked=False)
        own = tmp_path / f"pod-{uuid4().hex[:6]}"
        folders = {"event-logs": events, "state": tmp_path / kept, "": own, **({"jws": key} if key else {})}
        return history_pod(manifest, line, folders, disk_mebibytes=disk_mebibytes, ready=ready)

    return serve


@pytest.fixture(scope="module", params=LINES)
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A line of Spark, and the folder of a log in text that a real application of it wrote."""
    folder = tmp_path_factory.mktemp("real")
    with logging_application(request.param, folder, queries=1) as application:
        pass
    return request.param, folder / "events" / f"eventlog_v2_{application}"


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """A folder for event logs, to which pods may write."""
    folder = tmp_path / "events"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


def aged(log: Path, seconds: float) -> None:
    """Nothing has been written to a log for so long."""
    then = time.time() - seconds
    for path in [*log.iterdir(), log]:
        os.utime(path, (then, then))


def running(log: Path) -> None:
    """A log whose application has not ended."""
    (status,) = log.glob("appstatus_*")
    status.rename(f"{status}.inprogress")
    (part,) = log.glob("events_1_*")
    part.write_text("".join(one for one in part.read_text().splitlines(keepends=True) if "ApplicationEnd" not in one))


def added(log: Path, events: Path, mode: int = 0o777) -> str:
    """A log is copied into a folder, and its folder gets a mode; its application."""
    copy = shutil.copytree(log, events / f".{log.name}", copy_function=shutil.copyfile)
    copy.chmod(mode)
    copy.rename(events / log.name)
    return log.name.removeprefix("eventlog_v2_")


def size(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def copies(real: Path, events: Path, *ages_s: float) -> list[Path]:
    """Logs of applications that ended so long ago, without jobs."""
    ids = [f"app-{number}" for number in range(len(ages_s))]
    ends = [int((time.time() - age) * 1000) for age in ages_s]
    copy_event_log(real.parent, events, zip(ids, ends, strict=True))
    logs = [events / f"eventlog_v2_{one}" for one in ids]
    for log, age in zip(logs, ages_s, strict=True):
        aged(log, age)
    return logs


def test_one_server_deletes_what_is_too_old_and_another_that_reads_the_folder_nothing(
    real: tuple[str, Path], events: Path, serve: Serve
) -> None:
    line, log = real
    fresh, old, long, silent = copies(log, events, 3600, 40 * DAY_S, 40 * DAY_S, 40 * DAY_S)
    running(long)
    running(silent)
    aged(long, 60)
    aged(silent, 40 * DAY_S)
    with serve(line, events, kept="of-the-reader", cleaner={"enabled": False}) as reader:
        reader.wait(lambda: len(reader.applications()) == 4, "the reader lists four applications")
        assert {path.name for path in events.iterdir()} == {one.name for one in (fresh, old, long, silent)}
        # It cleans at its start too, when it may not have read all logs yet.
        with serve(line, events, cleaner={"interval": "1m"}) as cleaner:
            cleaner.wait(lambda: not old.exists(), "the old log is deleted")
            cleaner.wait(lambda: cleaner.applications() == {"app-0": True, "app-2": False}, "two are listed")
            # What runs and writes stays, however long it has run. Spark does not see that the silent one runs.
            assert {path.name for path in events.iterdir()} == {fresh.name, long.name}
            reader.wait(lambda: set(reader.applications()) == {"app-0", "app-2"}, "the reader lists what is left")


def test_of_more_applications_than_are_wanted_those_that_ended_first_go(
    real: tuple[str, Path], events: Path, serve: Serve
) -> None:
    line, log = real
    logs = copies(log, events, *(hours * 3600 for hours in range(1, 7)))
    running(logs[5])
    with serve(line, events, cleaner={"maxApplications": 3, "interval": "1m"}) as server:
        expected = {"app-0": True, "app-1": True, "app-5": False}
        server.wait(lambda: server.applications() == expected, "three are left")
        assert {path.name for path in events.iterdir()} == {logs[number].name for number in (0, 1, 5)}


@pytest.mark.parametrize("line", LINES)
def test_a_long_applications_log_is_compacted_while_it_runs_and_it_stays_readable(
    line: str, tmp_path: Path, serve: Serve
) -> None:
    folder = tmp_path / "application"
    folder.mkdir()
    with logging_application(line, folder, queries=16, ballast=750_000, packed=True) as application:
        log = folder / "events" / f"eventlog_v2_{application}"
        before, files = size(log), len(list(log.glob("events_*")))
        assert files >= 4, f"the log has rolled into {files} files only"
        with serve(line, folder / "events", compactionFiles=2) as server:
            server.wait(lambda: list(log.glob("events_*.compact")), "older files are compacted")
            server.wait(lambda: len(list(log.glob("events_*"))) == 3, "those that were compacted are deleted")
            server.wait(lambda: server.applications() == {application: False}, "it is listed")
            print(f"{line}: {files} files, {before >> 10} KiB; compacted: {size(log) >> 10} KiB")
            assert size(log) < before * 0.7
            for page in ("jobs/", "stages/", "executors/", "environment/", "SQL/"):
                assert server.status(f"/history/{application}/{page}") == 200, f"{page}: {server.log()[-6000:]}"
            jobs = server.rest(f"/applications/{application}/jobs")
            assert {job["status"] for job in jobs} == {"SUCCEEDED"}
            (folder / "end").touch()
            server.wait(lambda: server.applications() == {application: True}, "its end is seen")
            assert server.rest(f"/applications/{application}/jobs")


@pytest.mark.parametrize("line", LINES)
def test_uis_that_do_not_fit_the_disk_displace_others(line: str, tmp_path: Path, events: Path, serve: Serve) -> None:
    ids = [f"big-{number}" for number in range(5)]
    (folder := tmp_path / "application").mkdir()
    with logging_application(line, folder, queries=5, ballast=2_500_000) as application:
        log = folder / "events" / f"eventlog_v2_{application}"
    copied(log, ids, events)
    with serve(line, events, state={"size": "512Mi"}, retainedApplications=1, disk_mebibytes=512) as server:
        server.wait(lambda: len(server.applications()) == len(ids), "all are listed")
        for application in [*ids, *ids[:2]]:
            assert server.status(f"/history/{application}/environment/") == 200, server.log()[-3000:]
            assert server.rest(f"/applications/{application}/stages"), server.log()[-3000:]
        told, kept, used = server.log(), server.kept(), server.disk()
        assert server.probe()
    print(f"{line}: logs of {size(log) >> 20} MiB; UIs of {kept} applications are kept in {used} MiB")
    assert 0 < kept < len(ids)
    assert "No space left" not in told


def test_a_new_pod_goes_on_where_the_last_one_was_killed(real: tuple[str, Path], events: Path, serve: Serve) -> None:
    line, log = real
    copies(log, events, *([3600] * MANY))
    told = ""
    for life in ("first", "second"):
        with serve(line, events, state={"claim": True}, ready=False) as server, asking(server, people=4) as statuses:
            start = time.monotonic()
            server.wait(server.probe, "it is ready")
            ready, shown = time.monotonic() - start, len(server.applications())
            server.wait(lambda: len(server.applications()) == MANY, "all are listed")
            listed, told = time.monotonic() - start, server.log()
            print(f"{line}, {life} life: ready after {ready:.1f} s with {shown}, all {MANY} after {listed:.1f} s")
            server.kill()
        # Nobody listens yet, or any more; whoever is answered is answered well.
        assert statuses <= {0, 200}
    assert "for listing data" not in told


@contextmanager
def asking(server: HistoryPod, people: int) -> Iterator[set[int]]:
    """So many ask for the list all the time; the statuses that they got."""
    statuses: set[int] = set()
    done = Event()

    def ask() -> None:
        while not done.is_set():
            statuses.add(server.status("/api/v1/applications?limit=100"))

    with ThreadPoolExecutor(people) as pool:
        asked = [pool.submit(ask) for _ in range(people)]
        try:
            yield statuses
        finally:
            done.set()
    for one in asked:
        one.result()


def test_a_big_log_fits_the_memory_that_the_chart_gives(real: tuple[str, Path], events: Path, serve: Serve) -> None:
    line, log = real
    ids = ["big-0", "big-1", "big-2"]
    copied(log, ids, events, lambda text: grown(text, megabytes=150))
    with serve(line, events) as server, ThreadPoolExecutor(len(ids)) as people:
        server.wait(lambda: len(server.applications()) == len(ids), "all are listed")
        pages = [f"/history/{application}/stages/" for application in ids]
        assert list(people.map(server.status, pages)) == [200] * len(ids), server.log()[-3000:]
        stages = server.rest(f"/applications/{ids[0]}/stages")
        usage = server.usage()
        print(f"{line}: three UIs of {sum(stage['numCompleteTasks'] for stage in stages)} tasks made at once: {usage}")
        server.wait(lambda: server.probe("livenessProbe"), "it answers the kubelet")
    assert usage.limit == 2 << 30
    assert not usage.killed
    assert usage.resident < usage.limit * 0.9


def spoil(events: Path, log: Path) -> None:
    """Logs as crashes, full disks and people leave them."""
    (source,) = log.glob("events_1_*")
    name, whole = source.name.removeprefix("events_1_"), source.read_bytes()
    *lines, last, _ = whole.splitlines(keepends=True)
    torn = b"".join(lines) + last[: len(last) // 2]
    bytes_of = random.Random(1).randbytes

    def put(path: str, content: bytes) -> Path:
        file = events / path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content.replace(name.encode(), f"application-{path.partition('/')[0]}".encode()))
        return file

    put("empty", b"")
    put("garbage", bytes_of(5000))
    put("garbage.zstd", bytes_of(5000))
    put("unknown-codec.rar", whole)
    put("zeroes", b"\0" * 5000)
    put("torn", torn)
    put("no-start", whole[1000:])
    put("runs.inprogress", torn)
    put("odd-event", whole.replace(b'"Event":"SparkListenerTaskStart"', b'"Event":"com.example.Gone"'))
    put("one-long-line", b"[" * 5_000_000)
    put("eventlog_v2_later/events_2_later", whole)
    put("eventlog_v2_later/appstatus_later", b"")
    put("eventlog_v2_torn/events_1_torn", torn)
    put("eventlog_v2_torn/appstatus_torn", b"")
    put("eventlog_v2_no-status/events_1_no-status", whole)
    put("eventlog_v2_number/events_x_number", whole)
    put("eventlog_v2_number/appstatus_number", b"")
    put("forbidden", whole).chmod(0)
    put("eventlog_v2_forbidden/events_1_forbidden", whole).chmod(0)
    put("a name with spaces, % and ü", whole)
    put(".hidden", whole)
    put("_SUCCESS", b"")
    put("README.md", b"# Logs\n")
    put("data/part-0.parquet", bytes_of(5000))
    (events / "eventlog_v2_nothing").mkdir()
    (events / "lost+found").mkdir(mode=0)
    (events / "dangling").symlink_to("nowhere")
    (events / "loop").symlink_to("loop")
    (events / "up").symlink_to("..")
    os.mkfifo(events / "pipe")


def test_files_that_are_broken_or_foreign_stop_nothing_and_hide_no_other(
    real: tuple[str, Path], events: Path, serve: Serve
) -> None:
    line, log = real
    (first,) = copies(log, events, 60)
    spoil(events, log)
    with serve(line, events) as server:
        server.wait(lambda: server.applications().get("app-0"), "the whole log is shown among the others")
        application = added(log, events)
        server.wait(lambda: server.applications().get(application), "a new log is shown too")
        listed = server.applications()
        for page in ("jobs/", "stages/", "executors/", "SQL/"):
            assert server.status(f"/history/{application}/{page}") == 200
        assert listed["application-runs.inprogress"] is False
        statuses = {one: server.status(f"/history/{quote(one)}/jobs/") for one in listed}
        sound = {"app-0", "application-odd-event", "application-eventlog_v2_later", "application-runs.inprogress"}
        assert {one for one in sound if statuses.get(one) == 200} == sound
        # What cannot be shown says so; 400: Jetty takes no odd names.
        assert set(statuses.values()) <= {200, 400, 500}
        assert server.probe("livenessProbe")
        assert first.exists()


def test_a_rolled_logs_folder_that_may_not_be_read_hides_others_no_longer_than_it_is_there(
    real: tuple[str, Path], events: Path, serve: Serve
) -> None:
    """Spark's own limit, which docs/guides/history.md tells: its search for logs ends there, and 4.3 forgets all."""
    line, log = real
    copies(log, events, 60)
    with serve(line, events) as server:
        server.wait(lambda: server.applications() == {"app-0": True}, "the first log is shown")
        application = added(log, events, mode=0)
        server.wait(lambda: "Exception in checking for event log updates" in server.log(), "it says so")
        assert application not in server.applications()
        assert server.probe()
        (events / log.name).chmod(0o777)
        server.wait(lambda: server.applications() == {"app-0": True, application: True}, "it goes on")


def test_with_signed_tokens_nobody_else_is_answered_and_the_probes_work(
    tmp_path: Path, events: Path, serve: Serve
) -> None:
    secret, key = tmp_path / "jws", uuid4().hex.encode()
    secret.mkdir()
    (secret / "key").write_bytes(base64.urlsafe_b64encode(key))
    tokens = {"none": "", "good": signed(key, {"sub": "anna"}), "another's": signed(b"x" * 32, {"sub": "anna"})}
    tokens["unsigned"] = signed(key, {"sub": "anna"}, "none").rpartition(".")[0] + "."
    auth = {"mode": "jws", "jws": {"secret": {"name": "history-key"}}}
    with serve("4.3", events, auth=auth, key=secret) as server:
        for path in ("/", "/api/v1/applications", "/static/utils.js"):
            statuses = {who: server.status(path, token) for who, token in tokens.items()}
            assert statuses == {"none": 403, "good": 200, "another's": 403, "unsigned": 403}, path
        assert all(server.probe(kind) for kind in ("startupProbe", "readinessProbe", "livenessProbe"))
        assert base64.urlsafe_b64encode(key).decode() not in server.log()


@pytest.mark.parametrize("line", LINES)
def test_behind_a_proxy_nobody_gets_past_it_and_the_probes_work(line: str, events: Path, serve: Serve) -> None:
    sidecar = {"name": "proxy", "image": "example.com/proxy:1", "ports": [{"containerPort": 4180}]}
    with serve(line, events, auth={"mode": "proxy"}, sidecars=[sidecar]) as server:
        assert server.status("/") == 0
        assert all(server.probe(kind) for kind in ("startupProbe", "readinessProbe", "livenessProbe"))
