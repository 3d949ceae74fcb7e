"""A release's whole life, from the newest released package to this tree's chart, with each Helm."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import dynamic
from team import SMALL, Team

from chartproof import Cluster, Helm, HelmError, Manifest
from kindling_dev.release import application_charts, build_packages
from kindling_dev.scenarios import last_release
from kindling_dev.settings import ADMIN_NAMESPACE
from kindling_dev.spark_image import DEFAULT_LINE

RELEASES = Path(__file__).parents[1] / "releases"
Uids = dict[tuple[str, str], str]
"""(kind, name) -> uid in the cluster."""


@dataclass(frozen=True)
class Release:
    """A release of some chart and the objects it owns.

    Attributes:
        name, namespace: the release's.
        helm: the program that changes it.
        cluster: where it is.
    """

    name: str
    namespace: str
    helm: Helm
    cluster: Cluster

    def put(self, action: str, chart: Path, values: dict[str, Any]) -> None:
        """Install or upgrade."""
        self.run(action, self.name, str(chart), "--values=-", stdin=yaml.safe_dump(values))

    def roll_back(self, revision: int) -> None:
        """Go back to a revision, as a new one."""
        self.run("rollback", self.name, str(revision))

    def statuses(self) -> list[str]:
        """Status of each revision, oldest first."""
        return [entry["status"] for entry in json.loads(self.run("history", self.name, "--output=json"))]

    def manifest(self) -> Manifest:
        """What helm says the newest revision consists of, hooks apart."""
        return Manifest(self.run("get", "manifest", self.name))

    def uids(self) -> Uids:
        """The objects of the newest revision, each seen in the cluster as the revision has it."""
        resources = dynamic.DynamicClient(self.cluster.api_client).resources  # type: ignore[no-untyped-call]
        found = {}
        for wanted in self.manifest():
            kind = resources.get(api_version=wanted.body["apiVersion"], kind=wanted.kind)
            live = kind.get(name=wanted.name, namespace=wanted.namespace or None).to_dict()
            assert differences(live, wanted.body) == [], f"{wanted.kind}/{wanted.name} is not what the release says"
            found[wanted.kind, wanted.name] = live["metadata"]["uid"]
        return found

    def run(self, *argv: str, stdin: str = "") -> str:
        """Run helm in the release's namespace."""
        return self.helm.run([*argv, "--namespace", self.namespace], stdin)


def differences(live: Any, wanted: Any, path: str = "") -> list[str]:
    """Paths where a live object lacks what is wanted; what the API server added does not count."""
    if isinstance(wanted, dict):
        live = live or {}
        return [found for key in wanted for found in differences(live.get(key), wanted[key], f"{path}.{key}")]
    if isinstance(wanted, list) and len(live or []) == len(wanted):
        pairs = enumerate(zip(live or [], wanted, strict=True))
        return [found for i, (a, b) in pairs for found in differences(a, b, f"{path}[{i}]")]
    return [] if live == wanted else [f"{path}: {live!r}, not {wanted!r}"]


def version(chart: Path) -> tuple[int, ...]:
    """Version of a chart's folder or package, for comparison: (0, 1, 0)."""
    metadata = yaml.safe_load(Helm().run(["show", "chart", str(chart)]))
    return tuple(map(int, metadata["version"].partition("-")[0].split(".")))


