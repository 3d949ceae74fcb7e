"""chartproof's renders: helm's own answers, once for each question, with helm's refusals as typed errors."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from chartproof import Helm, HelmError, Manifest, RefusedError, RuleError, SchemaError, TemplateError, YamlError
from chartproof.checks import Rendered, Violation
from chartproof.engine import Program, Question, Renderer
from chartproof.renders import Renders, Store
from chartproof.scenarios import Scenario
from chartproof.values import values_of
from kindling_dev.scenarios import SCENARIOS
from kindling_dev.settings import ADMIN_NAMESPACE, REPO

REFUSED: list[dict[str, Any]] = [
    {"app": {}},
    {"driver": {"cores": "two"}},
]

MakeChart = Callable[..., Path]


@pytest.fixture
def make_chart(tmp_path: Path) -> MakeChart:
    """Make a chart of some files; it has values "a" and "list"."""

    def make(**templates: str) -> Path:
        chart = tmp_path / "sample"
        (chart / "templates").mkdir(parents=True, exist_ok=True)
        (chart / "Chart.yaml").write_text("{apiVersion: v2, name: sample, version: 1.0.0}")
        (chart / "values.yaml").write_text("{a: '', list: []}")
        for name, text in templates.items():
            (chart / "templates" / f"{name}.yaml").write_text(text)
        return chart

    return make


@pytest.fixture(params=["program", "renderer"])
def plain_helm(request: pytest.FixtureRequest) -> Iterable[Helm]:
    """helm by its program and by the renderer."""
    if request.param == "program":
        yield Helm()
        return
    renderer = Renderer()
    yield Helm(renders=Renders(renderer))
    renderer.close()


CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: {}}}
"""


TWICE = CONFIG.format("a") + 'data:\n  x: "1"\n  {{ "y" }}: "2"\n  x: "3"\n'


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_renderer_prints_what_helm_template_prints(helm: Helm, scenario: Scenario) -> None:
    fast = helm.template(scenario.chart, release="nightly", namespace=ADMIN_NAMESPACE, files=scenario.files)
    question = Question(scenario.chart, "nightly", ADMIN_NAMESPACE, scenario.files)
    slow = Program().answer(question)
    assert not slow.error
    assert fast.text == slow.manifest
    assert [resource.body for resource in fast] == slow.objects


@pytest.mark.parametrize("values", REFUSED, ids=["fail", "schema"])
def test_the_renderer_is_refused_what_helm_template_is_refused(charts: Path, values: dict[str, Any]) -> None:
    question = Question(charts / "spark-job", "nightly", "team-a", values=json.dumps(values))
    renderer = Renderer()
    fast, slow = renderer.answer(question), Program().answer(question)
    renderer.close()
    assert slow.error
    assert fast.error == slow.error


ODD = {
    "a variable of its own": """\
{{- $_ := dict "a" "x" }}
{{- if true }}{{- $_ = merge (dict "b" "y") $_ }}{{- end }}
data: {a: {{ $_.a }}{{ $_.b }}}
""",
    "one that a range changes": """\
{{- $_ := "" }}{{ range list "x" "y" }}{{ $_ = cat $_ . }}{{ if eq . "x" }}{{ continue }}{{ end }}{{ end }}
data: {a: {{ $_ | quote }}}
""",
    "an empty definition after a full one": """\
{{ define "x" }}full{{ end }}{{ define "x" }} {{- /* nothing */ -}}
{{ end }}data: {a: {{ include "x" . }}}
""",
    "an empty definition before a full one": """\
{{ define "x" }}{{ end }}{{ define "x" }}full{{ end }}data: {a: {{ include "x" . }}}
""",
    "two full definitions": """\
{{ define "x" }}first{{ end }}{{ define "x" }}{{ "second" }}{{ end }}data: {a: {{ include "x" . }}}
""",
    "an empty block": """\
{{ define "x" }}full{{ end }}data: {a: {{ block "x" . }}{{ end }}}
""",
    "a block": """\
data: {a: {{ block "x" . }}own{{ end }}}
""",
    "trimmed branches": """\
data:
{{- with "x" -}}
  {{- if eq . "y" }} {} {{- else if eq . "x" -}} {{ printf " {a: %s}" . }}
  {{- else -}} {} {{- end -}}
{{- else }} {}
{{- end }}
""",
    "a lookup": """\
data: {a: {{ lookup "v1" "Pod" "" "x" | toJson | quote }}, b: {{ kindOf (lookup "v1" "Pod" "" "") }}}
""",
    "braces in text": """\
data: {a: {{ "{{ if }}" | quote }}, b: {{ `}}` | quote }}{{/* {{ end }} */}}}
""",
    "text as a template": """\
data: {a: {{ tpl "{{ $_ := .Values.a }}{{ if not $_ }}x{{ end }}" . }}}
""",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_the_renderer_renders_odd_templates_as_helm_does(make_chart: MakeChart, text: str) -> None:
    question = Question(make_chart(a=CONFIG.format("x") + text), "r", "ns")
    renderer = Renderer()
    fast, slow = renderer.answer(question), Program().answer(question)
    renderer.close()
    assert (fast.error, fast.manifest) == (slow.error, slow.manifest)
    assert "data" in slow.manifest or "multiple definition" in slow.error


def test_the_renderer_refuses_a_library_as_helm_does(make_chart: MakeChart) -> None:
    chart = make_chart(a=CONFIG.format("x"))
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: sample, version: 1.0.0, type: library}")
    renderer = Renderer()
    fast, slow = renderer.answer(Question(chart, "r", "ns")), Program().answer(Question(chart, "r", "ns"))
    renderer.close()
    assert fast.error == slow.error != ""


