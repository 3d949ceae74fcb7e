"""Attacks on other teams' place on the nodes: what a pod of a team may not ask of the scheduler."""

from __future__ import annotations

from typing import Any

import pytest
from guarded_team import DRIVER, EXECUTOR, POD, SUBMITTER, Body, Team

from chartproof.values import merged

_ALL = {"matchLabels": {"spark-role": "driver"}}
_KEYS = (
    "node.kubernetes.io/not-ready, node.kubernetes.io/unreachable, node.kubernetes.io/memory-pressure, dedicated "
    "(guard.tolerations of spark-namespace)"
)
_AFFINITY = "affinity to pods of other namespaces; allowed: to pods of this namespace"


def spec(**fields: Any) -> Body:
    """A change of a pod's spec."""
    return {"spec": fields}


def apart_from(term: Body) -> Body:
    """A pod that must not be where others are."""
    whole = {"topologyKey": "kubernetes.io/hostname", "labelSelector": _ALL, **term}
    return spec(affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [whole]}})


def drawn_to(side: str, term: Body) -> Body:
    """A pod that would rather be, or not be, where others are."""
    whole = {"topologyKey": "kubernetes.io/hostname", "labelSelector": _ALL, **term}
    weighted = [{"weight": 100, "podAffinityTerm": whole}]
    return spec(affinity={side: {"preferredDuringSchedulingIgnoredDuringExecution": weighted}})


ATTACKS = {
    "class of the system": (
        spec(priorityClassName="system-node-critical"),
        "priority class system-node-critical is not for pods of this namespace; allowed: nightly (guard.",
    ),
    "class of the cluster": (
        spec(priorityClassName="system-cluster-critical"),
        "priority class system-cluster-critical is not for pods",
    ),
    "another team's class": (spec(priorityClassName="urgent"), "priority class urgent is not for pods"),
    "node by name": (spec(nodeName="node-of-team-b"), "nodeName node-of-team-b passes the scheduler by; allowed: "),
    "every taint": (
        spec(tolerations=[{"operator": "Exists"}]),
        "a toleration of every taint is not for pods of this namespace; allowed: tolerations that name ",
    ),
    "taint of the control plane": (
        spec(tolerations=[{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}]),
        f"toleration node-role.kubernetes.io/control-plane is not for pods of this namespace; allowed: {_KEYS}",
    ),
    "another team's taint": (
        spec(tolerations=[{"key": "dedicated", "value": "a"}, {"key": "team-b", "operator": "Exists"}]),
        "toleration team-b is not for pods",
    ),
    "unknown scheduler": (
        spec(schedulerName="mine"),
        "scheduler mine is not for pods of this namespace; allowed: default-scheduler, batch (guard.schedulers of",
    ),
    "runtime class": (
        spec(runtimeClassName="host"),
        "runtime class host is not for pods of this namespace; allowed: gvisor (guard.runtimeClasses of",
    ),
    "apart from another team": (apart_from({"namespaces": ["team-b"]}), _AFFINITY),
    "apart from all teams": (apart_from({"namespaceSelector": {}}), _AFFINITY),
    "apart from labelled teams": (apart_from({"namespaceSelector": {"matchLabels": {"team": "b"}}}), _AFFINITY),
    "rather apart": (drawn_to("podAntiAffinity", {"namespaces": ["team-b"]}), _AFFINITY),
    "near another team": (drawn_to("podAffinity", {"namespaceSelector": {}}), _AFFINITY),
}


@pytest.fixture(scope="module")
def classes(guarded: Team, unguarded: Team) -> None:
    """A priority class and a runtime class of each name: without them the API server refuses pods for that."""
    assert guarded.server is unguarded.server
    for name in ("urgent", "nightly"):
        body = {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": 1000,
        }
        _of_the_cluster(guarded, "scheduling.k8s.io/v1/priorityclasses", body)
    for name in ("host", "gvisor"):
        body = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": name}
        _of_the_cluster(guarded, "node.k8s.io/v1/runtimeclasses", body)


def _of_the_cluster(team: Team, path: str, body: Body) -> None:
    api = team.server.cluster.api_client
    headers = {"Content-Type": "application/json"}
    api.call_api("POST", f"{api.configuration.host}/apis/{path}", headers, body).read()


@pytest.mark.usefixtures("classes")
@pytest.mark.parametrize("by", [SUBMITTER, DRIVER])
@pytest.mark.parametrize(("change", "says"), ATTACKS.values(), ids=ATTACKS)
def test_a_pod_takes_no_other_teams_place(guarded: Team, unguarded: Team, by: str, change: Body, says: str) -> None:
    pod = merged(EXECUTOR if by == DRIVER else POD, change)
    said = guarded.ask(by, "POST", "pods", pod)
    assert f"'kindling-guard-{guarded.name}.placement' denied request: " in said
    assert says in said
    assert "\n" not in said
    assert unguarded.ask(by, "POST", "pods", pod) == ""


@pytest.mark.usefixtures("classes")
@pytest.mark.parametrize(
    "change",
    [
        spec(priorityClassName="nightly"),
        spec(tolerations=[{"key": "dedicated", "value": "spark"}]),
        spec(schedulerName="batch"),
        spec(runtimeClassName="gvisor"),
        spec(nodeSelector={"disk": "ssd"}, shareProcessNamespace=True),
        apart_from({}),
        drawn_to("podAntiAffinity", {}),
        spec(topologySpreadConstraints=[{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}]),
    ],
    ids=["class", "taint", "scheduler", "runtime class", "node", "apart", "rather apart", "spread"],
)
def test_what_values_list_and_ones_own_is_free(guarded: Team, change: Body) -> None:
    assert guarded.ask(SUBMITTER, "POST", "pods", merged(POD, change)) == ""


def test_ones_own_namespace_may_be_named_in_an_affinity(guarded: Team) -> None:
    assert guarded.ask(SUBMITTER, "POST", "pods", merged(POD, apart_from({"namespaces": [guarded.name]}))) == ""


def test_a_pod_that_is_there_takes_no_toleration_more(guarded: Team, unguarded: Team) -> None:
    own = [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for key in ("not-ready", "unreachable")
    ]
    body = {"spec": {"tolerations": [*own, {"operator": "Exists"}]}}
    assert "a toleration of every taint is not for pods" in guarded.ask(SUBMITTER, "PATCH", "pods/driver", body)
    assert unguarded.ask(SUBMITTER, "PATCH", "pods/driver", body) == ""
