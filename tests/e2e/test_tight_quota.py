"""A quota of spark-namespace: what is too large is seen at once, and runs that must share it all finish."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from team import Team
from tool import kindling, submitter_kubeconfig

from kindling_dev.spark_image import DEFAULT_LINE

COUNT = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("sum:", spark.range(1000).repartition(2).groupBy().sum("id").head()[0])
"""
SMALL = {"requestCores": "100m", "memory": "512m"}
EVENT_DEADLINE_S = 10
ALL_DEADLINE_S = 600
PATIENT = {"spark.executor.maxNumFailures": 1_000_000}
"""Spark 4.3 counts a refused executor as a failed one, and ends the application at the fourth."""


@pytest.fixture
def classes(team: Team) -> Iterator[dict[str, str]]:
    """Priority classes of the test's own, as the cluster's admin would make them."""
    names = {role: f"{role}-{uuid4().hex[:8]}" for role in ("submitter", "executor")}
    for name in names.values():
        team.kubectl("create", "priorityclass", name, "--value=0", "--preemption-policy=Never")
    yield names
    team.kubectl("delete", "priorityclass", *names.values())


@pytest.fixture
def set_values(team: Team) -> Callable[..., None]:
    """Upgrades the team's spark-namespace; keyword arguments are values. The quotas are in force then."""

    def set_values(**values: Any) -> None:
        team.set_namespace(**values)
        number = 1 + ("drivers" in values["quota"]) + ("submitters" in values["quota"])
        in_force: set[str] = set()

        def all_in_force(quota: Any, _: str) -> bool | None:
            in_force.update({quota.metadata.name} if quota.status.hard else ())
            return True if len(in_force) == number else None

        quotas = team.cluster.core.list_namespaced_resource_quota
        team.cluster.wait_for(quotas, all_in_force, "quotas in force", 60, namespace=team.name)

    return set_values


def why(kubeconfig: Path, name: str) -> dict[str, Any]:
    """The one finding of ``kindling why``, asked by a submitter."""
    done = kindling(kubeconfig, "why", name, "--json")
    assert done.returncode == 0, done.stderr
    (finding,) = json.loads(done.stdout)["findings"]
    return dict(finding)


def first_refusal(team: Team) -> str:
    """The first Event of a pod that is not made."""
    events = team.cluster.core.list_namespaced_event
    return team.cluster.wait_for(
        events,
        lambda event, _: str(event.message),
        "a refusal",
        EVENT_DEADLINE_S,
        namespace=team.name,
        field_selector="reason=FailedCreate",
    )


@pytest.mark.check(27)
def test_a_driver_larger_than_the_quota_is_seen_within_ten_seconds(
    team: Team, set_values: Callable[..., None], tmp_path: Path
) -> None:
    set_values(quota={"hard": {"requests.cpu": "40m", "pods": 9}})
    team.install("large", line=DEFAULT_LINE, app={"source": "print('never')"})
    assert "exceeded quota: spark, requested: requests.cpu=50m" in first_refusal(team)
    finding = why(submitter_kubeconfig(team, tmp_path), "large")
    assert finding["id"] == "quota-exceeded"
    assert "ResourceQuota spark refuses the driver pod" in finding["cause"]
    assert "it never fits: requests.cpu asked 50m, the quota has 40m in all" in finding["cause"]
    assert "quota.hard of spark-namespace" in finding["cure"]


@pytest.mark.check(27)
@pytest.mark.long
def test_five_executors_are_asked_two_fit_and_the_run_succeeds(
    team: Team, set_values: Callable[..., None], tmp_path: Path
) -> None:
    # The seed's silent hang: here the driver says it, and goes on with those that it has.
    set_values(quota={"hard": {"pods": 3, "limits.cpu": 6}}, limits={"default": {"cpu": 2}})
    source = COUNT + "import time\ntime.sleep(10)\n"
    job: dict[str, Any] = {"app": {"source": source}, "driver": SMALL, "executor": {**SMALL, "instances": 5}}
    team.install("wide", line=DEFAULT_LINE, **job | {"global": {"sparkConf": PATIENT}})
    driver = team.running("wide", "driver")
    said = team.cluster.wait_for_log(team.name, driver.metadata.name, "exceeded quota: spark", 90)
    assert "requested: limits.cpu=2,pods=1" in said or "requested: pods=1" in said
    finding = why(submitter_kubeconfig(team, tmp_path), "wide")
    assert (finding["id"], finding["about"]) == ("quota-exceeded", "executor")
    assert "pods asked 1, left 0 (3 of 3 used)" in finding["cause"]
    end = team.end_of("wide")
    assert end.succeeded
    log = team.log_of(end)
    assert "must specify" not in log
    assert "sum: 499500" in log
    executors = {line.split("ID ")[1].split(",")[0] for line in log.splitlines() if "Registered executor" in line}
    assert len(executors) == 2


@pytest.mark.check(27)
@pytest.mark.long
@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_four_runs_at_once_in_a_tight_quota_all_finish(
    team: Team, set_values: Callable[..., None], classes: dict[str, str], mode: str
) -> None:
    # Two drivers, and one executor at a time for all of them: without their parts drivers would take all of it.
    parts = ["drivers", "submitters"] if mode == "cluster" else ["drivers"]
    part, pods = {"pods": 2, "requests.cpu": "200m"}, 2 * len(parts) + 1
    facts = {"priorityClasses": classes if mode == "cluster" else {"executor": classes["executor"]}}
    hard = {"pods": pods, "requests.cpu": f"{pods}00m"}
    set_values(**{"global": facts}, quota={"hard": hard, **dict.fromkeys(parts, part)})
    job: dict[str, Any] = {
        "mode": mode,
        "app": {"source": COUNT},
        "driver": SMALL,
        "executor": SMALL,
        "global": facts,
    }
    runs = [f"run-{number}" for number in range(4)]
    start = time.monotonic()
    for run in runs:
        team.install(run, line=DEFAULT_LINE, **job)
    for run in runs:
        end = team.end_of(run, ALL_DEADLINE_S - (time.monotonic() - start))
        assert end.succeeded, run
        assert "sum: 499500" in team.log_of(end)
