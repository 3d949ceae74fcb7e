"""The rule on selectors finds those that select nothing, or select by a version."""

from collections.abc import Callable
from textwrap import dedent

import pytest

from chartproof.checks import Rule
from chartproof.labels import matches
from chartproof.rules.selectors import selectors

Said = Callable[[Rule, str], list[str]]


def web(other: str, labels: str = "app: web", selector: str = "{matchLabels: {app: web}}") -> str:
    """A Deployment whose pods listen on http (8080), beside another object."""
    return dedent(f"""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {{name: web}}
        spec:
          selector: {selector}
          template:
            metadata: {{labels: {{{labels}}}}}
            spec: {{containers: [{{name: main, ports: [{{name: http, containerPort: 8080}}]}}]}}
        ---
        {other}
        """)


def service(selector: str, port: str, namespace: str = "team-a") -> str:
    """A Service."""
    return (
        f"{{apiVersion: v1, kind: Service, metadata: {{name: web, namespace: {namespace}}}, "
        f"spec: {{selector: {selector}, ports: [{port}]}}}}"
    )


def monitor(kind: str, endpoints: str, where: str = "") -> str:
    """A monitor in the namespace monitoring."""
    metadata = "{name: web, namespace: monitoring}"
    spec = f"{{selector: {{matchLabels: {{app: web}}}}, {endpoints}: [{{port: http}}], {where}}}"
    return f"{{kind: {kind}, metadata: {metadata}, spec: {spec}}}"


LABELLED = "{kind: Service, metadata: {name: web, labels: {app: web}}, spec: {ports: [{name: http, port: 80}]}}\n---\n"
IN_TEAM_A = "namespaceSelector: {matchNames: [team-a]}"


@pytest.mark.parametrize(
    "good",
    [
        web(service("{app: web}", "{port: 80, targetPort: http}")),
        web(service("{app: web}", "{port: 80, targetPort: 8080}")),
        web(service("{app: web}", "{port: 8080}")),
        web("{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {type: ExternalName, externalName: db.org}}"),
        web("{kind: NetworkPolicy, metadata: {name: deny}, spec: {podSelector: {}}}"),
        web(
            "{kind: PodMonitor, metadata: {name: web}, spec: {selector: {matchLabels: {app: web}}, "
            "podMetricsEndpoints: [{port: http}]}}"
        ),
        web(monitor("PodMonitor", "podMetricsEndpoints", IN_TEAM_A)),
        web(monitor("PodMonitor", "podMetricsEndpoints", "namespaceSelector: {any: true}")),
        LABELLED + web(monitor("ServiceMonitor", "endpoints", IN_TEAM_A)),
        # a template that a program completes, with its ports
        "{kind: PodMonitor, metadata: {name: web}, spec: {selector: {matchLabels: {app: web}}, "
        "podMetricsEndpoints: [{port: http}]}}\n---\n"
        "{kind: ConfigMap, metadata: {name: web}, data: {pod.json: '{kind: Pod, metadata: {labels: {app: web}}}'}}",
    ],
)
def test_selectors_that_find_their_pods_are_fine(said: Said, good: str) -> None:
    assert said(selectors, good) == []


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            web(service("{app: wbe}", "{port: 80, targetPort: http}")),
            "Service/web: its selector {'matchLabels': {'app': 'wbe'}} matches no pod of the release",
        ),
        (
            web(service("{app: web}", "{port: 8080}", namespace="team-b")),
            "Service/web: its selector {'matchLabels': {'app': 'web'}} matches no pod of the release",
        ),
        (
            web(service("{app: web}", "{port: 80, targetPort: https}")),
            "Service/web: port 'https' is no port of the pods that it selects",
        ),
        (
            web(service("{app: web}", "{port: 80}")),
            "Service/web: port 80 is no port of the pods that it selects",
        ),
        (
            web("", selector="{matchLabels: {app: wbe}}"),
            "Deployment/web: its selector {'matchLabels': {'app': 'wbe'}} matches no pod of the release",
        ),
        (
            web("{kind: PodDisruptionBudget, metadata: {name: web}, spec: {selector: {matchLabels: {app: wbe}}}}"),
            "PodDisruptionBudget/web: its selector {'matchLabels': {'app': 'wbe'}} matches no pod of the release",
        ),
        (
            web("{kind: NetworkPolicy, metadata: {name: web}, spec: {podSelector: {matchLabels: {app: wbe}}}}"),
            "NetworkPolicy/web: its selector {'matchLabels': {'app': 'wbe'}} matches no pod of the release",
        ),
        (
            web(
                "{kind: PodMonitor, metadata: {name: web}, spec: {selector: {matchLabels: {app: web}}, "
                "podMetricsEndpoints: [{port: metrics}]}}"
            ),
            "PodMonitor/web: port 'metrics' is no port of the pods that it selects",
        ),
        (
            web(monitor("PodMonitor", "podMetricsEndpoints")),
            "PodMonitor/web: its selector {'matchLabels': {'app': 'web'}} matches no pod of the release",
        ),
        (
            LABELLED + web(monitor("ServiceMonitor", "endpoints")),
            "ServiceMonitor/web: its selector {'matchLabels': {'app': 'web'}} matches no Service of the release",
        ),
        (
            LABELLED.replace("http", "https") + web(monitor("ServiceMonitor", "endpoints", IN_TEAM_A)),
            "ServiceMonitor/web: port 'http' is no port of the Services that it selects",
        ),
    ],
)
def test_a_selector_that_finds_nothing_is_named(said: Said, bad: str, message: str) -> None:
    assert said(selectors, bad) == [message]


