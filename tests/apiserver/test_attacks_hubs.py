"""Attacks by a hostile JupyterHub on a team, and by the team on the notebooks of its hub's users."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from grants import service_account, wait_until_granted
from guarded_team import ADMINS, DRIVER, ENGINEER, EXECUTOR, HUB, MINE, POD, Attack, Body, Team, owned_by, with_account
from reviews import may

from chartproof.values import merged

_LABEL = "kindling.local/notebook"
_PART = "spark-notebook"
_NO_NAME = " is no name of what hubs make or remove; allowed: jupyter-…"
_MAY_NOT = "; allowed: to make notebooks and what is theirs, and to remove notebooks"
_OPENS = " opens pods to others; allowed: the pods of one notebook to each other"
_WHOSE = " says whose executors a pod is of; allowed: to the executors of that very pod"
_OTHER_RELEASE = " has a label of what is not its release; allowed: app.kubernetes.io/instance of jupyter"
_OWNER = "uid-of-a-notebook"


def notebook(name: str = "jupyter-anna", **labels: str) -> Body:
    """A user's notebook, as a hub makes it."""
    release = {"app.kubernetes.io/name": _PART, "app.kubernetes.io/instance": "jupyter"}
    whole = {_LABEL: name, "spark-role": "driver", **release, **labels}
    return merged(POD, {"metadata": {"name": name, "labels": whole}})


def mounting(secret: str, pod: Body) -> Body:
    """A pod that mounts a Secret."""
    return merged(pod, {"spec": {"volumes": [{"name": "login", "secret": {"secretName": secret}}]}})


def of_a_notebook(kind: str, version: str, name: str = "jupyter-anna-0123abcd", **fields: Any) -> Body:
    """What goes with a notebook."""
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "jupyter-anna", "uid": _OWNER}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "ownerReferences": [owner]}, **fields}


def secret(name: str = "jupyter-anna-0123abcd", **fields: Any) -> Body:
    """The Secret of a notebook's token."""
    return of_a_notebook("Secret", "v1", name, stringData={"token": "0123"}, **fields)


def policy(selects: Body | None = None, lets_in: Body | None = None, name: str = "jupyter-anna-0123abcd") -> Body:
    """The policy of a user's pods."""
    own = {"matchLabels": {_LABEL: "jupyter-anna"}}
    rule = {"from": [{"podSelector": own if lets_in is None else lets_in}], "ports": [{"port": 7078}]}
    spec = {"podSelector": own if selects is None else selects, "policyTypes": ["Ingress"], "ingress": [rule]}
    return of_a_notebook("NetworkPolicy", "networking.k8s.io/v1", name, spec=spec)


def home(name: str = "jupyter-anna-home", **spec: Any) -> Body:
    """The claim of a user's home."""
    whole = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": whole}


