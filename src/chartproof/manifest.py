"""What helm rendered, asked by kind and name, never by position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from chartproof.helm_yaml import HelmLoader


@dataclass(frozen=True)
class Container:
    """A container or init container of a pod spec: ``body`` is the object as rendered."""

    body: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.body["name"])

    @property
    def args(self) -> list[str]:
        """Its arguments."""
        return list(self.body.get("args", []))

    @property
    def env(self) -> dict[str, str]:
        """Its literal variables; those taken from elsewhere are in ``body``."""
        return {entry["name"]: entry["value"] for entry in self.body.get("env", []) if "value" in entry}

    @property
    def mounts(self) -> dict[str, str]:
        """Mount path -> volume name."""
        return {mount["mountPath"]: mount["name"] for mount in self.body.get("volumeMounts", [])}


@dataclass(frozen=True)
class Resource:
    """One object: ``body`` is it as rendered."""

    body: dict[str, Any]

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.body["kind"])

    @property
    def metadata(self) -> dict[str, Any]:
        """Its metadata."""
        return dict(self.body.get("metadata") or {})

    @property
    def name(self) -> str:
        """Its name; with ``generateName``, what that begins with; or ""."""
        return str(self.metadata.get("name") or self.metadata.get("generateName") or "")

    @property
    def namespace(self) -> str:
        """Its namespace, or "" where the manifest gives none."""
        return str(self.metadata.get("namespace", ""))

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return dict(self.metadata.get("labels") or {})

    @property
    def hook(self) -> str:
        """The moments at which helm makes it as a hook, "pre-install,pre-upgrade"; "" for what is no hook."""
        return str((self.metadata.get("annotations") or {}).get("helm.sh/hook") or "")

    @property
    def hook_weight(self) -> int:
        """Where it stands among the hooks of a moment; the lowest is made first."""
        return int((self.metadata.get("annotations") or {}).get("helm.sh/hook-weight") or 0)

    @property
    def has_pod(self) -> bool:
        """Whether it is a pod or makes pods: a Job, a Deployment, any kind that has a template with containers."""
        spec = self.body.get("spec")
        return self.kind == "Pod" or (isinstance(spec, dict) and bool(_template(spec)))

    @property
    def pod(self) -> dict[str, Any]:
        """The pod it is, or the pod template it has: an object with metadata and spec.

        Raises:
            LookupError: it makes no pods.
        """
        if not self.has_pod:
            raise LookupError(f"{self.kind} {self.name} makes no pods")
        return self.body if self.kind == "Pod" else dict(_template(self.body["spec"]))

    @property
    def init_containers(self) -> list[Container]:
        """The init containers of its pod, in order."""
        return [Container(body) for body in self.pod["spec"].get("initContainers") or []]

    @property
    def containers(self) -> list[Container]:
        """The containers of its pod, without init containers, in order."""
        return [Container(body) for body in self.pod["spec"].get("containers") or []]

    def container(self, name: str) -> Container:
        """A container or init container of its pod.

        Raises:
            LookupError: there is none of that name; the message says which there are.
        """
        found = {container.name: container for container in [*self.init_containers, *self.containers]}
        if name not in found:
            raise LookupError(f"{self.kind} {self.name} has no container {name!r}, only {sorted(found)}")
        return found[name]


def _template(spec: dict[str, Any]) -> dict[str, Any]:
    """The pod template of a workload's spec; a SealedSecret's template, say, is of no pod."""
    template: Any = ((spec.get("jobTemplate") or {}).get("spec") or spec).get("template")
    pod = template.get("spec") if isinstance(template, dict) else None
    return template if isinstance(pod, dict) and "containers" in pod else {}


def _unlisted(document: Any) -> list[Any]:
    """A document's objects: itself, or those of a List or RoleList, which helm takes apart too."""
    kind = str(document.get("kind", "")) if isinstance(document, dict) else ""
    if not kind.endswith("List") or not isinstance(document.get("items"), list):
        return [document]
    own = {"apiVersion": document["apiVersion"], "kind": kind.removesuffix("List")} if kind != "List" else {}
    return [body for item in document["items"] if item for body in _unlisted({**own, **item})]


class Manifest:
    """All objects of a render, those inside lists too, in helm's order."""

    def __init__(self, text: str, objects: Sequence[dict[str, Any]] | None = None) -> None:
        """Take what helm printed, and its objects where they are known."""
        self.text = text
        bodies = yaml.load_all(text, Loader=HelmLoader) if objects is None else objects
        self.resources = [Resource(body) for document in bodies if document for body in _unlisted(document)]

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources)

    def names(self) -> set[tuple[str, str]]:
        """(kind, name) of every object."""
        return {(resource.kind, resource.name) for resource in self}

    def workloads(self) -> list[Resource]:
        """Every object that is a pod or makes pods."""
        return [resource for resource in self if resource.has_pod]

    def all(self, kind: str) -> list[Resource]:
        """Every object of a kind."""
        return [resource for resource in self if resource.kind == kind]

    def one(self, kind: str, name: str = "") -> Resource:
        """The object of a kind, and of a name where one is given.

        Raises:
            LookupError: there is none or more than one; the message says what is there.
        """
        found = [resource for resource in self.all(kind) if not name or resource.name == name]
        if len(found) != 1:
            wanted = f"{kind} {name}".strip()
            raise LookupError(f"{len(found)} objects are {wanted!r}; there are {sorted(self.names())}")
        return found[0]