def test_a_port_of_a_sidecar_is_one_of_its_pod_and_one_of_an_init_container_is_none(said: Said) -> None:
    ports = "ports: [{name: proxy, containerPort: 4180}]"
    pod = "{{kind: Pod, metadata: {{name: web, labels: {{app: web}}}}, spec: {{containers: [], initContainers: [{}]}}}}"
    to_proxy = "\n---\n" + service("{app: web}", "{port: 80, targetPort: proxy}")
    assert said(selectors, pod.format(f"{{name: proxy, restartPolicy: Always, {ports}}}") + to_proxy) == []
    assert said(selectors, pod.format(f"{{name: proxy, {ports}}}") + to_proxy) == [
        "Service/web: port 'proxy' is no port of the pods that it selects"
    ]


def test_a_version_in_a_selector_or_on_a_pod_is_named(said: Said) -> None:
    labels = "app: web, helm.sh/chart: web-1.2.3"
    assert said(selectors, web("", labels, f"{{matchLabels: {{{labels}}}}}")) == [
        "Deployment/web: selects by helm.sh/chart, which changes with each version: leave it out",
        "Deployment/web: pods carry helm.sh/chart: each version would replace them",
    ]
    claims = "volumeClaimTemplates: [{metadata: {name: data, labels: {helm.sh/chart: web-1.2.3}}}]"
    assert said(selectors, f"{{kind: StatefulSet, metadata: {{name: db}}, spec: {{template: {{}}, {claims}}}}}") == [
        "StatefulSet/db: its selector {} matches no pod of the release",
        "StatefulSet/db: volume claims carry helm.sh/chart: no upgrade may change them",
    ]
    spread = "{matchExpressions: [{key: app.kubernetes.io/version, operator: Exists}]}"
    rule = f"{{from: [{{podSelector: {spread}}}]}}"
    policy = f"{{kind: NetworkPolicy, metadata: {{name: web}}, spec: {{podSelector: {{}}, ingress: [{rule}]}}}}"
    assert said(selectors, policy) == [
        "NetworkPolicy/web: selects by app.kubernetes.io/version, which changes with each version: leave it out"
    ]


@pytest.mark.parametrize(
    ("expression", "matching"),
    [
        ({"key": "tier", "operator": "In", "values": ["web", "db"]}, True),
        ({"key": "tier", "operator": "In", "values": ["db"]}, False),
        ({"key": "tier", "operator": "NotIn", "values": ["db"]}, True),
        ({"key": "tier", "operator": "NotIn", "values": ["web"]}, False),
        ({"key": "absent", "operator": "NotIn", "values": ["web"]}, True),
        ({"key": "tier", "operator": "Exists"}, True),
        ({"key": "absent", "operator": "Exists"}, False),
        ({"key": "tier", "operator": "DoesNotExist"}, False),
        ({"key": "absent", "operator": "DoesNotExist"}, True),
    ],
)
def test_expressions_match_as_in_kubernetes(expression: dict[str, object], matching: bool) -> None:
    assert matches({"matchExpressions": [expression]}, {"tier": "web"}) is matching


def test_an_unknown_operator_is_an_error() -> None:
    with pytest.raises(ValueError, match="'Gt' is no operator of a label selector; use In"):
        matches({"matchExpressions": [{"key": "tier", "operator": "Gt", "values": ["1"]}]}, {})
