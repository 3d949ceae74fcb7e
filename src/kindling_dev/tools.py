"""The pinned command-line tools: helm 3 and 4, kind, ct, helm-docs, kubectl, crane; and chartproof's renderer."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from kindling_dev.golang import GoModule, build, required_version
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings

_GO_MOD = REPO / "ci/tools/go.mod"
_LIBRARY_MINOR = required_version(_GO_MOD, "k8s.io/client-go").split(".")[1]
_HELM_3 = "helm.sh/helm/v3"

_HELM_STAMPS = {
    f"{_HELM_3}/internal/version.version": required_version(_GO_MOD, _HELM_3),
    # Without these helm renders for Kubernetes 1.20 when no cluster is asked.
    **{
        f"{_HELM_3}/pkg/{package}.k8sVersion{part}": value
        for package in ("chartutil", "lint/rules")
        for part, value in (("Major", "1"), ("Minor", _LIBRARY_MINOR))
    },
}

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
        **_HELM_STAMPS,
        "helm.sh/helm/v4/internal/version.version": required_version(_GO_MOD, "helm.sh/helm/v4"),
        "github.com/helm/chart-testing/v3/ct/cmd.Version": required_version(
            _GO_MOD, "github.com/helm/chart-testing/v3"
        ),
        "main.version": required_version(_GO_MOD, "github.com/norwoodj/helm-docs").removeprefix("v"),
    },
)

RENDERER = GoModule(folder="src/chartproof/renderer", programs={"chartproof-renderer": "."})
"""helm's own templates in a process that stays."""

CRANE = GoModule(folder="ci/crane", programs={"crane": "github.com/google/go-containerregistry/cmd/crane"})
"""What asks registries for images' digests."""


def kubernetes(folder: str, *programs: str, tags: str = "") -> GoModule:
    """Kubernetes as its modules are served: every staging module that its own go.mod replaces by a folder is pinned."""
    version = required_version(REPO / folder / "go.mod", "k8s.io/kubernetes")
    component_version = "k8s.io/component-base/version"
    return GoModule(
        folder=folder,
        programs={name: f"k8s.io/kubernetes/cmd/{name}" for name in programs},
        stamps={
            f"{component_version}.gitVersion": version,
            f"{component_version}.gitMajor": version.removeprefix("v").split(".")[0],
            f"{component_version}.gitMinor": version.split(".")[1],
            f"{component_version}.gitTreeState": "clean",
            "k8s.io/client-go/pkg/version.gitVersion": version,
        },
        tags=tags,
    )


KUBERNETES = kubernetes(
    "images/kind-node/go/kubernetes",
    "kubectl",
    "kubeadm",
    "kubelet",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
)
ETCD = GoModule("images/kind-node/go/etcd", {"etcd": "go.etcd.io/etcd/server/v3"})

FOR_UP = ("helm", "kind")
FOR_GENERATE = ("helm", "helm-docs", *RENDERER.programs)
FOR_TESTS = (*TOOLS.programs, *RENDERER.programs, *CRANE.programs)
FOR_RELEASE = ("helm4", "crane")


def ensure_tools(settings: Settings, progress: Progress, names: tuple[str, ...]) -> None:
    """Build the named tools and kubectl, link them into ``settings.bin`` and put that first on PATH."""
    for module in (TOOLS, RENDERER, CRANE, KUBERNETES):
        wanted = tuple(name for name in (*names, "kubectl") if name in module.programs)
        if wanted:
            link(build(module, settings, progress, wanted), wanted, settings.bin)
    if str(settings.bin) not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = f"{settings.bin}{os.pathsep}{os.environ['PATH']}"


def link(folder: Path, names: Iterable[str], into: Path) -> None:
    """Give programs of a folder a place in another one."""
    into.mkdir(parents=True, exist_ok=True)
    for name in names:
        link = into / name
        if link.is_symlink() and link.readlink() == folder / name:
            continue
        unfinished = into / f".{name}.{os.getpid()}"
        unfinished.symlink_to(folder / name)
        unfinished.rename(link)
