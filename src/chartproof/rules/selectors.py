"""What selects pods finds some, on a port that they have, and goes on finding them after an upgrade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chartproof.checks import Rendered, Violation
from chartproof.labels import matches
from chartproof.manifest import Resource
from chartproof.pods import LONG_RUNNING, Pod, about, namespace_of, pods

_VERSIONS = frozenset({"helm.sh/chart", "app.kubernetes.io/version", "chart", "version"})


def selectors(rendered: Rendered) -> Iterator[Violation]:
    """Selectors match pods of the release and name no version; named ports exist on the pods that they select."""
    everyone = list(pods(rendered))
    for resource in rendered.manifest:
        who = about(resource)
        for label in sorted(_selected_labels(resource.body) & _VERSIONS):
            yield Violation("selectors", who, f"selects by {label}, which changes with each version: leave it out")
        selector = _pod_selector(resource)
        if selector is None:
            continue
        candidates = [pod for pod in everyone if pod.namespace == namespace_of(resource, rendered)]
        if resource.kind in LONG_RUNNING:
            candidates = [pod for pod in candidates if pod.owner is resource]
        selected = [pod for pod in candidates if matches(selector, pod.labels)]
        if not selected:
            yield Violation("selectors", who, f"its selector {selector} matches no pod of the release")
            continue
        for port in _ports(resource):
            if not any(port in _container_ports(pod) for pod in selected):
                yield Violation("selectors", who, f"port {port!r} is no port of the pods that it selects")
    for pod in everyone:
        if pod.owner.kind != "Pod":
            for label in sorted(set(pod.labels) & _VERSIONS):
                yield Violation("selectors", pod.about, f"pods carry {label}: each version would replace them")


def _pod_selector(resource: Resource) -> Mapping[str, Any] | None:
    """The label selector of an object that must find pods of its own release, if it is one."""
    spec = resource.body.get("spec") or {}
    if resource.kind == "Service":
        return {"matchLabels": spec["selector"]} if spec.get("selector") else None
    if resource.kind == "NetworkPolicy":
        return spec.get("podSelector") or None  # an empty one is for all pods, also those to come
    if resource.kind in LONG_RUNNING or resource.kind in ("PodDisruptionBudget", "PodMonitor"):
        return dict(spec.get("selector") or {})
    return None


def _ports(resource: Resource) -> list[int | str]:
    spec = resource.body["spec"]
    if resource.kind == "Service":
        return [port.get("targetPort", port["port"]) for port in spec.get("ports") or []]
    if resource.kind == "PodMonitor":
        return [endpoint["port"] for endpoint in spec.get("podMetricsEndpoints") or [] if "port" in endpoint]
    return []


def _container_ports(pod: Pod) -> set[int | str]:
    ports = [port for container in pod.containers for port in container.get("ports") or []]
    return {port["containerPort"] for port in ports} | {port["name"] for port in ports if "name" in port}


def _selected_labels(node: Any, field: str = "") -> set[str]:
    """Every label that some selector in an object asks for."""
    if isinstance(node, list):
        return set().union(*(_selected_labels(item, field) for item in node))
    if not isinstance(node, dict):
        return set()
    if field == "matchLabels" or (field == "selector" and all(isinstance(value, str) for value in node.values())):
        return set(node)
    if field == "matchExpressions" and "key" in node and "operator" in node:
        return {node["key"]}
    return set().union(*(_selected_labels(value, key) for key, value in node.items()))
