"""Every scenario keeps every rule."""

from copy import deepcopy
from dataclasses import replace

import pytest
import yaml

from chartproof import Helm, Manifest
from chartproof.checks import Rendered
from chartproof.review import Exemption, Review
from chartproof.rules import comparing_rules, default_rules
from chartproof.rules.names import names
from chartproof.rules.selectors import selectors
from chartproof.scenarios import Scenario

HELMS_LIMIT = 53
"""Characters of a release's name."""


@pytest.mark.check(2, 30)
def test_every_scenario_keeps_every_rule_on_every_kubernetes(
    renders: dict[str, list[Rendered]], newest: list[Rendered], exemptions: list[Exemption], helm: Helm
) -> None:
    each, compared = Review(default_rules(), exemptions), Review(comparing_rules(helm), exemptions)
    violations = {
        str(violation) for of_one in renders.values() for rendered in of_one for violation in each.violations(rendered)
    }
    violations |= {str(violation) for rendered in newest for violation in compared.violations(rendered)}
    assert not violations, "\n" + "\n".join(sorted(violations))
    unused = [exemption for exemption in each.unused() if exemption in compared.unused()]
    assert not unused, "remove what nothing needs"


def test_names_are_legal_with_the_longest_name_of_a_release(scenarios: list[Scenario], helm: Helm) -> None:
    longest = "a" * HELMS_LIMIT
    violations = [str(v) for scenario in scenarios for v in names(scenario.render(helm, release=longest))]
    assert not violations


def test_selectors_hold_where_argo_cd_labels_the_objects(newest: list[Rendered], exemptions: list[Exemption]) -> None:
    """Its label tracking writes the Application's name over that of the release, on objects, not on pods' templates."""
    review, violations = Review([selectors], exemptions), []
    for rendered in newest:
        bodies = [deepcopy(resource.body) for resource in rendered.manifest]
        for body in bodies:
            body["metadata"].setdefault("labels", {})["app.kubernetes.io/instance"] = "an-application"
        relabelled = replace(rendered, manifest=Manifest(yaml.safe_dump_all(bodies)))
        violations += [str(violation) for violation in review.violations(relabelled)]
    assert not violations
