"""``kindling`` on drivers that last, a notebook's and a Deployment's; ``why`` is asked by someone who may only look."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from grants import wait_until_granted
from kubelet import status_of
from least_values import LEAST
from waiting import wait_until

from chartproof.apiserver import ApiServer
from chartproof.values import merged

Kindling = Callable[..., "subprocess.CompletedProcess[str]"]
_OTTO = "otto@example.com"
_ADMINS = ("--namespace=kindling-system", "--create-namespace", "--values=-")
_VALUES = {"login": {"secret": {"name": "notebook-token"}}}
_NO_PODS = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "tight"}, "spec": {"hard": {"pods": "0"}}}
_LABELS = {"app.kubernetes.io/name": "spark-connect", "app.kubernetes.io/instance": "shared", "spark-role": "driver"}
_SHARED = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "shared-server", "labels": _LABELS},
    "spec": {
        "selector": {"matchLabels": _LABELS},
        "template": {
            "metadata": {"labels": _LABELS},
            "spec": {
                "serviceAccountName": "spark-driver",
                "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [
                    {
                        "name": "driver",
                        "image": "docker.io/apache/spark:4.3.0-python3",
                        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                    }
                ],
            },
        },
    },
}


@dataclass(frozen=True)
class Team:
    """A namespace of spark-namespace, into which Otto may look."""

    server: ApiServer
    name: str
    charts: Path
    kubectl: Callable[..., str]
    ask: Kindling
    folder: Path

    def notebook(self, **values: Any) -> None:
        """Install spark-notebook as an admin."""
        argv = ["install", "anna", str(self.charts / "spark-notebook"), f"--namespace={self.name}", "--values=-"]
        self.server.helm().run(argv, json.dumps(merged(_VALUES, values)))

    def do(self, *argv: str, **stdin: str) -> str:
        """What kubectl says to an admin."""
        return self.kubectl(self.server, f"--namespace={self.name}", *argv, **stdin)

    def why(self, name: str) -> dict[str, Any]:
        """What Otto is told."""
        config = yaml.safe_load(self.server.kubeconfig.read_text())
        config["users"][0]["user"] |= {"as": _OTTO, "as-groups": ["system:authenticated"]}
        (self.folder / self.server.kubeconfig.name).write_text(yaml.safe_dump(config))
        done = self.ask(replace(self.server, folder=self.folder), "why", name, "-n", self.name, "--json")
        assert done.returncode == 0, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        assert report["unread"] == []
        return report

    def finding(self, name: str) -> dict[str, Any]:
        """The one finding that Otto is told, once there is one."""
        wait_until(lambda: self.why(name)["findings"], f"a finding on {name}", 60)
        (finding,) = self.why(name)["findings"]
        return dict(finding)


@pytest.fixture
def team(
    peopled: Callable[[str], ApiServer],
    charts: Path,
    kubectl: Callable[..., str],
    kindling: Kindling,
    tmp_path: Path,
) -> Team:
    """A team that lists a notebook's Secret in its guard."""
    server, name = peopled("1.34"), f"lasting-{uuid4().hex[:8]}"
    values = {
        "namespace": {"name": name},
        "access": {"viewers": {"users": [_OTTO]}},
        "guard": {"secrets": ["notebook-token"]},
    }
    server.helm().run(["install", name, str(charts / "spark-namespace"), *_ADMINS], json.dumps(values))
    wait_until_granted(server.cluster, name, [{"kind": "User", "name": _OTTO}], "list statefulsets.apps")
    return Team(server, name, charts, kubectl, kindling, tmp_path)


@pytest.mark.parametrize(
    ("driver", "finding", "cure"),
    [
        ({"serviceAccountName": "nobody"}, "no-service-account", "driver.serviceAccountName"),
        ({"podTemplate": {"spec": {"hostNetwork": True}}}, "pod-security", "driver.podTemplate"),
    ],
    ids=["account", "pod security"],
)
def test_a_notebook_that_is_refused_says_why(team: Team, driver: dict[str, Any], finding: str, cure: str) -> None:
    team.notebook(driver=driver)
    found = team.finding("anna")
    assert (found["id"], found["about"]) == (finding, "driver")
    assert cure in found["cure"]
    assert found["evidence"][0]["source"] == "StatefulSet/anna"


