"""What helm rendered, asked by kind and name, never by position."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times quicker, where libyaml is there


@dataclass(frozen=True)
class Container:
    """A container of a pod spec: ``body`` is the object as rendered."""

    body: dict[str, Any]

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
    def name(self) -> str:
        """Its name."""
        return str(self.body["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace, or "" where the manifest gives none."""
        return str(self.body["metadata"].get("namespace", ""))

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return dict(self.body["metadata"].get("labels") or {})

    @property
    def pod(self) -> dict[str, Any]:
        """The pod it is, or the pod template it has: an object with metadata and spec."""
        if self.kind == "Pod":
            return self.body
        spec = self.body["spec"]
        return dict((spec.get("jobTemplate", {}).get("spec", {}) or spec)["template"])

    def container(self, name: str) -> Container:
        """A container of its pod.

        Raises:
            LookupError: there is none of that name; the message says which there are.
        """
        containers = {c["name"]: c for c in self.pod["spec"]["containers"]}
        if name not in containers:
            raise LookupError(f"{self.kind} {self.name} has no container {name!r}, only {sorted(containers)}")
        return Container(containers[name])


class Manifest:
    """All objects of a render, in helm's order."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.resources = [Resource(body) for body in yaml.load_all(text, Loader=_LOADER) if body]

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources)

    def names(self) -> set[tuple[str, str]]:
        """(kind, name) of every object."""
        return {(resource.kind, resource.name) for resource in self}

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
