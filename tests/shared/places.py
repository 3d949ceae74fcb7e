"""Where scenarios are installed on an API server, each out of the others' way."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import yaml
from kubernetes import client

from chartproof import Helm, Manifest
from chartproof.apiserver import ApiServer
from chartproof.scenarios import Scenario
from kindling_dev.scenarios import CHARTS

_ACCOUNTS = ("other", "another")
"""Service accounts that scenarios name and no chart makes."""
_GUARD = {
    "serviceAccounts": ["other"],
    "executorAccounts": ["another"],
    "secrets": ["password", "registry", "of-the-application", "of-the-team"],
    "priorityClasses": ["high"],
    "tolerations": ["spark", "dedicated"],
    "runtimeClasses": ["runc"],
}
"""What scenarios of spark-job use, as a team's admin lists it."""


@dataclass(frozen=True)
class Place:
    """Where a scenario is installed so that no other is in its way.

    Attributes:
        namespace: of its objects.
        argv: arguments of ``helm install`` and ``helm upgrade``.
        release: namespace of the release.
    """

    namespace: str
    argv: tuple[str, ...]
    release: str


def place_of(scenario: Scenario, server: ApiServer, helm: Helm) -> Place:
    """A namespace of a scenario's own: spark-namespace makes it, all others find it made by spark-namespace."""
    namespace = f"team-{uuid4().hex[:8]}"
    admins = f"admins-of-{namespace}"
    to_namespace = (f"--namespace={admins}", "--create-namespace", f"--set=namespace.name={namespace}")
    values = tuple(f"--values={file}" for file in scenario.files)
    given = {key: value for file in scenario.files for key, value in yaml.safe_load(file.read_text()).items()}
    if scenario.chart.name == "spark-namespace":
        if given["namespace"].get("create") is False:
            server.cluster.core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=namespace)))
        return Place(namespace, (*to_namespace, *values), admins)
    shared = yaml.safe_dump({"global": given.get("global", {}), "guard": _GUARD})
    helm.run(["install", "team", str(CHARTS / "spark-namespace"), *to_namespace, "--values=-"], shared)
    for account in _ACCOUNTS:
        body = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name=account))
        server.cluster.core.create_namespaced_service_account(namespace, body)
    if given.get("namespaces", {}).get("names"):
        values = (*values, f"--set=namespaces.names={{{namespace}}}")
    if given.get("history", {}).get("shared"):
        values = (*values, f"--set=history.shared={namespace}")
    if (given.get("service") or {}).get("nodePort"):
        # A node's port is the whole cluster's, and another life may have the scenario's.
        values = (*values, f"--set=service.nodePort={30100 + uuid4().int % 2600}")
    return Place(namespace, (f"--namespace={namespace}", *values), namespace)


def kept(manifest: str) -> set[str]:
    """ "kind/name" of the objects that stay when their release goes."""
    return {
        f"{one.kind.lower()}/{one.name}"
        for one in Manifest(manifest)
        if one.metadata.get("annotations", {}).get("helm.sh/resource-policy") == "keep"
    }
