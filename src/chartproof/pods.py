"""Every pod of a render: pods, pod templates of workloads, and pod templates that programs read from ConfigMaps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from chartproof.checks import Rendered
from chartproof.manifest import Manifest, Resource

LONG_RUNNING = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"})
_MAY_BE_POD = re.compile(r"""\bkind"?\s*:\s*"?Pod\b""")


@dataclass(frozen=True)
class Pod:
    """A pod spec and whose it is.

    Attributes:
        owner: the object that it is part of.
        namespace: where it will run.
        body: metadata and spec.
        key: the ConfigMap's key that holds it, for a program to complete; "" for pods that Kubernetes makes itself.
    """

    owner: Resource
    namespace: str
    body: Mapping[str, Any]
    key: str = ""

    @property
    def about(self) -> str:
        """The object and, for a template in a ConfigMap, its key: "ConfigMap/nightly executor.yaml"."""
        return f"{about(self.owner)} {self.key}".strip()

    @property
    def spec(self) -> Mapping[str, Any]:
        """The pod spec."""
        return dict(self.body.get("spec") or {})

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Metadata of the pod."""
        return dict(self.body.get("metadata") or {})

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels of the pod."""
        return dict(self.metadata.get("labels") or {})

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """Its init containers, containers and ephemeral containers."""
        return [
            container
            for kind in ("initContainers", "containers", "ephemeralContainers")
            for container in self.spec.get(kind) or []
        ]

    @property
    def ports(self) -> list[Mapping[str, Any]]:
        """The container ports of what runs for the pod's life: containers, and init containers that are sidecars."""
        sidecars = [c for c in self.spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
        running = [*sidecars, *(self.spec.get("containers") or [])]
        return [port for container in running for port in container.get("ports") or []]


def about(resource: Resource) -> str:
    """An object as rules name it: "Job/nightly"."""
    return f"{resource.kind}/{resource.name}"


def namespace_of(resource: Resource, rendered: Rendered) -> str:
    """The namespace that an object lands in: its own, or the release's."""
    return resource.namespace or rendered.namespace


def pods(rendered: Rendered) -> Iterator[Pod]:
    """Every pod of a render."""
    for resource in rendered.manifest:
        namespace = namespace_of(resource, rendered)
        if resource.has_pod:
            yield Pod(resource, namespace, resource.pod)
        elif resource.kind == "ConfigMap":
            for key, text in (resource.body.get("data") or {}).items():
                for body in _pods_in(str(text)):
                    yield Pod(resource, namespace, body, key)


def _pods_in(text: str) -> Iterator[Mapping[str, Any]]:
    if not _MAY_BE_POD.search(text):
        return
    try:
        documents = [resource.body for resource in Manifest(text)]
    except yaml.YAMLError:
        return  # a program or a page that only mentions one
    for document in documents:
        if isinstance(document, Mapping) and document.get("kind") == "Pod":
            yield document
