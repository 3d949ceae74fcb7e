"""Rights that lead to more rights are not given; rights and accounts belong to the release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chartproof.checks import Rendered, Violation
from chartproof.pods import about

_ROLES = ("Role", "ClusterRole")
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_CLUSTER_KINDS = frozenset({"ClusterRole", "ClusterRoleBinding"})
_RBAC = _CLUSTER_KINDS | {"Role", "RoleBinding", "ServiceAccount"}
_VERBS: Mapping[str, str] = {
    "escalate": "it lets a role grow beyond its holder's rights",
    "bind": "it gives out roles that the holder does not have",
    "impersonate": "it is any identity",
}
_RESOURCES: Mapping[str, tuple[frozenset[str], str]] = {
    "serviceaccounts/token": (
        frozenset({"create"}),
        "it is every account of the namespace; name them by resourceNames",
    ),
    "secrets": (frozenset({"list", "watch"}), "it reads all Secrets; get by resourceNames instead"),
    "nodes/proxy": (frozenset(), "it runs commands in every pod of a node"),
    "pods/exec": (frozenset(), "it is every account that a pod of the namespace has"),
    "pods/attach": (frozenset(), "it is every account that a pod of the namespace has"),
    "pods/ephemeralcontainers": (
        frozenset({"update", "patch"}),
        "it is every account that a pod of the namespace has",
    ),
}
"""Resource -> verbs that are refused (none listed: all of them), and why."""
_OF_ONE = ("secrets", "serviceaccounts/token")
"""Resources of which only those that ``resourceNames`` names are meant: one Secret, tokens of one account."""
_OF_KUBERNETES: Mapping[str, str] = {
    "cluster-admin": "it has every right",
    "admin": "it reads all Secrets, runs commands in pods and gives rights on",
    "edit": "it reads all Secrets and runs commands in pods",
}
"""ClusterRoles that every cluster has and that hold what is refused above, and why."""


def rights(rendered: Rendered) -> Iterator[Violation]:
    """No role has a wildcard, or a right that leads to others' rights; none of Kubernetes' own that has is given."""
    for kind in _ROLES:
        for role in rendered.manifest.all(kind):
            for rule in role.body.get("rules") or []:
                for message in _refused(rule):
                    yield Violation("rights", about(role), message)
    for kind in _BINDINGS:
        for binding in rendered.manifest.all(kind):
            role_ref = binding.body["roleRef"]
            if role_ref["kind"] == "ClusterRole" and role_ref["name"] in _OF_KUBERNETES:
                reason = _OF_KUBERNETES[role_ref["name"]]
                yield Violation("rights", about(binding), f"gives ClusterRole {role_ref['name']}: {reason}")


def cluster_roles(rendered: Rendered) -> Iterator[Violation]:
    """No right reaches beyond a namespace."""
    for resource in rendered.manifest:
        if resource.kind in _CLUSTER_KINDS:
            yield Violation("cluster-roles", about(resource), "reaches every namespace: use a Role and a RoleBinding")


def hooks(rendered: Rendered) -> Iterator[Violation]:
    """No account or right is a hook: helm would neither roll it back nor remove it."""
    for resource in rendered.manifest:
        if resource.hook and resource.kind in _RBAC:
            yield Violation(
                "hooks", about(resource), f"is a {resource.hook} hook, which uninstall leaves behind: make it plain"
            )


def _refused(rule: Mapping[str, Any]) -> Iterator[str]:
    verbs = set(rule.get("verbs") or [])
    for field in ("apiGroups", "resources", "verbs", "nonResourceURLs"):
        for value in rule.get(field) or []:
            if "*" in value:
                yield f"{field} has {value!r}: name each one"
    for verb in sorted(verbs & set(_VERBS)):
        yield f"verb {verb} on {', '.join(rule.get('resources') or [])}: {_VERBS[verb]}"
    for resource in rule.get("resources") or []:
        if resource in _RESOURCES:
            if resource in _OF_ONE and rule.get("resourceNames"):
                continue
            refused, reason = _RESOURCES[resource]
            for verb in sorted(verbs & refused if refused else verbs):
                yield f"{verb} on {resource}: {reason}"
