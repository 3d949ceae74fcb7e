"""Every scenario of the charts lives on a real API server: made, upgraded, rolled back, removed, by both helms.

On the newest Kubernetes a life begins with the last release, where that knows the scenario's values.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from places import Place, kept, place_of
from waiting import wait_until

from chartproof import Helm, HelmError, Manifest
from chartproof.apiserver import ApiServer
from chartproof.checks import Rule
from chartproof.packages import files_of
from chartproof.scenarios import Scenario
from chartproof.values import merged
from kindling_dev.scenarios import SCENARIOS, last_release

Kubectl = Callable[..., str]
_NOT_IN_1_24 = {
    "spark-job/03-all-on": 'initContainers[0]): unknown field "restartPolicy"',  # a sidecar: Kubernetes 1.28
    "spark-notebook/02-all-on": 'initContainers[1]): unknown field "restartPolicy"',  # the same
    "spark-connect/02-all-on": 'initContainers[0]): unknown field "restartPolicy"',  # the same
}
"""Scenario -> what Kubernetes 1.24 does not know of it."""
_HELMS = ("helm", "helm4")


def _cases() -> Iterator[pytest.ParameterSet]:
    """Each scenario meets both versions of Kubernetes and both helms in two lives; what pairs are left is long."""
    for number, scenario in enumerate(SCENARIOS):
        versions = ["1.34", *(["1.24"] if scenario.name not in _NOT_IN_1_24 else [])]
        for version, program in itertools.product(versions, _HELMS):
            needed = len(versions) == 1 or (versions.index(version) + _HELMS.index(program) + number) % 2 == 0
            marks = [] if needed else [pytest.mark.long]
            yield pytest.param(version, scenario, program, marks=marks, id=f"{version}-{scenario.name}-{program}")


def released(scenario: Scenario) -> Path | None:
    """The last release of a scenario's chart, if it knows the values."""
    release = last_release(scenario.chart)
    if not release:
        return None
    _, package = release
    files = files_of(package)
    values = merged(yaml.safe_load(files["values.yaml"]), scenario.values)
    return package if jsonschema_rs.is_valid(json.loads(files["values.schema.json"]), values) else None


def there(server: ApiServer, kubectl: Kubectl, place: Place, manifest: str) -> set[str]:
    """ "kind/name" of the objects of a manifest that the server holds."""
    get = ["get", "--filename=-", f"--namespace={place.namespace}", "--ignore-not-found", "--output=name"]
    return set(kubectl(server, *get, stdin=manifest).split())


@pytest.mark.check(29)
@pytest.mark.parametrize(("version", "scenario", "program"), list(_cases()))
def test_a_scenario_is_made_upgraded_rolled_back_and_removed(
    version: str, scenario: Scenario, program: str, peopled: Callable[[str], ApiServer], kubectl: Kubectl
) -> None:
    server = peopled(version)
    helm = server.helm(program)
    place = place_of(scenario, server, helm)
    of_release = f"--namespace={place.release}"

    def accounts() -> dict[str, str]:
        """uid of each ServiceAccount, but for the one that Kubernetes makes when it comes round to it."""
        listed = server.cluster.core.list_namespaced_service_account(place.namespace).items
        return {account.metadata.name: account.metadata.uid for account in listed if account.metadata.name != "default"}

    def now_there() -> tuple[str, set[str]]:
        """The release's manifest, and "kind/name" of its objects; each is there."""
        manifest = helm.run(["get", "manifest", "life", of_release])
        objects = there(server, kubectl, place, manifest)
        assert len(objects) == len(Manifest(manifest).names())
        return manifest, objects

    chart = str(scenario.chart)
    helm.run(["install", "life", chart, "--dry-run=server", *place.argv])
    before = released(scenario) if version == "1.34" else None
    helm.run(["install", "life", str(before or chart), *place.argv])
    installed, objects = now_there()
    first = accounts()
    pods = server.cluster.core.list_namespaced_pod
    if any(not job.body["spec"].get("suspend") for job in Manifest(installed).all("Job")):
        # The controller makes it, as anyone of the team may: Pod Security and service accounts allow it.
        server.cluster.wait_for(pods, lambda found, _: found, "the run's pod", 180, namespace=place.namespace)
    upgrade = ["upgrade", "life", chart, *place.argv, "--set=global.imageRegistry=mirror.example.com"]
    helm.run(upgrade)
    upgraded = now_there()
    assert "mirror.example.com/" in upgraded[0]
    assert accounts().items() >= first.items()
    helm.run(["rollback", "life", "1", of_release])
    assert now_there() == (installed, objects)
    assert accounts() == first
    if before:
        helm.run(upgrade)
        assert now_there() == upgraded
        assert accounts().items() >= first.items()
    helm.run(["uninstall", "life", of_release])
    server.cluster.wait_until_none(pods, "the end of the run's pods", 180, namespace=place.namespace)

    def left_behind() -> set[str]:
        """What should have gone, or should not have."""
        lives = ((installed, objects), upgraded)
        return {
            name
            for manifest, owned in lives
            for name in there(server, kubectl, place, manifest) ^ (owned & kept(manifest))
        }

    # A claim goes when Kubernetes has seen that its pod is gone.
    wait_until(lambda: not left_behind(), lambda: f"gone, or kept: {left_behind()}", 180)
    # Policies of teams that stay make the server slow.
    helm.run(["uninstall", "team", f"--namespace=admins-of-{place.namespace}", "--ignore-not-found"])


