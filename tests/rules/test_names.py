"""The rule on names knows what each kind takes, and what Kubernetes adds to it."""

from collections.abc import Callable

import pytest

from chartproof.checks import Rule
from chartproof.rules.names import names

Said = Callable[[Rule, str], list[str]]


def named(kind: str, name: str) -> str:
    """An object without pods."""
    return f"{{kind: {kind}, metadata: {{name: '{name}'}}}}"


def pod(metadata: str = "", container: str = "") -> str:
    """A pod."""
    return f"{{kind: Pod, metadata: {{name: p, {metadata}}}, spec: {{containers: [{{name: main, {container}}}]}}}}"


@pytest.mark.parametrize(
    "good",
    [
        named("ConfigMap", "a" * 253),
        named("ConfigMap", "a.b-c.d"),
        named("Role", "system:Reader"),
        named("Service", "s" * 63),
        pod("labels: {example.com/Team_a.b: Data-1_x.y, empty: ''}, annotations: {note: any text at all}"),
        pod(container="ports: [{name: http-2, containerPort: 80}, {containerPort: 81}]"),
    ],
)
def test_legal_names_are_fine(said: Said, good: str) -> None:
    assert said(names, good) == []


@pytest.mark.parametrize(
    ("kind", "most"),
    [("Job", 63), ("CronJob", 52), ("StatefulSet", 52)],
)
def test_a_workload_leaves_room_for_what_its_controller_adds(said: Said, kind: str, most: int) -> None:
    template = "template: {spec: {containers: [{name: main}]}}"
    spec = f"jobTemplate: {{spec: {{{template}}}}}" if kind == "CronJob" else template
    name = "a" * most
    assert said(names, f"{{kind: {kind}, metadata: {{name: {name}}}, spec: {{{spec}}}}}") == []
    assert said(names, f"{{kind: {kind}, metadata: {{name: {name}a}}, spec: {{{spec}}}}}") == [
        f"{kind}/{name}a: name '{name}a' has {most + 1} characters, {most} are allowed"
    ]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (named("ConfigMap", "Settings"), "name 'Settings' has a form that Kubernetes refuses"),
        (named("ConfigMap", "a_b"), "name 'a_b' has a form that Kubernetes refuses"),
        (named("ConfigMap", "a" * 254), "has 254 characters, 253 are allowed"),
        (named("Namespace", "team.a"), "name 'team.a' has a form that Kubernetes refuses"),
        (named("Service", "s" * 64), "has 64 characters, 63 are allowed"),
        (named("Service", "1st"), "name '1st' has a form that Kubernetes refuses"),
        (named("Role", "a/b"), "name 'a/b' has a form that Kubernetes refuses"),
        (pod(f"labels: {{team: {'a' * 64}}}"), "has 64 characters, 63 are allowed"),
        (pod("labels: {team: data science}"), "value of label team, 'data science' has a form"),
        (pod("labels: {team: -a}"), "value of label team, '-a' has a form"),
        (pod("labels: {Example.com/team: a}"), "prefix of label 'Example.com' has a form"),
        (pod("labels: {'team!': a}"), "label 'team!' has a form"),
        (pod("labels: {on: true}"), "is True: quote it"),
        (pod("annotations: {replicas: 3}"), "annotation replicas is 3: quote it"),
        (pod(container="ports: [{name: a-name-of-16-chr, containerPort: 80}]"), "has 16 characters, 15 are allowed"),
        (pod(container="ports: [{name: '8080', containerPort: 80}]"), "port '8080' has a form"),
    ],
)
def test_an_illegal_name_is_named(said: Said, bad: str, message: str) -> None:
    (found,) = said(names, bad)
    assert message in found


def test_an_object_that_is_there_twice_is_named(said: Said) -> None:
    twice = "---\n".join([named("Role", "r") + "\n"] * 2)
    assert said(names, twice) == ["Role/r: is in the release 2 times: helm would refuse to install it"]


@pytest.mark.parametrize(
    "metadata",
    [
        ("namespace: a", "namespace: b"),
        ("annotations: {helm.sh/hook: pre-install}", "annotations: {helm.sh/hook: pre-upgrade}"),
    ],
)
def test_two_objects_of_one_name_are_fine_in_two_namespaces_and_at_two_moments(
    said: Said, metadata: tuple[str, str]
) -> None:
    assert said(names, "---\n".join(f"{{kind: Role, metadata: {{name: r, {more}}}}}\n" for more in metadata)) == []


def test_only_a_hook_may_have_its_name_generated(said: Said) -> None:
    metadata = "{generateName: smoke-, annotations: {helm.sh/hook: test}}"
    assert said(names, f"{{kind: ConfigMap, metadata: {metadata}}}") == []
    assert said(names, "{kind: ConfigMap, metadata: {generateName: smoke-}}") == [
        "ConfigMap/smoke-: has no name: helm finds what it installed by name, generateName is for hooks"
    ]
