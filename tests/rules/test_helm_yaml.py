"""Values files and manifests are read as helm reads them, also where YAML's versions differ."""

import json
from pathlib import Path
from textwrap import dedent

import pytest

from chartproof import Helm, Manifest
from chartproof.engine import Program, Question, Renderer
from chartproof.renders import Renders
from chartproof.scenarios import Scenario
from chartproof.tally import Tally

AS_WRITTEN = dedent("""
    date: 2026-11-21
    moment: 2026-11-21T10:00:00Z
    clock: 12:30
    duration: 1:02:03
    exponent: 1e3
    signed: +1.5E-2
    octal: 0644
    new_octal: 0o644
    no_octal: 0189
    hexadecimal: 0x1F
    binary: -0b11
    thousands: 1_000
    version: 1.10
    dots: 1.2.3
    leading: .5
    switch: y
    country: NO
    off: off
    camel: yEs
    nothing:
    tilde: ~
    equals: =
    merged: {<<: {a: 1}, b: 2}
    80: port
    true: key
    1.5: half
    list: [on, =~, 2026-01-01, null]
    quoted: ["12:30", 'y', "1e3", ""]
    """)


@pytest.fixture
def echo(tmp_path: Path) -> Scenario:
    """A scenario of a chart that renders its values: as JSON in a ConfigMap's data, and as they are written."""
    chart = tmp_path / "echo"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: echo, version: 0.1.0}")
    (chart / "templates/all.yaml").write_text(
        "kind: ConfigMap\nmetadata: {name: echo}\ndata: {json: {{ .Values | toJson | quote }}}\nwritten:"
        + AS_WRITTEN.replace("\n", "\n  ")
    )
    values = tmp_path / "values.yaml"
    values.write_text(AS_WRITTEN)
    return Scenario("echo/values", chart, (values,))


def test_values_of_a_scenario_are_those_that_helm_has(echo: Scenario, helm: Helm) -> None:
    manifest = helm.template(echo.chart, files=echo.files, checked=False)
    helms = json.loads(manifest.one("ConfigMap").body["data"]["json"])
    assert {key: value for key, value in echo.values.items() if value is not None} == {
        key: value for key, value in helms.items() if value is not None
    }
    assert echo.render(helm).manifest.text == manifest.text


def test_objects_are_those_that_kubernetes_has(echo: Scenario) -> None:
    renderer = Renderer()
    answer = renderer.answer(Question(echo.chart, "mine", "team-a"))
    renderer.close()
    assert [resource.body for resource in Manifest(answer.manifest)] == answer.objects != []


def test_a_scenario_that_is_rendered_counts_its_values_files(echo: Scenario) -> None:
    renders = Renders(Program(), tally=Tally(echo.chart.parent))
    echo.render(Helm(renders=renders))
    assert renders.tally.files == set(map(str, echo.files))
