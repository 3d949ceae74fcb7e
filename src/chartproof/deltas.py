"""What an upgrade changes, seen in two renders of the same values: what Kubernetes refuses, what is news to users."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from chartproof.checks import Rendered, Violation
from chartproof.manifest import Resource
from chartproof.pods import about, namespace_of

_IMMUTABLE: Mapping[str, tuple[str, ...]] = {
    "Job": (
        "spec.template",
        "spec.selector",
        "spec.completionMode",
        "spec.podFailurePolicy",
        "spec.successPolicy",
        "spec.backoffLimitPerIndex",
        "spec.managedBy",
    ),
    "Deployment": ("spec.selector",),
    "ReplicaSet": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "StatefulSet": (
        "spec.selector",
        "spec.serviceName",
        "spec.podManagementPolicy",
        "spec.volumeClaimTemplates",
    ),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "Service": ("spec.clusterIP",),
    "PersistentVolumeClaim": (
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeMode",
        "spec.volumeName",
        "spec.dataSource",
        "spec.dataSourceRef",
    ),
    "StorageClass": ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    "PriorityClass": ("value", "preemptionPolicy"),
    "RuntimeClass": ("handler",),
    "IngressClass": ("spec.controller",),
    "Secret": ("type",),
}
"""Kind -> fields that the API server lets nobody change (Validate…Update in pkg/apis of Kubernetes 1.34)."""

_DEFAULTS: Mapping[tuple[str, str], Any] = {
    ("Job", "spec.completionMode"): "NonIndexed",
    ("StatefulSet", "spec.podManagementPolicy"): "OrderedReady",
    ("PersistentVolumeClaim", "spec.volumeMode"): "Filesystem",
    ("StorageClass", "reclaimPolicy"): "Delete",
    ("StorageClass", "volumeBindingMode"): "Immediate",
    ("PriorityClass", "preemptionPolicy"): "PreemptLowerPriority",
    ("Secret", "type"): "Opaque",
}
"""Field -> what the API server writes where nothing is given: to give just that is no change."""

_POD_MUTABLE = ("activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations", "schedulingGates")
_ONLY_OF_A_RELEASE = ("helm.sh/chart", "app.kubernetes.io/version")


def immutable_changes(before: Rendered, after: Rendered) -> Iterator[Violation]:
    """The changes of an upgrade that the API server would refuse; hooks are made anew and may change.

    Args:
        before: a render of the released chart.
        after: a render of this one, for the same values.
    """
    old = _objects(before)
    for key, new in _objects(after).items():
        if key in old and not new.hook:
            for field in _changed(old[key].body, new.body):
                message = f"{field} cannot change in an upgrade: keep it, or give the object another name"
                yield Violation("immutable", about(new), message)


def changes(before: Rendered, after: Rendered) -> list[str]:
    """What an upgrade with the same values changes, a line an object: "+ Job/a", "- Job/b", "~ Role/c".

    The labels that name the chart's version are left out: they change with each release.
    """
    old, new = _objects(before), _objects(after)
    lines = [f"+ {about(new[key])}" for key in new.keys() - old.keys()]
    lines += [f"- {about(old[key])}" for key in old.keys() - new.keys()]
    lines += [
        f"~ {about(new[key])}"
        for key in new.keys() & old.keys()
        if _without_version(new[key].body) != _without_version(old[key].body)
    ]
    return sorted(lines)


def entries_above(changelog: str, version: str, about: str) -> list[str]:
    """A changelog's entries ("* spark-job: …") that stand above the section of a version and name a chart.

    Args:
        changelog: Markdown, a section "## 1.2.3" for each version, the newest first.
        version: a released version.
        about: the chart's name.

    Raises:
        LookupError: the changelog has no section for the version.
    """
    above, section, _ = f"{changelog}\n".partition(f"\n## {version}\n")
    if not section:
        raise LookupError(f"the changelog has no section '## {version}': a released version keeps its own")
    entries = re.split(r"^[*-] ", above, flags=re.MULTILINE)[1:]
    named = re.compile(rf"(?<![\w-]){re.escape(about)}(?![\w-])")
    return [" ".join(entry.split()) for entry in entries if named.search(entry)]


def _objects(rendered: Rendered) -> dict[tuple[str, str, str], Resource]:
    return {(r.kind, namespace_of(r, rendered), r.name): r for r in rendered.manifest}


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    kind = new["kind"]
    for field in _IMMUTABLE.get(kind, ()):
        default = _DEFAULTS.get((kind, field))
        if (_at(old, field) or default) != (_at(new, field) or default):
            yield field
    if kind == "Job" and _at(old, "spec.completionMode") != "Indexed":  # an indexed Job may grow
        yield from (f for f in ("spec.completions",) if _at(old, f) != _at(new, f))
    if kind in ("ConfigMap", "Secret") and old.get("immutable"):
        yield from (f for f in ("data", "binaryData", "stringData", "immutable") if old.get(f) != new.get(f))
    if kind == "Pod" and _pod_spec(old) != _pod_spec(new):
        yield "spec"


def _pod_spec(pod: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a pod's spec that nobody may change: all but images and a few fields."""
    spec = {key: value for key, value in pod["spec"].items() if key not in _POD_MUTABLE}
    for field in ("containers", "initContainers"):
        if field in spec:
            spec[field] = [{key: value for key, value in c.items() if key != "image"} for c in spec[field]]
    return spec


def _at(body: Any, path: str) -> Any:
    for key in path.split("."):
        body = (body or {}).get(key)
    return body


def _without_version(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_version(value) for key, value in node.items() if key not in _ONLY_OF_A_RELEASE}
    if isinstance(node, list):
        return [_without_version(item) for item in node]
    return node
