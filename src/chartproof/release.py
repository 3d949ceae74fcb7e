"""A release in a cluster: installed, upgraded, asked what is live, removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chartproof.cluster import Cluster
from chartproof.helm import Helm
from chartproof.manifest import Manifest
from chartproof.values import values_json

_HELM_S = 300


@dataclass(frozen=True)
class Release:
    """A chart's release.

    Attributes:
        name: of the release.
        namespace: of the release.
        chart: the chart's folder or package.
        cluster, helm: where it is.
    """

    name: str
    namespace: str
    chart: Path
    cluster: Cluster
    helm: Helm

    @property
    def live(self) -> Manifest:
        """The objects that helm made, as the API server has them now; of its hooks, those that are there."""
        made = Manifest("\n---\n".join(self._helm("get", what, self.name) for what in ("manifest", "hooks")))
        return self.cluster.live(made, self.namespace)

    def install(self, values: Mapping[str, Any] | None = None, files: Sequence[Path] = (), wait_s: float = 0) -> None:
        """Install it; see ``upgrade``."""
        self._apply(["install"], values, files, wait_s)

    def upgrade(self, values: Mapping[str, Any] | None = None, files: Sequence[Path] = (), wait_s: float = 0) -> None:
        """Upgrade it to the chart as it is now, with these values and no earlier ones.

        Args:
            values: values that win over all files.
            files: values files, later ones winning.
            wait_s: seconds that helm waits for pods to be ready and volumes to be bound; 0: it waits for nothing.

        Raises:
            HelmError: helm or the API server refused, or what was waited for did not come.
        """
        self._apply(["upgrade", "--reset-values"], values, files, wait_s)

    def uninstall(self) -> None:
        """Remove it, if it is there; objects that helm is told to keep stay."""
        self._helm("uninstall", self.name, "--ignore-not-found")

    def _apply(self, how: list[str], values: Mapping[str, Any] | None, files: Sequence[Path], wait_s: float) -> None:
        text = values_json(values or {})
        given = [*(f"--values={file}" for file in files), *(["--values=-"] if text else [])]
        wait = ["--wait", f"--timeout={wait_s}s"] if wait_s else []
        self._helm(*how, self.name, str(self.chart), *given, *wait, stdin=text, timeout_s=_HELM_S + wait_s)

    def _helm(self, *argv: str, stdin: str = "", timeout_s: float = _HELM_S) -> str:
        return self.helm.run([*argv, f"--namespace={self.namespace}"], stdin, timeout_s)


Install = Callable[..., Release]
"""A test's way to install charts; see the fixture ``release``."""
