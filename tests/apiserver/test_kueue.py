"""Kueue holds Jobs of spark-job, lets them start, and `kindling why` says meanwhile what they wait for."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from guarded_team import GUARD
from kueue import kueue, queue
from waiting import wait_until

from chartproof.apiserver import ApiServer
from chartproof.apiserver.server import api_server
from chartproof.values import merged
from kindling_dev.command import run
from kindling_dev.guides import commands
from kindling_dev.scenarios import CHARTS
from kindling_dev.settings import REPO

Kubectl = Callable[..., str]
Kindling = Callable[..., "subprocess.CompletedProcess[str]"]
Values = dict[str, Any]
pytestmark = pytest.mark.long
"""Kueue is built when the first of these tests runs, in minutes."""
NAME = "kueue.x-k8s.io/queue-name"
JOB: Values = {"app": {"file": "local:///app.py"}, "job": {"labels": {NAME: "team-a"}}}
"""1 CPU and 1408 MiB for the driver."""


@pytest.fixture(scope="module")
def server(apiserver_programs: Path, tmp_path_factory: pytest.TempPathFactory, kubectl: Kubectl) -> Iterator[ApiServer]:
    """An API server with Kueue."""
    folder = tmp_path_factory.mktemp("kueue")
    with api_server("1.34", apiserver_programs / "1.34", folder / "server") as server, kueue(server, folder, kubectl):
        yield server


class Queued:
    """A team's namespace with a queue, and what is in it."""

    def __init__(self, server: ApiServer, name: str, kubectl: Kubectl, kindling: Kindling) -> None:
        self.server, self.name, self._kubectl, self._kindling = server, name, kubectl, kindling

    def install(self, release: str, values: Values) -> None:
        """Install spark-job."""
        argv = ["install", release, str(CHARTS / "spark-job"), f"--namespace={self.name}", "--values=-"]
        self.server.helm().run(argv, json.dumps(values))

    def kubectl(self, *argv: str) -> str:
        """What kubectl says in the namespace."""
        return self._kubectl(self.server, *argv, f"--namespace={self.name}")

    def get(self, kind: str, selector: str = "") -> list[Values]:
        """Objects of a kind."""
        said = self.kubectl("get", kind, f"--selector={selector}", "--output=json")
        items: list[Values] = json.loads(said)["items"]
        return items

    def pods(self, release: str) -> list[Values]:
        """The pods of a release."""
        return self.get("pods", f"app.kubernetes.io/instance={release}")

    def why(self, release: str) -> Values:
        """The first finding of `kindling why`; without one, its summary."""
        done = self._kindling(self.server, "why", release, f"--namespace={self.name}", "--json")
        report = json.loads(done.stdout)
        return {"status": report["status"], **(report["findings"][0] if report["findings"] else {})}

    def wait_for_why(self, release: str, text: str) -> Values:
        """Wait until what keeps a release has a text in it."""
        wait_until(lambda: text in self.why(release).get("cause", ""), lambda: str(self.why(release)))
        return self.why(release)


@pytest.fixture
def queued(server: ApiServer, kubectl: Kubectl, kindling: Kindling) -> Callable[..., Queued]:
    """A namespace by spark-namespace, with a queue."""

    def queued(quota: dict[str, str], flavor: Values | None = None, guard: Values | None = None) -> Queued:
        name = f"team-{uuid4().hex[:8]}"
        values = {"namespace": {"name": name}, "guard": guard or {"enabled": False}}
        values["podSecurity"] = {"enforce": "privileged"}
        argv = ["install", name, str(CHARTS / "spark-namespace"), "--namespace=kindling-system", "--create-namespace"]
        server.helm().run([*argv, "--values=-"], json.dumps(values))
        queue(server, kubectl, name, quota, flavor)
        return Queued(server, name, kubectl, kindling)

    return queued


AMPLE = {"cpu": "2", "memory": "4Gi"}


@pytest.mark.parametrize("suspend", [False, True])
@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_a_job_waits_in_the_queue_and_is_let_in(queued: Callable[..., Queued], mode: str, *, suspend: bool) -> None:
    """Kueue suspends a Job with its label by itself: `job.suspend` changes nothing."""
    team = queued({"cpu": "1", "memory": "4Gi"})
    values = merged(JOB, {"mode": mode, "submitter": {"requestCores": "1"}, "job": {"suspend": suspend}})
    team.install("first", values)
    wait_until(lambda: team.pods("first"), lambda: str(team.get("jobs")))
    team.install("second", values)
    told = team.wait_for_why("second", "insufficient unused quota for cpu")
    role = "driver" if mode == "client" else "submitter"
    assert told["status"] == "waiting"
    assert "waits in queue team-a: it asks for 1 of cpu" in told["cause"]
    assert told["cure"] == (
        f"wait until other runs of the queue end, or ask for less ({role}.requestCores, {role}.memory)"
    )
    assert not team.pods("second")
    team.server.helm().run(["uninstall", "first", f"--namespace={team.name}"])
    wait_until(lambda: team.pods("second"), lambda: str(team.get("workloads.kueue.x-k8s.io")))


def test_a_job_that_no_queue_can_hold_asks_for_less(queued: Callable[..., Queued]) -> None:
    team = queued({"cpu": "500m", "memory": "4Gi"})
    team.install("nightly", JOB)
    told = team.wait_for_why("nightly", "insufficient quota for cpu")
    assert "it asks for 1 of cpu" in told["cause"]
    assert told["cure"].startswith("ask for less (driver.requestCores, driver.memory), or ask the cluster's admin")
    assert not team.pods("nightly")


