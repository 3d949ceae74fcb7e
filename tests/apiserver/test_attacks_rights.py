"""Attacks that rights alone refuse: what no identity of a team may ask, on Kubernetes with and without a guard."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest
from guarded_team import ADMINS
from reviews import may

from chartproof.apiserver import ApiServer

TeamOn = Callable[[str], tuple[ApiServer, str]]
_PEOPLE = ("submitter", "viewer")
_ACCOUNTS = ("spark-submitter", "spark-driver", "spark-executor", "spark-history")
_EVERYBODY = (*_PEOPLE, *_ACCOUNTS)


class Wish(NamedTuple):
    """A right that would do harm: who must not have it, and where."""

    verb: str
    resource: str
    by: tuple[str, ...] = _EVERYBODY
    versions: tuple[str, ...] = ("1.34", "1.24")

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"


WISHES = (
    # A status that is forged.
    *(Wish(verb, f"pods/{part}") for verb in ("update", "patch") for part in ("status", "binding", "resize")),
    Wish("create", "pods/binding"),
    Wish("create", "bindings"),
    Wish("create", "pods/eviction"),
    # Another's traffic.
    *(Wish(verb, "endpoints") for verb in ("create", "patch", "delete")),
    *(Wish(verb, "endpointslices.discovery.k8s.io") for verb in ("create", "patch", "delete")),
    *(Wish("create", f"{kind}.networking.k8s.io") for kind in ("ingresses", "ingressclasses")),
    *(Wish("create", f"{kind}.gateway.networking.k8s.io") for kind in ("httproutes", "gateways", "referencegrants")),
    Wish("patch", "services/status"),
    Wish("delete", "services", (*_PEOPLE, "spark-submitter")),
    Wish("create", "services", _EVERYBODY, ("1.24",)),
    Wish("patch", "services", _EVERYBODY, ("1.24",)),
    Wish("deletecollection", "services", _EVERYBODY, ("1.24",)),
    Wish("create", "networkpolicies.networking.k8s.io", _EVERYBODY, ("1.24",)),
    Wish("delete", "networkpolicies.networking.k8s.io"),
    # Another program that reads a Secret.
    *(Wish("create", f"{kind}.monitoring.coreos.com") for kind in ("podmonitors", "servicemonitors", "scrapeconfigs")),
    Wish("create", "externalsecrets.external-secrets.io"),
    Wish("create", "certificates.cert-manager.io"),
    *(Wish(verb, "secrets") for verb in ("get", "list", "watch", "create", "patch", "delete")),
    # What is not one's application's.
    Wish("create", "configmaps", ("viewer", "spark-driver"), ("1.24",)),
    Wish("deletecollection", "configmaps", _EVERYBODY, ("1.24",)),
    Wish("delete", "configmaps", ("viewer", *_ACCOUNTS)),
    Wish("patch", "configmaps", ("viewer", "spark-driver", "spark-executor", "spark-history")),
    *(Wish(verb, "persistentvolumeclaims", _EVERYBODY, ("1.24",)) for verb in ("create", "deletecollection")),
    Wish("create", "persistentvolumeclaims", (*_PEOPLE, "spark-submitter")),
    Wish("patch", "persistentvolumeclaims"),
    *(
        Wish(verb, f"{kind}.batch", _ACCOUNTS)
        for verb in ("create", "patch", "delete")
        for kind in ("jobs", "cronjobs")
    ),
    Wish("create", "statefulsets.apps"),
    Wish("create", "deployments.apps"),
    Wish("create", "daemonsets.apps"),
    # More rights, others' names.
    *(Wish("create", f"pods/{part}") for part in ("exec", "attach", "proxy")),
    Wish("patch", "pods/ephemeralcontainers"),
    Wish("create", "serviceaccounts/token"),
    Wish("create", "serviceaccounts"),
    *(Wish("create", f"{kind}.rbac.authorization.k8s.io") for kind in ("roles", "rolebindings")),
    Wish("patch", "resourcequotas"),
    Wish("delete", "limitranges"),
    Wish("create", "events"),
    Wish("create", "leases.coordination.k8s.io"),
    Wish("get", "applications.kindling.local", _ACCOUNTS),
    Wish("update", "applications.kindling.local", ("viewer", *_ACCOUNTS)),
)
OF_THE_CLUSTER = (
    *(f"{verb} {what}" for verb in ("create", "patch") for what in ("nodes", "nodes/status", "persistentvolumes")),
    *(
        f"create {what}"
        for what in ("namespaces", "priorityclasses.scheduling.k8s.io", "storageclasses.storage.k8s.io")
    ),
    *(f"{verb} validatingadmissionpolicies.admissionregistration.k8s.io" for verb in ("create", "patch", "delete")),
    *(
        f"{verb} validatingadmissionpolicybindings.admissionregistration.k8s.io"
        for verb in ("create", "patch", "delete")
    ),
    "create mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "create certificatesigningrequests.certificates.k8s.io",
    "patch namespaces",
    "get nodes/proxy",
)


@pytest.fixture(scope="module")
def team_on(peopled: Callable[[str], ApiServer], charts: Path) -> TeamOn:
    """A team's namespace on a version, by default values but for people and the proxy."""
    made: dict[str, tuple[ApiServer, str]] = {}

    def team_on(version: str) -> tuple[ApiServer, str]:
        if version not in made:
            server, name = peopled(version), f"team-{uuid4().hex[:8]}"
            values = {
                "namespace": {"name": name},
                "access": {"submitters": {"users": ["submitter"]}, "viewers": {"users": ["viewer"]}},
                "accounts": [{"name": "alice", "role": "submitter"}],
                "global": {"uiProxy": {"namespace": "proxies"}},
            }
            server.helm().run(["install", name, f"{charts}/spark-namespace", *ADMINS, "--values=-"], json.dumps(values))
            made[version] = (server, name)
        return made[version]

    return team_on


def _held(server: ApiServer, home: str, who: str, wishes: Iterable[str], namespace: str) -> list[str]:
    """Which of some wishes an identity of the team has in a namespace ("": in the whole cluster)."""
    if who in _PEOPLE:
        user, groups = who, ["system:authenticated"]
    else:
        user = f"system:serviceaccount:{home}:{who}"
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{home}", "system:authenticated"]
    return [wish for wish in wishes if may(server.cluster, user, groups, wish, namespace)]


@pytest.mark.parametrize("version", ["1.34", "1.24"])
@pytest.mark.parametrize("who", _EVERYBODY)
def test_no_identity_has_a_right_that_does_harm(team_on: TeamOn, who: str, version: str) -> None:
    server, namespace = team_on(version)
    asked = [str(wish) for wish in WISHES if who in wish.by and version in wish.versions]
    assert _held(server, namespace, who, asked, namespace) == []


@pytest.mark.parametrize("version", ["1.34", "1.24"])
@pytest.mark.parametrize("who", _EVERYBODY)
def test_no_identity_has_a_right_in_the_cluster(team_on: TeamOn, who: str, version: str) -> None:
    server, namespace = team_on(version)
    assert _held(server, namespace, who, OF_THE_CLUSTER, "") == []