@pytest.fixture(scope="session")
def baseline(charts: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The package to come from: of a chart's releases the newest that is no newer than the tree.

    A chart that was never released comes from its own package.
    """
    built = build_packages(charts, tmp_path_factory.mktemp("packages"))

    def find(name: str) -> Path:
        released = {version(package): package for package in RELEASES.glob(f"{name}-*.tgz")}
        fit = [found for found in released if found <= version(charts / name)]
        return released[max(fit)] if fit else next(path for path in built if path.name.startswith(f"{name}-"))

    return find


@pytest.fixture
def release(cluster: Cluster) -> Iterator[Callable[..., Release]]:
    """Name releases that go when the test ends, however it ends."""
    made = []

    def name(name: str, namespace: str, program: str) -> Release:
        made.append(Release(name, namespace, Helm(program, cluster.kubeconfig), cluster))
        return made[-1]

    yield name
    for one in made:
        one.run("uninstall", one.name, "--ignore-not-found")


def test_every_chart_has_its_upgrade_here(charts: Path) -> None:
    released = {chart.name for chart in application_charts(charts) if last_release(chart)}
    assert released == {"spark-namespace", "spark-job"}


@pytest.mark.parametrize(("before", "after"), [("helm", "helm"), ("helm4", "helm4"), ("helm", "helm4")])
def test_a_teams_namespace_is_upgraded_rolled_back_and_kept(
    before: str,
    after: str,
    charts: Path,
    baseline: Callable[[str], Path],
    release: Callable[..., Release],
    new_namespace: Callable[..., str],
    cluster: Cluster,
) -> None:
    name = new_namespace("team", create=False)
    values: dict[str, Any] = {"namespace": {"name": name}}
    release(name, ADMIN_NAMESPACE, before).put("install", baseline("spark-namespace"), values)
    team = release(name, ADMIN_NAMESPACE, after)
    assert team.statuses() == ["deployed"]
    first = team.uids()

    team.put("upgrade", charts / "spark-namespace", values)
    assert team.statuses() == ["superseded", "deployed"]
    same = team.uids()
    assert {key: same[key] for key in first if key in same} == {key: first[key] for key in first if key in same}
    assert ("ServiceAccount", "spark-driver") in same

    changed = values | {
        "podSecurity": {"enforce": "baseline"},
        "global": {"serviceAccounts": {"driver": "other-driver"}, "sparkConf": {"spark.sql.shuffle.partitions": 7}},
    }
    team.put("upgrade", charts / "spark-namespace", changed)
    assert team.statuses() == ["superseded", "superseded", "deployed"]
    assert ("ServiceAccount", "other-driver") in team.uids()
    accounts = {item.metadata.name for item in cluster.core.list_namespaced_service_account(name).items}
    assert accounts == {"default", "other-driver", "spark-executor", "spark-history", "spark-submitter"}
    level = "pod-security.kubernetes.io/enforce"
    assert cluster.core.read_namespace(name).metadata.labels[level] == "baseline"

    team.roll_back(1)
    assert team.statuses() == ["superseded", "superseded", "superseded", "deployed"]
    assert set(team.uids()) == set(first)
    assert team.uids()["Namespace", name] == first["Namespace", name]
    assert cluster.core.read_namespace(name).metadata.labels[level] == "restricted"

    team.run("uninstall", name)
    cluster.wait_for_inventory(name, {"ServiceAccount/default", "ConfigMap/kube-root-ca.crt"}, deadline_s=60)
    assert cluster.core.read_namespace(name).status.phase == "Active"
    with pytest.raises(HelmError, match="not found"):
        team.statuses()


@pytest.mark.long
@pytest.mark.parametrize("program", ["helm", "helm4"])
def test_a_job_runs_once_for_each_change(
    program: str, charts: Path, baseline: Callable[[str], Path], release: Callable[..., Release], team: Team
) -> None:
    before = team.cluster.inventory(team.name)
    values = {**SMALL, "image": {"tag": f"{DEFAULT_LINE.version}-python3"}, "app": {"source": "print('one')"}}
    job = release("hello", team.name, program)
    job.put("install", baseline("spark-job"), values)
    assert job.statuses() == ["deployed"]
    first = job.uids()
    assert printed(team, first) == "one"

    job.put("upgrade", charts / "spark-job", values)
    assert job.statuses() == ["superseded", "deployed"]
    second = job.uids()
    # A chart that gives the pods anything new has another Job with the same values; else it is the same one, untouched.
    assert second == first or not set(jobs(second)) & set(jobs(first))
    assert printed(team, second) == "one"

    job.put("upgrade", charts / "spark-job", values | {"app": {"source": "print('two')"}})
    assert job.statuses() == ["superseded", "superseded", "deployed"]
    third = job.uids()
    assert not set(third.values()) & set(second.values())
    assert printed(team, third) == "two"

    job.roll_back(1)
    assert job.statuses() == ["superseded", "superseded", "superseded", "deployed"]
    fourth = job.uids()
    assert set(fourth) == set(first)
    assert not set(fourth.values()) & set(first.values())
    assert printed(team, fourth) == "one"

    job.run("uninstall", job.name)
    team.cluster.wait_for_inventory(team.name, before, deadline_s=60)
    with pytest.raises(HelmError, match="not found"):
        job.statuses()


def jobs(uids: Uids) -> list[str]:
    """Names of the Jobs among some objects."""
    return [name for kind, name in uids if kind == "Job"]


def printed(team: Team, uids: Uids) -> str:
    """Wait for the end of the one Job among some objects, and until no other's pod is left; what it printed last."""
    (name,) = jobs(uids)
    end = team.end_of("hello")
    assert (end.name, end.succeeded) == (name, True), end
    others = f"app.kubernetes.io/instance=hello,batch.kubernetes.io/job-name!={name}"
    pods = team.cluster.core.list_namespaced_pod
    team.cluster.wait_until_none(
        pods, "the replaced run's pods are gone", 60, namespace=team.name, label_selector=others
    )
    assert len(team.cluster.job_pods(team.name, name)) == 1
    return team.log_of(end).splitlines()[-1]
