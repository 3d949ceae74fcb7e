"""The rules that render again find what shows only then, in charts as others write them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from chartproof import Helm
from chartproof.checks import Rendered, Rule
from chartproof.renders import Renders
from chartproof.rules.again import deterministic, image_registry, name_clashes, secret_canary
from chartproof.scenarios import Scenario

Violations = Callable[[Callable[[Helm], Rule], str, str], list[str]]


@pytest.fixture
def violations(tmp_path: Path, helm: Helm) -> Violations:
    """What a rule says of a chart with one template and these values, installed in the namespace apps."""

    def violations(rule: Callable[[Helm], Rule], template: str, values: str) -> list[str]:
        chart = tmp_path / "mine"
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text("{apiVersion: v2, name: mine, version: 0.1.0}")
        (chart / "values.yaml").write_text(values)
        (chart / "templates/all.yaml").write_text(template)
        manifest = helm.template(chart, release="mine", namespace="apps", checked=False)
        rendered = Rendered(manifest, chart, "mine", "apps")
        return [f"{violation.about}: {violation.message}" for violation in rule(helm)(rendered)]

    return violations


def test_an_object_in_a_namespace_that_is_not_the_releases_clashes(violations: Violations) -> None:
    template = "{kind: RoleBinding, metadata: {name: {{ .Release.Name }}-reader, namespace: kube-system}}"
    assert violations(name_clashes, template, "") == [
        "RoleBinding/mine-reader: has the same name in namespace kube-system in a release of another namespace: "
        "put the namespace into the name"
    ]


@pytest.mark.parametrize(
    "metadata",
    [
        "{name: mine, namespace: {{ .Release.Namespace }}}",
        "{name: mine}",
        "{name: {{ .Release.Namespace }}-mine, namespace: kube-system}",
    ],
)
def test_objects_that_move_with_their_release_do_not_clash(violations: Violations, metadata: str) -> None:
    assert violations(name_clashes, f"{{kind: RoleBinding, metadata: {metadata}}}", "") == []


POD = "{{kind: Pod, metadata: {{name: p}}, spec: {{{spec}, containers: [{{name: main, {container}}}]}}}}"


@pytest.mark.parametrize(
    "spec",
    [
        "imagePullSecrets: [{name: {{ .Values.secret }}}]",
        "volumes: [{name: tls, secret: {secretName: {{ .Values.secret }}}}]",
        "volumes: [{name: all, projected: {sources: [{secret: {name: {{ .Values.secret }}}}]}}]",
    ],
)
def test_a_value_that_names_a_secret_is_none(violations: Violations, spec: str) -> None:
    env = "env: [{name: A, valueFrom: {secretKeyRef: {name: {{ .Values.secret }}, key: a}}}]"
    assert violations(secret_canary, POD.format(spec=spec, container=env), "secret: registry") == []


@pytest.mark.parametrize("shown", ["{{ .Values.password }}", "{{ .Values.password | b64enc }}"])
def test_a_secret_that_a_container_is_given_is_named(violations: Violations, shown: str) -> None:
    template = POD.format(spec="volumes: []", container=f"env: [{{name: LOGIN, value: {shown}}}]")
    assert violations(secret_canary, template, 'password: ""') == ["Pod/p: shows a secret that values give (password)"]


@pytest.mark.parametrize("kind", ["Deployment", "ConfigMap"])
def test_an_image_in_any_text_follows_the_registry(violations: Violations, kind: str) -> None:
    moved = "{{ with .Values.global.imageRegistry }}{{ . }}/{{ end }}app:1"
    fixed = {
        "Deployment": "spec: {template: {spec: {containers: [{name: main, args: [--run=app:1]}]}}}",
        "ConfigMap": "data: {conf: image=app:1}",
    }[kind]
    template = f"{POD.format(spec='volumes: []', container=f'image: {moved}')}\n---\n"
    other = "{{kind: {}, metadata: {{name: other}}, {}}}"
    values = "global: {imageRegistry: ''}"
    assert violations(image_registry, template + other.format(kind, fixed), values) == [
        f"{kind}/other: its text has image app:1, which ignores global.imageRegistry"
    ]


def test_a_render_for_an_api_is_made_again_for_it(tmp_path: Path, helm: Helm) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: mine, version: 0.1.0}")
    name = "{{ .Capabilities.APIVersions.Has `example.com/v1` }}"
    (tmp_path / "templates/all.yaml").write_text(f"{{kind: Role, metadata: {{name: is-{name}}}}}")
    rendered = Scenario("mine", tmp_path, ()).render(helm, apis=("example.com/v1",))
    assert rendered.manifest.one("Role").name == "is-true"
    assert list(deterministic(helm)(rendered)) == []
    assert helm.renders
    asking = Helm(renders=Renders(helm.renders.engine, rules=[deterministic(helm)]))
    assert asking.template(tmp_path, apis=("example.com/v1",)).names() == {("Role", "is-true")}
