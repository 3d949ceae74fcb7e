"""An upgrade from the released charts changes nothing that Kubernetes refuses, nothing without a changelog entry."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from chartproof import Helm, HelmError, Manifest
from chartproof.checks import Rendered
from chartproof.deltas import changes, entries_above, immutable_changes
from chartproof.scenarios import Scenario
from kindling_dev.scenarios import last_release
from kindling_dev.settings import REPO

CHANGELOG = (REPO / "CHANGELOG.md").read_text()


@pytest.fixture(scope="session")
def smallest(scenarios: list[Scenario]) -> list[Scenario]:
    """Each chart's first scenario: its defaults, and what a chart cannot do without."""
    return list({scenario.chart: scenario for scenario in reversed(scenarios) if "/01-" in scenario.name}.values())


def test_no_upgrade_from_a_released_chart_changes_what_is_immutable(
    scenarios: list[Scenario], renders: dict[str, list[Rendered]], helm: Helm
) -> None:
    upgraded = set()
    for scenario in scenarios:
        if not (release := last_release(scenario.chart)):
            continue
        _, package = release
        after = renders[scenario.name][-1]
        try:
            before = scenario.render(helm, after.kube, chart=package)
        except HelmError:
            continue  # it has values that the released chart does not know: there is no such upgrade
        upgraded.add(scenario.chart)
        assert not [str(violation) for violation in immutable_changes(before, after)], scenario.name
    assert upgraded == {scenario.chart for scenario in scenarios if last_release(scenario.chart)}


def test_what_changes_under_default_values_is_in_the_changelog(smallest: list[Scenario], helm: Helm) -> None:
    assert {scenario.chart for scenario in smallest} == {path.parent for path in REPO.glob("charts/*/ci")}
    for scenario in smallest:
        release = last_release(scenario.chart)
        if not release:
            assert f"* {scenario.chart.name}:" in CHANGELOG, f"{scenario.chart.name} is new: say so in CHANGELOG.md"
            continue
        version, package = release
        changed = changes(scenario.render(helm, chart=package), scenario.render(helm))
        entries = entries_above(CHANGELOG, version, scenario.chart.name)
        assert entries or not changed, (
            f"{scenario.chart.name} changed since {version} ({', '.join(changed)}): "
            f"say so in CHANGELOG.md, in a section above '## {version}'"
        )


Edited = Callable[[str, str, str, str], Path]


def test_a_change_of_the_defaults_is_seen(edited: Edited, smallest: list[Scenario], helm: Helm) -> None:
    (scenario,) = (scenario for scenario in smallest if scenario.chart.name == "spark-namespace")
    chart = edited(
        "spark-namespace", "templates/driver/role.yaml", "watch, create, patch", "watch, create, update, patch"
    )
    assert changes(scenario.render(helm), scenario.render(helm, chart=chart)) == ["~ Role/spark-driver"]


def test_a_new_version_alone_is_no_change(edited: Edited, smallest: list[Scenario], helm: Helm) -> None:
    (scenario,) = (scenario for scenario in smallest if scenario.chart.name == "spark-namespace")
    chart = edited("spark-namespace", "Chart.yaml", "\nversion: 0.", "\nversion: 9.")
    assert changes(scenario.render(helm), scenario.render(helm, chart=chart)) == []


def rendered(text: str) -> Rendered:
    """A render of objects."""
    return Rendered(Manifest(text), Path("charts/mine"), "mine", "team-a")


def test_objects_that_appear_vanish_and_change_are_named() -> None:
    before = rendered("{kind: Role, metadata: {name: a}}\n---\n{kind: Role, metadata: {name: b}, rules: []}")
    after = rendered("{kind: Role, metadata: {name: b}, rules: [{}]}\n---\n{kind: Role, metadata: {name: c}}")
    assert changes(before, after) == ["+ Role/c", "- Role/a", "~ Role/b"]


