"""Every scenario keeps every rule."""

import pytest

from chartproof import Helm
from chartproof.checks import Rendered
from chartproof.review import Exemption, Review
from chartproof.rules import comparing_rules, default_rules
from chartproof.rules.names import names
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
