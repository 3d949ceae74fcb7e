"""Attacks on other teams' traffic and on what closes a namespace: Services, NetworkPolicies, PodMonitors."""

from __future__ import annotations

from typing import Any

import pytest
from guarded_team import ADMIN, ENGINEER, SUBMITTER, Attack, Body, Team

from chartproof.values import merged

_POLICIES = "networking.k8s.io/v1:networkpolicies"
_MONITORS = "monitoring.coreos.com/v1:podmonitors"
_OTHERS = "10.244.0.7"
_OPENS = "a NetworkPolicy with egress rules, or with ingress from outside of this namespace; allowed: ingress from "
_OWN = "a NetworkPolicy that is not of an application; allowed: those of spark-job and spark-submit"


def service(*, metadata: Body | None = None, **spec: Any) -> Body:
    """A Service of a driver."""
    whole = {"selector": {"spark-role": "driver"}, "ports": [{"port": 7078}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "made", **(metadata or {})}, "spec": whole}


def annotated(key: str) -> Body:
    """A Service with an annotation."""
    return service(metadata={"annotations": {key: "team-b.example.com"}})


def policy(**spec: Any) -> Body:
    """As Spark makes it since 4.2 for executors."""
    executors = {"matchLabels": {"spark-role": "executor", "spark-app-selector": "spark-0123"}}
    application = {"podSelector": {"matchLabels": {"spark-app-selector": "spark-0123"}}}
    whole = {"podSelector": executors, "policyTypes": ["Ingress"], "ingress": [{"from": [application]}], **spec}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "made"},
        "spec": {key: value for key, value in whole.items() if value is not None},
    }


def opened(**rule: Any) -> Body:
    """A policy that lets somebody in."""
    return policy(ingress=[rule])


def monitor(endpoint: Body | None = None, **spec: Any) -> Body:
    """As spark-job makes it, but for a change."""
    whole = {"port": "spark-ui", "path": "/metrics/prometheus/", "interval": "30s", **(endpoint or {})}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": {"name": "made"},
        "spec": {"selector": {"matchLabels": {"spark-role": "driver"}}, "podMetricsEndpoints": [whole], **spec},
    }


