"""Executors that come and go: dynamic allocation, decommissioning, rolling, StatefulSets."""

from __future__ import annotations

import re
from typing import Any

import pytest
from team import BURST, EACH, NEW_LINE_LONG, OLD_LINE_LONG, QUICK, SLEEP, SMALL, Team

from kindling_dev.spark_image import DEFAULT_LINE, SparkLine

LABEL = "spark.kubernetes.executor.decommissionLabel"
MODES = pytest.mark.parametrize("mode", ["client", "cluster"])
BLOCKS = """
import os, time
from pyspark.sql import SparkSession
context = SparkSession.builder.getOrCreate().sparkContext
made = context.accumulator(0)
kept = context.parallelize(range(100), 4).map(lambda n: (made.add(1), n % 7)[1]).cache()
shuffled = kept.map(lambda n: (n, 1)).reduceByKey(lambda a, b: a + b, 4)
shuffled.count()
print("KEPT", made.value, flush=True)
while not os.path.exists("/tmp/go"):
    time.sleep(0.2)
print("AGAIN", kept.count(), shuffled.count(), made.value, flush=True)
"""
"""An application whose blocks are made once: they are read again after /tmp/go appears."""


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
    conf = {**QUICK, LABEL: "going", f"{LABEL}Value": "yes"}
    swept.install("elastic", line=line, mode=mode, app={"source": BURST}, executor=executor, sparkConf=conf)
    ids_of_executors(swept, "elastic", {"1", "2"})
    swept.pod("elastic", "executor", lambda pod: pod.metadata.labels.get("going") == "yes")
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


@NEW_LINE_LONG
@pytest.mark.parametrize("mode", [pytest.param("client", marks=pytest.mark.long), "cluster"])
def test_a_killed_drivers_statefulset_goes_too(swept: Team, mode: str, line: SparkLine) -> None:
    # Claims of a StatefulSet's own templates would have no owner: the fixture finds what is left.
    swept.set_namespace("driver.statefulSets=true")
    claim = {"name": "spark-local-dir-1", "mountPath": "/local", "roles": ["executor"]}
    volumes = [{**claim, "onDemand": {"storageClass": "standard", "size": "1Mi"}}]
    executor = {**SMALL["executor"], "allocator": "statefulset"}
    app = {"source": SLEEP.format(seconds=600)}
    swept.install("sets", line=line, mode=mode, app=app, executor=executor, volumes=volumes)
    swept.running("sets", "executor")
    assert [name for name in swept.objects() if name.startswith("PersistentVolumeClaim/")]
    swept.kill(swept.running("sets", "driver"), "driver")
    pods = swept.cluster.core.list_namespaced_pod
    listing = {"namespace": swept.name, "label_selector": "spark-role=executor"}
    swept.cluster.wait_until_none(pods, "no executor of the killed driver", 60, **listing)
    assert swept.cluster.apps.list_namespaced_stateful_set(swept.name).items == []
    assert not [name for name in swept.objects() if name.startswith("PersistentVolumeClaim/")]
    end = swept.end_of("sets")
    assert not end.succeeded


@pytest.mark.long
@MODES
def test_a_deleted_executor_hands_its_data_on(swept: Team, mode: str) -> None:
    volumes = [
        {
            "name": "spark-local-dir-1",
            "mountPath": "/local",
            "roles": ["executor"],
            "onDemand": {"storageClass": "standard", "size": "1Mi"},
        }
    ]
    executor = {**SMALL["executor"], "instances": 2, "decommission": True}
    app = {"source": BLOCKS}
    swept.install("hands-on", line=DEFAULT_LINE, mode=mode, app=app, executor=executor, volumes=volumes)
    driver = swept.running("hands-on", "driver")
    swept.cluster.wait_for_log(swept.name, driver.metadata.name, "KEPT 100", 120)
    first, _ = sorted(swept.pods("hands-on", "executor"), key=lambda pod: str(pod.metadata.name))
    claims = {name for name in swept.objects() if name.startswith("PersistentVolumeClaim/")}
    assert len(claims) == 2
    swept.kubectl("delete", "pod", first.metadata.name)
    swept.let_end(driver.metadata.name)
    end = swept.end_of("hands-on")
    assert end.succeeded
    log = swept.log_of(end)
    assert "AGAIN 100 7 100" in log, "nothing was made twice"
    assert re.search(r"Executor 1 on \S+ is decommissioned after \d\.\d s", log), log[-3000:]


LONG_TASK = """
import time
from pyspark.sql import SparkSession
SparkSession.builder.getOrCreate().sparkContext.parallelize([0], 1).map(lambda _: time.sleep(90)).count()
"""


@pytest.mark.long
@MODES
def test_a_decommission_that_lasts_is_cut_short(swept: Team, mode: str) -> None:
    # A task that runs keeps its executor; without a timeout it would until it ends.
    rolled = {"decommission": True, "rolling": {"interval": "5s", "policy": "ID"}}
    swept.install(
        "cut",
        line=DEFAULT_LINE,
        mode=mode,
        app={"source": LONG_TASK},
        executor={**SMALL["executor"], "instances": 1, **rolled},
        sparkConf={**QUICK, "spark.executor.decommission.forceKillTimeout": "5s"},
    )
    driver = swept.running("cut", "driver", 120)
    swept.cluster.wait_for_log(swept.name, driver.metadata.name, "failed to decommission in 5", 120)