def test_a_quota_refuses_a_notebook_and_a_deployment(team: Team) -> None:
    team.do("create", "--filename=-", stdin=json.dumps(_NO_PODS))
    wait_until(lambda: "pods: 0/0" in team.do("get", "quota"), "a quota in force", 60)
    team.notebook()
    team.do("create", "--filename=-", stdin=json.dumps(_SHARED))
    for name, maker in (("anna", "StatefulSet/anna"), ("shared", "Deployment/shared-server")):
        found = team.finding(name)
        assert found["id"] == "quota-exceeded"
        never = "it never fits: pods asked 1, the quota has 0 in all"
        assert found["cause"] == f"ResourceQuota tight refuses the driver pod: {never}"
        assert found["cure"] == "have pods of the quota tight raised; waiting does not help"
        assert found["evidence"][0]["source"] == maker
        assert team.why(name)["workload"] == maker
    assert team.why("shared-server")["release"] == "shared"


def test_a_deployments_pod_leads_to_its_deployment(team: Team) -> None:
    team.do("create", "--filename=-", stdin=json.dumps(_SHARED))

    def pods() -> list[Any]:
        selector = "app.kubernetes.io/instance=shared"
        return list(team.server.cluster.core.list_namespaced_pod(team.name, label_selector=selector).items)

    wait_until(pods, "a pod of the Deployment", 60)
    (pod,) = pods()
    running = status_of("10.244.0.9", ["driver"])
    (status,) = running["containerStatuses"]
    killed = {"exitCode": 137, "reason": "OOMKilled", "containerID": "containerd://5f0b"}
    restarted = {**running, "containerStatuses": [{**status, "restartCount": 2, "lastState": {"terminated": killed}}]}
    team.server.cluster.core.patch_namespaced_pod_status(pod.metadata.name, team.name, {"status": restarted})
    for name in ("shared", pod.metadata.name):
        report = team.why(name)
        (found,) = report["findings"]
        assert (report["status"], report["workload"]) == ("running", "Deployment/shared-server")
        assert (found["id"], found["about"]) == ("out-of-memory", "driver")
        assert "Kubernetes starts it again (2 times so far)" in found["cause"]
        assert "kernels" not in found["cause"] + found["cure"], "that is a notebook's"


def test_a_hubs_notebook_is_told_with_its_executors(team: Team) -> None:
    core = team.server.cluster.core

    def pod(name: str, role: str, **metadata: Any) -> Any:
        spec = {**_SHARED["spec"]["template"]["spec"]}  # type: ignore[index]
        spec["containers"] = [{**spec["containers"][0], "name": role}]
        spec["serviceAccountName"] = f"spark-{role}"
        labels = {"app.kubernetes.io/name": "spark-notebook", "app.kubernetes.io/instance": "jupyter"}
        labels |= {"spark-role": role, **metadata.pop("labels", {})}
        return core.create_namespaced_pod(
            team.name, {"metadata": {"name": name, "labels": labels, **metadata}, "spec": spec}
        )

    uid = pod("jupyter-anna", "driver").metadata.uid
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "jupyter-anna", "uid": uid, "controller": True}
    application = {"spark-app-selector": "spark-1", "spark-exec-id": "1"}
    pod("jupyter-anna-exec-1", "executor", labels=application, ownerReferences=[owner])
    full = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1: 1 Insufficient cpu."}
    statuses = {
        "jupyter-anna": status_of("10.244.0.9", ["driver"]),
        "jupyter-anna-exec-1": {"phase": "Pending", "conditions": [full]},
    }
    for name, status in statuses.items():
        core.patch_namespaced_pod_status(name, team.name, {"status": status})
    for name in ("jupyter-anna", "jupyter-anna-exec-1", "spark-1"):
        report = team.why(name)
        (found,) = report["findings"]
        assert (report["status"], found["id"], found["about"]) == ("running", "unschedulable", "executor"), name


