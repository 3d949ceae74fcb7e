"""What Prometheus is told of requests, most of which nginx answers without asking."""

from __future__ import annotations

from collections.abc import Callable

from hostile import listening
from proxy_world import Door, World


def test_each_request_is_counted_as_what_it_was(world: World, door: Door, address: Callable[[], str]) -> None:
    team = world.team()
    token = team.viewer
    with listening(address()) as driver:
        path = door.shown(team, team.driver(driver.address, port=driver.port))

        def counted(namespace: str, decision: str, status: str) -> float:
            labels = f'decision="{decision}",namespace="{namespace}",status="{status}"'
            return door.decider.metric(f"spark_ui_proxy_request_seconds_count{{{labels}}}")

        before = {key: counted(*key) for key in (("", "asked", "4xx"), ("", "own", "2xx"))}
        kept = counted(team.name, "kept", "2xx")
        for _ in range(5):
            assert door.get(f"{path}/jobs/", token).status == 200
        assert door.get(f"{path}/jobs/").status == 401
        assert door.get("/-/login").status == 200
        assert counted(team.name, "kept", "2xx") + counted(team.name, "asked", "2xx") >= kept + 5
        assert counted(team.name, "kept", "2xx") >= 4
        for key, count in before.items():
            assert counted(*key) == count + 1
        exposed = door.decider.operations("/metrics")[1]
        assert f'namespace="{team.name}"' in exposed
        assert 'le="+Inf"' in exposed
