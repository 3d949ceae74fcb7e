"""``kindling why`` on faults that users met: pods, events and refusals are those of a real API server."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from kubelet import status_of
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from waiting import wait_until

from chartproof.apiserver import ApiServer
from kindling import gather
from kindling.causes import explain
from kindling.causes.refused import explain_refusal
from kindling.connection import connect, message_of
from kindling.facts import Evidence, Report

LABELS = {"app.kubernetes.io/name": "spark-job", "app.kubernetes.io/instance": "job", "spark-role": "driver"}
DRIVER = {"name": "driver", "image": "apache/spark:4.3.0", "imagePullPolicy": "Always"}
AGENT = {"name": "agent", "image": "agent:1"}
ENDED = {"terminated": {"exitCode": 0, "reason": "Completed", "containerID": "containerd://1"}}
RUNS = {"running": {"startedAt": "2026-11-29T20:00:00Z"}}


@dataclass(frozen=True)
class Place:
    """A namespace of a server, in which a run of spark-job named "job" is looked at."""

    server: ApiServer
    namespace: str

    def job(self, spec: dict[str, Any]) -> Any:
        """Have a Job made whose pod has a spec; return the pod."""
        template = {"metadata": {"labels": LABELS}, "spec": {"restartPolicy": "Never", **spec}}
        body = {"metadata": {"name": "job-1", "labels": LABELS}, "spec": {"template": template, "backoffLimit": 0}}
        self.server.cluster.batch.create_namespaced_job(self.namespace, body)
        wait_until(self._pods, "the Job's pod", 60)
        return self._pods()[0]

    def _pods(self) -> list[Any]:
        return list(self.server.cluster.core.list_namespaced_pod(self.namespace, label_selector="job-name=job-1").items)

    def set_states(self, pod: Any, phase: str, states: dict[str, Any], of_init: tuple[str, ...] = ()) -> None:
        """Write of a pod's containers what a kubelet would."""
        (plain,) = status_of("10.244.0.9", ["driver"])["containerStatuses"]
        written = {name: {**plain, "name": name, "state": state, "ready": False} for name, state in states.items()}
        status = status_of("10.244.0.9", [], phase)
        status["containerStatuses"] = [one for name, one in written.items() if name not in of_init]
        status["initContainerStatuses"] = [one for name, one in written.items() if name in of_init]
        self.server.cluster.core.patch_namespaced_pod_status(pod.metadata.name, self.namespace, {"status": status})

    def warn(self, pod: Any, reason: str, message: str) -> None:
        """Have an event about a pod, as a kubelet writes it."""
        about = {"kind": "Pod", "name": pod.metadata.name, "namespace": self.namespace, "uid": pod.metadata.uid}
        event = {"metadata": {"generateName": "e-"}, "involvedObject": about, "type": "Warning", "count": 1}
        self.server.cluster.core.create_namespaced_event(
            self.namespace, {**event, "reason": reason, "message": message}
        )

    def why(self) -> Report:
        """What is told of the run."""
        return explain(gather.gather(connect(str(self.server.kubeconfig), None, self.namespace), "job"))


@pytest.fixture
def place(apiserver: Callable[[str], ApiServer], namespace_of: Callable[[ApiServer], str]) -> Place:
    """A namespace of its own, of a server that admits pods without a PodSecurityPolicy."""
    server = apiserver("1.34")
    return Place(server, namespace_of(server))


def test_a_sidecar_that_keeps_a_drivers_pod_is_told(place: Place) -> None:
    pod = place.job({"containers": [DRIVER, AGENT]})
    place.set_states(pod, "Running", {"driver": ENDED, "agent": RUNS})
    report = place.why()
    (found,) = report.findings
    assert (report.status, found.id) == ("running", "sidecar-runs-on")
    assert "exit code 0, but container agent of its pod runs on" in found.cause
    assert f"kubectl delete pod {pod.metadata.name}" in found.cure


def test_a_native_sidecar_keeps_no_drivers_pod(place: Place) -> None:
    pod = place.job({"containers": [DRIVER], "initContainers": [{**AGENT, "restartPolicy": "Always"}]})
    place.set_states(pod, "Running", {"driver": ENDED, "agent": RUNS}, of_init=("agent",))
    report = place.why()
    assert (report.status, report.findings) == ("running", ())
    assert report.summary.endswith("has ended with exit code 0; its pod soon will")