_SECRET = {"name": "keytab", "key": "password"}
SERVICES = {
    "draws an address": (
        service(externalIPs=[_OTHERS]),
        f"externalIPs {_OTHERS} of a Service draw traffic that is meant for others",
    ),
    "draws an address, headless": (
        service(externalIPs=[_OTHERS], clusterIP="None"),
        f"externalIPs {_OTHERS} of a Service draw traffic that is meant for others",
    ),
    "a port of every node": (
        service(type="NodePort"),
        "Service of type NodePort is not for this namespace; allowed: ClusterIP (guard.serviceTypes of ",
    ),
    "a load balancer": (service(type="LoadBalancer"), "Service of type LoadBalancer is not for this namespace"),
    "another name": (
        {**service(), "spec": {"type": "ExternalName", "externalName": "history.team-b.svc"}},
        "a Service of type ExternalName leads to a name outside of this namespace",
    ),
    "no selector": (
        {**service(), "spec": {"ports": [{"port": 80}]}},
        "a Service without a selector leads anywhere; allowed: one that selects pods of this namespace",
    ),
    "a DNS name": (
        annotated("external-dns.alpha.kubernetes.io/hostname"),
        "annotation external-dns.alpha.kubernetes.io/hostname of a Service is not for this namespace; allowed: "
        "meta.helm.sh/, prometheus.io/ (guard.serviceAnnotations of spark-namespace)",
    ),
    "a tunnel": (annotated("tailscale.com/expose"), "annotation tailscale.com/expose of a Service is not"),
}
POLICIES = {
    "opens to all": (opened(), _OPENS),
    "opens to nobody named": (opened(**{"from": []}), _OPENS),
    "opens to all namespaces": (opened(**{"from": [{"namespaceSelector": {}}]}), _OPENS),
    "opens to pods of another team": (
        opened(**{"from": [{"podSelector": {}, "namespaceSelector": {"matchLabels": {"team": "b"}}}]}),
        _OPENS,
    ),
    "opens to the world": (opened(**{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}), _OPENS),
    "opens to one and to all": (
        policy(ingress=[{"from": [{"podSelector": {}}]}, {"from": [{"podSelector": {}}, {"namespaceSelector": {}}]}]),
        _OPENS,
    ),
    "lets data out": (policy(policyTypes=["Ingress", "Egress"], egress=[{}]), _OPENS),
    "lets data out, unsaid": (policy(policyTypes=None, egress=[{}]), _OPENS),
}
MONITORS = {
    "a token of a Secret": ({"authorization": {"credentials": _SECRET}}, {}, "authorization"),
    "a password": ({"basicAuth": {"username": _SECRET, "password": _SECRET}}, {}, "basicAuth"),
    "a token, the old way": ({"bearerTokenSecret": _SECRET}, {}, "bearerTokenSecret"),
    "a key": ({"scheme": "https", "tlsConfig": {"keySecret": _SECRET}}, {}, "tlsConfig"),
    "a login": (
        {"oauth2": {"clientId": {"secret": _SECRET}, "clientSecret": _SECRET, "tokenUrl": "http://127.0.0.1/"}},
        {},
        "oauth2",
    ),
    "a proxy of one's own": ({"proxyUrl": "http://127.0.0.1:3128"}, {}, "proxyUrl"),
    "another address": (
        {"relabelings": [{"targetLabel": "__address__", "replacement": "127.0.0.1:80"}]},
        {},
        "relabelings",
    ),
    "another's metrics": ({"honorLabels": True}, {}, "honorLabels"),
    "another's metrics, written anew": (
        {"metricRelabelings": [{"targetLabel": "namespace", "replacement": "team-b"}]},
        {},
        "metricRelabelings",
    ),
    "foreign parameters": ({"params": {"target": ["127.0.0.1"]}}, {}, "params"),
    "another namespace": ({}, {"namespaceSelector": {"any": True}}, "namespaceSelector"),
    "another team": ({}, {"namespaceSelector": {"matchNames": ["team-b"]}}, "namespaceSelector"),
    "another's metrics, by a label of pods": ({}, {"podTargetLabels": ["namespace"]}, "podTargetLabels"),
}


@pytest.mark.parametrize("by", [SUBMITTER, ENGINEER])
@pytest.mark.parametrize(("body", "says"), SERVICES.values(), ids=SERVICES)
def test_a_service_draws_nobody_elses_traffic(guarded: Team, unguarded: Team, by: str, body: Body, says: str) -> None:
    _refused(guarded, unguarded, Attack(by, "POST", "services", body, says))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"spec": {"externalIPs": [_OTHERS]}}, "externalIPs"),
        ({"spec": {"type": "NodePort"}}, "Service of type NodePort"),
        ({"spec": {"selector": None}}, "without a selector"),
        ({"metadata": {"annotations": {"tailscale.com/expose": "true"}}}, "annotation tailscale.com/expose"),
    ],
    ids=["address", "node port", "no selector", "tunnel"],
)
def test_a_service_is_not_turned_into_another(guarded: Team, unguarded: Team, change: Body, says: str) -> None:
    for team in (guarded, unguarded):
        team.holds("services", merged(service(), {"metadata": {"name": "turned"}}))
    _refused(guarded, unguarded, Attack(SUBMITTER, "PATCH", "services/turned", change, says))


def test_services_of_runs_and_of_admins_are_made(guarded: Team) -> None:
    for by, body in (
        (SUBMITTER, service(clusterIP="None")),
        (SUBMITTER, annotated("prometheus.io/port")),
        (ENGINEER, annotated("meta.helm.sh/release-name")),
        (ADMIN, service(type="LoadBalancer")),
    ):
        assert guarded.ask(by, "POST", "services", body) == ""


