"""The pinned command-line tools: helm 3 and 4, kind, ct, helm-docs, kubectl."""

from __future__ import annotations

import os
from pathlib import Path

from kindling_dev.golang import GoModule, build, required_version
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings

_GO_MOD = REPO / "ci/tools/go.mod"
_LIBRARY_MINOR = required_version(_GO_MOD, "k8s.io/client-go").split(".")[1]
_HELM_3 = "helm.sh/helm/v3"

TOOLS = GoModule(
    folder="ci/tools",
    programs={
        "helm": f"{_HELM_3}/cmd/helm",
        "helm4": "helm.sh/helm/v4/cmd/helm",
        "kind": "sigs.k8s.io/kind",
        "ct": "github.com/helm/chart-testing/v3/ct",
        "helm-docs": "github.com/norwoodj/helm-docs/cmd/helm-docs",
    },
    stamps={
        f"{_HELM_3}/internal/version.version": required_version(_GO_MOD, _HELM_3),
        # Without these helm renders for Kubernetes 1.20 when no cluster is asked.
        **{
            f"{_HELM_3}/pkg/{package}.k8sVersion{part}": value
            for package in ("chartutil", "lint/rules")
            for part, value in (("Major", "1"), ("Minor", _LIBRARY_MINOR))
        },
        "helm.sh/helm/v4/internal/version.version": required_version(_GO_MOD, "helm.sh/helm/v4"),
        "github.com/helm/chart-testing/v3/ct/cmd.Version": required_version(
            _GO_MOD, "github.com/helm/chart-testing/v3"
        ),
        "main.version": required_version(_GO_MOD, "github.com/norwoodj/helm-docs").removeprefix("v"),
    },
)

_KUBERNETES_VERSION = required_version(REPO / "images/kind-node/go/kubernetes/go.mod", "k8s.io/kubernetes")
_COMPONENT_VERSION = "k8s.io/component-base/version"
KUBERNETES = GoModule(
    folder="images/kind-node/go/kubernetes",
    programs={
        name: f"k8s.io/kubernetes/cmd/{name}"
        for name in (
            "kubectl",
            "kubeadm",
            "kubelet",
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kube-proxy",
        )
    },
    stamps={
        f"{_COMPONENT_VERSION}.gitVersion": _KUBERNETES_VERSION,
        f"{_COMPONENT_VERSION}.gitMajor": _KUBERNETES_VERSION.removeprefix("v").split(".")[0],
        f"{_COMPONENT_VERSION}.gitMinor": _KUBERNETES_VERSION.split(".")[1],
        f"{_COMPONENT_VERSION}.gitTreeState": "clean",
        "k8s.io/client-go/pkg/version.gitVersion": _KUBERNETES_VERSION,
    },
)
"""Kubernetes as its modules are served: every staging module that its own go.mod replaces by a folder is pinned."""

FOR_UP = ("helm", "kind")
FOR_GENERATE = ("helm", "helm-docs")
FOR_TESTS = tuple(TOOLS.programs)


def ensure_tools(settings: Settings, progress: Progress, names: tuple[str, ...]) -> None:
    """Build the named tools and kubectl, link them into ``settings.bin`` and put that first on PATH."""
    _link(build(TOOLS, settings, progress, names), names, settings)
    _link(build(KUBERNETES, settings, progress, ("kubectl",)), ("kubectl",), settings)
    if str(settings.bin) not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = f"{settings.bin}{os.pathsep}{os.environ['PATH']}"


def _link(folder: Path, names: tuple[str, ...], settings: Settings) -> None:
    settings.bin.mkdir(parents=True, exist_ok=True)
    for name in names:
        link = settings.bin / name
        if link.is_symlink() and link.readlink() == folder / name:
            continue
        unfinished = settings.bin / f".{name}.{os.getpid()}"
        unfinished.symlink_to(folder / name)
        unfinished.rename(link)