def test_preflight_looks_at_what_a_notebooks_values_name(team: Team, tmp_path: Path) -> None:
    common, own = tmp_path / "common.yaml", tmp_path / "anna.yaml"
    common.write_text("global: {}\nhome: {storageClass: fast}\n")

    def told(**values: Any) -> dict[str, tuple[str, str]]:
        own.write_text(json.dumps(values))
        asked = ("preflight", "-n", team.name, "--json", f"--values={common}", f"--values={own}")
        checks = json.loads(team.ask(team.server, *asked).stdout)["checks"]
        return {check["id"]: (check["state"], check["what"]) for check in checks if "notebook" in check["id"]}

    assert told() == {"notebook-home": ("fail", "notebook's home: StorageClass fast does not exist")}
    assert told(home={"claim": False}) == {}
    token = {"secret": {"name": "notebook-token"}}
    other, plain = {"secret": {"name": "mine"}}, {"claim": False}
    secret = "notebook's token: Secret notebook-token"
    assert told(login=token, home=plain)["notebook-token"] == ("fail", f"{secret} does not exist")
    team.do("create", "secret", "generic", "notebook-token", "--from-literal=word=x")
    assert told(login=token, home=plain)["notebook-token"] == ("fail", f"{secret} has no key token")
    named = {"secret": {"name": "notebook-token", "key": "word"}}
    assert told(login=named, home=plain) == {
        "notebook-token": ("ok", f"{secret} has key word"),
        "guard-notebook-token": ("ok", "guard: pods may use Secret notebook-token"),
    }
    refused = ("fail", "guard: pods may not use Secret mine")
    assert told(login=other, home=plain)["guard-notebook-token"] == refused
    claim = told(home={"existingClaim": "mine"})["notebook-home"]
    assert claim == ("fail", "notebook's home: PersistentVolumeClaim mine does not exist")


def test_preflight_looks_at_what_a_servers_values_name(team: Team, tmp_path: Path) -> None:
    own = tmp_path / "connect.yaml"
    values = {"login": {"secret": {"name": "connect-token"}}, "tls": {"secretName": "connect-tls"}}
    own.write_text(json.dumps(values))

    def told() -> dict[str, tuple[str, str]]:
        asked = ("preflight", "-n", team.name, "--json", f"--values={own}")
        checks = json.loads(team.ask(team.server, *asked).stdout)["checks"]
        return {check["id"]: (check["state"], check["what"]) for check in checks if "connect" in check["id"]}

    token, certificate = (
        "Connect server's token: Secret connect-token",
        "Connect server's certificate: Secret connect-tls",
    )
    assert told() == {
        "connect-token": ("fail", f"{token} does not exist"),
        "guard-connect-token": ("fail", "guard: pods may not use Secret connect-token"),
        "connect-tls": ("fail", f"{certificate} does not exist"),
        "guard-connect-tls": ("fail", "guard: pods may not use Secret connect-tls"),
    }
    team.do("create", "secret", "generic", "connect-token", "--from-literal=token=x")
    team.do("create", "secret", "generic", "connect-tls", "--from-literal=tls.crt=x")
    checks = told()
    assert checks["connect-token"] == ("ok", f"{token} has key token")
    assert checks["connect-tls"] == ("fail", f"{certificate} has no key tls.key")


def test_a_stopped_server_says_how_to_start_it(team: Team) -> None:
    argv = ["install", "shared", str(team.charts / "spark-connect"), f"--namespace={team.name}", "--values=-"]
    team.server.helm().run(argv, json.dumps({**LEAST["spark-connect"], "idle": {"server": "8h"}}))
    assert team.why("shared")["status"] == "waiting"
    team.do("scale", "statefulset/shared", "--replicas=0")
    report, found = team.why("shared"), team.finding("shared")
    assert (report["status"], report["workload"]) == ("stopped", "StatefulSet/shared")
    assert found["cause"].endswith("an idle Connect server stops so after the time of idle.server")


def test_a_stopped_notebook_says_how_to_start_it(team: Team) -> None:
    team.notebook(idle={"notebook": "8h"})
    assert team.why("anna")["status"] == "waiting"
    team.do("scale", "statefulset/anna", "--replicas=0")
    report, found = team.why("anna"), team.finding("anna")
    assert report["status"] == "stopped"
    assert found["cause"] == (
        "StatefulSet anna is scaled to 0: an idle notebook stops so after the time of idle.notebook"
    )
    assert found["cure"].endswith(f"kubectl scale statefulset/anna --replicas=1 --namespace {team.name}")