def test_runs_of_a_schedule_wait_in_the_queue(queued: Callable[..., Queued]) -> None:
    team = queued({"cpu": "500m", "memory": "4Gi"})
    team.install("nightly", merged(JOB, {"schedule": {"cron": "@yearly"}}))
    team.kubectl("create", "job", "by-hand", "--from=cronjob/nightly")
    team.wait_for_why("by-hand", "waits in queue team-a")


def test_a_queue_that_is_not_there_is_named(queued: Callable[..., Queued]) -> None:
    team = queued(AMPLE)
    team.install("nightly", merged(JOB, {"job": {"labels": {NAME: "nightly"}}}))
    told = team.wait_for_why("nightly", "LocalQueue nightly doesn't exist")
    assert f"kubectl get localqueues --namespace {team.name}" in told["cure"]


def test_the_deadline_begins_when_the_queue_lets_a_job_in(queued: Callable[..., Queued]) -> None:
    team = queued({"cpu": "500m", "memory": "4Gi"})
    team.install("nightly", merged(JOB, {"deadlineSeconds": 1}))
    team.wait_for_why("nightly", "waits in queue team-a")
    (job,) = team.get("jobs")
    assert "startTime" not in job["status"]


def test_kueue_counts_the_drivers_pod_alone(queued: Callable[..., Queued]) -> None:
    """Executors are the driver's: what they ask for is in no Workload of the Job."""
    team = queued(AMPLE)
    team.install("nightly", merged(JOB, {"executor": {"instances": 50}}))
    wait_until(lambda: team.pods("nightly"), "the driver's pod")
    (workload,) = team.get("workloads.kueue.x-k8s.io")
    assert [one["count"] for one in workload["spec"]["podSets"]] == [1]


FLAVOR: Values = {
    "nodeLabels": {"pool": "spot"},
    "tolerations": [{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}],
    "nodeTaints": [{"key": "dedicated", "value": "spark", "effect": "NoSchedule"}],
}
"""A ResourceFlavor that changes the pods of the Jobs that it gets."""


def test_the_guard_takes_what_a_flavor_adds_if_it_is_listed(queued: Callable[..., Queued]) -> None:
    team = queued(AMPLE, FLAVOR, {"tolerations": GUARD["tolerations"]})
    team.install("nightly", JOB)
    wait_until(lambda: team.pods("nightly"), lambda: str(team.get("jobs")))
    (pod,) = team.pods("nightly")
    assert pod["spec"]["nodeSelector"] == {"pool": "spot"}
    assert [one["key"] for one in pod["spec"]["tolerations"] if one["key"] == "dedicated"] == ["dedicated"]


def test_the_guard_refuses_a_flavors_unlisted_toleration(queued: Callable[..., Queued]) -> None:
    team = queued(AMPLE, FLAVOR, {"enabled": True})
    # The API server judges by the guard a moment after it got it.
    controller = "--as=system:serviceaccount:kube-system:job-controller"
    tolerant = json.dumps({"spec": {"tolerations": [{"key": "unlisted", "operator": "Exists"}]}})
    probe = ["run", "probe", "--image=spark", "--dry-run=server", f"--overrides={tolerant}", controller]
    wait_until(lambda: "toleration" in team.kubectl(*probe), lambda: f"guard in force: {team.kubectl(*probe)}")
    team.install("nightly", JOB)
    team.wait_for_why("nightly", "toleration")
    assert not team.pods("nightly")


@pytest.mark.parametrize("owner_is_queued", [True, False])
def test_executors_with_a_queues_label(queued: Callable[..., Queued], *, owner_is_queued: bool) -> None:
    """Executors of a queued Job start at once; those of a driver that is none wait for quota one by one."""
    team = queued(AMPLE)
    values = JOB if owner_is_queued else {"app": JOB["app"]}
    team.install("nightly", values)
    wait_until(lambda: team.pods("nightly"), lambda: str(team.get("jobs")))
    (driver,) = team.pods("nightly")
    owner = {"apiVersion": "v1", "kind": "Pod", "controller": True}
    executor = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "nightly-exec-1",
            "namespace": team.name,
            "labels": {"spark-role": "executor", NAME: "team-a"},
            "ownerReferences": [
                {**owner, "name": driver["metadata"]["name"], "uid": driver["metadata"]["uid"]},
            ],
        },
        "spec": {
            "containers": [{"name": "executor", "image": "spark", "resources": {"requests": {"cpu": "8"}}}],
        },
    }
    api = team.server.cluster.core
    api.create_namespaced_pod(team.name, executor)
    (made,) = team.get("pods", "spark-role=executor")
    assert bool(made["spec"].get("schedulingGates")) != owner_is_queued


def test_the_guides_queue_holds_the_second_of_two(
    server: ApiServer, kubectl: Kubectl, kindling: Kindling, path_with_kindling: str
) -> None:
    kubectl(server, "create", "namespace", "team-a")
    team = Queued(server, "team-a", kubectl, kindling)
    for account in ("spark-driver", "spark-executor", "spark-submitter"):
        team.kubectl("create", "serviceaccount", account)
    script = commands("gitops", "A queue of Kueue")
    environment = {"KUBECONFIG": str(server.kubeconfig), "PATH": path_with_kindling}
    said = run(["bash", "-euo", "pipefail", "-c", script], cwd=REPO, env=environment, what="do what the guide says")
    assert "waits in queue nightly" in said
    wait_until(lambda: team.pods("late"), lambda: str(team.get("workloads.kueue.x-k8s.io")))