def test_what_spark_makes_later_is_missing_only_later(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    pod = place.job({"containers": [DRIVER]})
    missing = 'MountVolume.SetUp failed for volume "c" : configmap "spark-drv-78f31ea226c86357-conf-map" not found'
    place.warn(pod, "FailedMount", missing)
    report = place.why()
    assert (report.status, report.summary, report.findings) == ("waiting", "the driver starts", ())
    monkeypatch.setattr(gather, "YOUNG_S", -60)
    (found,) = place.why().findings
    assert found.id == "half-made"
    place.warn(pod, "FailedMount", 'MountVolume.SetUp failed for volume "data" : secret "database" not found')
    for is_young in (False, True):
        if is_young:
            monkeypatch.undo()
        (found,) = place.why().findings
        assert found.id == "missing-secret", "it is nobody else's to make"


def test_an_image_of_a_silent_registry_names_the_policy(place: Place) -> None:
    pod = place.job({"containers": [DRIVER]})
    said = 'failed to pull image "apache/spark:4.3.0": dial tcp 192.0.2.1:443: i/o timeout'
    place.set_states(pod, "Pending", {"driver": {"waiting": {"reason": "ErrImagePull", "message": said}}})
    (found,) = place.why().findings
    assert found.id == "image-not-pulled"
    assert "its registry does not answer" in found.cause
    assert "set image.pullPolicy to IfNotPresent" in found.cure


def test_a_quota_that_never_admits_a_driver_is_told(place: Place) -> None:
    core, batch = place.server.cluster.core, place.server.cluster.batch
    hard = client.V1ResourceQuotaSpec(hard={"requests.cpu": "1"})
    meta = client.V1ObjectMeta(name="spark")
    core.create_namespaced_resource_quota(place.namespace, client.V1ResourceQuota(metadata=meta, spec=hard))
    quotas = core.list_namespaced_resource_quota
    wait_until(lambda: quotas(place.namespace).items[0].status.hard, "a quota in force", 60)
    spec = {"containers": [{**DRIVER, "resources": {"requests": {"cpu": "3"}}}], "restartPolicy": "Never"}
    template = {"metadata": {"labels": LABELS}, "spec": spec}
    body = {"metadata": {"name": "job-1", "labels": LABELS}, "spec": {"template": template}}
    batch.create_namespaced_job(place.namespace, body)
    wait_until(lambda: place.why().findings, "a refusal", 60)
    (found,) = place.why().findings
    assert found.cause.endswith("it never fits: requests.cpu asked 3, the quota has 1 in all")
    assert found.cure.startswith(
        "lower driver.requestCores, or have requests.cpu of the quota spark raised (quota.hard "
    )


@pytest.mark.parametrize(
    ("spec", "labels", "field", "cure"),
    [
        ({"hostname": "spark_pi-exec-1"}, {}, 'spec.hostname: Invalid value: "spark_pi-exec-1"', "the release's name"),
        ({}, {"team": "a b"}, 'metadata.labels: Invalid value: "a b"', "executor.labels"),
        ({"tolerations": [{"operator": "Is"}]}, {}, "spec.tolerations[0].operator", "executor.tolerations"),
        ({"volumes": [{"name": "A"}]}, {}, "spec.volumes[0].name: Invalid value", "volumes"),
        ({"nodeSelector": {"a b": "c"}}, {}, "spec.nodeSelector: Invalid value", "executor.nodeSelector"),
    ],
    ids=["hostname", "label", "toleration", "volume", "node"],
)
def test_a_refused_field_is_told_as_the_server_says_it(
    place: Place, spec: dict[str, Any], labels: dict[str, str], field: str, cure: str
) -> None:
    body = {"metadata": {"name": "x", "labels": labels}, "spec": {"containers": [DRIVER], **spec}}
    with pytest.raises(ApiException) as refused:
        place.server.cluster.core.create_namespaced_pod(place.namespace, body)
    assert refused.value.status == 422
    said = message_of(refused.value)
    found = explain_refusal("executor", said, Evidence("log", said), "spark-job")
    assert found.id == "invalid-field", said
    assert field in found.cause
    assert found.cure.startswith(f"correct {cure}")
    assert json.loads(refused.value.body or "{}")["details"]["causes"], "the server names fields"