_POLICIES = "networking.k8s.io/v1:networkpolicies"
_ALL: Body = {}
_TOKEN_OF = {"annotations": {"kubernetes.io/service-account.name": "history"}}
ATTACKS = {
    # Pods.
    "takes another account": Attack(
        HUB,
        "POST",
        "pods",
        merged(notebook(), with_account("spark-submitter")),
        " is not for notebooks; allowed: spark-driver",
    ),
    "takes an account that nobody listed": Attack(
        HUB, "POST", "pods", merged(notebook(), with_account("alice")), "service account alice is not for"
    ),
    "is privileged": Attack(
        HUB,
        "POST",
        "pods",
        merged(
            notebook(),
            {"spec": {"containers": [{**POD["spec"]["containers"][0], "securityContext": {"privileged": True}}]}},
        ),
        "privileged container main reaches the host",
    ),
    "mounts the host": Attack(
        HUB,
        "POST",
        "pods",
        merged(notebook(), {"spec": {"volumes": [{"name": "host", "hostPath": {"path": "/etc"}}]}}),
        "hostPath /etc is not for pods",
    ),
    "mounts a Secret of the team's": Attack(
        HUB, "POST", "pods", mounting("theirs", notebook()), "Secret theirs is not for pods"
    ),
    "makes a pod that is no notebook": Attack(HUB, "POST", "pods", POD, _NO_NAME),
    "makes a notebook of another's label": Attack(HUB, "POST", "pods", notebook(**{_LABEL: "jupyter-ben"}), _LABEL),
    "makes a notebook that is an executor": Attack(
        HUB, "POST", "pods", notebook(**{"spark-role": "executor"}), ", which is no notebook; allowed: pods with"
    ),
    "is taken for the ui-proxy": Attack(
        HUB, "POST", "pods", notebook(**{"app.kubernetes.io/name": "spark-ui-proxy"}), ", which is no notebook; allowed"
    ),
    "has a notebook owned": Attack(
        HUB,
        "POST",
        "pods",
        merged(notebook(), {"metadata": {"ownerReferences": owned_by(MINE)["ownerReferences"]}}),
        "says who owns jupyter-anna",
    ),
    "makes a notebook that never goes": Attack(
        HUB,
        "POST",
        "pods",
        merged(notebook(), {"metadata": {"finalizers": ["example.com/for-ever"]}}),
        "by which it would never go",
    ),
    "removes the team's driver": Attack(HUB, "DELETE", "pods/driver", {}, _NO_NAME),
    "removes all pods": Attack(HUB, "DELETE", "pods", {}, _NO_NAME),
    "has a Job take its notebook for a pod": Attack(
        HUB, "POST", "pods", notebook(**{"batch.kubernetes.io/controller-uid": "0123"}), _OTHER_RELEASE
    ),
    "has another release's Service send to it": Attack(
        HUB, "POST", "pods", notebook(**{"app.kubernetes.io/instance": "mine"}), _OTHER_RELEASE
    ),
    "forges a record of helm's": Attack(
        HUB,
        "POST",
        "secrets",
        merged(secret(), {"metadata": {"labels": {"owner": "helm", "name": "etl", "status": "deployed"}}}),
        "has the label owner=helm",
    ),
    "changes a notebook": Attack(HUB, "PATCH", "pods/jupyter-ben", {"metadata": {"annotations": {"a": "b"}}}, _MAY_NOT),
    # What goes with them.
    "has the token of an account made": Attack(
        HUB,
        "POST",
        "secrets",
        merged(secret(type="kubernetes.io/service-account-token"), {"metadata": _TOKEN_OF}),
        " makes a Secret of type kubernetes.io/service-account-token; allowed: Opaque",
    ),
    "makes a Secret of the team's name": Attack(HUB, "POST", "secrets", secret("spark-auth"), _NO_NAME),
    "writes a Secret": Attack(HUB, "PATCH", "secrets/ours", {"stringData": {"x": "y"}}, _MAY_NOT),
    "removes a Secret": Attack(HUB, "DELETE", "secrets/ours", {}, _MAY_NOT),
    "opens all pods to all": Attack(HUB, "POST", _POLICIES, policy(_ALL, _ALL), _OPENS),
    "opens a driver to a notebook": Attack(
        HUB, "POST", _POLICIES, policy({"matchLabels": {"spark-role": "driver"}}), _OPENS
    ),
    "opens a notebook to another": Attack(
        HUB, "POST", _POLICIES, policy(lets_in={"matchLabels": {_LABEL: "jupyter-ben"}}), _OPENS
    ),
    "opens a notebook to all": Attack(HUB, "POST", _POLICIES, policy(lets_in=_ALL), _OPENS),
    # Two parts of the guard refuse it; either may be told.
    "removes the team's policies": Attack(HUB, "DELETE", f"{_POLICIES}/spark-default", {}, "; allowed: "),
    "makes the claim of event logs": Attack(HUB, "POST", "persistentvolumeclaims", home("spark-events"), _NO_NAME),
    "takes another team's volume": Attack(
        HUB, "POST", "persistentvolumeclaims", home(volumeName="of-team-b"), "names the volume that it takes"
    ),
    "removes a home": Attack(HUB, "DELETE", "persistentvolumeclaims/jupyter-ben-home", {}, _MAY_NOT),
    "replaces the template": Attack(HUB, "DELETE", "configmaps/spark-defaults", {}, _MAY_NOT),
    "makes a Service": Attack(
        HUB,
        "POST",
        "services",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "jupyter-anna"},
            "spec": {"selector": {"spark-role": "driver"}, "ports": [{"port": 1}]},
        },
        _MAY_NOT,
    ),
    # The team on the users of its hub.
    "a driver has executors of a notebook's": Attack(
        DRIVER, "POST", "pods", merged(EXECUTOR, {"metadata": {"labels": {_LABEL: "jupyter-ben"}}}), _WHOSE
    ),
    "an engineer has a pod of a notebook's": Attack(
        ENGINEER, "POST", "pods", merged(POD, {"metadata": {"labels": {_LABEL: "jupyter-ben"}}}), _WHOSE
    ),
    "a driver's executor becomes a notebook's": Attack(
        DRIVER,
        "PATCH",
        "pods/mine-exec-1",
        {"metadata": {"labels": {_LABEL: "jupyter-ben"}}},
        "says whose the pod is, and stays",
    ),
    "an engineer waits under a user's name": Attack(
        ENGINEER,
        "POST",
        "pods",
        merged(POD, {"metadata": {"name": "jupyter-zoe"}}),
        "jupyter-zoe is a name for notebooks of a hub; allowed: names that do not begin with jupyter-",
    ),
    "an engineer mounts a user's token": Attack(
        ENGINEER, "POST", "pods", mounting("jupyter-ben-0123abcd", POD), "Secret jupyter-ben-0123abcd is not for pods"
    ),
    "a driver mounts a user's token": Attack(
        DRIVER,
        "POST",
        "pods",
        mounting("jupyter-ben-0123abcd", EXECUTOR),
        "Secret jupyter-ben-0123abcd is not for pods",
    ),
}
ALLOWED = {
    "makes a notebook with its token": Attack(HUB, "POST", "pods", mounting("jupyter-anna-0123abcd", notebook()), ""),
    "makes a notebook with the team's Secret": Attack(HUB, "POST", "pods", mounting("ours", notebook()), ""),
    "removes a notebook": Attack(HUB, "DELETE", "pods/jupyter-ben", {}, ""),
    "makes a token": Attack(HUB, "POST", "secrets", secret(), ""),
    "makes a policy": Attack(HUB, "POST", _POLICIES, policy(), ""),
    "makes a home": Attack(HUB, "POST", "persistentvolumeclaims", home(), ""),
    "a notebook makes its executors": Attack(
        DRIVER, "POST", "pods", merged(EXECUTOR, {"metadata": {"labels": {_LABEL: "driver"}}}), ""
    ),
}


