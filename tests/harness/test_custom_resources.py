"""Custom resources that are not bundled: their definitions, as charts and projects give them, say what they take."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chartproof import Helm, Manifest, RuleError
from chartproof.checks import Rendered
from chartproof.engine import Program
from chartproof.renders import Renders, Store
from chartproof.review import Review
from chartproof.schemas import DefinitionError, bundled, fits
from kindling_dev.settings import REPO

NEWEST = bundled().versions[-1]
POD_MONITORS = REPO / "tests/apiserver/world/monitoring.coreos.com_podmonitors.yaml"
BACKUPS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: backups.example.com}
spec:
  group: example.com
  names: {kind: Backup, plural: backups}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [schedule]
              properties:
                schedule: {type: string}
                keep: {type: integer, minimum: 1}
                extra: {type: object, x-kubernetes-preserve-unknown-fields: true}
    - name: v1alpha1
      served: false
      storage: false
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
BACKUP = "{apiVersion: example.com/v1, kind: Backup, metadata: {name: a}, spec: {schedule: '@daily'}}"


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    """A folder as a chart's crds/."""
    folder = tmp_path / "crds"
    folder.mkdir()
    (folder / "backups.yaml").write_text(f"{BACKUPS}---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a}}}}\n")
    return folder


def said(objects: str, *crds: Path) -> list[str]:
    """What the schemas say of some objects on the newest Kubernetes."""
    rendered = Rendered(Manifest(objects), Path("charts/mine"), "mine", "team-a", NEWEST)
    return [f"{v.about}: {v.message.removesuffix(f' on Kubernetes {NEWEST}')}" for v in fits([NEWEST], crds)(rendered)]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("", "", ""),
        ("'@daily'", "'@daily', keep: 3, extra: {a: b}", ""),
        ("'@daily'", "'@daily', kep: 3", "Backup/a: spec.kep: no such field, expected keep"),
        ("'@daily'", "'@daily', keep: 0", "Backup/a: spec.keep: 0 is less than the minimum of 1"),
        ("schedule: '@daily'", "", "Backup/a: spec.schedule: is missing"),
        ("name: a", "name: a, label: {}", "Backup/a: metadata.label: no such field, expected labels"),
        (
            "com/v1",
            "com/v1alpha1",
            "Backup/a: apiVersion 'example.com/v1alpha1' has no kind 'Backup', expected example.com/v1",
        ),
    ],
)
def test_a_custom_resource_takes_what_its_definition_says(backups: Path, old: str, new: str, fault: str) -> None:
    assert said(BACKUP.replace(old, new), backups) == ([fault] if fault else [])


def test_a_custom_resource_without_its_definition_is_no_kind() -> None:
    assert said(BACKUP) == ["Backup/a: apiVersion 'example.com/v1' is of no known group: give the definition of Backup"]


def test_a_projects_own_definition_is_read_as_the_bundled_one_was() -> None:
    catalogue = bundled()
    assert catalogue.with_custom([POD_MONITORS]).custom == catalogue.custom


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [b", "is no YAML: while parsing a flow"),
        (BACKUPS.replace("io/v1", "io/v1beta1"), "a CustomResourceDefinition of apiextensions.k8s.io/v1beta1 is not "),
        (BACKUPS.replace("minimum: 1", "default: 1, dependencies: {}"), "dependencies: {} is in a schema and not "),
    ],
)
def test_a_definition_that_is_not_read_is_named_in_a_line(backups: Path, text: str, fault: str) -> None:
    (backups / "backups.yaml").write_text(text)
    with pytest.raises(DefinitionError) as refusal:
        fits([NEWEST], [backups])
    assert str(refusal.value).startswith(f"{backups / 'backups.yaml'}: {fault}")
    assert "\n" not in str(refusal.value)


def test_a_path_without_definitions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=f"{tmp_path} has no CustomResourceDefinitions; name the file or the "):
        fits([NEWEST], [tmp_path])


def test_a_changed_definition_is_asked_anew(backups: Path, tmp_path: Path) -> None:
    chart = tmp_path / "mine"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: mine, version: 1.0.0}")
    (chart / "templates/backup.yaml").write_text(BACKUP)
    (tmp_path / "store").mkdir()

    def render() -> None:  # as a process of its own
        review = Review([fits([NEWEST], [backups])])
        Helm(renders=Renders(Program(), Store(tmp_path / "store"), [review.violations])).template(chart)

    render()
    (backups / "backups.yaml").write_text(BACKUPS.replace("schedule", "when"))
    with pytest.raises(RuleError, match=r"spec\.schedule: no such field"):
        render()
    shutil.rmtree(backups)
    with pytest.raises(DefinitionError):
        render()
