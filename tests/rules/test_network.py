"""Who may talk to whom in a team's namespace: each scenario of spark-namespace, with applications and neighbours."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from team_network import CLOSED, TWELVE, declared, team_of

from chartproof import Helm
from chartproof.reachability import Network, Port, surprises
from chartproof.scenarios import Scenario
from kindling_dev.scenarios import CHARTS, SCENARIOS
from spark_ui_proxy.config import Limits

NAMESPACES = [scenario for scenario in SCENARIOS if scenario.chart.name == "spark-namespace"]


@pytest.mark.check(12)
@pytest.mark.parametrize("scenario", NAMESPACES, ids=lambda scenario: scenario.name)
def test_those_reach_each_other_that_the_matrix_names_and_nobody_else(scenario: Scenario, helm: Helm) -> None:
    team = team_of(scenario, helm)
    assert list(surprises(team.network, team.peers, declared(scenario, team))) == []


@pytest.mark.check(12)
def test_a_closed_namespace_keeps_the_twelve_flows(helm: Helm, scenario_of: Callable[[str], Scenario]) -> None:
    team = team_of(scenario_of(CLOSED), helm)
    verdicts = {
        flow: team.network.allows(team.peers[flow.source], team.peers[flow.target], Port(flow.port, flow.protocol))
        for flow in TWELVE
    }
    assert verdicts == TWELVE


def test_without_any_one_of_its_policies_a_closed_namespace_differs(
    helm: Helm, scenario_of: Callable[[str], Scenario]
) -> None:
    scenario = scenario_of(CLOSED)
    team = team_of(scenario, helm)
    expected = declared(scenario, team)
    needed = [policy for policy in team.network.policies if policy["metadata"].get("name")]
    assert len(needed) == 7, "four of the namespace, one of each release"
    for policy in needed:
        fewer = tuple(one for one in team.network.policies if one is not policy)
        assert list(surprises(Network(fewer), team.peers, expected)), f"{policy['metadata']['name']} does nothing"


def test_the_ports_that_policies_open_are_those_that_spark_listens_on(
    helm: Helm, scenario_of: Callable[[str], Scenario]
) -> None:
    namespace = scenario_of(CLOSED).render(helm)
    submit = namespace.manifest.one("ConfigMap", "spark-defaults").body["data"]["spark-defaults.conf"]
    job = helm.template(CHARTS / "spark-job", values={"app": {"file": "local:///app.py"}}, checked=False)
    for settings in (submit, job.one("ConfigMap").body["data"]["spark.properties"]):
        assert {"spark.driver.port=7078", "spark.blockManager.port=7079"} <= set(settings.splitlines())
    rules = namespace.manifest.one("NetworkPolicy", "spark-applications").body["spec"]["ingress"]
    ((opened,),) = [rule["ports"] for rule in rules]
    # A notebook's further kernels take the next free ones: two each, of eight kernels.
    assert (opened["port"], opened["endPort"]) == (7078, 7095)


def test_policies_open_the_ports_that_the_ui_proxy_asks_drivers_and_history_servers_at(
    helm: Helm, scenario_of: Callable[[str], Scenario]
) -> None:
    limits = Limits()
    asked = [{"port": first, "endPort": last} for first, last in (limits.driver_ports, limits.history_ports)]
    of_namespace = scenario_of(CLOSED).render(helm).manifest.one("NetworkPolicy", "spark-ui")
    of_proxy = scenario_of("spark-ui-proxy/02-all-on").render(helm).manifest.one("NetworkPolicy")
    for rule, *_ in (of_namespace.body["spec"]["ingress"], of_proxy.body["spec"]["egress"]):
        assert [{key: port[key] for key in ("port", "endPort")} for port in rule["ports"]] == asked
