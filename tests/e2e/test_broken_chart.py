"""A fault of a chart that only a run can show is found by one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from team import Team

from chartproof import Helm
from chartproof.checks import Rule
from chartproof.scenarios import Scenario
from kindling_dev.spark_image import DEFAULT_LINE


def test_a_program_that_is_not_where_the_pod_looks_for_it(
    team: Team,
    scenario_of: Callable[[str], Scenario],
    edited: Callable[[str, str, str, str], Path],
    rules: list[Rule],
    helm: Helm,
) -> None:
    broken = edited("spark-job", "templates/_driver.tpl", "/opt/kindling/drive.py", "/opt/kindling/driver.py")
    rendered = scenario_of("spark-job/01-python-file").render(helm, chart=broken)
    assert not [str(violation) for rule in rules for violation in rule(rendered)], "a lower tier finds it"
    with_it = replace(team, charts=broken.parent)
    with_it.install("broken", line=DEFAULT_LINE, app={"source": "print('never')"})
    end = with_it.end_of("broken")
    assert not end.succeeded
    assert "/opt/kindling/driver.py" in end.messages[0]
