"""Cluster mode: true exit codes, one driver whatever happens to its submitter, and nothing left behind."""

from __future__ import annotations

import time
from typing import Any

import pytest
from kubernetes import client
from team import NEW_LINE_LONG, SLEEP, SMALL, Team, is_running, node_run

from chartproof import JobEnd
from kindling_dev.spark_image import DEFAULT_LINE, SparkLine

SEVEN = {"source": "import sys, time\ntime.sleep(4)\nprint('reason: no luck')\nsys.exit(7)\n"}
SUBMITTER = "app.kubernetes.io/component=submitter"


def submitter(team: Team, release: str, after: str = "", deadline_s: float = 90) -> Any:
    """Wait for a submitter that runs; not the one with the uid ``after``."""
    return team.cluster.wait_for(
        team.cluster.core.list_namespaced_pod,
        lambda pod, _: pod if is_running(pod) and pod.metadata.uid != after else None,
        f"a submitter of {release}",
        deadline_s,
        namespace=team.name,
        label_selector=f"{SUBMITTER},app.kubernetes.io/instance={release}",
    )


def driver_starts(team: Team) -> int:
    """How often a driver's container was started in the namespace, as the kubelet tells."""
    events = team.cluster.core.list_namespaced_event(team.name, field_selector="reason=Started").items
    drivers = [e for e in events if e.involved_object.field_path == "spec.containers{driver}"]
    return sum(event.count or 1 for event in drivers)


def assert_one_driver_with_seven(team: Team, end: JobEnd) -> None:
    """The run ended as its one driver did."""
    assert driver_starts(team) == 1
    assert not end.succeeded
    assert end.exit_codes[-1] == 7, end
    assert end.messages[-1] == "reason: no luck"


@pytest.mark.check(23)
@NEW_LINE_LONG
def test_a_failing_application_fails_the_job_with_the_drivers_exit_code(swept: Team, line: SparkLine) -> None:
    swept.install("fails", line=line, mode="cluster", app=SEVEN)
    driver = swept.pod("fails", "driver")
    end = swept.end_of("fails")
    assert_one_driver_with_seven(swept, end)
    (owner,) = driver.metadata.owner_references
    assert (owner.kind, owner.name, owner.controller) == ("Job", end.name, None)
    assert driver.metadata.name.startswith(f"{end.name}-")
    assert "reason: no luck" in swept.log_of(end), "the Job's log has the driver's"


@pytest.mark.check(23)
@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("before there is a driver", marks=pytest.mark.long),
        "as the driver appears",
        pytest.param("as the driver runs", marks=pytest.mark.long),
    ],
)
def test_a_submitter_that_is_killed_leaves_one_driver_and_its_code(swept: Team, moment: str) -> None:
    swept.install("killed", line=DEFAULT_LINE, mode="cluster", app=SEVEN)
    victim = submitter(swept, "killed")
    if moment == "as the driver appears":
        swept.pod("killed", "driver")
    if moment == "as the driver runs":
        swept.running("killed", "driver")
    swept.kill(victim, "submitter")
    assert_one_driver_with_seven(swept, swept.end_of("killed"))


@pytest.mark.check(23)
@pytest.mark.long
@pytest.mark.parametrize("delay_s", [0.3, 1, 1.5, 2, 2.5, 3, 4, 5, 7, 10])
def test_a_submitter_that_is_killed_at_any_moment(swept: Team, line: SparkLine, delay_s: float) -> None:
    swept.install("killed", line=line, mode="cluster", app=SEVEN)
    victim = submitter(swept, "killed")
    time.sleep(delay_s)  # the moment itself is what is tested
    swept.kill(victim, "submitter")
    assert_one_driver_with_seven(swept, swept.end_of("killed"))


