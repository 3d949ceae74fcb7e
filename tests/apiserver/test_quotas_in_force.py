"""What a team with a quota may make: each pod of its runs fits; drivers leave room; what is too large is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from chartproof import Helm, Manifest
from chartproof.apiserver import ApiServer
from chartproof.scenarios import Scenario
from kindling.causes.refused import explain_refusal
from kindling.facts import Evidence
from kindling_dev.scenarios import CHARTS, SCENARIOS
from kindling_dev.settings import REPO

Pod = dict[str, Any]
_EXAMPLE = [REPO / f"values/{file}.yaml" for file in ("spark-namespace", "team-b/common", "team-b/spark-namespace")]
_JOBS = [scenario for scenario in SCENARIOS if scenario.chart.name == "spark-job"]
_ACCOUNTS = ("other", "another")
"""Service accounts that scenarios name and no chart makes."""
_EVENT_DEADLINE_S = 10
_BACK_OFF_S = 60
"""So long the Job controller of Kubernetes 1.34 waits at most before it tries again to make a pod."""
_SMALL = {"cpu": "200m", "memory": "512Mi"}


@dataclass(frozen=True)
class Team:
    """A namespace of an API server, made by spark-namespace."""

    server: ApiServer
    name: str

    def make(self, pod: Pod) -> Any:
        """Make a pod: what the server holds then, or ApiException."""
        body = {"apiVersion": "v1", "kind": "Pod", **pod, "metadata": {**pod["metadata"], "namespace": self.name}}
        body["metadata"]["name"] = f"pod-{uuid4().hex[:8]}"
        body["metadata"].pop("annotations", None)
        return self.server.cluster.core.create_namespaced_pod(self.name, body)

    def add_quota(self, hard: dict[str, str]) -> None:
        """Add a quota of an admin's own, and wait until it is in force."""
        body = {"metadata": {"name": "of-the-admin"}, "spec": {"hard": hard}}
        self.server.cluster.core.create_namespaced_resource_quota(self.name, body)
        self.server.cluster.wait_for(
            self.server.cluster.core.list_namespaced_resource_quota,
            lambda quota, _: True if quota.metadata.name == "of-the-admin" and quota.status.hard else None,
            "the admin's quota",
            60,
            namespace=self.name,
        )

    def refusal(self, pod: Pod) -> str:
        """What the server says of a pod that it does not take."""
        with pytest.raises(ApiException) as refused:
            self.make(pod)
        return str(yaml.safe_load(refused.value.body or "")["message"])

    def run(self, name: str, template: Pod) -> None:
        """Make a Job; the controller makes its pod."""
        spec = {"backoffLimit": 0, "template": {"spec": {**template["spec"], "restartPolicy": "Never"}}}
        body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}
        self.server.cluster.batch.create_namespaced_job(self.name, body)

    def end(self, job: str) -> None:
        """Remove a Job and its pod."""
        self.server.cluster.batch.delete_namespaced_job(job, self.name, propagation_policy="Background")

    def wait_for_refusals(self, number: int, deadline_s: float) -> dict[str, str]:
        """Wait for Events that tell why so many Jobs have no pod: the message by the Job's name."""
        told: dict[str, str] = {}

        def enough(event: Any, _: str) -> dict[str, str] | None:
            told[event.involved_object.name] = str(event.message)
            return told if len(told) >= number else None

        listing = self.server.cluster.core.list_namespaced_event
        where = {"namespace": self.name, "field_selector": "reason=FailedCreate"}
        return self.server.cluster.wait_for(listing, enough, f"{number} refused Jobs", deadline_s, **where)

    def wait_for_pod(self, job: str, deadline_s: float) -> None:
        """Wait until a Job has its pod."""
        pods = self.server.cluster.core.list_namespaced_pod
        where = {"namespace": self.name, "label_selector": f"job-name={job}"}
        self.server.cluster.wait_for(pods, lambda *_: True, f"a pod of {job}", deadline_s, **where)

    def jobs_with_pods(self) -> set[str]:
        """The Jobs that have their pod."""
        pods = self.server.cluster.core.list_namespaced_pod(self.name, label_selector="job-name").items
        return {pod.metadata.labels["job-name"] for pod in pods}


NewTeam = Callable[..., Team]


@pytest.fixture
def new_team(peopled: Callable[[str], ApiServer]) -> NewTeam:
    """Makes a team's namespace: the quotas, if any, are in force."""

    def new_team(version: str, values: Any, files: list[Path]) -> Team:
        server, name = peopled(version), f"team-{uuid4().hex[:8]}"
        argv = [f"--namespace=admins-of-{name}", "--create-namespace", *(f"--values={file}" for file in files)]
        # What is refused, the quota refuses.
        given = yaml.safe_dump({**values, "namespace": {"name": name}, "guard": {"enabled": False}})
        chart = str(CHARTS / "spark-namespace")
        quotas = Manifest(server.helm().run(["template", "team", chart, *argv[2:], "--values=-"], given)).all(
            "ResourceQuota"
        )
        server.helm().run(["install", "team", chart, *argv, "--values=-"], given)
        in_force: set[str] = set()

        def all_in_force(quota: Any, _: str) -> bool | None:
            in_force.update({quota.metadata.name} if quota.status.hard else ())
            return True if len(in_force) == len(quotas) else None

        listing = server.cluster.core.list_namespaced_resource_quota
        server.cluster.wait_for(listing, all_in_force, "quotas in force", 60, namespace=name)
        return Team(server, name)

    return new_team


