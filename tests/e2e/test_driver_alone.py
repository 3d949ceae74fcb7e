"""A run without executors: one pod with every kind of volume, known to spark-ui-proxy and the event log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from door import new_door
from team import EACH, SMALL, Team, is_running
from waiting import wait_until

from kindling_dev.spark_image import SparkLine

APP = (Path(__file__).parent / "apps/alone.py").read_text()
VOLUMES: list[dict[str, Any]] = [
    {"name": "memory", "mountPath": "/memory", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}},
    {"name": "disk", "mountPath": "/disk", "emptyDir": {"sizeLimit": "16Mi"}},
    {"name": "claim", "mountPath": "/claim", "onDemand": {"storageClass": "standard", "size": "1Mi"}},
]
FACTS: dict[str, Any] = {"global": {"eventLog": {"store": "claim", "claim": "logs"}}}


@EACH
def test_a_driver_without_executors_does_all_of_it(team: Team, mode: str, line: SparkLine) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    core = team.cluster.core
    core.create_namespaced_persistent_volume_claim(team.name, {"metadata": {"name": "logs"}, "spec": claim})
    with new_door(team) as door:
        door.let_in(team, door.viewer)
        door.install()

        def applications() -> Any:
            return json.loads(door.ask("/-/api/v1/applications").text)["items"]

        team.install(
            "alone",
            line=line,
            mode=mode,
            app={"source": APP},
            volumes=VOLUMES,
            localDirs={"memory": True},
            driver={**SMALL["driver"], "cores": 2},
            executor={"instances": 0},
            **FACTS,
        )
        driver = team.pod("alone", "driver", is_running, 120)
        log = team.cluster.wait_for_log(team.name, driver.metadata.name, "SEEN ", 120)
        told = json.loads(log.removeprefix("SEEN "))
        # In cluster mode Spark keeps the name of the cluster, and runs tasks in the driver all the same.
        master = "local[2]" if mode == "client" else "k8s://https://kubernetes.default.svc"
        assert (told["master"], told["processes"], told["count"]) == (master, 1, 1000)
        assert team.pods("alone", "executor") == []
        (scratch,) = told["scratch"]
        kinds = {path: told["disks"][path] for path in ("/memory", "/disk", "/claim", scratch)}
        assert (kinds["/memory"], kinds[scratch]) == ("tmpfs", "tmpfs")
        assert "tmpfs" not in (kinds["/disk"], kinds["/claim"])
        assert set(told["writable"]) == {"/memory", "/disk", "/claim", scratch}
        assert [name for name in told["logs"] if told["id"] in name], told["logs"]

        wait_until(applications, "the application is listed")
        (listed,) = applications()
        assert (listed["name"], listed["state"]) == ("alone", "running")
        # Spark 3.5 names the pod after one id and, in cluster mode, the application without executors after another.
        if (mode, line.line) != ("cluster", "3.5"):
            assert listed["id"] == told["id"]
            (only,) = door.rest(f"{team.name}/proxy/{listed['id']}", f"applications/{told['id']}/executors")
            assert only["id"] == "driver"

        team.let_end(driver.metadata.name)
        assert team.end_of("alone").succeeded
    core.delete_namespaced_persistent_volume_claim("logs", team.name)