@pytest.mark.check(23)
def test_an_exit_code_that_kubernetes_has_too_is_a_failure(swept: Team) -> None:
    app = {"source": "import sys\nprint('reason: no luck')\nsys.exit(255)\n"}
    swept.install("unlucky", line=DEFAULT_LINE, mode="cluster", app=app, retries=1)
    end = swept.end_of("unlucky")
    assert end.exit_codes == (1, 1), "each attempt counts"
    assert driver_starts(swept) == 2, "each has a driver of its own"
    uid = swept.cluster.batch.read_namespaced_job(end.name, swept.name).metadata.uid
    assert end.messages == tuple(
        f"driver {end.name}-{uid[:8]}-{attempt}-driver ended with exit code 255: reason: no luck" for attempt in (0, 1)
    )


@pytest.mark.check(4)
@pytest.mark.long
def test_programs_that_somebody_replaced_are_not_run(swept: Team) -> None:
    """As a driver could that may write ConfigMaps, before the next attempt."""
    app = {"source": SLEEP.format(seconds=20) + "raise SystemExit(7)\n"}
    swept.install("replaced", line=DEFAULT_LINE, mode="cluster", app=app, retries=1)
    name = submitter(swept, "replaced").metadata.labels["job-name"]
    swept.running("replaced", "driver")
    core = swept.cluster.core
    data = core.read_namespaced_config_map(name, swept.name).data
    core.delete_namespaced_config_map(name, swept.name)
    taken = client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data={**data, "submit.py": "print('taken')\n"})
    core.create_namespaced_config_map(swept.name, taken)
    end = swept.end_of("replaced", deadline_s=300)
    assert end.exit_codes == (7, 78)
    assert end.messages[1] == f'ConfigMap "{name}" is not what the chart made; delete it and upgrade the release'
    assert "taken" not in swept.log_of(end)


@pytest.mark.long
def test_a_submitter_that_is_evicted_twice_finds_its_driver_again(swept: Team) -> None:
    swept.install("evicted", line=DEFAULT_LINE, mode="cluster", app={"source": SLEEP.format(seconds=15)})
    before = swept.running("evicted", "driver")
    seen = ""
    for _ in range(2):
        pod = submitter(swept, "evicted", after=seen)
        seen = pod.metadata.uid
        swept.evict(pod)
    end = swept.end_of("evicted")
    assert end.succeeded
    assert swept.pod("evicted", "driver").metadata.uid == before.metadata.uid
    assert driver_starts(swept) == 1


@pytest.mark.long
@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_two_failing_attempts_and_then_success(swept: Team, mode: str) -> None:
    claim = client.V1PersistentVolumeClaim(
        metadata=client.V1ObjectMeta(name="count"),
        spec=client.V1PersistentVolumeClaimSpec(
            access_modes=["ReadWriteOnce"], resources=client.V1VolumeResourceRequirements(requests={"storage": "1Mi"})
        ),
    )
    swept.cluster.core.create_namespaced_persistent_volume_claim(swept.name, claim)
    source = "import os, sys\nn = len(os.listdir('/count'))\nopen(f'/count/{n}', 'w')\nsys.exit(0 if n == 2 else 3)\n"
    volumes = [{"name": "count", "mountPath": "/count", "persistentVolumeClaim": {"claimName": "count"}}]
    swept.install("third", line=DEFAULT_LINE, mode=mode, app={"source": source}, volumes=volumes, retries=2)
    end = swept.end_of("third")
    assert end.succeeded
    assert end.exit_codes == (3, 3, 0)
    swept.cluster.core.delete_namespaced_persistent_volume_claim("count", swept.name)


@pytest.mark.check(25)
@pytest.mark.long
def test_a_deleted_driver_is_a_failed_attempt(swept: Team) -> None:
    swept.install("again", line=DEFAULT_LINE, mode="cluster", app={"source": SLEEP.format(seconds=8)}, retries=1)
    first = swept.running("again", "driver")
    swept.cluster.core.delete_namespaced_pod(first.metadata.name, swept.name)
    end = swept.end_of("again")
    assert end.succeeded
    assert len(end.exit_codes) == 2
    assert "was deleted" in end.messages[0]


