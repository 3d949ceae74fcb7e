"""Every scenario on every Kubernetes version where templates branch, and what tests of rules share."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from chartproof import Helm, Manifest
from chartproof.checks import Rendered, Rule
from chartproof.scenarios import Scenario
from kindling_dev.kubernetes_versions import RENDERED_AT
from kindling_dev.scenarios import SCENARIOS


@pytest.fixture(scope="session")
def scenarios() -> list[Scenario]:
    """Every scenario of the repository."""
    return SCENARIOS


@pytest.fixture(scope="session")
def newest(renders: dict[str, list[Rendered]]) -> list[Rendered]:
    """Every scenario on the newest Kubernetes."""
    return [of_one[-1] for of_one in renders.values()]


@pytest.fixture(scope="session")
def renders(helm: Helm) -> dict[str, list[Rendered]]:
    """Every scenario, by name, on every Kubernetes version where templates branch."""
    return {scenario.name: [scenario.render(helm, kube) for kube in RENDERED_AT] for scenario in SCENARIOS}


@pytest.fixture(scope="session")
def said() -> Callable[[Rule, str], list[str]]:
    """What a rule says of objects that are installed in the namespace team-a: "Job/nightly: …"."""

    def said(rule: Rule, objects: str) -> list[str]:
        rendered = Rendered(Manifest(objects), Path("charts/mine"), "mine", "team-a")
        return [f"{violation.about}: {violation.message}" for violation in rule(rendered)]

    return said


@pytest.fixture
def edited(charts: Path, tmp_path: Path) -> Callable[[str, str, str, str], Path]:
    """A copy of a chart with a text of a file replaced ("": the new one is appended); the library is a folder in it."""

    def edited(chart: str, file: str, old: str, new: str) -> Path:
        copy = tmp_path / chart
        shutil.copytree(charts / chart, copy, ignore=shutil.ignore_patterns("*.tgz"))
        shutil.copytree(charts / "spark-common", copy / "charts/spark-common")
        text = (copy / file).read_text()
        assert old in text, f"{chart}/{file} has no {old!r} any more: edit what it has"
        (copy / file).write_text(text.replace(old, new) if old else text + new)
        return copy

    return edited