@pytest.mark.parametrize(("kube", "told"), [("1.24", "v1.24, 1.24"), ("", "v1.37.0, 1.37")])
def test_the_renderer_renders_for_a_version_and_its_apis_as_helm_does(
    make_chart: MakeChart, kube: str, told: str
) -> None:
    version = "{{ with .Capabilities.KubeVersion }}{{ . }}, {{ .Major }}.{{ .Minor }}{{ end }}"
    body = version + ", {{ .Capabilities.HelmVersion.Version }}, {{ .Capabilities.APIVersions.Has `a.example/v1` }}"
    chart = make_chart(a=CONFIG.format("x") + f'data: {{"a": "{body}"}}\n')
    question = Question(chart, "r", "ns", kube=kube, apis=("a.example/v1",))
    renderer = Renderer()
    fast, slow = renderer.answer(question), Program().answer(question)
    renderer.close()
    assert fast.manifest == slow.manifest
    assert f"{told}, v3" in fast.manifest
    assert "true" in fast.manifest


def test_values_win_over_files_and_null_removes_a_default(plain_helm: Helm, make_chart: MakeChart) -> None:
    chart = make_chart(a=CONFIG.format("x") + "data: {{ .Values.map | toJson }}\n")
    (chart / "values.yaml").write_text("map: {a: default, b: default, c: default, d: default}")
    first, second = chart.parent / "1.yaml", chart.parent / "2.yaml"
    first.write_text("map: {b: first, c: first, d: first}")
    second.write_text("map: {c: second, d: null}")
    rendered = plain_helm.template(chart, files=[first, second], values={"map": {"a": None, "e": "value"}})
    assert rendered.one("ConfigMap").body["data"] == {"b": "first", "c": "second", "e": "value"}


@pytest.mark.parametrize(
    ("text", "error", "template", "line", "value"),
    [
        ("\n{{ fail `a is wrong` }}", RefusedError, "sample/templates/a.yaml", 2, ""),
        ("{{ required `give a` .Values.a }}", RefusedError, "sample/templates/a.yaml", 1, ""),
        ("\n\n{{ .Values.a.b.c }}", TemplateError, "sample/templates/a.yaml", 3, ".Values.a.b.c"),
        ("a\n{{ if }}", TemplateError, "sample/templates/a.yaml", 2, ""),
        ("a: b\nc: d: e\n", YamlError, "sample/templates/a.yaml", 2, ""),
        (TWICE, YamlError, "sample/templates/a.yaml", 7, ""),
        (f"{CONFIG.format('b')}---\n{TWICE}", YamlError, "sample/templates/a.yaml", 7, ""),
    ],
    ids=["fail", "required", "execution", "syntax", "yaml", "twice", "twice-in-the-second-object"],
)
def test_a_refusal_names_template_line_and_value(
    plain_helm: Helm, make_chart: MakeChart, text: str, error: type[HelmError], template: str, line: int, value: str
) -> None:
    with pytest.raises(error) as refusal:
        plain_helm.template(make_chart(a=text))
    assert (refusal.value.template, refusal.value.line, refusal.value.value) == (template, line, value)


@pytest.mark.parametrize(
    "keys", ['x: "1"\n  x: "1"', '{x: "1", x: "2"}', 'a: {b: [{c: "1", c: "2"}]}', "80: a\n  80: b"]
)
def test_a_key_that_stands_twice_is_refused_with_its_line(plain_helm: Helm, make_chart: MakeChart, keys: str) -> None:
    text = CONFIG.format("a") + f"data:\n  {keys}\n"
    with pytest.raises(YamlError, match=r"line [0-9]+: key .* already set in map") as refusal:
        plain_helm.template(make_chart(a=text.replace("data:\n  {", "data: {")))
    assert refusal.value.line


