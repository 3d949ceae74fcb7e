"""Several applications of one pod, a notebook's kernels, and what hostile drivers say of theirs."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import coroutines
import pytest
from aiohttp import web
from kubelet import NODE, status_of
from speaking import speaking

from spark_ui_proxy.catalog import Catalog
from spark_ui_proxy.config import Limits
from spark_ui_proxy.finished import Finished
from spark_ui_proxy.index import Application, Index, Named, Target
from spark_ui_proxy.listing import Listing
from spark_ui_proxy.naming import Naming
from spark_ui_proxy.naming_answers import read_named
from spark_ui_proxy.progress import ProgressReader
from spark_ui_proxy.query import Query
from spark_ui_proxy.rest import new_client
from spark_ui_proxy.viewing import Sight
from spark_ui_proxy.witness import Witness

_MADE = datetime(2026, 11, 21, 20, tzinfo=UTC)
_SECONDS = 20


def _pod(
    uid: str, ip: str, *, app_id: str = "", role: str = "driver", minutes: int = 0, **status: Any
) -> dict[str, Any]:
    """A pod that runs; "": its manifest names no application."""
    container = {
        "name": role,
        "ports": [{"name": "spark-ui", "containerPort": 4040}] if role == "driver" else [],
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
    }
    return {
        "metadata": {
            "name": f"pod-{uid}",
            "namespace": "team-a",
            "uid": uid,
            "creationTimestamp": (_MADE + timedelta(minutes=minutes)).isoformat(),
            "labels": {"spark-role": role, **({"spark-app-selector": app_id} if app_id else {})},
        },
        "spec": {"containers": [container], "nodeName": NODE},
        "status": {**status_of(ip, [role]), **status},
    }


class _World:
    """A catalog with pods of `team-a`."""

    def __init__(self) -> None:
        self.gone = 0
        limits = Limits(pod_networks=("127.0.0.0/8", "10.0.0.0/8"))
        self.catalog = Catalog(Index(), limits, self._on_gone, environment={})

    def _on_gone(self) -> None:
        self.gone += 1

    def notebook(self, uid: str, ip: str, **given: Any) -> Target:
        self.catalog.put(_pod(uid, ip, **given))
        return Target(uid, ip, 4040)

    @property
    def applications(self) -> dict[str, Application]:
        return {app_id: found for (_, app_id), found in self.catalog.index.applications.items()}


@pytest.fixture
def world() -> _World:
    return _World()


def test_each_kernel_of_a_pod_is_an_application(world: _World) -> None:
    place = world.notebook("n", "10.0.0.1")
    world.catalog.put(_pod("e", "10.0.0.2", role="executor", app_id="spark-b"))
    later = _MADE + timedelta(hours=1)
    first = Named("spark-a", 4040, "first", "anna", "4.3.0", _MADE - timedelta(hours=1))
    world.catalog.name(place, [first, Named("spark-b", 4042, "second", started=later), Named("spark-c", 4043)])
    a, b, c = (world.applications[f"spark-{name}"] for name in "abc")
    assert [found.target for found in (a, b, c)] == [Target("n", "10.0.0.1", port) for port in (4040, 4042, 4043)]
    assert (a.name, a.user, a.spark_version, a.created) == ("first", "anna", "4.3.0", _MADE), "no older than its pod"
    assert (b.name, b.created, c.name, c.created) == ("second", later, "pod-n", _MADE)
    assert [(found.executors, found.cpu) for found in (a, b, c)] == [(0, 1), (1, 2), (0, 1)]
    assert not any(found.disputed for found in (a, b, c))


def test_a_kernel_that_ends_takes_no_other_with_it(world: _World) -> None:
    place = world.notebook("n", "10.0.0.1")
    world.catalog.name(place, [Named("spark-a", 4040), Named("spark-b", 4041)])
    world.catalog.name(place, [Named("spark-b", 4041)])
    assert set(world.applications) == {"spark-b"}
    assert world.gone == 1
    # It is started anew: another application at the same port.
    world.catalog.name(place, [Named("spark-c", 4040), Named("spark-b", 4041)])
    assert set(world.applications) == {"spark-b", "spark-c"}
    world.catalog.drop("n")
    assert not world.applications


@pytest.mark.parametrize(
    "status", [{}, {"phase": "Pending"}, {"phase": "Succeeded"}, {"startTime": None}, {"podIP": ""}], ids=str
)
@pytest.mark.parametrize("minutes", [-1, 1])
def test_no_answer_takes_an_id_that_a_manifest_tells(world: _World, status: dict[str, Any], minutes: int) -> None:
    place = world.notebook("evil", "10.0.0.6", minutes=minutes)
    stolen = [Named("spark-mine", 4040), Named("spark-victim", 4041)]
    world.catalog.name(place, stolen)
    world.catalog.put(_pod("v", "10.0.0.1", app_id="spark-victim", **status))
    world.catalog.name(place, list(reversed(stolen)))
    assert world.applications["spark-victim"].pod_uid == "v"
    assert world.applications["spark-mine"].target == place


def test_no_answer_takes_an_id_that_another_pod_says(world: _World) -> None:
    place, evil = world.notebook("n", "10.0.0.1"), world.notebook("evil", "10.0.0.6", minutes=1)
    world.catalog.name(place, [Named("spark-a", 4041)])
    world.catalog.name(evil, [Named("spark-a", 4040), Named("spark-b", 4041)])
    found = world.applications["spark-a"]
    assert (found.pod_uid, found.disputed) == ("n", True)
    # Whatever becomes of the other pod while it runs.
    world.catalog.put(_pod("n", "10.0.0.1", startTime=None))
    assert (world.applications["spark-a"].pod_uid, world.applications["spark-a"].target) == ("n", None)
    world.catalog.put(_pod("n", "10.0.0.1"))
    assert world.applications["spark-a"].target == Target("n", "10.0.0.1", 4041)
    world.catalog.put(_pod("n", "10.0.0.1", phase="Failed"))
    assert world.applications["spark-a"].target == evil


def test_an_answer_counts_for_the_address_that_gave_it(world: _World) -> None:
    place = world.notebook("n", "10.0.0.1")
    world.catalog.put(_pod("n", "10.0.0.2"))
    world.catalog.name(place, [Named("spark-a", 4040)])
    assert not world.applications
    moved = Target("n", "10.0.0.2", 4040)
    world.catalog.put(_pod("thief", "10.0.0.2"))
    world.catalog.name(moved, [Named("spark-a", 4040)])
    assert not world.applications, "two pods claim the address"


def test_a_pod_has_a_bounded_number_of_applications(world: _World) -> None:
    place = world.notebook("n", "10.0.0.1")
    world.catalog.name(place, [Named(f"spark-{port}", port) for port in range(4000, 4200)])
    assert {found.target.port for found in world.applications.values() if found.target} == set(range(4040, 4057))
    # One id at all of them is one application, at the first.
    world.catalog.name(place, [Named("spark-a", port) for port in range(4041, 4057)])
    assert [found.target for found in world.applications.values()] == [Target("n", "10.0.0.1", 4041)]


def test_what_is_wrong_with_one_kernels_ui_is_said_of_it_alone(world: _World) -> None:
    place = world.notebook("n", "10.0.0.1")
    world.catalog.name(place, [Named("spark-a", 4040), Named("spark-b", 4041)])
    world.catalog.find("team-a", "spark-b", "n", "it sets its prefix")
    world.catalog.find("team-a", "spark-x", "n", "it is not this pod's")
    assert [world.applications[name].problem for name in ("spark-a", "spark-b")] == ["", "it sets its prefix"]
    world.catalog.name(place, [Named("spark-a", 4040)])
    world.catalog.name(place, [Named("spark-a", 4040), Named("spark-b", 4041)])
    assert world.applications["spark-b"].problem == ""


def test_of_a_disputed_address_all_kernels_are_asked(world: _World) -> None:
    place = world.notebook("n", "10.0.0.1")
    world.catalog.name(place, [Named("spark-a", 4041), Named("spark-b", 4043)])
    world.catalog.put(_pod("thief", "10.0.0.1"))
    assert not any(found.target for found in world.applications.values())
    assert [target.port for target in world.catalog.targets(world.catalog.pods["n"])] == [4041, 4043]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, ("", "", "", None)),
        ({"name": 7, "attempts": 7}, ("", "", "", None)),
        ({"name": {}, "attempts": ["ab", ["c"]]}, ("", "", "", None)),
        ({"attempts": [{"startTimeEpoch": 10**400, "sparkUser": None}]}, ("", "", "", None)),
        ({"attempts": [{"startTimeEpoch": "1", "appSparkVersion": []}]}, ("", "", "", None)),
        ({"attempts": [{"startTimeEpoch": 4 * 10**12}]}, ("", "", "", None)),
        ({"name": "a\u202eb\n" + "x" * 999}, ("a\ufffdb\ufffd" + "x" * 249, "", "", None)),
        (
            {"name": "pi", "attempts": [{"startTimeEpoch": 0, "sparkUser": "anna", "appSparkVersion": "4.3.0"}]},
            ("pi", "anna", "4.3.0", datetime(1970, 1, 1, tzinfo=UTC)),
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_a_driver_says_of_its_application_is_text(more: dict[str, Any], said: tuple[object, ...]) -> None:
    # Through JSON and back: what no driver can send is not asked for.
    found = read_named(json.loads(json.dumps([{"id": "spark-a", **more}, {"id": "spark-b"}])), 4041)
    assert found
    assert (found.app_id, found.port) == ("spark-a", 4041)
    assert (found.name, found.user, found.spark_version, found.started) == said


@asynccontextmanager
async def _listening(ip: str, ports: range, answer: Callable[[web.Request], web.StreamResponse]) -> AsyncIterator[None]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return answer(request)

    app = web.Application()
    app.add_routes([web.get("/{path:.*}", handle)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for port in ports:
        await web.TCPSite(runner, ip, port).start()
    yield
    await runner.cleanup()


@asynccontextmanager
async def _naming(world: _World) -> AsyncIterator[None]:
    async with new_client() as client:
        witness = Witness(world.catalog, client)
        task = asyncio.create_task(Naming(world.catalog, client, witness).run())
        yield
        task.cancel()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_SECONDS):
        while not condition():
            await asyncio.sleep(0.05)


def test_a_pod_that_answers_everywhere_costs_bounded_work(world: _World) -> None:
    asked: list[tuple[int, str]] = []
    numbers = itertools.count()

    def answer(request: web.Request) -> web.Response:
        assert request.transport
        asked.append((request.transport.get_extra_info("sockname")[1], request.path))
        ids: Iterator[str] = (f"spark-{number}" for number in itertools.islice(numbers, 100))
        return web.json_response([{"id": app_id, "name": "x" * 20} for app_id in ids])

    async def scene() -> None:
        place = world.notebook("n", "127.0.31.1")
        async with _listening(place.ip, range(4040, 4101), answer), _naming(world):
            await _until(lambda: len(world.applications) == 17)
            listed = [port for port, path in asked if path == "/api/v1/applications"]
            assert sorted(set(listed)) == list(range(4040, 4057))
            assert len(asked) <= 17 + 2, "each port, and one of them which pod it is"
            before = set(world.applications)
            await _until(lambda: set(world.applications) != before)
            assert len(world.applications) == 17
            assert len(asked) <= 2 * (17 + 2)

    coroutines.run(scene())


def test_an_answer_without_an_end_is_none(world: _World) -> None:
    def answer(request: web.Request) -> web.Response:
        assert request.transport
        port = request.transport.get_extra_info("sockname")[1]
        more = "x" * 10**6 if port == 4040 else "x"
        return web.json_response([{"id": f"spark-{port}", "name": more}])

    async def scene() -> None:
        place = world.notebook("n", "127.0.32.1")
        async with _listening(place.ip, range(4040, 4042), answer), _naming(world):
            await _until(lambda: bool(world.applications))
            assert set(world.applications) == {"spark-4041"}

    coroutines.run(scene())


def test_nothing_is_told_of_a_driver_that_is_another_pod(world: _World) -> None:
    async def scene() -> None:
        with speaking("127.0.33.1", "team-elsewhere", "pi-driver", port=4041) as driver:
            world.notebook("forged", driver.address)
            seen: list[set[str]] = []

            def found_out() -> bool:
                seen.append(set(world.applications))
                return bool(world.catalog.claims.problem(world.catalog.pods["forged"]))

            async with _naming(world):
                await _until(found_out)
                assert not any(seen)
                assert not world.applications
            assert [path for path in driver.asked if path.endswith("environment")]

    coroutines.run(scene())


def test_ids_that_come_and_go_fill_no_list(world: _World) -> None:
    async def scene() -> None:
        place = world.notebook("n", "10.0.0.1")
        other = world.notebook("m", "10.0.0.2")
        world.catalog.name(other, [Named("spark-other", 4040)])
        async with new_client() as client:
            listing = Listing(world.catalog.index, Finished(world.catalog.index, client))
            listing.refresh()
            world.catalog.name(other, [])
            for number in range(100):
                world.catalog.name(place, [Named(f"spark-{number}-{port}", port) for port in range(4040, 4057)])
                listing.refresh()
            found = listing.find(Query(limit=500), Sight("", False, frozenset({"team-a"})))
            assert found.states == {"running": 17, "ended": 32 + 1}
            ended = {row.app_id for row in found.rows if row.state == "ended"}
            assert "spark-other" in ended, "of another pod"
            assert {app_id.split("-")[1] for app_id in ended} == {"other", "97", "98"}, "the latest"

    coroutines.run(scene())


def test_two_kernels_progress_is_each_its_own(world: _World) -> None:
    def answer(request: web.Request) -> web.Response:
        if not request.path.endswith("/jobs"):
            return web.Response(status=404)
        job = {"jobId": 1, "name": request.path.split("/")[4], "status": "RUNNING", "numTasks": 1}
        counts = dict.fromkeys(("numCompletedTasks", "numSkippedTasks", "numFailedTasks"), 0)
        return web.json_response([{**job, **counts}])

    async def scene() -> None:
        place = world.notebook("n", "127.0.34.1")
        world.catalog.name(place, [Named("spark-a", 4040), Named("spark-b", 4041)])
        apps = world.applications.values()
        async with _listening(place.ip, range(4040, 4042), answer), new_client() as client:
            reader = ProgressReader(client)
            reader.want(apps)
            await _until(lambda: all(reader.of(found) for found in apps))
            assert all((progress := reader.of(found)) and progress.name == found.app_id for found in apps)
            reader.stop()

    coroutines.run(scene())