def pod(priority_class: str = "", **resources: dict[str, str]) -> Pod:
    """A pod of one container with some resources that Pod Security's "restricted" takes, and 1.24's policies."""
    context = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    main = {"name": "main", "image": "busybox:1.37.0", "securityContext": context, "resources": resources}
    security = {"runAsNonRoot": True, "runAsUser": 185, "seccompProfile": {"type": "RuntimeDefault"}}
    named = {"priorityClassName": priority_class} if priority_class else {}
    return {"metadata": {}, "spec": {"securityContext": security, "containers": [main], **named}}


def as_spark_makes_it(template: Pod, properties: dict[str, str], role: str) -> Pod:
    """A pod template with what Spark adds to the container of that role: docs/running-on-kubernetes.md."""
    heap = _mebibytes(properties[f"spark.{role}.memory"])
    factor = float(properties[f"spark.{role}.memoryOverheadFactor"])
    overhead = properties.get(f"spark.{role}.memoryOverhead")
    memory = heap + (_mebibytes(overhead) if overhead else max(384, int(heap * factor)))
    limit = properties.get(f"spark.kubernetes.{role}.limit.cores")
    cpu = properties[f"spark.kubernetes.{role}.request.cores"]
    (main,) = (c for c in template["spec"]["containers"] if c["name"] == role)
    main["image"] = properties["spark.kubernetes.container.image"]
    main["resources"] = {
        "requests": {"cpu": cpu, "memory": f"{memory}Mi"},
        "limits": {"memory": f"{memory}Mi", **({"cpu": limit} if limit else {})},
    }
    return template


def _mebibytes(size: str) -> int:
    return int(size[:-1]) * {"m": 1, "g": 1024}[size[-1]]


def pods_of(manifest: Manifest) -> Iterator[tuple[str, Pod]]:
    """The pods of a release of spark-job by their roles: what its objects make, and Spark of its templates."""
    for workload in manifest.workloads():
        yield f"{workload.kind} {workload.name}", workload.pod
    data = manifest.all("ConfigMap")[0].body["data"]
    properties = dict(line.split("=", 1) for line in data["spark.properties"].splitlines())
    for role, key in (("executor", "executor.yaml"), ("driver", "driver.json")):
        if key in data:
            yield role, as_spark_makes_it(yaml.safe_load(data[key]), properties, role)


@pytest.mark.parametrize("version", ["1.34", "1.24"])
@pytest.mark.parametrize("scenario", _JOBS, ids=lambda scenario: scenario.name)
def test_every_pod_of_a_run_fits_the_quota_and_limits_of_the_example(
    version: str, scenario: Scenario, new_team: NewTeam, helm: Helm
) -> None:
    facts = yaml.safe_load(scenario.files[-1].read_text()).get("global", {})
    team = new_team(version, {"global": facts}, _EXAMPLE)
    for account in _ACCOUNTS:
        body = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name=account))
        team.server.cluster.core.create_namespaced_service_account(team.name, body)
    files = [_EXAMPLE[1], *scenario.files]
    manifest = helm.template(
        scenario.chart, release="fits", namespace=team.name, files=files, kube=version, checked=False
    )
    made = {role: team.make(pod) for role, pod in pods_of(manifest)}
    assert {"executor", "Pod fits-test"} < made.keys()
    for role, found in made.items():
        if role in ("driver", "executor"):
            (main,) = (c for c in found.spec.containers if c.name == role)
            assert {"cpu", "memory"} == main.resources.requests.keys()
            assert main.resources.requests["memory"] == main.resources.limits["memory"], "as Spark asks"


@pytest.mark.check(27)
@pytest.mark.parametrize("version", ["1.34", "1.24"])
def test_pods_that_say_little_are_never_told_to_specify_more(version: str, new_team: NewTeam) -> None:
    quota = dict.fromkeys(("requests.cpu", "limits.cpu"), 8) | dict.fromkeys(
        ("requests.memory", "limits.memory"), "8Gi"
    )
    team = new_team(version, {"quota": {"hard": quota}, "limits": {"default": {"cpu": 2, "memory": "2Gi"}}}, [])
    bare = team.make(pod()).spec.containers[0].resources
    assert bare.requests == {"cpu": "100m", "memory": "256Mi"}
    assert bare.limits == {"cpu": "2", "memory": "2Gi"}
    # Plain spark-submit: a memory limit, no CPU limit.
    of_spark = team.make(pod(requests={"cpu": "1", "memory": "1408Mi"}, limits={"memory": "1408Mi"}))
    resources = of_spark.spec.containers[0].resources
    assert (resources.requests["cpu"], resources.limits["cpu"]) == ("1", "2")


