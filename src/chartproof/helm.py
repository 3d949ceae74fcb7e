"""Running the helm program: render, install, uninstall; its complaints as one exception."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chartproof.engine import Program, Question
from chartproof.errors import helm_error
from chartproof.manifest import Manifest
from chartproof.renders import Renders
from chartproof.values import values_json

Render = Callable[..., Manifest]
"""A test's way to render one chart: keyword arguments are its values."""


@dataclass
class Helm:
    """A helm program and where it looks for a cluster.

    Attributes:
        program: name or path of helm.
        kubeconfig: the cluster's; renders need none.
        driver: where helm keeps its records ("secret", "configmap"); empty: as the environment says.
        renders: how charts are rendered; None: by the program, once for the same question.
    """

    program: str = "helm"
    kubeconfig: Path | None = None
    driver: str = ""
    renders: Renders | None = None

    def __post_init__(self) -> None:
        """Render by the program unless told otherwise."""
        self._renders = self.renders or Renders(Program(self.program))

    def template(
        self,
        chart: Path,
        *,
        release: str = "release-name",
        namespace: str = "default",
        files: Sequence[Path] = (),
        values: Mapping[str, Any] | None = None,
        kube: str = "",
        apis: Sequence[str] = (),
        checked: bool = True,
    ) -> Manifest:
        """Render a chart, once for the same question.

        Args:
            chart: the chart's folder, with its dependencies built.
            release: name of the release.
            namespace: namespace of the release.
            files: values files, later ones winning.
            values: values that win over all files.
            kube: the Kubernetes version to render for, "1.34"; empty: helm's own.
            apis: API versions to add to helm's own.
            checked: whether rules are asked, where ``renders`` has some; False for what a test breaks on purpose.

        Raises:
            HelmError: helm refused; its subclass says why.
            RuleError: the render breaks rules.
        """
        text = values_json(values or {})
        question = Question(chart, release, namespace, tuple(files), text, kube, tuple(apis))
        return self._renders.render(question, checked=checked)

    def run(self, argv: Sequence[str], stdin: str = "", timeout_s: float = 300) -> str:
        """Run helm; return its standard output.

        Raises:
            HelmError: helm exited with another code than 0.
        """
        env = dict(os.environ)
        if self.kubeconfig:
            env["KUBECONFIG"] = str(self.kubeconfig)
            # What an API server offers is kept by its address, which may have been another server's.
            env["KUBECACHEDIR"] = str(self.kubeconfig.parent / "cache")
        if self.driver:
            env["HELM_DRIVER"] = self.driver
        done = subprocess.run(
            [self.program, *argv], input=stdin, capture_output=True, text=True, timeout=timeout_s, env=env, check=False
        )
        if done.returncode:
            raise helm_error(done.stderr.strip().removeprefix("Error: "))
        return done.stdout


def build_dependencies(charts: Path, helm: Helm) -> None:
    """Put a library chart's present state into the charts/ folder of each chart that depends on it by ``file://``.

    Nothing is done where the templates there are those of the library already.
    """
    for chart_file in sorted(charts.glob("*/Chart.yaml")):
        chart = chart_file.parent
        dependencies = yaml.safe_load(chart_file.read_text()).get("dependencies", [])
        local = [d for d in dependencies if d["repository"].startswith("file://")]
        if any(not _is_current(chart, dependency) for dependency in local):
            helm.run(["dependency", "build", str(chart), "--skip-refresh"])


def _is_current(chart: Path, dependency: dict[str, str]) -> bool:
    package = chart / "charts" / f"{dependency['name']}-{dependency['version']}.tgz"
    if not package.exists():
        return False
    library = chart / dependency["repository"].removeprefix("file://")
    files = {path.relative_to(library).as_posix(): path.read_bytes() for path in library.rglob("templates/*")}
    with tarfile.open(package) as tar:
        members = {member.name.partition("/")[2]: member for member in tar if "/templates/" in member.name}
        return files == {name: tar.extractfile(member).read() for name, member in members.items()}  # type: ignore[union-attr]
