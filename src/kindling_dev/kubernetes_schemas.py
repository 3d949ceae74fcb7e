"""Writes the schemas that chartproof brings, from the OpenAPI documents of Kubernetes and of some custom resources.

Run by hand when a Kubernetes minor appears: put it into ``KUBERNETES``, then
``scripts/bootstrap kindling_dev.kubernetes_schemas``. Each version's Go module (20 MB) is downloaded, and removed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources.abc import Traversable
from typing import Any
from zipfile import Path as ZipPath

import yaml

from chartproof.schemas.custom import add_kinds
from chartproof.schemas.openapi import DefinitionError, Definitions
from kindling_dev.command import Failure, run
from kindling_dev.golang import go_environment
from kindling_dev.images import scratch_folder
from kindling_dev.permitted_values import add_permitted_values
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings

FOLDER = REPO / "src/chartproof/schemas"
MODULE = "k8s.io/kubernetes"
KUBERNETES = (
    "v1.24.17",
    "v1.25.16",
    "v1.26.15",
    "v1.27.16",
    "v1.28.15",
    "v1.29.15",
    "v1.30.14",
    "v1.31.14",
    "v1.32.13",
    "v1.33.13",
    "v1.34.4",
    "v1.35.4",
    "v1.36.3",
    "v1.37.1",
)
"""The last patch of each minor that the Go module proxy has."""
_KINDS: Mapping[str, str] = {
    "": "ConfigMap Endpoints LimitRange Namespace PersistentVolume PersistentVolumeClaim Pod PodTemplate "
    "ResourceQuota Secret Service ServiceAccount",
    "admissionregistration.k8s.io": "MutatingWebhookConfiguration ValidatingAdmissionPolicy "
    "ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration",
    "apiregistration.k8s.io": "APIService",
    "apps": "DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling": "HorizontalPodAutoscaler",
    "batch": "CronJob Job",
    "coordination.k8s.io": "Lease",
    "discovery.k8s.io": "EndpointSlice",
    "networking.k8s.io": "Ingress IngressClass NetworkPolicy",
    "node.k8s.io": "RuntimeClass",
    "policy": "PodDisruptionBudget PodSecurityPolicy",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding Role RoleBinding",
    "scheduling.k8s.io": "PriorityClass",
    "storage.k8s.io": "CSIDriver StorageClass",
}
"""API group -> its kinds, taken in each version but alpha."""
_CUSTOM: Mapping[str, tuple[str, ...]] = {
    "github.com/prometheus-operator/prometheus-operator@v0.94.1": (
        "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ),
    "sigs.k8s.io/gateway-api@v1.6.3": (
        "config/crd/standard/gateway.networking.k8s.io_gateways.yaml",
        "config/crd/standard/gateway.networking.k8s.io_grpcroutes.yaml",
        "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
    ),
}
"""Go module -> its files of CustomResourceDefinitions; they hold whatever the Kubernetes version."""


def minor(version: str) -> str:
    """The minor version ("1.34") of a module's version ("v1.34.4")."""
    return version.removeprefix("v").rpartition(".")[0]


def add_kubernetes(definitions: Definitions, module: Traversable) -> dict[str, str]:
    """Add the kinds of a version of Kubernetes; return "apiVersion Kind" -> key of its schema.

    Args:
        definitions: what they are added to.
        module: the folder of the Go module k8s.io/kubernetes.

    Raises:
        DefinitionError: its document has what is not translated.
    """
    document = json.loads(module.joinpath("api/openapi-spec/swagger.json").read_text())
    add_permitted_values(document, module.joinpath("pkg/generated/openapi/zz_generated.openapi.go").read_text())
    kinds = {}
    for name, definition in document["definitions"].items():
        for meaning in definition.get("x-kubernetes-group-version-kind", []):
            group, version, kind = (meaning[word] for word in ("group", "version", "kind"))
            if kind in _KINDS.get(group, "").split() and "alpha" not in version:
                kinds[f"{group}/{version} {kind}".removeprefix("/")] = definitions.add_kubernetes(document, name)
    return dict(sorted(kinds.items()))


def _add_custom(
    definitions: Definitions, module: Traversable, files: tuple[str, ...], metadata: Mapping[str, Any]
) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for file in files:
        kinds |= add_kinds(definitions, yaml.safe_load(module.joinpath(file).read_text()), metadata)
    return dict(sorted(kinds.items()))


@contextmanager
def _module(name: str, settings: Settings) -> Iterator[Traversable]:
    """Give a Go module's folder, by its name ("k8s.io/kubernetes@v1.24.17"), while it is looked at."""
    with scratch_folder(settings) as scratch:
        env = go_environment(settings) | {"GOMODCACHE": str(scratch), "GOFLAGS": "-modcacherw"}
        told = json.loads(run(["go", "mod", "download", "-json", name], cwd=scratch, env=env, what=f"download {name}"))
        yield ZipPath(told["Zip"], f"{name}/")


def write(settings: Settings, progress: Progress) -> None:
    """Write the schemas again, the same bytes for the same versions.

    Raises:
        Failure: a module is not to be had.
        DefinitionError: it has what is not translated.
    """
    definitions = Definitions()
    index: dict[str, Any] = {"kubernetes": {}, "custom": {}}
    for version in KUBERNETES:
        name = f"{MODULE}@{version}"
        with progress.step(f"reading {name}"), _module(name, settings) as module:
            kinds = add_kubernetes(definitions, module)
            index["kubernetes"][minor(version)] = {"source": name, "kinds": kinds}
    metadata = definitions.schemas[kinds["v1 Pod"]]["properties"]["metadata"]
    for name, files in _CUSTOM.items():
        with progress.step(f"reading {name}"), _module(name, settings) as module:
            index["custom"][name] = _add_custom(definitions, module, files, metadata)
    lines = [f"{json.dumps(key)}: {json.dumps(schema, sort_keys=True)}" for key, schema in definitions.schemas.items()]
    (FOLDER / "definitions.json").write_text("{\n" + ",\n".join(sorted(lines)) + "\n}\n")
    (FOLDER / "index.json").write_text(json.dumps(index, indent=1) + "\n")


def main() -> int:
    """Write the schemas; return the process's exit code."""
    try:
        write(Settings.from_environment(), Progress())
    except (Failure, DefinitionError) as failure:
        print(f"kindling: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