@pytest.mark.parametrize(("limit", "fits"), [("", False), ("500m", True)])
def test_helpers_fit_an_admins_quota_of_cpu_limits(new_team: NewTeam, helm: Helm, limit: str, fits: bool) -> None:
    log = {"store": "s3", "url": "s3a://logs/all", "ca": {"configMap": "ca"}, "s3": {"endpoint": "https://s3:9000"}}
    facts = {"eventLog": log, "helpers": {"limitCores": limit}}
    team = new_team("1.34", {"global": facts, "quota": {"hard": {"pods": 50}}}, [])
    team.add_quota({"limits.cpu": "8"})
    run = {"mode": "cluster", "app": {"file": "local:///app.py"}, "driver": {"limitCores": 1}, "global": facts}
    manifest = helm.template(CHARTS / "spark-job", release="fits", namespace=team.name, values=run, checked=False)
    made = dict(pods_of(manifest))
    del made["executor"]
    assert len(made) == 3
    for template in made.values():
        assert team.make(template) if fits else "must specify limits.cpu" in team.refusal(template)


@pytest.mark.parametrize(
    ("resources", "finding", "words"),
    [
        (
            {"requests": {"cpu": "9", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
            "quota-exceeded",
            "ResourceQuota spark refuses the executor pod: it never fits: requests.cpu asked 9, the quota has 8 in all",
        ),
        (
            {"requests": {"cpu": "1", "memory": "9Gi"}, "limits": {"memory": "9Gi"}},
            "limit-range",
            "maximum memory usage per Container is 8Gi, but limit is 9Gi",
        ),
        (
            {"requests": {"cpu": "1", "memory": "2Gi"}},
            "limit-range",
            "asks for 2Gi of memory, more than its limit",
        ),
    ],
    ids=["above the quota", "above the limit", "above the default limit"],
)
def test_a_pod_too_large_is_refused_with_words_that_kindling_why_explains(
    resources: dict[str, dict[str, str]], finding: str, words: str, server: ApiServer, new_team: NewTeam
) -> None:
    team = new_team(server.version, {}, _EXAMPLE)
    message = team.refusal(pod("spark-executor", **resources))
    found = explain_refusal("executor", message, Evidence("", message))
    assert found.id == finding, message
    assert words in found.cause


HARD = {"requests.cpu": "1200m", "pods": 6}
CLASSES = {"priorityClasses": {"submitter": "spark-submitter", "executor": "spark-executor"}}
PARTS = {"drivers": {"requests.cpu": "400m", "pods": 2}, "submitters": {"requests.cpu": "400m", "pods": 2}}


@pytest.mark.check(27)
def test_without_a_part_of_their_own_drivers_take_all_and_no_executor_is_made(new_team: NewTeam) -> None:
    team = new_team("1.34", {"quota": {"hard": HARD}}, [])
    for number in range(6):
        team.run(f"run-{number}", pod(requests=_SMALL))
    for number in range(6):
        team.wait_for_pod(f"run-{number}", 60)
    assert "exceeded quota: spark" in team.refusal(pod("spark-executor", requests=_SMALL))


@pytest.mark.check(27)
@pytest.mark.parametrize("version", ["1.34", "1.24"])
def test_drivers_with_a_part_of_their_own_leave_room_for_executors(version: str, new_team: NewTeam) -> None:
    team = new_team(version, {"global": CLASSES, "quota": {"hard": HARD, **PARTS}}, [])
    for number in range(4):
        team.run(f"run-{number}", pod(requests=_SMALL))
    for message in team.wait_for_refusals(2, _EVENT_DEADLINE_S).values():
        assert "exceeded quota: spark-drivers, requested: pods=1,requests.cpu=200m" in message
    assert len(team.jobs_with_pods()) == 2
    assert team.make(pod("spark-executor", requests=_SMALL)), "there is room for an executor"
    for number in range(3):
        team.run(f"submits-{number}", pod("spark-submitter", requests=_SMALL))
    refused = team.wait_for_refusals(3, _EVENT_DEADLINE_S)
    (message,) = (message for name, message in refused.items() if name.startswith("submits-"))
    assert "exceeded quota: spark-submitters" in message
    assert len(team.jobs_with_pods()) == 4
    assert team.make(pod("spark-executor", requests=_SMALL)), "and still is"


def test_a_refused_run_starts_by_itself_when_another_has_ended(new_team: NewTeam) -> None:
    team = new_team("1.34", {"quota": {"hard": {"pods": 1}}}, [])
    team.run("first", pod())
    team.wait_for_pod("first", 60)
    team.run("second", pod())
    team.wait_for_refusals(1, _EVENT_DEADLINE_S)
    team.end("first")
    team.wait_for_pod("second", _BACK_OFF_S + 30)
