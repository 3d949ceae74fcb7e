"""Running the helm program: render, install, uninstall; its complaints as one exception."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chartproof.engine import Program, Question
from chartproof.errors import complaint, helm_error
from chartproof.manifest import Manifest
from chartproof.packages import files_of
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
        __tracebackhide__ = True
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
            raise helm_error(complaint(done.stderr))
        return done.stdout


def build_dependencies(charts: Path, helm: Helm) -> None:
    """Put a chart's present state into the charts/ folder of each chart that depends on it by ``file://``.

    Nothing is done where that state is there already.
    """
    for chart_file in sorted(charts.glob("*/Chart.yaml")):
        chart = chart_file.parent
        for dependency in yaml.safe_load(chart_file.read_text()).get("dependencies") or []:
            kind, _, folder = dependency.get("repository", "").partition("://")
            if kind == "file" and not _is_current(chart / "charts", dependency["name"], chart / folder):
                helm.run(["dependency", "build", str(chart), "--skip-refresh"])
                break


def _is_current(packages: Path, name: str, source: Path) -> bool:
    """Whether the package of a chart holds its files as they are; one that it lacks is older: .helmignore names it."""
    found = list(packages.glob(f"{name}-[0-9]*.tgz"))
    if len(found) != 1:
        return False
    packed = files_of(found[0])
    files = {path.relative_to(source).as_posix(): path for path in source.rglob("*") if path.is_file()}
    made = found[0].stat().st_mtime_ns
    return packed.keys() <= files.keys() and all(
        _same(name, packed[name], path.read_bytes()) if name in packed else path.stat().st_mtime_ns < made
        for name, path in files.items()
    )


def _same(name: str, packed: bytes, file: bytes) -> bool:
    """Whether a packed file is that of the chart; helm writes Chart.yaml anew."""
    return packed == file or (name == "Chart.yaml" and yaml.safe_load(packed) == yaml.safe_load(file))
