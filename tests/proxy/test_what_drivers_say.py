"""What the decider asks real drivers: which application they run, and whether their links follow the prefix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import spark_ui
from proxy_world import World
from ui_proxy import bearer, running_decider


@pytest.mark.parametrize(
    ("line", "conf", "said"),
    [
        # Through nginx in the normal run: test_spark_ui.py
        pytest.param("4.3", {"spark.ui.proxyBase": "/my/own"}, "spark.ui.proxyBase=/my/own", marks=pytest.mark.long),
        ("3.5", {"spark.ui.reverseProxy": "true"}, "spark.ui.reverseProxyUrl=/spark/{namespace}"),
        ("4.3", {"spark.ui.reverseProxy": "true", "spark.ui.reverseProxyUrl": "/spark/{namespace}"}, ""),
    ],
    ids=["4.3-proxyBase", "3.5-reverseProxy", "4.3-the-same-prefix"],
)
def test_a_driver_names_its_application_and_its_own_prefix_is_found(
    world: World, address: Callable[[], str], tmp_path: Path, line: str, conf: dict[str, str], said: str
) -> None:
    team = world.team()
    vera = {**bearer(team.viewer), "Accept": "text/html"}
    own = {key: value.format(namespace=team.name) for key, value in conf.items()}
    config = {
        "basePath": "/spark",
        "namespaces": {"all": True},
        "permission": {"reviews": "cluster"},
        "limits": {"driverPorts": [1024, 65535]},
    }
    (tmp_path / "app").mkdir()
    with (
        spark_ui.driver(line, tmp_path / "app", address=address(), conf=own) as driver,
        running_decider(world.server, tmp_path / "d", config, token=world.token) as decider,
    ):
        # A notebook's pod: the role alone is known.
        team.pods.make("notebook", ip=driver.target.ip, port=driver.target.port)
        path = f"/spark/{team.name}/proxy/{driver.app_id}"
        decider.wait(lambda: decider.authz(f"{path}/", vera).reason in ("ok", "misconfigured"), "its id is known")
        decision = decider.authz(f"{path}/jobs/", vera)
        assert decider.authz(f"{path}/api/v1/applications", vera).reason == "ok"
        if not said:
            assert decision.headers["x-upstream"] == driver.target.address
            return
        assert decision.reason == "misconfigured"
        page = decider.answer(f"{path}/jobs/", vera)
        assert page.status == 502
        line_to_drop = said.format(namespace=team.name)
        assert line_to_drop in page.text
        listed = decider.request("GET", f"/spark/-/api/v1/applications/{team.name}/{driver.app_id}", vera)
        assert line_to_drop in listed.text