def test_lives_of_the_proxy_have_all_that_operates_it(helm: Helm) -> None:
    lives = [scenario for scenario in SCENARIOS if scenario.chart.name == "spark-ui-proxy"]
    kinds = {one.kind for scenario in lives for one in scenario.render(helm).manifest}
    scaled = {"HorizontalPodAutoscaler", "PodDisruptionBudget"}
    assert {*scaled, "PodMonitor", "ServiceMonitor", "HTTPRoute", "Ingress", "NetworkPolicy"} <= kinds
    assert [scenario for scenario in lives if scenario.values.get("ingress", {}).get("tlsSecretName")]
    assert [scenario for scenario in lives if scenario.values.get("tls", {}).get("secretName")]


def test_each_chart_has_lives_that_begin_with_its_last_release() -> None:
    with_release = {scenario.chart for scenario in SCENARIOS if last_release(scenario.chart)}
    assert {scenario.chart for scenario in SCENARIOS if released(scenario)} == with_release


@pytest.mark.parametrize("program", _HELMS)
@pytest.mark.parametrize(
    "scenario",
    [scenario for scenario in SCENARIOS if scenario.name in _NOT_IN_1_24],
    ids=lambda scenario: scenario.name,
)
def test_kubernetes_1_24_lacks_what_a_scenario_asks_for(
    scenario: Scenario, program: str, peopled: Callable[[str], ApiServer]
) -> None:
    server = peopled("1.24")
    helm = server.helm(program)
    place = place_of(scenario, server, helm)
    with pytest.raises(HelmError, match=re.escape(_NOT_IN_1_24[scenario.name])):
        helm.run(["install", "life", str(scenario.chart), *place.argv])


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "says"),
    [
        (
            "spark-job/05-schedule",
            "templates/cronjob.yaml",
            "schedule: {{ .cron | quote }}",
            'schedule: {{ printf "%s *" .cron | quote }}',
            "expected exactly 5 fields, found 6",
        ),
        (
            "spark-namespace/01-new-namespace",
            "templates/driver/role.yaml",
            "\nrules:\n",
            "\nrules:\n  - {nonResourceURLs: [/metrics], verbs: [get]}\n",
            "namespaced rules cannot apply to non-resource URLs",
        ),
    ],
    ids=["schedule", "role"],
)
def test_a_fault_of_a_chart_that_fits_schemas_and_rules_is_found_by_the_server(
    name: str,
    file: str,
    old: str,
    new: str,
    says: str,
    scenario_of: Callable[[str], Scenario],
    edited: Callable[[str, str, str, str], Path],
    rules: list[Rule],
    helm: Helm,
    peopled: Callable[[str], ApiServer],
) -> None:
    scenario = scenario_of(name)
    broken = edited(scenario.chart.name, file, old, new)
    rendered = scenario.render(helm, chart=broken)
    assert not [str(violation) for rule in rules for violation in rule(rendered)], "a lower tier finds it"
    server = peopled("1.34")
    to_server = server.helm()
    place = place_of(scenario, server, to_server)
    with pytest.raises(HelmError, match=re.escape(says)):
        to_server.run(["install", "life", str(broken), *place.argv])