def test_a_service_of_before_the_guard_stays_as_it_is(guarded: Team) -> None:
    old = merged(service(type="NodePort"), {"metadata": {"name": "old"}})
    guarded.holds("services", old)
    assert guarded.ask(ENGINEER, "PATCH", "services/old", {"metadata": {"labels": {"team": "a"}}}) == ""


@pytest.mark.parametrize("by", [SUBMITTER, ENGINEER])
@pytest.mark.parametrize(("body", "says"), POLICIES.values(), ids=POLICIES)
def test_a_policy_opens_the_team_to_nobody_else(guarded: Team, unguarded: Team, by: str, body: Body, says: str) -> None:
    _refused(guarded, unguarded, Attack(by, "POST", _POLICIES, body, says))


@pytest.mark.parametrize("name", ["spark-default", "spark-applications", "company-default"])
@pytest.mark.parametrize(
    ("method", "body"),
    [("DELETE", {}), ("PATCH", {"spec": {"podSelector": {"matchLabels": {"no": "pod"}}}})],
    ids=["removed", "emptied"],
)
def test_what_closes_the_namespace_stays(guarded: Team, unguarded: Team, name: str, method: str, body: Body) -> None:
    for team in (guarded, unguarded):
        team.holds(_POLICIES, merged(policy(ingress=[]), {"metadata": {"name": "company-default"}}))
    _refused(guarded, unguarded, Attack(ENGINEER, method, f"{_POLICIES}/{name}", body, _OWN))


def test_a_collection_of_policies_stays(guarded: Team, unguarded: Team) -> None:
    _refused(guarded, unguarded, Attack(ENGINEER, "DELETE", _POLICIES, {}, _OWN))


def test_policies_of_runs_and_of_admins_are_made(guarded: Team) -> None:
    assert guarded.ask(SUBMITTER, "POST", _POLICIES, policy()) == ""
    assert (
        guarded.ask(ENGINEER, "POST", _POLICIES, opened(**{"from": [{"podSelector": {}}]}, ports=[{"port": 1}])) == ""
    )
    assert guarded.ask(ADMIN, "POST", _POLICIES, opened()) == ""


@pytest.mark.parametrize("by", [SUBMITTER, ENGINEER])
@pytest.mark.parametrize(("endpoint", "spec", "field"), MONITORS.values(), ids=MONITORS)
def test_a_monitor_has_prometheus_read_no_secret(
    guarded: Team, unguarded: Team, by: str, endpoint: Body, spec: Body, field: str
) -> None:
    says = "may have Prometheus read Secrets, or others than this namespace's pods; allowed: selector"
    attack = Attack(by, "POST", _MONITORS, monitor(endpoint, **spec), says)
    _refused(guarded, unguarded, attack)
    assert field in guarded.tried(attack)


def test_a_monitor_is_not_turned_into_another(guarded: Team, unguarded: Team) -> None:
    for team in (guarded, unguarded):
        team.holds(_MONITORS, merged(monitor(), {"metadata": {"name": "turned"}}))
    change = {"spec": {"podMetricsEndpoints": [{"port": "spark-ui", "authorization": {"credentials": _SECRET}}]}}
    attack = Attack(ENGINEER, "PATCH", f"{_MONITORS}/turned", change, "PodMonitor with authorization may have")
    _refused(guarded, unguarded, attack)


def test_monitors_of_runs_and_of_admins_are_made(guarded: Team) -> None:
    assert guarded.ask(ENGINEER, "POST", _MONITORS, monitor()) == ""
    assert guarded.ask(ADMIN, "POST", _MONITORS, monitor({"authorization": {"credentials": _SECRET}})) == ""


def _refused(guarded: Team, unguarded: Team, attack: Attack) -> None:
    said = guarded.tried(attack)
    assert f"ValidatingAdmissionPolicy 'kindling-guard-{guarded.name}." in said, said
    assert attack.says in said
    assert "\n" not in said
    assert unguarded.tried(attack) == ""