def test_a_deadline_ends_the_driver_too(swept: Team) -> None:
    app = {"source": SLEEP.format(seconds=600)}
    # On a busy machine a driver starts after a quarter of a minute.
    swept.install("late", line=DEFAULT_LINE, mode="cluster", app=app, deadlineSeconds=30)
    swept.running("late", "driver")
    assert swept.end_of("late").reason == "DeadlineExceeded"
    pods = swept.cluster.core.list_namespaced_pod
    swept.cluster.wait_until_none(pods, "no driver", 60, namespace=swept.name, label_selector="spark-role")


def quota(team: Team, **hard: str) -> None:
    """Limit what the namespace may have."""
    spec = client.V1ResourceQuotaSpec(hard=hard)
    body = client.V1ResourceQuota(metadata=client.V1ObjectMeta(name="tight"), spec=spec)
    team.cluster.core.create_namespaced_resource_quota(team.name, body)


def test_a_refused_driver_waits_for_the_quota(swept: Team) -> None:
    quota(swept, pods="1")
    swept.install("waits", line=DEFAULT_LINE, mode="cluster", app={"source": "print('at last')"})
    waiting = submitter(swept, "waits")
    name = waiting.metadata.name
    said = swept.cluster.wait_for_log(swept.name, name, "the driver is refused", 60)
    assert "exceeded quota: tight" in said
    swept.cluster.core.delete_namespaced_resource_quota("tight", swept.name)
    assert swept.end_of("waits").succeeded


def test_fail_fast_gives_up_on_a_refused_driver(swept: Team) -> None:
    quota(swept, pods="1")
    swept.install("gives-up", line=DEFAULT_LINE, mode="cluster", app={"source": "print('never')"}, failFast=True)
    end = swept.end_of("gives-up")
    assert end.exit_codes == (78,)
    assert "exceeded quota: tight" in end.messages[0]
    swept.cluster.core.delete_namespaced_resource_quota("tight", swept.name)


def test_fail_fast_gives_up_on_a_driver_whose_secret_is_missing(swept: Team) -> None:
    env = {"PASSWORD": {"secretKeyRef": {"name": "nowhere", "key": "password"}}}
    driver = {**SMALL["driver"], "env": env}
    app = {"source": "print('never')"}
    swept.install("gives-up", line=DEFAULT_LINE, mode="cluster", app=app, failFast=True, driver=driver)
    end = swept.end_of("gives-up")
    assert end.exit_codes == (78,)
    assert 'secret "nowhere" not found' in end.messages[0]


def test_fail_fast_gives_up_on_refused_executors(swept: Team, line: SparkLine) -> None:
    quota(swept, pods="1")
    swept.install("alone", line=line, app={"source": SLEEP.format(seconds=600)}, failFast=True)
    end = swept.end_of("alone")
    assert end.exit_codes == (78,)
    assert "executors are refused" in end.messages[0]
    assert "exceeded quota: tight" in end.messages[0]
    swept.cluster.core.delete_namespaced_resource_quota("tight", swept.name)


@pytest.mark.check(23)
def test_an_image_that_comes_late_starts_the_run(swept: Team) -> None:
    image = f"docker.io/apache/spark:{DEFAULT_LINE.version}-python3"
    late = f"docker.io/apache/spark:{swept.name}"
    swept.install("late", line=DEFAULT_LINE, mode="cluster", app={"source": "print('here')"}, image={"tag": swept.name})
    swept.cluster.wait_for(
        swept.cluster.core.list_namespaced_pod,
        lambda pod, _: (
            True
            if [s for s in pod.status.container_statuses or [] if s.state.waiting and "Image" in s.state.waiting.reason]
            else None
        ),
        "a pod that waits for its image",
        60,
        namespace=swept.name,
    )
    node_run("ctr", "--namespace=k8s.io", "image", "tag", image, late)
    try:
        assert swept.end_of("late").succeeded
    finally:
        node_run("ctr", "--namespace=k8s.io", "image", "remove", late)
