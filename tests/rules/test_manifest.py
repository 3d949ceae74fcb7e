"""The objects of a manifest are those that helm would install."""

from collections.abc import Callable

import pytest

from chartproof import Manifest
from chartproof.checks import Rule
from chartproof.rules import default_rules
from chartproof.rules.rbac import rights

Said = Callable[[Rule, str], list[str]]

ROLE = "{metadata: {name: r}, rules: [{apiGroups: [''], resources: [secrets], verbs: [list]}]}"


@pytest.mark.parametrize(
    "listed",
    [
        f"{{apiVersion: v1, kind: List, items: [{{apiVersion: v1, kind: Role, {ROLE[1:]}]}}",
        f"{{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleList, items: [{ROLE}]}}",
        f"{{kind: List, items: [{{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleList, items: [{ROLE}]}}]}}",
    ],
)
def test_objects_inside_a_list_are_objects_of_the_release(said: Said, listed: str) -> None:
    assert Manifest(listed).names() == {("Role", "r")}
    assert said(rights, listed) == ["Role/r: list on secrets: it reads all Secrets; get by resourceNames instead"]


def test_an_empty_list_has_no_objects() -> None:
    assert list(Manifest("{apiVersion: v1, kind: List, items: []}")) == []


def test_a_template_without_containers_makes_no_pods(said: Said) -> None:
    sealed = "{kind: SealedSecret, metadata: {name: s}, spec: {template: {metadata: {name: s}, type: Opaque}}}"
    assert Manifest(sealed).workloads() == []
    assert [message for rule in default_rules() for message in said(rule, sealed)] == []


def test_pods_of_custom_resources_are_asked_too(said: Said) -> None:
    rollout = "{kind: Rollout, metadata: {name: web}, spec: {template: {spec: {hostPID: true, containers: []}}}}"
    messages = [message for rule in default_rules() for message in said(rule, rollout)]
    assert "Rollout/web: hostPID is true (restricted: hostNamespaces)" in messages


def test_numbers_in_a_configmap_stop_no_rule(said: Said) -> None:
    config = "{kind: ConfigMap, metadata: {name: c}, data: {port: 8080, password: ~}}"
    assert [message for rule in default_rules() for message in said(rule, config)] == []
