"""What selects pods finds some, on a port that they have, and goes on finding them after an upgrade."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chartproof.checks import Rendered, Violation
from chartproof.labels import matches
from chartproof.manifest import Resource
from chartproof.pods import LONG_RUNNING, Pod, about, namespace_of, pods

_VERSIONS = frozenset({"helm.sh/chart", "app.kubernetes.io/version", "chart", "version"})


@dataclass(frozen=True)
class _Target:
    """A pod or Service that may be selected, with the ports that it is asked for.

    Attributes:
        ports: those that are known; a program that completes a pod may add others.
        is_complete: whether these are all.
    """

    owner: Resource
    namespace: str
    labels: Mapping[str, str]
    ports: Collection[int | str]
    is_complete: bool = True


def selectors(rendered: Rendered) -> Iterator[Violation]:
    """Selectors match pods (a ServiceMonitor's: Services) of the release, on ports that they have; none is a version's.

    No pod or volume claim is labelled with a version either.
    """
    everyone = [
        _Target(pod.owner, pod.namespace, pod.labels, _container_ports(pod), is_complete=not pod.key)
        for pod in pods(rendered)
    ]
    services = [
        _Target(service, namespace_of(service, rendered), service.labels, _service_ports(service))
        for service in rendered.manifest.all("Service")
    ]
    for resource in rendered.manifest:
        selector = _selector(resource)
        if selector is None:
            continue
        what, targets = ("Service", services) if resource.kind == "ServiceMonitor" else ("pod", everyone)
        if resource.kind in LONG_RUNNING:
            targets = [target for target in targets if target.owner is resource]
        selected = [
            target
            for target in targets
            if _reaches(resource, rendered, target.namespace) and matches(selector, target.labels)
        ]
        if not selected:
            message = f"its selector {selector} matches no {what} of the release"
            yield Violation("selectors", about(resource), message)
            continue
        if not all(target.is_complete for target in selected):
            continue
        for port in _ports(resource):
            if not any(port in target.ports for target in selected):
                yield Violation(
                    "selectors", about(resource), f"port {port!r} is no port of the {what}s that it selects"
                )
    yield from _versions(rendered)


def _versions(rendered: Rendered) -> Iterator[Violation]:
    """What is selected by, or labelled with, a version though it stays when the version changes."""
    for resource in rendered.manifest:
        for label in sorted(_selected_labels(resource.body) & _VERSIONS):
            message = f"selects by {label}, which changes with each version: leave it out"
            yield Violation("selectors", about(resource), message)
    for pod in pods(rendered):
        if pod.owner.kind != "Pod":
            for label in sorted(set(pod.labels) & _VERSIONS):
                yield Violation("selectors", pod.about, f"pods carry {label}: each version would replace them")
    for resource in rendered.manifest.all("StatefulSet"):
        for claim in resource.body["spec"].get("volumeClaimTemplates") or []:
            for label in sorted(set(claim["metadata"].get("labels") or {}) & _VERSIONS):
                message = f"volume claims carry {label}: no upgrade may change them"
                yield Violation("selectors", about(resource), message)


def _selector(resource: Resource) -> Mapping[str, Any] | None:
    """The label selector of an object that must find others of its own release, if it is one."""
    spec = resource.body.get("spec") or {}
    if resource.kind == "Service":
        return {"matchLabels": spec["selector"]} if spec.get("selector") else None
    if resource.kind == "NetworkPolicy":
        return spec.get("podSelector") or None  # an empty one is for all pods, also those to come
    if resource.kind in LONG_RUNNING or resource.kind in ("PodDisruptionBudget", "PodMonitor", "ServiceMonitor"):
        return dict(spec.get("selector") or {})
    return None


def _reaches(resource: Resource, rendered: Rendered, namespace: str) -> bool:
    """Whether an object selects in a namespace: its own, or those that a monitor's namespaceSelector names."""
    named = (resource.body.get("spec") or {}).get("namespaceSelector") or {}
    return bool(named.get("any")) or namespace in (named.get("matchNames") or [namespace_of(resource, rendered)])


def _ports(resource: Resource) -> list[int | str]:
    spec = resource.body["spec"]
    if resource.kind == "Service":
        return [port.get("targetPort", port["port"]) for port in spec.get("ports") or []]
    endpoints = [*(spec.get("podMetricsEndpoints") or []), *(spec.get("endpoints") or [])]
    return [endpoint["port"] for endpoint in endpoints if "port" in endpoint]


def _container_ports(pod: Pod) -> set[int | str]:
    return {port["containerPort"] for port in pod.ports} | {port["name"] for port in pod.ports if "name" in port}


def _service_ports(service: Resource) -> set[int | str]:
    """The names: a ServiceMonitor asks for no other."""
    return {port["name"] for port in service.body["spec"].get("ports") or [] if "name" in port}


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
