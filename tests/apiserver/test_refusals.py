"""What someone of a team is refused on Kubernetes 1.24 and 1.34: "What each Kubernetes can refuse", row by row."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from kubernetes import client

from chartproof.apiserver import ApiServer
from chartproof.values import merged
from kindling_dev.settings import REPO

Kubectl = Callable[..., str]
_EXAMPLE = [REPO / f"values/{file}.yaml" for file in ("spark-namespace", "team-a/common", "team-a/spark-namespace")]
"""A team of the company's directory, as an admin would write it."""
_DEADLINE_S = 60
_POLL_S = 0.1
_POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "mine"},
    "spec": {
        "serviceAccountName": "spark-driver",
        "securityContext": {"runAsNonRoot": True, "runAsUser": 185, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "main",
                "image": "docker.io/apache/spark:4.3.0-python3",
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
    },
}
_TAKEN = "pod/mine created"
_NOT_THE_JOBS = {"volumes": [{"name": "taken", "secret": {"secretName": "keytab"}}]}
_RESTRICTED = 'violates PodSecurity "restricted:latest"'
ATTEMPTS: dict[str, tuple[dict[str, Any], str, str]] = {
    # what someone tries: how it differs from a pod of a run, what Kubernetes 1.34 says, what 1.24 says
    "a pod of a run": ({}, _TAKEN, _TAKEN),
    "root": ({"securityContext": {"runAsUser": 0, "runAsNonRoot": False}}, _RESTRICTED, "runAsUser: Invalid value: 0"),
    "a path of the node": (
        {"volumes": [{"name": "host", "hostPath": {"path": "/etc"}}]},
        _RESTRICTED,
        "hostPath volumes are not allowed to be used",
    ),
    "another account": ({"serviceAccountName": "default"}, "service account default is not for pods of", _TAKEN),
    "a Secret that is not the jobs'": (_NOT_THE_JOBS, "Secret keytab is not for pods of", _TAKEN),
}


@dataclass(frozen=True)
class Anna:
    """A data engineer of a team: a member of the group that the team's values name.

    Attributes:
        server, kubectl: what she asks, and how.
        namespace: the team's.
        login: her name and her group, as the server knows them.
    """

    server: ApiServer
    kubectl: Kubectl
    namespace: str
    login: tuple[str, ...]

    def asks(self, *argv: str, namespace: str = "", stdin: str = "") -> str:
        """What she is told."""
        return self.kubectl(self.server, *argv, f"--namespace={namespace or self.namespace}", *self.login, stdin=stdin)

    def tries(self, change: dict[str, Any]) -> str:
        """What she is told of a pod; none is made."""
        pod = json.dumps(merged(_POD, {"spec": change}))
        return self.asks("create", "--filename=-", "--dry-run=server", stdin=pod)


@pytest.fixture(scope="module", params=["1.34", "1.24"])
def anna(request: pytest.FixtureRequest, peopled: Callable[[str], ApiServer], kubectl: Kubectl, charts: Path) -> Anna:
    """Someone of the example's team."""
    server, name = peopled(request.param), f"team-{uuid4().hex[:8]}"
    values = [*(f"--values={file}" for file in _EXAMPLE), f"--set=namespace.name={name}"]
    where = ["--namespace=kindling-system", "--create-namespace"]
    server.helm().run(["install", name, str(charts / "spark-namespace"), *where, *values])
    (group,) = yaml.safe_load(_EXAMPLE[-1].read_text())["access"]["submitters"]["groups"]
    login = ("--as=anna@example.com", f"--as-group={group}", "--as-group=system:authenticated")
    anna = Anna(server, kubectl, name, login)
    end = time.monotonic() + _DEADLINE_S
    # The guard is in force a moment after the API server got it, and nothing tells of that.
    while request.param == "1.34" and _TAKEN in anna.tries(_NOT_THE_JOBS):
        assert time.monotonic() < end, "the guard is not in force"
        time.sleep(_POLL_S)
    return anna


@pytest.mark.parametrize(("change", "newer", "older"), ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_pod_gets_the_answer_that_the_table_promises(
    anna: Anna, change: dict[str, Any], newer: str, older: str
) -> None:
    said = anna.tries(change)
    assert (older if anna.server.version == "1.24" else newer) in said
    assert "\n" not in said.strip(), "one line"


def test_no_secret_is_read_neither_another_teams_nor_ones_own(anna: Anna) -> None:
    core, other = anna.server.cluster.core, f"team-{uuid4().hex[:8]}"
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=other)))
    for namespace in (other, anna.namespace):
        secret = client.V1Secret(metadata=client.V1ObjectMeta(name="keytab"), string_data={"password": "canary"})
        core.create_namespaced_secret(namespace, secret)
        said = anna.asks("get", "secret", "keytab", "--output=yaml", namespace=namespace)
        assert 'User "anna@example.com" cannot get resource "secrets"' in said
        assert "canary" not in said
