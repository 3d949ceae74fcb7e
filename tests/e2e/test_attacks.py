"""Attacks of one team on another that take a real scheduler and a real network, with the guard and without."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from chartproof import Cluster, Helm
from kindling_dev.settings import ADMIN_NAMESPACE
from kindling_dev.spark_image import DEFAULT_LINE

_DEADLINE_S = 60
_PORT = 8000
_SERVE = (
    "import http.server, sys\n"
    "class Answer(http.server.BaseHTTPRequestHandler):\n"
    "    def do_GET(self):\n"
    "        self.send_response(200); self.end_headers(); self.wfile.write(sys.argv[1].encode())\n"
    "    def log_message(self, *_): pass\n"
    f"http.server.ThreadingHTTPServer(('', {_PORT}), Answer).serve_forever()\n"
)
_ASK = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=3).read().decode())"
_WITHOUT = {"enabled": False, "rightsWithout": ["clusterMode"]}


@dataclass(frozen=True)
class Two:
    """The namespaces of an attacker and of a victim, where a pod named "victim" answers.

    Attributes:
        cluster: where they are.
        attacker, victim: the namespaces.
        address: of the victim's pod.
    """

    cluster: Cluster
    attacker: str
    victim: str
    address: str

    def kubectl(self, *argv: str, stdin: str = "") -> str:
        """What kubectl says to the cluster's admin, or to whom ``--as`` names."""
        command = ["kubectl", f"--kubeconfig={self.cluster.kubeconfig}", *argv]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        return done.stderr if done.returncode else done.stdout

    def makes(self, body: dict[str, Any]) -> str:
        """What the cluster says to a submitter's account that makes something."""
        who = f"--as=system:serviceaccount:{self.attacker}:spark-submitter"
        return self.kubectl("create", f"--namespace={self.attacker}", who, "--filename=-", stdin=json.dumps(body))

    def answer(self) -> str:
        """Who answers at the victim's address, asked from a pod of the victim's team."""
        where = ("exec", "client", f"--namespace={self.victim}", "--")
        return self.kubectl(*where, "python3", "-c", _ASK, f"http://{self.address}:{_PORT}").strip()

    def eventually(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until something holds."""
        end = time.monotonic() + _DEADLINE_S
        while not holds():
            assert time.monotonic() < end, what
            time.sleep(1)


def pod(name: str, *command: str, **spec: Any) -> dict[str, Any]:
    """A pod that meets the level restricted."""
    confined = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "main",
        "image": f"docker.io/apache/spark:{DEFAULT_LINE.version}-python3",
        "command": list(command),
        "securityContext": confined,
        "resources": {"requests": {"cpu": "5m", "memory": "32Mi"}},
    }
    whole = {
        "serviceAccountName": "spark-driver",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 185, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        **spec,
    }
    labels = {"spark-role": "driver", "app": name}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": whole}


@pytest.fixture
def two(
    new_namespace: Callable[..., str], cluster: Cluster, cluster_helm: Helm, charts: Any
) -> Iterator[Callable[[dict[str, Any]], Two]]:
    """Makes both teams; the attacker's guard is given by values."""
    made: list[str] = []

    def two(guard: dict[str, Any]) -> Two:
        names = [new_namespace(kind, create=False) for kind in ("attacker", "victim")]
        for name, values in zip(names, (guard, {}), strict=True):
            open_to_all = {"ingress": {"closed": False}}
            text = json.dumps({"namespace": {"name": name}, "guard": values, "network": open_to_all})
            argv = ["install", name, str(charts / "spark-namespace"), f"--namespace={ADMIN_NAMESPACE}"]
            cluster_helm.run([*argv, "--create-namespace", "--values=-"], text)
            made.append(name)
        attacker, victim = names
        for name in ("victim", "client"):
            cluster.core.create_namespaced_pod(victim, pod(name, "python3", "-c", _SERVE, name))
        address = _address(cluster, victim, "victim")
        _address(cluster, victim, "client")
        found = Two(cluster, attacker, victim, address)
        found.eventually(lambda: found.answer() == "victim", "the victim answers")
        return found

    yield two
    for name in made:
        cluster_helm.run(["uninstall", name, f"--namespace={ADMIN_NAMESPACE}", "--ignore-not-found"])


def _address(cluster: Cluster, namespace: str, name: str) -> str:
    def running(found: Any, _: str) -> str | None:
        return str(found.status.pod_ip) if found.status.phase == "Running" else None

    where = {"namespace": namespace, "field_selector": f"metadata.name={name}"}
    return cluster.wait_for(cluster.core.list_namespaced_pod, running, f"pod {name}", 120, **where)


def drawing(address: str) -> dict[str, Any]:
    """A Service that draws what is sent to an address."""
    spec = {"selector": {"app": "thief"}, "ports": [{"port": _PORT}], "externalIPs": [address]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "thief"}, "spec": spec}


def pushing(victim: str) -> dict[str, Any]:
    """A pod of the system's priority that bears no driver of a team beside it."""
    term = {
        "topologyKey": "kubernetes.io/hostname",
        "namespaces": [victim],
        "labelSelector": {"matchLabels": {"app": "victim"}},
    }
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    return pod("thief", "sleep", "300", priorityClassName="system-node-critical", affinity=apart)


def test_a_team_draws_no_other_teams_traffic(two: Callable[[dict[str, Any]], Two]) -> None:
    team = two({})
    said = ""

    def refused() -> bool:
        nonlocal said
        said = team.makes(drawing(team.address))
        team.kubectl("delete", "service", "thief", f"--namespace={team.attacker}", "--ignore-not-found")
        return "denied request" in said

    team.eventually(refused, "the guard is in force")
    assert f"externalIPs {team.address} of a Service draw traffic that is meant for others; allowed: none" in said
    assert team.answer() == "victim"


@pytest.mark.long
def test_without_the_guard_a_service_draws_traffic(two: Callable[[dict[str, Any]], Two]) -> None:
    team = two(_WITHOUT)
    team.cluster.core.create_namespaced_pod(team.attacker, pod("thief", "python3", "-c", _SERVE, "thief"))
    _address(team.cluster, team.attacker, "thief")
    assert team.makes(drawing(team.address)) == "service/thief created\n"
    team.eventually(lambda: team.answer() == "thief", "what is sent to the victim comes to the thief")


def test_a_team_pushes_no_other_teams_driver_away(two: Callable[[dict[str, Any]], Two]) -> None:
    team = two({})
    said = ""

    def refused() -> bool:
        nonlocal said
        said = team.makes(pod("probe", "sleep", "1", nodeName="any"))
        return "denied request" in said

    team.eventually(refused, "the guard is in force")
    said = team.makes(pushing(team.victim))
    assert "priority class system-node-critical is not for pods of this namespace; allowed: none" in said
    assert team.answer() == "victim"


@pytest.mark.long
def test_without_the_guard_a_pod_pushes_another_driver_away(two: Callable[[dict[str, Any]], Two]) -> None:
    team = two(_WITHOUT)
    assert team.makes(pushing(team.victim)) == "pod/thief created\n"
    names = ("get", "pods", f"--namespace={team.victim}", "--output=name")
    team.eventually(lambda: "pod/victim" not in team.kubectl(*names), "the victim is preempted")
