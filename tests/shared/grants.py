"""Rights that count once they are given: an API server judges by a binding only a moment after it took it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from reviews import may
from waiting import wait_until

from chartproof import Cluster

Subject = Mapping[str, str]
"""As a binding names it."""
_DEADLINE_S = 30


def service_account(namespace: str, name: str) -> Subject:
    """A service account."""
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def grant(cluster: Cluster, namespace: str, subjects: Sequence[Subject], rules: Sequence[Mapping[str, Any]]) -> None:
    """Make a Role, bind it, and wait until it counts.

    Args:
        cluster: whose API server judges.
        namespace: of the Role.
        subjects: who get it.
        rules: of the Role; the last of its rights is asked for, and no subject should have that before.
    """
    name = f"granted-{uuid4().hex[:8]}"
    cluster.rbac.create_namespaced_role(namespace, {"metadata": {"name": name}, "rules": rules})
    last = rules[-1]
    wish = f"{last['verbs'][-1]} {last['resources'][-1]}.{last['apiGroups'][-1]}".removesuffix(".")
    bind(cluster, namespace, subjects, f"Role/{name}", wish)


def bind(cluster: Cluster, namespace: str, subjects: Sequence[Subject], role: str, wish: str) -> None:
    """Bind a role that is there, and wait until it counts.

    Args:
        cluster: whose API server judges.
        namespace: where the role is to count.
        subjects: who get it.
        role: its kind and name, "ClusterRole/edit".
        wish: one of its rights, as of ``may``, that no subject should have before.
    """
    kind, _, name = role.partition("/")
    body = {
        "metadata": {"name": f"granted-{uuid4().hex[:8]}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": subjects,
    }
    cluster.rbac.create_namespaced_role_binding(namespace, body)
    wait_until_granted(cluster, namespace, subjects, wish)


def wait_until_granted(
    cluster: Cluster, namespace: str, subjects: Sequence[Subject], *wishes: str, name: str = ""
) -> None:
    """Wait until the API server lets each subject do something.

    Args:
        cluster: whose API server judges.
        namespace: where; "": in the whole cluster.
        subjects: who.
        wishes: what, as of ``may``.
        name: of the one object; "": of any.

    Raises:
        AssertionError: it does not, in time.
    """
    for subject in subjects:
        user, groups = _identity(subject)
        for wish in wishes:
            asked = partial(may, cluster, user, groups, wish, namespace, name)
            wait_until(asked, f"{subject['kind']} {subject['name']} may {wish} in {namespace or 'all'}", _DEADLINE_S)


def _identity(subject: Subject) -> tuple[str, list[str]]:
    """A user, and the groups, that a subject stands for."""
    kind, name = subject["kind"], subject["name"]
    if kind == "User":
        return name, []
    if kind == "Group":
        return "any", [name]
    namespace = subject["namespace"]
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    return f"system:serviceaccount:{namespace}:{name}", groups
