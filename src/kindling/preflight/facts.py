"""What preflight reads of a cluster. None stands for what the caller may not read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Right:
    """A verb on a resource: ("create", "jobs", "batch"); ``resource`` may be "pods/log".

    ``everywhere`` asks for the right in all namespaces.
    """

    verb: str
    resource: str
    group: str = ""
    everywhere: bool = False

    @property
    def short(self) -> str:
        """The resource without its group: "jobs", "pods in all namespaces"."""
        return self.resource + (" in all namespaces" if self.everywhere else "")

    def __str__(self) -> str:
        name = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {name}" + (" in all namespaces" if self.everywhere else "")


SINCE_GUARD = (1, 30)
"""The Kubernetes that has ValidatingAdmissionPolicies."""


@dataclass(frozen=True)
class Answer:
    """Whether an identity has a right, and whether it should.

    Attributes:
        identity: "you", or the name of a service account.
        needed: True: it must have it; False: it must not.
        allowed: what the API server says; None where the caller may not ask.
    """

    identity: str
    right: Right
    needed: bool
    allowed: bool | None


@dataclass(frozen=True)
class Node:
    """A node that takes pods: what it has for pods, and what they asked for (CPUs, bytes)."""

    name: str
    cpu: Decimal
    memory: Decimal
    cpu_asked: Decimal
    memory_asked: Decimal


@dataclass(frozen=True)
class Quota:
    """A ResourceQuota: name of a resource -> quantity as Kubernetes writes it."""

    name: str
    hard: Mapping[str, str]
    used: Mapping[str, str]


@dataclass(frozen=True)
class Dns:
    """The cluster's name service: the Service's name ("" if there is none) and its ready endpoints."""

    service: str
    endpoints: int


@dataclass(frozen=True)
class Release:
    """A Helm release with objects in the namespace.

    Attributes:
        gone: its objects of kinds that the API server does not have: "PodSecurityPolicy/a (policy/v1beta1)".
        going: those of kinds that Kubernetes 1.25 does not have.
        unread: why what is labelled as a record of one cannot be read; all else is empty then.
    """

    name: str
    namespace: str
    gone: tuple[str, ...]
    going: tuple[str, ...]
    unread: str = ""


@dataclass(frozen=True)
class Readiness:
    """All that was read.

    Attributes:
        version: (major, minor) of the API server; ``version_text`` as it names itself, "v1.34.0".
        namespace_exists: None if that cannot be told.
        pod_security: the namespace's enforced level, "" without one; None if the namespace may not be read.
        policy: the PodSecurityPolicy that drivers may use, "" without one; None if that cannot be told.
        guard: policies of spark-namespace's guard that are in force; None if they may not be listed.
        releases: None if records of releases may not be read.
        default_storage_class: "" if there is none.
        nodes: those that take pods without a toleration; ``other_nodes`` counts those that do not.
        defaults: the limits that a LimitRange gives to containers without: "cpu", "memory".
    """

    namespace: str
    version: tuple[int, int]
    version_text: str
    answers: tuple[Answer, ...]
    namespace_exists: bool | None
    pod_security: str | None
    policy: str | None
    guard: frozenset[str] | None
    releases: tuple[Release, ...] | None
    dns: Dns | None
    default_storage_class: str | None
    nodes: tuple[Node, ...] | None
    other_nodes: int
    quotas: tuple[Quota, ...] | None
    defaults: frozenset[str] | None


@dataclass(frozen=True)
class Check:
    """One judgement: ``state`` is "ok", "warn" or "fail"; ``cure`` one line, "" where nothing is to be done."""

    id: str
    state: str
    what: str
    cure: str = ""
