"""What the service itself asks of pods: a tenant with many slow ones takes nothing from another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import coroutines
from aiohttp import ClientSession, web
from kubelet import NODE, status_of

from spark_ui_proxy.catalog import Catalog
from spark_ui_proxy.config import Limits
from spark_ui_proxy.doctor import Doctor
from spark_ui_proxy.index import Application, Index, Target
from spark_ui_proxy.naming import Naming
from spark_ui_proxy.progress import ProgressReader
from spark_ui_proxy.rest import new_client
from spark_ui_proxy.witness import Witness

_SLOW_PODS = 150
_NETWORKS = {"team-a": 1, "team-b": 2}
# With one row of places for all, the slow pods would take longer than this to time out.
_SECONDS = 20
_SECONDS_OF_A_LOOK = 8
_PAGE = "<script>setUIRoot('/team-b/proxy/app-1')</script>"


class _World:
    """A tenant `team-a` whose pods take connections and say nothing; `team-b` has one that answers."""

    def __init__(self, client: ClientSession, slow: int, quick: int) -> None:
        self.client = client
        self.catalog = Catalog(Index(), Limits(driver_ports=(1, 65535), pod_networks=("127.0.0.0/8",)), lambda: None)
        self._ports = {"team-a": slow, "team-b": quick}

    def driver(self, namespace: str, number: int, app_id: str = "") -> None:
        """A driver's pod; "": its manifest names no application."""
        labels = {"spark-role": "driver", **({"spark-app-selector": app_id} if app_id else {})}
        self.catalog.put(
            {
                "metadata": {
                    "name": f"pod-{number}",
                    "namespace": namespace,
                    "uid": f"{namespace}-{number}",
                    "creationTimestamp": "2026-11-21T20:00:00Z",
                    "labels": labels,
                },
                "spec": {
                    "containers": [
                        {
                            "name": "driver",
                            "ports": [{"name": "spark-ui", "containerPort": self._ports[namespace]}],
                        }
                    ],
                    "nodeName": NODE,
                },
                "status": status_of(f"127.0.{_NETWORKS[namespace]}.{number + 1}", ["driver"]),
            }
        )

    def all_drivers(self, app_id: Callable[[int], str] = lambda _: "") -> tuple[list[Application], Application | None]:
        """The slow ones first; their applications, and the one of `team-b`."""
        for number in range(_SLOW_PODS):
            self.driver("team-a", number, app_id(number))
        self.driver("team-b", 0, app_id(1))
        applications = self.catalog.index.applications
        slow = [application for key, application in applications.items() if key[0] == "team-a"]
        return slow, applications.get(("team-b", "app-1"))


@asynccontextmanager
async def _world() -> AsyncIterator[_World]:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html")

    async def applications(_: web.Request) -> web.Response:
        return web.json_response([{"id": "app-1"}])

    async def jobs(_: web.Request) -> web.Response:
        return web.json_response([])

    app = web.Application()
    app.add_routes([web.get("/jobs/", page), web.get("/api/v1/applications", applications)])
    app.add_routes([web.get("/api/v1/applications/app-1/jobs", jobs)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.2.1", 0)
    await site.start()
    slow = await asyncio.start_server(silent, "0.0.0.0", 0)
    async with new_client() as client:
        yield _World(client, slow.sockets[0].getsockname()[1], runner.addresses[0][1])
    slow.close()
    await runner.cleanup()


def _run(scene: Callable[[_World], Awaitable[None]]) -> None:
    async def run() -> None:
        async with _world() as world:
            await scene(world)

    coroutines.run(run())


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_SECONDS):
        while not condition():
            await asyncio.sleep(0.05)


def test_a_driver_gets_its_name_though_many_of_another_tenant_do_not_answer() -> None:
    async def scene(world: _World) -> None:
        world.all_drivers()
        witness = Witness(world.catalog, world.client)
        naming = asyncio.create_task(Naming(world.catalog, world.client, witness).run())
        await _until(lambda: ("team-b", "app-1") in world.catalog.index.applications)
        # And one that comes while the first round of the others lasts.
        world.catalog.drop("team-b-0")
        world.driver("team-b", 0)
        await _until(lambda: ("team-b", "app-1") in world.catalog.index.applications)
        naming.cancel()

    _run(scene)


def test_a_driver_is_looked_at_though_many_of_another_tenant_do_not_answer() -> None:
    async def scene(world: _World) -> None:
        slow, quick = world.all_drivers(lambda number: f"app-{number}")
        doctor = Doctor(world.catalog, world.client, Witness(world.catalog, world.client))

        async def problem(application: Application | None) -> str | None:
            assert application
            target: Target | None = application.target
            assert target
            return await doctor.problem(application, target, f"/{application.namespace}/proxy/{application.app_id}")

        waiting = [asyncio.create_task(problem(application)) for application in slow]
        await asyncio.sleep(0.1)
        async with asyncio.timeout(_SECONDS_OF_A_LOOK):
            while await problem(quick) is None:
                pass
        assert await problem(quick) == ""
        doctor.stop()
        await asyncio.wait(waiting)

    _run(scene)


def test_progress_is_read_though_many_drivers_of_another_tenant_do_not_answer() -> None:
    async def scene(world: _World) -> None:
        slow, quick = world.all_drivers(lambda number: f"app-{number}")
        assert quick
        reader = ProgressReader(world.client)
        reader.want([*slow, quick])
        await _until(lambda: reader.of(quick) is not None)
        reader.stop()

    _run(scene)
