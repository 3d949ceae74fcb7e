"""What chartproof finds uncovered: branches, charts, scenarios, and values that drifted apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chartproof import Helm, HelmError, TemplateError
from chartproof.coverage import Exceptions, gaps
from chartproof.drift import undeclared, unset, unused
from chartproof.engine import Question, Renderer
from chartproof.renders import Renders
from chartproof.scenarios import Scenario, chart_scenarios
from chartproof.tally import Tally

pytest_plugins = ["pytester"]

TEMPLATE = """\
{{- /* {{ if not code }} */ -}}
{{- define "x" -}}{{ if .a }}"}}"{{ else if .b }}b{{ end }}{{- end -}}
# {{ range $i, $v := .Values.list -}}
  {{- with $v }}{{ . }}{{ else }}none{{ end }}
{{- end }}
{{- if .Values.wrong }}{{ fail "wrong" }}{{ end }}
kind: {{ include "x" .Values | default "{{ if }}" | quote }}
"""
BRANCHES = {
    "1: file",
    '2: define "x"',
    "2: if .a",
    "2: else if .b",
    "2: else of if .a",
    "3: range $i, $v := .Values.list",
    "3: else of range $i, $v := .Values.list",
    "4: with $v",
    "4: else of with $v",
    "6: if .Values.wrong",
    "6: else of if .Values.wrong",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of charts that holds one, with a scenario."""
    chart = tmp_path / "charts/sample"
    for name in ("templates", "ci"):
        (chart / name).mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: sample, version: 1.0.0}")
    (chart / "values.yaml").write_text("{a: '', b: '', list: [], wrong: false}")
    (chart / "templates/a.yaml").write_text(TEMPLATE)
    (chart / "ci/01-one-values.yaml").write_text("a: x")
    return chart.parent


@pytest.fixture
def renders(folder: Path) -> Iterator[Renders]:
    """Renders that are tallied."""
    renderer = Renderer()
    yield Renders(renderer, tally=Tally(folder))
    renderer.close()


@pytest.mark.parametrize(
    ("values", "taken"),
    [
        ('{"a": 1}', {"1: file", '2: define "x"', "2: if .a", "3: else of range $i, $v := .Values.list"}),
        (
            '{"b": 1, "list": [0, 1]}',
            BRANCHES - {"2: if .a", "2: else of if .a", "3: else of range $i, $v := .Values.list"},
        ),
    ],
)
def test_a_render_takes_just_the_branches_that_it_runs(
    folder: Path, renders: Renders, values: str, taken: set[str]
) -> None:
    renders.render(Question(folder / "sample", "r", "ns", values=values))
    assert renders.tally.branches == {f"sample/templates/a.yaml:{branch}" for branch in BRANCHES}
    wrong = {"6: if .Values.wrong"}
    expected = (taken | {"6: else of if .Values.wrong"}) - wrong
    assert renders.tally.taken == {f"sample/templates/a.yaml:{branch}" for branch in expected}


def test_a_refused_render_takes_the_branch_that_refuses(folder: Path, renders: Renders) -> None:
    with pytest.raises(HelmError, match="wrong"):
        renders.render(Question(folder / "sample", "r", "ns", values='{"wrong": true}'))
    assert "sample/templates/a.yaml:6: if .Values.wrong" in renders.tally.taken


def test_an_action_needs_no_space_after_its_word(folder: Path, renders: Renders) -> None:
    template = "a: {{ if(eq .Values.a `x`) }}x{{ else }}y{{ end }}{{if.Values.b}}b{{end}}"
    (folder / "sample/templates/a.yaml").write_text(template)
    renders.render(Question(folder / "sample", "r", "ns", values='{"a": "x"}'))
    branches = ["file", "if(eq .Values.a `x`)", "else of if(eq .Values.a `x`)", "if.Values.b", "else of if.Values.b"]
    assert renders.tally.branches == {f"sample/templates/a.yaml:1: {branch}" for branch in branches}
    missed = {f"sample/templates/a.yaml:1: {branch}" for branch in (branches[2], branches[3])}
    assert renders.tally.branches - renders.tally.taken == missed


def test_an_else_of_nothing_is_helms_to_refuse(folder: Path, renders: Renders) -> None:
    (folder / "sample/templates/a.yaml").write_text("a: {{ else }}")
    with pytest.raises(TemplateError, match=r"unexpected \{\{else\}\}"):
        renders.render(Question(folder / "sample", "r", "ns"))


def test_what_no_render_reached_is_told_unless_there_is_a_reason(folder: Path, renders: Renders) -> None:
    values = folder.parent / "values"
    (values / "team").mkdir(parents=True)
    (values / "team/smaple.yaml").write_text("a: x")
    files = [folder / "sample/ci/01-one-values.yaml", values / "team/smaple.yaml"]
    assert gaps(renders.tally, folder, values, Exceptions()) == [
        "no test renders chart sample; write one",
        *(f"no test renders {file}; use it, name it as a scenario or remove it" for file in files),
    ]
    question = Question(folder / "sample", "r", "ns", tuple(files), '{"list": [1]}')
    renders.render(question)
    branches = ["2: else if .b", "2: else of if .a", "4: else of with $v", "6: if .Values.wrong"]
    branches.append("3: else of range $i, $v := .Values.list")
    left = [
        f"no render takes sample/templates/a.yaml:{branch}; test it, remove it or list it with a reason"
        for branch in branches
    ]
    assert sorted(gaps(renders.tally, folder, values, Exceptions())) == sorted(left)
    known = Exceptions({"sample/templates/a.yaml: else of with $v": "x", "sample/templates/a.yaml: file": "x"})
    found = gaps(renders.tally, folder, values, known)
    assert len(found) == len(left)
    assert "the exception 'sample/templates/a.yaml: file' is taken or gone; remove it" in found


