"""The rules on RBAC find the rights that lead to others, and accounts that helm does not look after."""

from collections.abc import Callable

import pytest

from chartproof.checks import Rule
from chartproof.rules.rbac import cluster_roles, hooks, rights

Said = Callable[[Rule, str], list[str]]


def role(rule: str, kind: str = "Role") -> str:
    """A role with one rule."""
    return f"{{apiVersion: rbac.authorization.k8s.io/v1, kind: {kind}, metadata: {{name: r}}, rules: [{rule}]}}"


@pytest.mark.parametrize(
    "rule",
    [
        '{apiGroups: [""], resources: [pods, pods/log], verbs: [get, list, watch, create, deletecollection]}',
        '{apiGroups: [""], resources: [secrets], resourceNames: [login], verbs: [get]}',
        '{apiGroups: [""], resources: [secrets], resourceNames: [ca], verbs: [get, list, watch, update]}',
        '{apiGroups: [""], resources: [serviceaccounts/token], resourceNames: [alice], verbs: [create]}',
        '{apiGroups: [""], resources: [nodes], verbs: [get]}',
        '{apiGroups: [""], resources: [serviceaccounts], verbs: [create]}',
    ],
)
def test_plain_rights_are_fine(said: Said, rule: str) -> None:
    assert said(rights, role(rule)) == []


@pytest.mark.check(2)
@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ('{apiGroups: [""], resources: [pods], verbs: ["*"]}', "verbs has '*': name each one"),
        ('{apiGroups: [""], resources: ["*"], verbs: [get]}', "resources has '*': name each one"),
        ('{apiGroups: [""], resources: ["*/scale"], verbs: [get]}', "resources has '*/scale': name each one"),
        ('{apiGroups: ["*"], resources: [jobs], verbs: [get]}', "apiGroups has '*': name each one"),
        ('{nonResourceURLs: ["/metrics/*"], verbs: [get]}', "nonResourceURLs has '/metrics/*': name each one"),
        (
            "{resources: [roles], verbs: [escalate]}",
            "verb escalate on roles: it lets a role grow beyond its holder's rights",
        ),
        ("{resources: [roles], verbs: [bind]}", "verb bind on roles: it gives out roles that the holder does not have"),
        ("{resources: [users], verbs: [impersonate]}", "verb impersonate on users: it is any identity"),
        (
            "{resources: [serviceaccounts/token], verbs: [create]}",
            "create on serviceaccounts/token: it is every account of the namespace; name them by resourceNames",
        ),
        (
            "{resources: [secrets], verbs: [list]}",
            "list on secrets: it reads all Secrets; get by resourceNames instead",
        ),
        (
            "{resources: [secrets], verbs: [watch]}",
            "watch on secrets: it reads all Secrets; get by resourceNames instead",
        ),
        ("{resources: [nodes/proxy], verbs: [get]}", "get on nodes/proxy: it runs commands in every pod of a node"),
        (
            "{resources: [pods/exec], verbs: [create]}",
            "create on pods/exec: it is every account that a pod of the namespace has",
        ),
        (
            "{resources: [pods/attach], verbs: [get]}",
            "get on pods/attach: it is every account that a pod of the namespace has",
        ),
        (
            "{resources: [pods/ephemeralcontainers], verbs: [get, patch]}",
            "patch on pods/ephemeralcontainers: it is every account that a pod of the namespace has",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["Role", "ClusterRole"])
def test_a_right_that_leads_to_others_is_named(said: Said, rule: str, message: str, kind: str) -> None:
    assert said(rights, role(rule, kind)) == [f"{kind}/r: {message}"]


@pytest.mark.check(2)
def test_what_reaches_every_namespace_is_named(said: Said) -> None:
    objects = "---\n".join(
        f"{{kind: {kind}, metadata: {{name: r}}}}\n" for kind in ("ClusterRole", "ClusterRoleBinding", "Role")
    )
    message = "reaches every namespace: use a Role and a RoleBinding"
    assert said(cluster_roles, objects) == [f"ClusterRole/r: {message}", f"ClusterRoleBinding/r: {message}"]


@pytest.mark.parametrize("kind", ["ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"])
def test_an_account_or_a_right_in_a_hook_is_named(said: Said, kind: str) -> None:
    hook = f"{{kind: {kind}, metadata: {{name: r, annotations: {{helm.sh/hook: pre-install}}}}}}"
    assert said(hooks, hook) == [f"{kind}/r: is a pre-install hook, which uninstall leaves behind: make it plain"]


def test_a_hook_without_rights_is_fine(said: Said) -> None:
    assert said(hooks, "{kind: Pod, metadata: {name: t, annotations: {helm.sh/hook: test}}}") == []


def binding(name: str, role: str = "ClusterRole", kind: str = "RoleBinding") -> str:
    """A binding to a role."""
    return f"{{kind: {kind}, metadata: {{name: b}}, roleRef: {{kind: {role}, name: {name}}}}}"


@pytest.mark.check(2)
@pytest.mark.parametrize("kind", ["RoleBinding", "ClusterRoleBinding"])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cluster-admin", "it has every right"),
        ("admin", "it reads all Secrets, runs commands in pods and gives rights on"),
        ("edit", "it reads all Secrets and runs commands in pods"),
    ],
)
def test_a_binding_to_a_role_of_kubernetes_that_leads_to_others_is_named(
    said: Said, kind: str, name: str, reason: str
) -> None:
    assert said(rights, binding(name, kind=kind)) == [f"{kind}/b: gives ClusterRole {name}: {reason}"]


def test_a_binding_to_a_plain_role_is_fine(said: Said) -> None:
    assert said(rights, binding("view")) == []
    assert said(rights, binding("edit", role="Role")) == []