@pytest.fixture(scope="module")
def team(guarded: Team) -> Team:
    """The guarded team, with a notebook of its hub's."""
    assert not guarded.ask(HUB, "POST", "pods", notebook("jupyter-ben"), dry=False)
    guarded.holds("pods", merged(EXECUTOR, {"metadata": {"name": "mine-exec-1"}}))
    guarded.holds("persistentvolumeclaims", home("jupyter-ben-home"))
    guarded.holds("secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ours"}})
    return guarded


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_of_or_on_a_hub_is_refused(team: Team, attack: Attack) -> None:
    said = team.tried(attack)
    assert attack.says in " ".join(said.split()), said


@pytest.mark.parametrize("request_of", ALLOWED.values(), ids=ALLOWED)
def test_what_a_hub_does_is_allowed(team: Team, request_of: Attack) -> None:
    assert team.tried(request_of) == ""


def test_a_hub_reads_no_secret_and_no_other_team(guarded: Team, charts: Path) -> None:
    name = f"{guarded.name}-hubs"
    values = {"namespace": {"name": name}, "notebooks": {"from": [{"namespace": "kindling-system", "name": HUB}]}}
    guarded.server.helm().run(
        ["install", name, str(charts / "spark-namespace"), *ADMINS, "--values=-"], json.dumps(values)
    )
    account = service_account("kindling-system", HUB)
    wait_until_granted(guarded.server.cluster, name, [account], "create pods")
    user = f"system:serviceaccount:kindling-system:{HUB}"
    asked = partial(may, guarded.server.cluster, user, ["system:authenticated", "system:serviceaccounts"])
    assert asked("get configmaps", name, "jupyter-template")
    for wish in ("get secrets", "list secrets", "get configmaps", "update pods", "create pods/exec", "create services"):
        assert not asked(wish, name), wish
    for wish in ("create pods", "list pods", "create secrets"):
        assert not asked(wish, "default"), wish
