"""Executors that come and go: dynamic allocation, decommissioning, rolling, StatefulSets."""

from __future__ import annotations

import re
from typing import Any

import pytest
from team import BURST, EACH, NEW_LINE_LONG, OLD_LINE_LONG, SLEEP, SMALL, Team

from kindling_dev.spark_image import SparkLine


def ids_of_executors(team: Team, release: str, until: set[str], deadline_s: float = 120) -> None:
    """Wait until executors of these ids have been seen."""
    seen: set[str] = set()

    def found(pod: Any, _: str) -> bool | None:
        seen.add(pod.metadata.labels["spark-exec-id"])
        return True if until <= seen else None

    where = {"namespace": team.name, "label_selector": f"spark-role=executor,app.kubernetes.io/instance={release}"}
    team.cluster.wait_for(team.cluster.core.list_namespaced_pod, found, f"executors {until}", deadline_s, **where)


@pytest.mark.long
@OLD_LINE_LONG
@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_executors_follow_the_work_and_are_decommissioned(swept: Team, mode: str, line: SparkLine) -> None:
    executor = {
        **SMALL["executor"],
        "dynamicAllocation": {"enabled": True, "min": 0, "max": 2, "idleTimeout": "3s"},
        "decommission": True,
    }
    swept.install("elastic", line=line, mode=mode, app={"source": BURST}, executor=executor)
    ids_of_executors(swept, "elastic", {"1", "2"})
    end = swept.end_of("elastic")
    assert end.succeeded
    log = swept.log_of(end)
    assert "ALL GONE" in log, "the driver outlived its executors"
    # Spark's own interval is 30 s.
    assert re.search(r"Executor \d on \S+ is decommissioned after \d\.\d s", log), log[-3000:]


@pytest.mark.long
@EACH
def test_executors_are_rolled(swept: Team, mode: str, line: SparkLine) -> None:
    executor = {**SMALL["executor"], "decommission": True, "rolling": {"interval": "5s", "policy": "ID"}}
    swept.install("rolls", line=line, mode=mode, app={"source": SLEEP.format(seconds=30)}, executor=executor)
    ids_of_executors(swept, "rolls", {"1", "2"})
    assert swept.end_of("rolls").succeeded


@NEW_LINE_LONG
@pytest.mark.parametrize("mode", [pytest.param("client", marks=pytest.mark.long), "cluster"])
def test_a_statefulset_makes_the_executors(swept: Team, mode: str, line: SparkLine) -> None:
    swept.set_namespace("driver.statefulSets=true")
    executor = {**SMALL["executor"], "allocator": "statefulset"}
    swept.install("sets", line=line, mode=mode, app={"source": SLEEP.format(seconds=2)}, executor=executor)
    running = swept.running("sets", "executor")
    assert running.metadata.owner_references[0].kind == "StatefulSet"
    assert running.spec.containers[0].security_context.read_only_root_filesystem
    assert swept.end_of("sets").succeeded