def test_a_key_of_two_maps_and_one_over_a_merged_one_pass(plain_helm: Helm, make_chart: MakeChart) -> None:
    text = CONFIG.format("a") + 'data: {<<: {x: "1", z: "2"}, x: "3"}\nother: {x: {x: "4"}}\n'
    body = plain_helm.template(make_chart(a=text)).one("ConfigMap").body
    assert (body["data"], body["other"]) == ({"x": "3", "z": "2"}, {"x": {"x": "4"}})


def test_a_values_file_with_a_key_twice_is_named(tmp_path: Path) -> None:
    file = tmp_path / "twice.yaml"
    file.write_text("a: x\nlist: []\na: y\n")
    with pytest.raises(ValueError, match=r'twice\.yaml: line 3: key "a" already set in map'):
        values_of([file])


def test_a_refusal_by_the_schema_names_each_value(plain_helm: Helm, make_chart: MakeChart) -> None:
    chart = make_chart()
    properties = {"a": {"type": "string"}, "b": {"properties": {"c": {"type": "integer"}}}}
    (chart / "values.schema.json").write_text(json.dumps({"properties": properties}))
    with pytest.raises(SchemaError) as refusal:
        plain_helm.template(chart, values={"a": 1, "b": {"c": "x"}})
    assert set(refusal.value.refused) == {"a", "b/c"}
    assert "want string" in refusal.value.refused["a"]


def test_all_that_a_schema_refuses_in_a_value_is_named(plain_helm: Helm, make_chart: MakeChart) -> None:
    chart = make_chart()
    (chart / "values.schema.json").write_text('{"properties": {"a": {"required": ["b"], "maxProperties": 1}}}')
    with pytest.raises(SchemaError) as refusal:
        plain_helm.template(chart, values={"a": {"c": 1, "d": 2}})
    assert refusal.value.refused.keys() == {"a"}
    assert "missing property 'b'" in refusal.value.refused["a"]
    assert "maxProperties" in refusal.value.refused["a"]


def test_a_warning_is_no_part_of_a_refusal(plain_helm: Helm, make_chart: MakeChart) -> None:
    chart = make_chart(a='{{ fail "a is wrong\\nError: so is b" }}')
    (chart / "link").symlink_to(chart / "values.yaml")  # helm warns of it
    with pytest.raises(RefusedError) as refusal:
        plain_helm.template(chart)
    said = "execution error at (sample/templates/a.yaml:1:3): a is wrong\nError: so is b"
    assert str(refusal.value).startswith(said)


def test_the_same_question_is_rendered_once_and_another_anew(make_chart: MakeChart, tmp_path: Path) -> None:
    chart = make_chart(a=CONFIG.format("{{ .Values.a | quote }}"))
    (tmp_path / "store").mkdir()
    renders = Renders(Program(), Store(tmp_path / "store"))
    helm = Helm(renders=renders)
    helm.template(chart, values={"a": "x"})
    helm.template(chart, values={"a": "x"})
    assert (renders.tally.misses, renders.tally.in_memory) == (1, 1)
    others: list[dict[str, Any]] = [
        {"values": {"a": "y"}},
        {"kube": "1.30"},
        {"release": "other"},
        {"namespace": "n"},
        {"apis": ["a/v1"]},
    ]
    for other in others:
        helm.template(chart, **{"values": {"a": "x"}, **other})
    assert renders.tally.misses == 6
    make_chart(a=CONFIG.format("changed"))
    assert helm.template(chart, values={"a": "x"}).names() == {("ConfigMap", "changed")}


def test_who_changes_an_object_changes_nobody_elses(make_chart: MakeChart) -> None:
    chart, helm = make_chart(a=CONFIG.format("x")), Helm(renders=Renders(Program()))
    helm.template(chart).one("ConfigMap").body["metadata"]["name"] = "y"
    assert helm.template(chart).one("ConfigMap").name == "x"


def test_another_process_finds_what_was_rendered(make_chart: MakeChart, tmp_path: Path) -> None:
    chart = make_chart(a=CONFIG.format("x"), b="{{ if .Values.a }}{{ fail `no a` }}{{ end }}")
    store = Store(tmp_path)
    first, second = Renders(Program(), store), Renders(Program(), store)
    assert Helm(renders=first).template(chart).text == Helm(renders=second).template(chart).text
    for renders in (first, second):
        with pytest.raises(RefusedError, match="no a"):
            Helm(renders=renders).template(chart, values={"a": "x"})
    assert (first.tally.misses, second.tally.misses, second.tally.on_disk) == (2, 0, 2)


