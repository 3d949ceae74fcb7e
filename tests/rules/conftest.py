"""What Kindling declares to the rules: its scenarios, what comes from outside of a release, what passes and why."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from chartproof import Helm, Manifest
from chartproof.checks import Rendered, Rule
from chartproof.review import Exemption, external
from chartproof.scenarios import Scenario, chart_scenarios, site_scenarios
from kindling_dev.settings import REPO

KUBES = ("1.24", "1.25", "1.30", "1.37")
"""The Kubernetes versions where templates branch, and the newest."""

SCENARIOS = [
    *chart_scenarios(REPO / "charts"),
    *site_scenarios(REPO / "charts", REPO / "values", {"spark-namespace": "kindling-system"}),
]

_BY_SPARK_NAMESPACE = "spark-namespace makes it; global.serviceAccounts names it in both charts"
_BY_THE_USER = "the scenario's user made it, and names it in values"
_USERS_CONTAINER = "the user's own container: its values say what it asks for"
EXEMPTIONS = [
    external("ServiceAccount", "spark-submitter", _BY_SPARK_NAMESPACE),
    external("ServiceAccount", "spark-driver", _BY_SPARK_NAMESPACE),
    external("ServiceAccount", "submitter", _BY_SPARK_NAMESPACE),
    external("ServiceAccount", "driver", _BY_SPARK_NAMESPACE),
    external("ServiceAccount", "other", _BY_THE_USER),
    external("ConfigMap", "settings", _BY_THE_USER),
    external("PersistentVolumeClaim", "flights", _BY_THE_USER),
    external("Secret", "password", _BY_THE_USER),
    external("Secret", "registry", _BY_THE_USER),
    Exemption("resources", "Job/*", _USERS_CONTAINER, says="container agent has no *"),
    Exemption("resources", "Job/*", _USERS_CONTAINER, says="container prepare has no *"),
    Exemption("name-clashes", "Namespace/team-*", "the team's name, given by namespace.name: a second one is refused"),
]


@pytest.fixture(scope="session")
def exemptions() -> list[Exemption]:
    """What passes nevertheless."""
    return EXEMPTIONS


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
    return {scenario.name: [scenario.render(helm, kube) for kube in KUBES] for scenario in SCENARIOS}


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
