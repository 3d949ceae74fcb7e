"""What reconciles and queues in clusters of others, for the tests that ask it: built when the first of them runs."""

from __future__ import annotations

from pathlib import Path

from kindling_dev.golang import GoModule, build, module_folder
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings

ARGO_CD = GoModule(folder="ci/gitops/argocd", programs={"argocd-engine": "."})
"""Argo CD's engine, which compares and syncs, and its own labelling of objects; none of its servers."""
FLUX = GoModule(folder="ci/gitops/flux", programs={"flux-ssa": "."})
"""What kustomize-controller applies with and helm-controller finds drift with; none of the controllers."""
KUEUE = GoModule(folder="ci/gitops/kueue", programs={"kueue": "sigs.k8s.io/kueue/cmd/kueue"})
"""Kueue's manager: all of its controllers, its scheduler, its webhooks."""


def program_of(module: GoModule) -> Path:
    """The one program of a module."""
    (name,) = module.programs
    return build(module, Settings.from_environment(), Progress()) / name


def source_of_kueue() -> Path:
    """Kueue's module, whose config/components has its CRDs and webhooks."""
    return module_folder(KUEUE, "sigs.k8s.io/kueue", Settings.from_environment())


def source_of_argo_cd() -> Path:
    """Argo CD's module, whose manifests/crds has the definition of Applications."""
    return module_folder(ARGO_CD, "github.com/argoproj/argo-cd/v3", Settings.from_environment())
