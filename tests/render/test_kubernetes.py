"""Every scenario fits the schemas of every Kubernetes that its renders stand for."""

import pytest

from chartproof import Helm
from chartproof.scenarios import Scenario
from chartproof.schemas import bundled, violations
from kindling_dev.kubernetes_versions import RENDERED_AT
from kindling_dev.scenarios import SCENARIOS

STANDS_FOR = bundled().stands_for(RENDERED_AT)
A_USERS_SIDECAR = "].restartPolicy: no such field"
"""The chart makes an init container of a user's sidecar, also where Kubernetes is older than 1.28 and has none."""
WITH_SIDECARS = ("spark-job/03-all-on", "spark-notebook/02-all-on", "spark-connect/02-all-on")


@pytest.mark.parametrize("kube", STANDS_FOR)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_fits_every_kubernetes_that_it_stands_for(helm: Helm, scenario: Scenario, kube: str) -> None:
    found = list(violations(scenario.render(helm, kube), STANDS_FOR[kube]))
    known = [violation for violation in found if A_USERS_SIDECAR in violation.message]
    assert bool(known) == (scenario.name in WITH_SIDECARS and kube in ("1.24", "1.25"))
    assert not [str(violation) for violation in found if violation not in known]
