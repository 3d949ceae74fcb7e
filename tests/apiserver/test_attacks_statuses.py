"""Attacks by a forged status: who says that a pod runs, at which address, and how it ended."""

from __future__ import annotations

import pytest
from guarded_team import ADMIN, DRIVER, ENGINEER, HISTORY, POD, SUBMITTER, Body, Team

from chartproof.values import merged

_GATED = merged(
    POD,
    {
        "metadata": {"name": "evil", "labels": {"spark-role": "driver"}},
        "spec": {"schedulingGates": [{"name": "example.com/no-kubelet-corrects-it"}]},
    },
)
FORGERIES: dict[str, Body] = {
    "running at another's address": {"phase": "Running", "podIP": "10.244.0.7", "podIPs": [{"ip": "10.244.0.7"}]},
    "running on this host": {"phase": "Running", "podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]},
    "ended, and out of the quota": {"phase": "Succeeded"},
    "failed": {"phase": "Failed", "reason": "Evicted", "message": "\u001b]0;gone\u0007"},
    "ready": {"conditions": [{"type": "Ready", "status": "True"}]},
    "a condition of one's own": {"conditions": [{"type": "kindling.local/ApplicationFailed", "status": "True"}]},
    "an exit code": {
        "containerStatuses": [
            {
                "name": "main",
                "image": "spark",
                "imageID": "",
                "ready": False,
                "restartCount": 0,
                "state": {"terminated": {"exitCode": 0}},
            }
        ]
    },
    "a node's address": {"hostIP": "10.0.0.1", "hostIPs": [{"ip": "10.0.0.1"}]},
}


@pytest.mark.parametrize("by", [SUBMITTER, DRIVER, HISTORY, "alice", ENGINEER])
@pytest.mark.parametrize("status", FORGERIES.values(), ids=FORGERIES)
def test_nobody_of_the_team_writes_a_status(guarded: Team, unguarded: Team, by: str, status: Body) -> None:
    for team in (guarded, unguarded):
        team.holds("pods", _GATED)
    said = guarded.ask(by, "PATCH", "pods/evil/status", {"status": status})
    assert f"'kindling-guard-{guarded.name}.statuses' denied request: " in said
    assert " writes the status of a pod; allowed: nodes and Kubernetes itself" in said
    assert unguarded.ask(by, "PATCH", "pods/evil/status", {"status": status}) == ""


def test_a_driver_writes_not_even_its_own_status(guarded: Team) -> None:
    said = guarded.ask(DRIVER, "PATCH", "pods/driver/status", {"status": FORGERIES["ready"]})
    assert " writes the status of a pod" in said


@pytest.mark.parametrize(
    "who",
    [
        {"Impersonate-User": "system:node:one", "Impersonate-Group": "system:nodes"},
        {"Impersonate-User": "system:kube-scheduler"},
        {"Impersonate-User": "system:serviceaccount:kube-system:pod-garbage-collector"},
        {"Impersonate-User": "system:serviceaccount:kueue-system:controller", "Impersonate-Group": "system:masters"},
    ],
    ids=["kubelet", "scheduler", "controller", "another's controller"],
)
def test_the_cluster_writes_statuses(guarded: Team, who: dict[str, str]) -> None:
    team = Team(guarded.server, guarded.name, guarded.uids, {**guarded.logins, "cluster": who})
    body = {"status": {"conditions": [{"type": "PodScheduled", "status": "True"}]}}
    team.holds("pods", _GATED)
    assert "denied request" not in team.ask("cluster", "PATCH", "pods/evil/status", body)
    assert team.ask(ADMIN, "PATCH", "pods/evil/status", body) == ""
