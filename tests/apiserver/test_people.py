"""People with their own login do their work with the rights that spark-namespace gives them, and no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from grants import wait_until_granted

from chartproof import Helm
from chartproof.apiserver import ApiServer
from chartproof.scenarios import Scenario

Kubectl = Callable[..., str]
_ANNA, _OTTO = "CORP\\anna", "otto@example.com"


@dataclass(frozen=True)
class Team:
    """A namespace in which Anna may submit and Otto may look."""

    server: ApiServer
    name: str
    kubectl: Kubectl

    def do(self, user: str, *argv: str) -> str:
        """What kubectl says to a person."""
        return self.kubectl(self.server, f"--as={user}", "--as-group=system:authenticated", f"-n{self.name}", *argv)


@pytest.fixture(params=["1.34", "1.24"])
def team(request: pytest.FixtureRequest, peopled: Callable[[str], ApiServer], charts: Path, kubectl: Kubectl) -> Team:
    """One on each version."""
    server, name = peopled(request.param), f"people-{uuid4().hex[:8]}"
    people = [f"--set-string=access.submitters.users={{{_ANNA}}}".replace("\\", "\\\\")]
    people += [f"--set=access.viewers.users={{{_OTTO}}}", f"--set=namespace.name={name}"]
    admins = ["--namespace=kindling-system", "--create-namespace"]
    server.helm().run(
        [
            *("install", name, str(charts / "spark-namespace"), *admins, *people),
            *("--set=global.isolateApplications=true", "--set=guard.rightsWithout={clusterMode}"),
        ]
    )
    users = [{"kind": "User", "name": user} for user in (_ANNA, _OTTO)]
    wait_until_granted(server.cluster, name, users, "list pods")
    return Team(server, name, kubectl)


@pytest.mark.parametrize("program", ["helm", "helm4"])
@pytest.mark.parametrize("name", ["spark-job/04-cluster-mode", "spark-job/05-schedule"])
def test_a_submitter_installs_upgrades_and_removes_a_job(
    team: Team, program: str, name: str, scenario_of: Callable[[str], Scenario]
) -> None:
    scenario = scenario_of(name)
    helm = Helm(program, team.server.kubeconfig, "configmap")
    anna = (f"--kube-as-user={_ANNA}", "--kube-as-group=system:authenticated", f"--namespace={team.name}")
    values = [f"--values={file}" for file in scenario.files]
    helm.run(["install", "mine", str(scenario.chart), *anna, *values])
    helm.run(["upgrade", "mine", str(scenario.chart), *anna, *values, "--set=run.id=again"])
    assert "Job" in helm.run(["get", "manifest", "mine", *anna])
    helm.run(["rollback", "mine", "1", *anna])
    helm.run(["uninstall", "mine", *anna])
    left = set(team.do(_ANNA, "get", "jobs,cronjobs,configmaps", "--output=name").split())
    assert left <= {"configmap/spark-defaults", "configmap/kube-root-ca.crt"}


def test_a_submitter_runs_a_scheduled_job_now_and_kills_it(team: Team) -> None:
    made = team.do(_ANNA, "create", "cronjob", "nightly", "--schedule=0 3 * * *", "--image=busybox:1.37.0")
    assert made == "cronjob.batch/nightly created\n"
    assert team.do(_ANNA, "create", "job", "now", "--from=cronjob/nightly") == "job.batch/now created\n"
    assert "job.batch/now" in team.do(_OTTO, "get", "jobs", "--output=name")
    assert "cannot delete" in team.do(_OTTO, "delete", "job", "now")
    assert team.do(_ANNA, "delete", "job", "now").startswith('job.batch "now" deleted')


@pytest.mark.check(13)
@pytest.mark.parametrize("makes", [True, False], ids=["since 4.2", "older"])
def test_who_submits_may_make_a_network_policy_where_their_spark_does(team: Team, charts: Path, makes: bool) -> None:
    values = [f"--set=submitter.networkPolicies={str(makes).lower()}", "--set=global.isolateApplications=false"]
    argv = ["upgrade", team.name, str(charts / "spark-namespace"), "--namespace=kindling-system", "--reuse-values"]
    team.server.helm().run([*argv, *values])
    api, selector = "networking.k8s.io/v1", {"matchLabels": {"spark-role": "executor"}}
    policy = {"apiVersion": api, "kind": "NetworkPolicy", "metadata": {"name": "pi"}, "spec": {"podSelector": selector}}
    for user in (_ANNA, f"system:serviceaccount:{team.name}:spark-submitter"):
        asked = ("create", "--filename=-", "--dry-run=server", f"--namespace={team.name}", f"--as={user}")
        said = team.kubectl(team.server, *asked, stdin=json.dumps(policy))
        assert (said == "networkpolicy.networking.k8s.io/pi created (server dry run)\n") == makes, said
        assert ('cannot create resource "networkpolicies"' in said) != makes


REFUSED = [
    ["get", "secrets"],
    ["create", "token", "spark-driver"],
    ["create", "rolebinding", "mine", "--role=spark-driver", "--user=anna"],
    ["create", "serviceaccount", "mine"],
    ["get", "pods", "--all-namespaces"],
    ["get", "pods", "--namespace=kindling-system"],
    ["delete", "namespace", "kindling-system"],
]


@pytest.mark.parametrize("user", [_ANNA, _OTTO], ids=["submitter", "viewer"])
def test_what_leads_to_more_is_refused(team: Team, user: str) -> None:
    for argv in REFUSED:
        assert "is forbidden" in team.do(user, *argv), argv
