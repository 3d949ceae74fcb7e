"""Many teams on one cluster: the last takes no longer than the first, and nothing stays of those that go."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import pytest
import yaml
from kubernetes import client

from chartproof import Cluster, Helm
from kindling_dev.settings import ADMIN_NAMESPACE, REPO

_ADMINS = f"--namespace={ADMIN_NAMESPACE}"
_TEAM = [f"--values={REPO / 'values' / file}" for file in ("spark-namespace.yaml", "team-b/common.yaml")]
_TEAM += [f"--values={REPO / 'values/team-b/spark-namespace.yaml'}", "--values=-"]
_PEOPLE: dict[str, Any] = {
    "access": {"submitters": {"groups": ["data-engineers"]}, "viewers": {"users": ["vera@example.com"]}},
    "accounts": [{"name": "ci", "role": "submitter"}],
    "network": {"egress": {"closed": True, "apiServer": {"cidrs": ["192.0.2.1/32"]}}},
}
_KUBERNETES_OWN = {"ServiceAccount/default", "ConfigMap/kube-root-ca.crt"}
_DRY_RUNS = 30


@dataclass(frozen=True)
class Crowd:
    """Teams whose names begin alike, and how long helm took for each.

    Attributes:
        prefix: of their names.
        names: of releases and namespaces.
        helm, cluster: as everywhere.
        charts: the charts' folder.
        seconds: of helm's commands, by their name.
    """

    prefix: str
    names: list[str]
    helm: Helm
    cluster: Cluster
    charts: Path
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def each(self, command: str, **values: Any) -> None:
        """Let helm do a thing for each team."""
        for name in self.names:
            argv = [command, name, _ADMINS]
            if command != "uninstall":
                argv += [str(self.charts / "spark-namespace"), *_TEAM]
            given = _PEOPLE | {"namespace": {"name": name, "labels": {"crowd": self.prefix}}} | values
            begin = time.monotonic()
            self.helm.run(argv, yaml.safe_dump(given))
            self.seconds.setdefault(command, []).append(time.monotonic() - begin)

    def growth(self, command: str) -> float:
        """The least time for one of the last tenth of the teams, as a multiple of that for one of the first."""
        some = max(3, len(self.names) // 10)
        return min(self.seconds[command][-some:]) / min(self.seconds[command][:some])

    def pod_seconds(self) -> float:
        """The least time that the API server takes to judge a pod of the first team's driver, without making it."""
        confined = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        spec = {
            "serviceAccountName": "spark-driver",
            "securityContext": {"runAsNonRoot": True, "runAsUser": 185, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "main", "image": "spark", "securityContext": confined}],
        }
        pod = {"metadata": {"name": "asked"}, "spec": spec}
        taken = []
        for _ in range(_DRY_RUNS):
            begin = time.monotonic()
            self.cluster.core.create_namespaced_pod(self.names[0], pod, dry_run="All")
            taken.append(time.monotonic() - begin)
        return min(taken)

    def left(self) -> set[str]:
        """ "Kind/name" of what is there of them outside of their namespaces, with helm's records."""
        api = client.AdmissionregistrationV1Api(self.cluster.api_client)
        listed = {
            "ValidatingAdmissionPolicy": api.list_validating_admission_policy(),
            "ValidatingAdmissionPolicyBinding": api.list_validating_admission_policy_binding(),
            "ClusterRole": self.cluster.rbac.list_cluster_role(),
            "ClusterRoleBinding": self.cluster.rbac.list_cluster_role_binding(),
            "Secret": self.cluster.core.list_namespaced_secret(ADMIN_NAMESPACE),
        }
        names = {f"{kind}/{item.metadata.name}" for kind, items in listed.items() for item in items.items}
        return {name for name in names if self.prefix in name}


@pytest.fixture
def crowd(number: int, cluster: Cluster, cluster_helm: Helm, charts: Path) -> Iterator[Crowd]:
    """Names for a number of teams; what was made of them goes when the test ends, however it ends."""
    prefix = f"many-{uuid4().hex[:6]}"
    found = Crowd(prefix, [f"{prefix}-{index}" for index in range(number)], cluster_helm, cluster, charts)
    yield found
    cluster_helm.run(["uninstall", *found.names, _ADMINS, "--ignore-not-found"])
    for item in cluster.core.list_namespace(label_selector=f"crowd={prefix}").items:
        cluster.core.delete_namespace(item.metadata.name)


@pytest.mark.parametrize("number", [4, pytest.param(100, marks=pytest.mark.long)])
def test_teams_come_change_and_go_without_a_trace(crowd: Crowd, record_property: Callable[[str, object], None]) -> None:
    cluster, names = crowd.cluster, crowd.names
    few = replace(crowd, names=names[:1])
    few.each("install")
    alone = few.pod_seconds()
    replace(crowd, names=names[1:]).each("install")
    among_many = crowd.pod_seconds()
    guards = {name for name in crowd.left() if name.startswith("ValidatingAdmissionPolicy/")}
    assert guards >= {f"ValidatingAdmissionPolicy/kindling-guard-{name}" for name in names}

    crowd.each("upgrade", limits={"default": {"memory": "2Gi"}})
    for name in names:
        (limits,) = cluster.core.list_namespaced_limit_range(name).items
        assert limits.spec.limits[0].default["memory"] == "2Gi"
        assert {"ci", "spark-driver"} <= {
            one.metadata.name for one in cluster.core.list_namespaced_service_account(name).items
        }

    crowd.each("uninstall")
    assert crowd.left() == set()
    for name in names:
        cluster.wait_for_inventory(name, _KUBERNETES_OWN, deadline_s=60)
    for name in names:
        cluster.core.delete_namespace(name)
    of_crowd = f"crowd={crowd.prefix}"
    cluster.wait_until_none(cluster.core.list_namespace, "the end of namespaces", 600, label_selector=of_crowd)

    figures = {
        command: f"{median(taken):.2f} s, growth {crowd.growth(command):.2f}"
        for command, taken in crowd.seconds.items()
    }
    figures["a pod's judgement among all guards to one among few"] = f"{among_many / alone:.2f}"
    for what, figure in figures.items():
        record_property(what, figure)
        print(f"{len(names)} teams: {what}: {figure}")
