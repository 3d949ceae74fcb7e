"""Drivers and history servers that answer what Spark never would: the list stands, and shows nothing of it."""

from __future__ import annotations

import gzip
import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from page_world import World, application
from waiting import wait_until

from spark_ui_proxy import finished
from spark_ui_proxy.index import Target

JOB = {
    "jobId": 7,
    "name": "count",
    "status": "RUNNING",
    "numTasks": 10,
    "numCompletedTasks": 4,
    "numSkippedTasks": 0,
    "numFailedTasks": 0,
}
ATTEMPT = {
    "startTimeEpoch": 1_700_000_000_000,
    "endTimeEpoch": 1_700_000_060_000,
    "lastUpdatedEpoch": 1_700_000_060_000,
    "sparkUser": "ada",
    "completed": True,
}
PAST = {"id": "spark-1", "name": "flights", "attempts": [ATTEMPT]}
NO_LIST = {
    "no JSON": b"<html>",
    "an object": b"{}",
    "a number": b"7",
    "nested without end": b"[" * 100_000,
    "a number without end": b"[" + b"9" * 100_000 + b"]",
    "larger than any": b"[" + b" " * 5_000_000 + b"]",
    "no UTF-8": b'["\xff"]',
    "packed": gzip.compress(b"[" + b" " * 50_000_000 + b"]"),
}


@contextmanager
def answering(body: bytes, *, status: int = 200, header: tuple[str, str] | None = None) -> Iterator[Target]:
    """Something that answers all requests alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if header:
                self.send_header(*header)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Target("uid", "127.0.0.1", server.server_address[1])
    finally:
        server.shutdown()


@pytest.mark.parametrize("body", NO_LIST.values(), ids=NO_LIST)
def test_a_history_server_that_answers_no_list_is_in_trouble_and_the_others_are_listed(
    world: World, body: bytes
) -> None:
    with answering(body) as hostile, answering(json.dumps([PAST]).encode()) as honest:
        world.history_server("team-a", hostile)
        world.history_server("team-b", honest)
        wait_until(lambda: world.listed()["total"] == 1, "the other's application is listed")
        history = world.board.finished.histories["team-a"]
        wait_until(lambda: history.problem.startswith("answers "), "the trouble is told")


def test_text_that_no_page_can_hold_breaks_no_page(world: World) -> None:
    odd = {"name": "half \ud800", "attempts": [{**ATTEMPT, "sparkUser": "turned \u202e round"}]}
    with answering(json.dumps([{**PAST, **odd}]).encode()) as server:
        world.history_server("team-a", server)
        wait_until(lambda: world.listed()["total"] == 1, "it is listed")
        (item,) = world.listed()["items"]
        assert (item["name"], item["user"]) == ("half \ufffd", "turned \ufffd round")
        with urllib.request.urlopen(world.url) as page:
            assert "half \ufffd" in page.read().decode()


def test_more_than_there_is_room_for_is_left_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finished, "MOST", 700)
    with answering(json.dumps([{**PAST, "id": f"spark-{number}"} for number in range(5000)]).encode()) as server:
        world.history_server("team-a", server)
        wait_until(lambda: world.listed()["total"], "some are listed")
        assert world.listed()["total"] == 700


@pytest.mark.parametrize(
    "odd",
    [
        {"id": "../../../kube-system/proxy/x"},
        {"id": "<b>"},
        {"id": 7},
        {"attempts": []},
        {"attempts": "none"},
        {"attempts": [{**ATTEMPT, "attemptId": "1/../../x"}]},
        {"attempts": [{**ATTEMPT, "startTimeEpoch": 10**30}]},
        {"attempts": [{**ATTEMPT, "endTimeEpoch": "yesterday"}]},
        {"attempts": [{**ATTEMPT, "sparkUser": None, "startTimeEpoch": None}]},
    ],
    ids=str,
)
def test_an_application_that_cannot_be_is_left_out_and_the_others_are_listed(world: World, odd: dict[str, Any]) -> None:
    with answering(json.dumps([{**PAST, "id": "spark-2", **odd}, PAST, None, 7]).encode()) as server:
        world.history_server("team-a", server)
        wait_until(lambda: world.listed()["total"], "something is listed")
        assert [item["id"] for item in world.listed()["items"]] == ["spark-1"]


def test_a_history_server_leads_nowhere_else(world: World) -> None:
    with answering(json.dumps([PAST]).encode()) as secret:
        elsewhere = ("Location", f"http://{secret.address}/api/v1/applications")
        with answering(b"", status=302, header=elsewhere) as hostile:
            world.history_server("team-a", hostile)
            histories = world.board.finished.histories
            wait_until(
                lambda: "team-a" in histories and histories["team-a"].problem == "answers 302", "the trouble is told"
            )
    assert world.listed()["total"] == 0


@pytest.mark.parametrize(
    "body",
    [
        *NO_LIST.values(),
        *(json.dumps([{**JOB, **odd}]).encode() for odd in ({"numTasks": -1}, {"numTasks": "9"}, {"numTasks": 1e300})),
        json.dumps([JOB, 7]).encode(),
    ],
    ids=[*NO_LIST, "negative", "text", "too large", "no job"],
)
def test_a_driver_that_answers_no_jobs_has_no_progress_and_the_others_have(world: World, body: bytes) -> None:
    with answering(body) as hostile, answering(json.dumps([JOB]).encode()) as honest:
        world.put(application("hostile", target=hostile), application("honest", target=honest))

        def progress() -> dict[str, Any]:
            return {item["name"]: item["progress"] for item in world.listed()["items"]}

        wait_until(lambda: progress()["honest"], "the other's progress is shown")
        assert progress()["honest"]["tasksDone"] == 4
        assert progress()["hostile"] is None
