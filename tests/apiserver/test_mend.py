"""A release that holds a PodSecurityPolicy, when its cluster goes from Kubernetes 1.24 to 1.34."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from chartproof import Helm, HelmError
from chartproof.apiserver import ApiServer
from chartproof.apiserver.server import api_server
from kindling_dev.scenarios import CHARTS

Kindling = Callable[..., "subprocess.CompletedProcess[str]"]
_ADMINS = "--namespace=kindling-system"
_CHART = str(CHARTS / "spark-namespace")
_POLICY = "PodSecurityPolicy/spark-{} (policy/v1beta1)"


@dataclass(frozen=True)
class Tenant:
    """A release of spark-namespace, named after its namespace, and how helm keeps it."""

    name: str
    program: str
    driver: str

    def helm(self, server: ApiServer) -> Helm:
        """The helm that keeps it."""
        return replace(server.helm(self.program), driver=self.driver)

    def install(self, server: ApiServer) -> None:
        """Install it and upgrade it once: two revisions hold the policy."""
        helm = self.helm(server)
        helm.run(["install", self.name, _CHART, _ADMINS, "--create-namespace", f"--set=namespace.name={self.name}"])
        helm.run(["upgrade", self.name, _CHART, _ADMINS, "--reuse-values", "--set=driver.statefulSets=true"])

    def upgrade(self, server: ApiServer) -> str:
        """Upgrade it with the values that it has."""
        return self.helm(server).run(["upgrade", self.name, _CHART, _ADMINS, "--reuse-values"])

    def uninstall(self, server: ApiServer) -> str:
        """Remove it."""
        return self.helm(server).run(["uninstall", self.name, _ADMINS])


TENANTS = [
    Tenant(f"{program}-{driver}", program, driver)
    for program in ("helm", "helm4")
    for driver in ("secret", "configmap")
]
LEAVING = [
    tenant for tenant in TENANTS if (tenant.program, tenant.driver) in (("helm", "secret"), ("helm4", "configmap"))
]
"""Of those, uninstall is tried first; of the others, upgrade."""


@pytest.fixture
def moved(
    apiserver_programs: Path, tmp_path: Path, kindling: Kindling
) -> Iterator[tuple[ApiServer, dict[str, dict[str, Any]]]]:
    """The cluster after its move, and what preflight said of it before."""
    data = tmp_path / "etcd"
    with api_server("1.24", apiserver_programs / "1.24", tmp_path / "old", data=data) as old:
        for tenant in TENANTS:
            tenant.install(old)
        before = {tenant.name: of_releases(kindling, old, tenant.name) for tenant in TENANTS}
    with api_server("1.34", apiserver_programs / "1.34", tmp_path / "new", data=data) as new:
        yield new, before


def of_releases(kindling: Kindling, server: ApiServer, namespace: str) -> dict[str, Any]:
    """What preflight says of the release of a namespace, and its exit code."""
    done = kindling(server, "preflight", "-n", namespace, "--json")
    (check,) = [check for check in json.loads(done.stdout)["checks"] if check["id"] == "releases"]
    return {**check, "code": done.returncode}


@pytest.mark.check(10)
def test_a_release_with_a_policy_survives_the_move_to_a_kubernetes_without(
    moved: tuple[ApiServer, dict[str, dict[str, Any]]], kindling: Kindling
) -> None:
    server, before = moved
    for tenant in TENANTS:
        held = _POLICY.format(tenant.name)
        assert before[tenant.name]["state"] == "warn"
        assert f"{held}, which Kubernetes 1.25 does not have" in before[tenant.name]["what"]
        assert "--set podSecurity.mode=psa" in before[tenant.name]["cure"]
        with pytest.raises(HelmError, match=r"no matches for kind|failed to delete release"):
            tenant.uninstall(server) if tenant in LEAVING else tenant.upgrade(server)

        found = of_releases(kindling, server, tenant.name)
        assert (found["code"], found["state"]) == (1, "fail")
        assert f"holds {held}, which this Kubernetes does not have" in found["what"]
        assert found["cure"] == f"kindling mend {tenant.name} -n kindling-system"

        done = kindling(server, *found["cure"].split()[1:], "--json")
        assert done.returncode == 0, done.stderr
        revisions = [entry["revision"] for entry in json.loads(done.stdout)["taken_out"] if entry["object"] == held]
        assert revisions[:2] == [1, 2]

        again = kindling(server, *found["cure"].split()[1:])
        assert "holds nothing that this Kubernetes does not have" in again.stdout
        assert of_releases(kindling, server, tenant.name)["state"] == "ok"
        if tenant not in LEAVING:
            tenant.upgrade(server)
            labels = server.cluster.core.read_namespace(tenant.name).metadata.labels
            assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        tenant.uninstall(server)
        assert not server.cluster.core.list_namespaced_service_account(
            tenant.name, label_selector="helm.sh/chart"
        ).items


def test_a_release_that_is_not_there_is_one_line(apiserver: Callable[[str], ApiServer], kindling: Kindling) -> None:
    done = kindling(apiserver("1.34"), "mend", "none", "-n", "default")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "kindling: namespace default has no Helm release none: name its namespace by -n\n"