def test_an_exception_needs_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "exceptions.yaml"
    file.write_text("branches: {a: ''}")
    with pytest.raises(ValueError, match="branches: 'a' has no reason"):
        Exceptions.read(file)


def test_values_that_drift_apart_are_found(folder: Path, renders: Renders) -> None:
    chart = folder / "sample"
    (chart / "values.yaml").write_text("{a: '', b: '', wrong: false, dead: 1}")
    (chart / "values.schema.json").write_text('{"properties": {"a": {}, "list": {"items": {"properties": {"x": {}}}}}}')
    (chart / "ci/01-one-values.yaml").write_text("{a: x, dead: 2}")
    scenarios = chart_scenarios(folder)
    assert undeclared(chart) == ["list"]
    assert unset(chart, scenarios) == ["list[].x"]
    assert unused(Helm(renders=renders), chart, scenarios) == ["b", "dead", "wrong"]


def test_a_key_with_dots_is_one_key(folder: Path, renders: Renders) -> None:
    (folder / "sample/values.yaml").write_text("{a: {x.y: 1, x.z: 1}}")
    (folder / "sample/ci/01-one-values.yaml").write_text("{a: {x.y: 2, x.z: 1}}")
    (folder / "sample/templates/a.yaml").write_text("a: {{ .Values.a | toJson }}")
    assert unused(Helm(renders=renders), folder / "sample", chart_scenarios(folder)) == ["a.x.z"]


def test_values_of_all_files_of_a_scenario_are_those_with_an_effect(folder: Path, renders: Renders) -> None:
    site = folder.parent / "site.yaml"
    site.write_text("{a: 1, b: 2, list: [1], wrong: true}")
    template = "{{ required `no b` .Values.b }}: [{{ .Values.a }}, {{ .Values.list | toJson }}]"
    (folder / "sample/templates/a.yaml").write_text(template)
    scenario = Scenario("team/sample", folder / "sample", (site, folder / "sample/ci/01-one-values.yaml"))
    assert unused(Helm(renders=renders), folder / "sample", [scenario]) == ["wrong"]


@pytest.mark.parametrize(("kind", "found"), [("library", ["a.b", "d"]), ("application", [])])
def test_what_of_a_library_a_chart_uses_asks_for_its_values(
    tmp_path: Path, helm: Helm, kind: str, found: list[str]
) -> None:
    for chart in (tmp_path / "mine", tmp_path / "other"):
        (chart / "templates").mkdir(parents=True)
        (chart / "values.yaml").write_text("{}\n")
        (chart / "Chart.yaml").write_text(f"{{apiVersion: v2, name: {chart.name}, version: 1.0.0, type: {kind}}}")
    (tmp_path / "mine/templates/a.yaml").write_text('{{- /* .Values.gone */ -}}{{ include "a" . }}')
    (tmp_path / "mine/values.yaml").write_text("c: 1")
    used = '{{ define "a" }}{{ .Values.a.b }}{{ .Values.c }}{{ include "b" . }}{{ end }}'
    used += '{{ define "b" }}{{ .Values.d }}{{ end }}'
    unused = '{{ define "c" }}{{ .Values.e }}{{ end }}'
    (tmp_path / "other/templates/_a.tpl").write_text(used + unused)
    helm.run(["package", str(tmp_path / "other"), "--destination", str(tmp_path / "mine/charts")])
    assert undeclared(tmp_path / "mine") == found


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize(("arguments", "code"), [([], 1), (["-k", "one"], 0), (["tests/test_a.py::test_one"], 0)])
def test_only_a_full_run_fails_for_what_it_left_out(
    pytester: pytest.Pytester, folder: Path, workers: str, arguments: list[str], code: int
) -> None:
    pytester.makeini(f"[pytest]\nrender_tests = tests\ncharts = {folder}\n")
    pytester.mkdir("tests")
    test = 'def test_{}(render):\n    assert render("sample", values={{"a": "{}"}})\n'
    (pytester.path / "tests/test_a.py").write_text(test.format("one", 1) + test.format("two", 2))
    done = pytester.runpytest_subprocess("-p", "chartproof.plugin", "-n", workers, *arguments)
    assert done.ret == code, done.outlines
    made = 1 if arguments else 2
    done.stdout.fnmatch_lines([f"renders: {made} made, 0 found on disk, 0 in memory; 5 of 11 branches"])
    errors = [line for line in done.outlines if line.startswith("ERROR no ")]
    assert len(errors) == (0 if arguments else 7)
