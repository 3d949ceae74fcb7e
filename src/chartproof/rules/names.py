"""Names and labels that Kubernetes takes, for the objects and for what controllers make of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from chartproof.checks import Rendered, Violation
from chartproof.manifest import Resource
from chartproof.pods import about, namespace_of, pods

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_PATH_SEGMENT = re.compile(r"(?!\.{1,2}$)[^/%]+")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PORT = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]*[a-z0-9])?")

_LIMITS: Mapping[str, tuple[int, re.Pattern[str]]] = {
    "Namespace": (63, _LABEL),
    "Service": (63, _SERVICE),
    "Job": (63, _SUBDOMAIN),  # its pods carry the name as a label
    "CronJob": (52, _SUBDOMAIN),  # its Jobs add 11 characters
    "StatefulSet": (52, _SUBDOMAIN),  # its pods carry the name and 11 characters as a label
    "Role": (253, _PATH_SEGMENT),
    "RoleBinding": (253, _PATH_SEGMENT),
    "ClusterRole": (253, _PATH_SEGMENT),
    "ClusterRoleBinding": (253, _PATH_SEGMENT),
}
_OTHERS = (253, _SUBDOMAIN)


def names(rendered: Rendered) -> Iterator[Violation]:
    """Names are there once, fit their kind and what Kubernetes adds; labels, annotations and ports are well formed."""
    for resource in rendered.manifest:
        limit, pattern = _LIMITS.get(resource.kind, _OTHERS)
        problems = list(_metadata(resource.metadata))
        if resource.metadata.get("name"):
            problems = [*_name("name", resource.name, limit, pattern), *problems]
        elif not resource.hook:
            problems.append("has no name: helm finds what it installed by name, generateName is for hooks")
        for problem in problems:
            yield Violation("names", about(resource), problem)
    plain = Counter(_identity(resource, rendered) for resource in rendered.manifest if not resource.hook)
    for (_, kind, _, name), times in plain.items():
        if name and times > 1:
            yield Violation(
                "names", f"{kind}/{name}", f"is in the release {times} times: helm would refuse to install it"
            )
    for pod in pods(rendered):
        problems = list(_metadata(pod.metadata)) if pod.owner.kind != "Pod" else []
        for volume in pod.spec.get("volumes") or []:
            problems += _name("volume", volume["name"], 63, _LABEL)
        for container in pod.containers:
            problems += _name("container", container["name"], 63, _LABEL)
            for port in container.get("ports") or []:
                problems += _name("port", port.get("name", "port"), 15, _PORT)
        for problem in problems:
            yield Violation("names", pod.about, problem)


def _identity(resource: Resource, rendered: Rendered) -> tuple[str, str, str, str]:
    """What is one object to an API server: API group, kind, namespace, name."""
    group = str(resource.body.get("apiVersion", "")).rpartition("/")[0]
    return group, resource.kind, namespace_of(resource, rendered), resource.name


def _metadata(metadata: Mapping[str, Any]) -> Iterator[str]:
    for field in ("labels", "annotations"):
        for key, value in (metadata.get(field) or {}).items():
            prefix, _, name = str(key).rpartition("/")
            if prefix:
                yield from _name(f"prefix of {field[:-1]}", prefix, 253, _SUBDOMAIN)
            yield from _name(field[:-1], name, 63, _QUALIFIED)
            if not isinstance(value, str):
                yield f"{field[:-1]} {key} is {value!r}: quote it"
            elif field == "labels" and value:
                yield from _name(f"value of label {key},", value, 63, _QUALIFIED)


def _name(what: str, text: str, limit: int, pattern: re.Pattern[str]) -> Iterator[str]:
    if len(text) > limit:
        yield f"{what} {text!r} has {len(text)} characters, {limit} are allowed"
    if not pattern.fullmatch(text):
        yield f"{what} {text!r} has a form that Kubernetes refuses ({pattern.pattern})"
