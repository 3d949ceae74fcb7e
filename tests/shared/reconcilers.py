"""Argo CD's engine and what Flux applies with, asked about manifests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from chartproof.apiserver import ApiServer
from kindling_dev import gitops
from kindling_dev.command import run
from kindling_dev.golang import GoModule

Differences = dict[str, str]
"""What differs, or was done: kind/namespace/name -> how."""


@dataclass(frozen=True)
class Application:
    """An Application of Argo CD with automated sync, prune and selfHeal.

    Attributes:
        server: the destination.
        name: Argo CD's name of it.
        namespace: of the destination.
        tracking: application.resourceTrackingMethod: "annotation", the default since Argo CD 3, or "label".
        file: where its manifests are.
    """

    server: ApiServer
    name: str
    namespace: str
    file: Path
    tracking: str = "annotation"

    def differs(self) -> Differences:
        """What Argo CD shows as OutOfSync."""
        return self._ask("diff")

    def sync(self) -> Differences:
        """Sync it; what differed before."""
        return self._ask("sync")

    def _ask(self, what: str) -> Differences:
        options = [f"--app={self.name}", f"--namespace={self.namespace}", f"--tracking={self.tracking}"]
        return _answer(gitops.ARGO_CD, what, self.server, self.file, *options)


@dataclass(frozen=True)
class Flux:
    """Manifests that Flux keeps.

    Attributes:
        server: the cluster.
        file: where the manifests are.
    """

    server: ApiServer
    file: Path

    def apply(self) -> Differences:
        """Apply them as kustomize-controller does at each interval; what was done to which."""
        return self._ask("apply")

    def drift(self) -> Differences:
        """What helm-controller, with spec.driftDetection, finds changed and puts back."""
        return self._ask("drift")

    def _ask(self, what: str) -> Differences:
        return _answer(gitops.FLUX, what, self.server, self.file)


def _answer(module: GoModule, what: str, server: ApiServer, file: Path, *options: str) -> Differences:
    program = gitops.program_of(module)
    argv = [str(program), what, f"--kubeconfig={server.kubeconfig}", *options, str(file)]
    answer: Differences = json.loads(run(argv, what=f"{what} by {program.name}"))
    return answer