def test_pytest_without_its_cache_renders_too(pytester: pytest.Pytester, make_chart: MakeChart) -> None:
    charts = make_chart(a=CONFIG.format("x")).parent
    pytester.makeini(f"[pytest]\ncharts = {charts}\nrender_tests = .\n")
    pytester.makepyfile('def test_it(render):\n    assert render("sample").one("ConfigMap", "x")\n')
    done = pytester.runpytest_subprocess("-p", "chartproof.plugin", "-p", "no:cacheprovider")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["renders: 1 made, 0 found on disk, *", "ERROR chart sample has no scenario; *"])


def no_config_map(rendered: Rendered) -> Iterable[Violation]:
    """No object is a ConfigMap."""
    for resource in rendered.manifest.all("ConfigMap"):
        yield Violation("no_config_map", f"ConfigMap/{resource.name}", f"values were {rendered.values}")


def test_a_render_that_breaks_rules_fails_its_test_unless_it_is_asked_for(make_chart: MakeChart) -> None:
    chart = make_chart(a=CONFIG.format("one") + "---\n" + CONFIG.format("two"))
    helm = Helm(renders=Renders(Program(), rules=[no_config_map]))
    with pytest.raises(RuleError) as broken:
        helm.template(chart, values={"a": "x"})
    assert str(broken.value).splitlines() == [
        "the render breaks rules:",
        "no_config_map: ConfigMap/one: values were {'a': 'x'}",
        "no_config_map: ConfigMap/two: values were {'a': 'x'}",
    ]
    assert len(helm.template(chart, values={"a": "x"}, checked=False).all("ConfigMap")) == 2


def test_rules_are_asked_once_for_each_render(make_chart: MakeChart, tmp_path: Path) -> None:
    asked = []

    def rule(rendered: Rendered) -> Iterable[Violation]:
        asked.append(rendered.values)
        return []

    chart = make_chart(a=CONFIG.format("x"))
    (tmp_path / "store").mkdir()
    for _ in range(2):  # as two processes
        helm = Helm(renders=Renders(Program(), Store(tmp_path / "store"), rules=[rule]))
        for value in ("x", "y", "x"):
            helm.template(chart, values={"a": value})
    assert asked == [{"a": "x"}, {"a": "y"}]


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Pod", "{}"),
        ("Job", "{{template: {{spec: {}}}}}"),
        ("Deployment", "{{template: {{spec: {}}}}}"),
        ("StatefulSet", "{{template: {{spec: {}}}}}"),
        ("DaemonSet", "{{template: {{spec: {}}}}}"),
        ("CronJob", "{{jobTemplate: {{spec: {{template: {{spec: {}}}}}}}}}"),
    ],
)
def test_containers_of_any_workload_are_objects(kind: str, spec: str) -> None:
    main = "{name: main, args: [a], env: [{name: A, value: b}], volumeMounts: [{name: v, mountPath: /v}]}"
    pod = f"{{initContainers: [{{name: before}}], containers: [{main}]}}"
    manifest = Manifest(f"kind: {kind}\nmetadata: {{name: x}}\nspec: {spec.format(pod)}\n---\nkind: ConfigMap\n")
    workload = manifest.workloads()[0]
    assert manifest.workloads() == [manifest.one(kind)]
    assert ([c.name for c in workload.init_containers], [c.name for c in workload.containers]) == (["before"], ["main"])
    container = workload.container("main")
    assert (container.args, container.env, container.mounts) == (["a"], {"A": "b"}, {"/v": "v"})
    assert workload.container("before").name == "before"
    with pytest.raises(LookupError, match="ConfigMap x makes no pods"):
        Manifest("kind: ConfigMap\nmetadata: {name: x}\n").one("ConfigMap").container("main")


def test_the_renderer_is_made_of_the_modules_that_the_pinned_helm_is_made_of() -> None:
    assert shutil.which("chartproof-renderer")
    module = re.compile(r"^\t(\S+) (v\S+)", re.MULTILINE)
    renderer = dict(module.findall((REPO / "src/chartproof/renderer/go.mod").read_text()))
    tools = dict(module.findall((REPO / "ci/tools/go.mod").read_text()))
    assert renderer["helm.sh/helm/v3"]
    assert {name: tools[name] for name in renderer.keys() & tools.keys()} == {
        name: version for name, version in renderer.items() if name in tools
    }
