"""What a pod spec must have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chartproof.checks import Rendered, Rule, Violation
from chartproof.pods import LONG_RUNNING, pods
from chartproof.podsecurity import findings

_ENFORCE = "pod-security.kubernetes.io/enforce"


def pod_security(level: str) -> Rule:
    """Every pod meets the Pod Security level of its namespace.

    Args:
        level: that of namespaces which the render does not make.
    """

    def pod_security(rendered: Rendered) -> Iterator[Violation]:
        """Every pod, in a ConfigMap too, meets the Pod Security level of its namespace."""
        made = {namespace.name: namespace.labels.get(_ENFORCE) for namespace in rendered.manifest.all("Namespace")}
        for pod in pods(rendered):
            asked = made.get(pod.namespace) or level
            for finding in findings(asked, pod.metadata, pod.spec):
                yield Violation("pod-security", pod.about, f"{finding.message} ({asked}: {finding.check})")

    return pod_security


def resources(rendered: Rendered) -> Iterator[Violation]:
    """Every container asks for CPU and memory and has a limit of memory; templates in ConfigMaps are not complete.

    A limit is a request too where there is none, and what a whole pod asks for stands for all its containers.
    """
    for pod in pods(rendered):
        if pod.key:
            continue
        of_pod = _given(pod.spec)
        for container in pod.containers:
            given = of_pod | _given(container)
            for part, name in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
                if not given & {(part, name), ("limits", name)}:
                    yield Violation("resources", pod.about, f"container {container['name']} has no {part}.{name}")


def _given(spec: Mapping[str, Any]) -> set[tuple[str, str]]:
    """What the resources of a pod or container give: ("requests", "cpu")."""
    resources = spec.get("resources") or {}
    return {(part, name) for part in ("requests", "limits") for name in resources.get(part) or {}}


def probes(rendered: Rendered) -> Iterator[Violation]:
    """Every container of a workload without an end says when it is ready and whether it is alive."""
    for pod in pods(rendered):
        if pod.owner.kind not in LONG_RUNNING:
            continue
        for container in pod.spec.get("containers") or []:
            for probe in ("readinessProbe", "livenessProbe"):
                if not container.get(probe):
                    yield Violation("probes", pod.about, f"container {container['name']} has no {probe}")