@pytest.mark.parametrize(
    ("kind", "before", "after", "field"),
    [
        ("Job", "spec: {template: {spec: {a: 1}}}", "spec: {template: {spec: {a: 2}}}", "spec.template"),
        ("Job", "spec: {completions: 1}", "spec: {completions: 2}", "spec.completions"),
        ("Job", "spec: {podFailurePolicy: {rules: []}}", "spec: {}", "spec.podFailurePolicy"),
        ("Deployment", "spec: {selector: {a: b}}", "spec: {selector: {a: c}}", "spec.selector"),
        ("DaemonSet", "spec: {selector: {a: b}}", "spec: {selector: {a: c}}", "spec.selector"),
        ("StatefulSet", "spec: {selector: {a: b}}", "spec: {selector: {}}", "spec.selector"),
        ("StatefulSet", "spec: {serviceName: a}", "spec: {serviceName: b}", "spec.serviceName"),
        ("StatefulSet", "spec: {}", "spec: {volumeClaimTemplates: [{}]}", "spec.volumeClaimTemplates"),
        ("RoleBinding", "roleRef: {name: a}", "roleRef: {name: b}", "roleRef"),
        ("ClusterRoleBinding", "roleRef: {name: a}", "roleRef: {name: b}", "roleRef"),
        ("Service", "spec: {}", "spec: {clusterIP: None}", "spec.clusterIP"),
        ("PersistentVolumeClaim", "spec: {accessModes: [a]}", "spec: {accessModes: [b]}", "spec.accessModes"),
        (
            "PersistentVolumeClaim",
            "spec: {storageClassName: a}",
            "spec: {storageClassName: b}",
            "spec.storageClassName",
        ),
        ("StorageClass", "provisioner: a", "provisioner: b", "provisioner"),
        ("PriorityClass", "value: 1", "value: 2", "value"),
        ("Secret", "type: Opaque", "type: kubernetes.io/tls", "type"),
        ("ConfigMap", "immutable: true, data: {a: b}", "immutable: true, data: {a: c}", "data"),
        ("Secret", "immutable: true, stringData: {a: b}", "immutable: true, stringData: {a: c}", "stringData"),
        ("ConfigMap", "immutable: true", "immutable: false", "immutable"),
        ("Pod", "spec: {containers: [{name: a, args: [x]}]}", "spec: {containers: [{name: a, args: [y]}]}", "spec"),
    ],
)
def test_a_change_that_the_api_server_refuses_is_named(kind: str, before: str, after: str, field: str) -> None:
    old, new = (rendered(f"{{kind: {kind}, metadata: {{name: a}}, {body}}}") for body in (before, after))
    assert [str(violation) for violation in immutable_changes(old, new)] == [
        f"immutable: {kind}/a: {field} cannot change in an upgrade: keep it, or give the object another name"
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "{kind: Job, metadata: {name: a-1}, spec: {template: {a: 1}}}",
            "{kind: Job, metadata: {name: a-2}, spec: {template: {a: 2}}}",
        ),
        (
            "{kind: Job, metadata: {name: a}, spec: {backoffLimit: 1}}",
            "{kind: Job, metadata: {name: a}, spec: {backoffLimit: 2}}",
        ),
        (
            "{kind: Job, metadata: {name: a}, spec: {completionMode: Indexed, completions: 1}}",
            "{kind: Job, metadata: {name: a}, spec: {completionMode: Indexed, completions: 2}}",
        ),
        (
            "{kind: ConfigMap, metadata: {name: a}, data: {a: b}}",
            "{kind: ConfigMap, metadata: {name: a}, data: {a: c}}",
        ),
        ("{kind: ConfigMap, metadata: {name: a}}", "{kind: ConfigMap, metadata: {name: a}, immutable: true}"),
        (
            "{kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: x}]}}",
            "{kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: y}]}}",
        ),
        (
            "{kind: Pod, metadata: {name: a, annotations: {helm.sh/hook: test}}, spec: {containers: []}}",
            "{kind: Pod, metadata: {name: a, annotations: {helm.sh/hook: test}}, spec: {containers: [{name: a}]}}",
        ),
    ],
)
def test_a_change_that_the_api_server_takes_is_fine(before: str, after: str) -> None:
    assert list(immutable_changes(rendered(before), rendered(after))) == []


@pytest.mark.parametrize(
    ("kind", "given", "changed"),
    [
        ("Job", "spec: {completionMode: NonIndexed}", "spec: {completionMode: Indexed}"),
        ("StatefulSet", "spec: {podManagementPolicy: OrderedReady}", "spec: {podManagementPolicy: Parallel}"),
        ("PersistentVolumeClaim", "spec: {volumeMode: Filesystem}", "spec: {volumeMode: Block}"),
        ("StorageClass", "reclaimPolicy: Delete", "reclaimPolicy: Retain"),
        ("StorageClass", "volumeBindingMode: Immediate", "volumeBindingMode: WaitForFirstConsumer"),
        ("PriorityClass", "preemptionPolicy: PreemptLowerPriority", "preemptionPolicy: Never"),
        ("Secret", "type: Opaque", "type: kubernetes.io/basic-auth"),
    ],
)
def test_to_give_what_kubernetes_takes_anyway_is_no_change(kind: str, given: str, changed: str) -> None:
    nothing, default, other = (
        rendered(f"{{kind: {kind}, metadata: {{name: a}}, {body}}}") for body in ("spec: {}", given, changed)
    )
    assert list(immutable_changes(nothing, default)) == list(immutable_changes(default, nothing)) == []
    assert list(immutable_changes(nothing, other))


def test_entries_above_a_version_are_those_of_the_chart() -> None:
    changelog = dedent("""
        # Changelog

        ## Unreleased

        * web: answers
          in colour.
        * db: forgets nothing.

        ## 1.0.0

        * web: answers.
        """)
    assert entries_above(changelog, "1.0.0", "web") == ["web: answers in colour."]
    assert entries_above(changelog.replace("Unreleased", "1.1.0"), "1.0.0", "db") == ["db: forgets nothing."]
    assert entries_above(changelog.replace("web:", "web-console:"), "1.0.0", "web") == []
    with pytest.raises(LookupError, match=r"the changelog has no section '## 0\.9\.0'"):
        entries_above(changelog, "0.9.0", "web")
