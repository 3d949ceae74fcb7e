"""Every scenario on every Kubernetes version where templates branch, and what tests of rules share."""

from __future__ import annotations

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
