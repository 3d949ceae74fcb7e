"""What a run survives, and how it ends when it does not. Nothing is left behind: the fixture looks at every kind."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from team import SLEEP, SMALL, Team, is_running, node_run

from kindling_dev.cluster import node_name
from kindling_dev.command import run
from kindling_dev.settings import Settings
from kindling_dev.spark_image import DEFAULT_LINE, LINES

MODES = pytest.mark.parametrize("mode", ["client", "cluster"])
STEPS = """
import time
from pyspark.sql import SparkSession
context = SparkSession.builder.getOrCreate().sparkContext
total = 0
for step in range({steps}):
    total += context.parallelize(range(100), 4).map(lambda n: (time.sleep(0.01), n)[1]).sum()
    print("STEP", step, flush=True)
print("TOTAL", total)
"""
"""Work in small steps: the sum is right only if no task was lost and none counted twice."""
TWO = {"requestCores": "50m", "instances": 2}
"""Small enough for two tests at once."""


def steps(count: int) -> dict[str, Any]:
    """The application above."""
    return {"source": STEPS.format(steps=count)}


def assert_whole(team: Team, release: str, count: int, deadline_s: float = 240) -> None:
    """The run succeeded at its first attempt, and its sum is right."""
    end = team.end_of(release, deadline_s)
    assert end.succeeded, end
    assert end.exit_codes[-1] == 0
    assert f"TOTAL {count * 4950}" in team.log_of(end)


def killed_and_restored(team: Team, release: str, rounds: int) -> list[float]:
    """SIGKILL one executor after the other; the seconds until there were two again."""
    pods: dict[str, Any] = {}

    def two_run(pod: Any, event: str) -> list[Any] | None:
        pods.pop(pod.metadata.uid, None)
        if (
            event != "DELETED"
            and is_running(pod)
            and all(status.state.running for status in pod.status.container_statuses)
        ):
            pods[pod.metadata.uid] = pod
        return sorted(pods.values(), key=lambda p: p.metadata.creation_timestamp) if len(pods) == 2 else None

    def others_than(uid: str) -> Callable[[Any, str], list[Any] | None]:
        return lambda pod, event: None if pod.metadata.uid == uid else two_run(pod, event)

    where = {"namespace": team.name, "label_selector": f"spark-role=executor,app.kubernetes.io/instance={release}"}
    listing = team.cluster.core.list_namespaced_pod
    oldest = team.cluster.wait_for(listing, two_run, "two executors", 120, **where)[0]
    times = []
    for _ in range(rounds):
        begin = time.monotonic()
        team.kill(oldest, "executor")
        gone = oldest.metadata.uid
        pods.clear()
        oldest = team.cluster.wait_for(listing, others_than(gone), "two executors again", 60, **where)[0]
        times.append(time.monotonic() - begin)
    return times


@pytest.mark.check(24)
@pytest.mark.long
@pytest.mark.parametrize("number", range(5))
def test_five_runs_of_five_survive_the_loss_of_every_executor(swept: Team, number: int) -> None:
    mode, line = ("client", "cluster")[number % 2], (DEFAULT_LINE, LINES["3.5"])[number // 2 % 2]
    swept.install("survives", line=line, mode=mode, app=steps(80), executor=TWO)
    times = killed_and_restored(swept, "survives", rounds=4)
    print("seconds until restored:", [round(t, 1) for t in times])
    assert_whole(swept, "survives", 80)


@pytest.mark.check(25)
@pytest.mark.long
def test_a_deleted_driver_follows_retries(swept: Team) -> None:
    swept.install("once-more", line=DEFAULT_LINE, app={"source": SLEEP.format(seconds=8)}, retries=1)
    first = swept.running("once-more", "driver")
    swept.running("once-more", "executor")
    swept.cluster.core.delete_namespaced_pod(first.metadata.name, swept.name)
    second = swept.pod("once-more", "driver", lambda pod: pod.metadata.uid != first.metadata.uid)
    # The lost driver's executors go with it: none has a foreign owner at the end.
    owned = f"spark-app-selector=spark-{first.metadata.uid}"
    pods = swept.cluster.core.list_namespaced_pod
    swept.cluster.wait_until_none(
        pods, "no executor of the lost driver", 60, namespace=swept.name, label_selector=owned
    )
    end = swept.end_of("once-more")
    assert end.succeeded
    assert second.metadata.name in {pod.metadata.name for pod in swept.cluster.job_pods(swept.name, end.name)}


@pytest.mark.long
@MODES
def test_an_evicted_driver_is_a_failure(swept: Team, mode: str) -> None:
    swept.install("evicted", line=DEFAULT_LINE, mode=mode, app={"source": SLEEP.format(seconds=600)})
    swept.evict(swept.running("evicted", "driver"))
    assert not swept.end_of("evicted").succeeded


@pytest.mark.check(23)
@MODES
def test_a_driver_without_memory_fails_and_says_so(swept: Team, mode: str) -> None:
    source = "blocks = []\nwhile True:\n    blocks.append(bytearray(10_000_000))\n"
    driver = {**SMALL["driver"], "memory": "512m", "memoryOverhead": "100m"}
    swept.install("hungry", line=DEFAULT_LINE, mode=mode, app={"source": source}, driver=driver)
    end = swept.end_of("hungry")
    assert not end.succeeded
    # A submitter that ends with 137 counts as one that was killed: its message has the driver's code instead.
    assert end.exit_codes == ((137,) if mode == "client" else (1,)), end
    assert "memory" in end.messages[0]
    driver = swept.pod("hungry", "driver")
    assert driver.status.container_statuses[0].state.terminated.exit_code == 137
    if mode == "cluster":
        assert f"driver {driver.metadata.name} ended with exit code 137: " in end.messages[0]


@pytest.mark.long
def test_an_image_that_vanishes_and_comes_back(swept: Team) -> None:
    image = f"docker.io/apache/spark:{DEFAULT_LINE.version}-python3"
    alias = f"docker.io/apache/spark:{swept.name}"
    node_run("ctr", "--namespace=k8s.io", "image", "tag", image, alias)
    try:
        swept.install("blinks", line=DEFAULT_LINE, app=steps(60), image={"tag": swept.name}, executor=TWO)
        swept.running("blinks", "executor")
        node_run("ctr", "--namespace=k8s.io", "image", "remove", alias)
        swept.kill(swept.running("blinks", "executor"), "executor")
        swept.pod(
            "blinks",
            "executor",
            lambda pod: any(
                s.state.waiting and "Image" in s.state.waiting.reason for s in pod.status.container_statuses or []
            ),
        )
        node_run("ctr", "--namespace=k8s.io", "image", "tag", image, alias)
        assert_whole(swept, "blinks", 60)
    finally:
        node_run("ctr", "--namespace=k8s.io", "image", "remove", alias)


@pytest.mark.check(26)
@pytest.mark.long
@pytest.mark.alone
@pytest.mark.parametrize("number", range(5))
def test_the_api_server_may_be_away_for_a_minute(swept: Team, number: int) -> None:
    mode = ("client", "cluster")[number % 2]
    swept.install("patient", line=DEFAULT_LINE, mode=mode, app=steps(120))
    driver = swept.running("patient", "driver")
    swept.cluster.wait_for_log(swept.name, driver.metadata.name, "STEP 2", 120)
    manifest, aside = "/etc/kubernetes/manifests/kube-apiserver.yaml", "/etc/kubernetes/kube-apiserver.yaml"
    node_run("mv", manifest, aside)
    try:
        time.sleep(60)  # the outage itself
    finally:
        node_run("mv", aside, manifest)
        swept.cluster.wait_until_answering(120)
    assert_whole(swept, "patient", 120)


@pytest.mark.long
@pytest.mark.alone
@MODES
def test_a_restarted_node_costs_one_attempt(swept: Team, mode: str) -> None:
    swept.install("restarts", line=DEFAULT_LINE, mode=mode, app=steps(60), retries=1)
    driver = swept.running("restarts", "driver")
    swept.cluster.wait_for_log(swept.name, driver.metadata.name, "STEP 2", 120)
    run(["docker", "restart", "--time=1", node_name(Settings.from_environment())])
    swept.cluster.wait_until_answering(180)
    end = swept.end_of("restarts", 300)
    assert end.succeeded, end
    assert f"TOTAL {60 * 4950}" in swept.log_of(end)
