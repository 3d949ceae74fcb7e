"""Running the helm program: render, install, uninstall; its complaints as one exception."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from chartproof.manifest import Manifest

Render = Callable[..., Manifest]
"""A test's way to render one chart: keyword arguments are its values."""


class HelmError(Exception):
    """helm refused; the message is what it wrote, without its "Error: "."""


@dataclass
class Helm:
    """A helm program and where it looks for a cluster.

    Attributes:
        program: name or path of helm.
        kubeconfig: the cluster's; renders need none.
        driver: where helm keeps its records ("secret", "configmap"); empty: as the environment says.
    """

    program: str = "helm"
    kubeconfig: Path | None = None
    driver: str = ""
    _renders: dict[tuple[str, ...], Manifest] = field(default_factory=dict)

    def template(
        self,
        chart: Path,
        *,
        release: str = "release-name",
        namespace: str = "default",
        files: Sequence[Path] = (),
        values: Mapping[str, Any] | None = None,
        kube: str = "",
    ) -> Manifest:
        """Render a chart, once for the same question.

        Args:
            chart: the chart's folder, with its dependencies built.
            release: name of the release.
            namespace: namespace of the release.
            files: values files, later ones winning.
            values: values that win over all files.
            kube: the Kubernetes version to render for, "1.34"; empty: helm's own.

        Raises:
            HelmError: helm refused.
        """
        argv = ["template", release, str(chart), "--namespace", namespace, *(f"--values={path}" for path in files)]
        if kube:
            argv += ["--kube-version", kube]
        text = yaml.safe_dump(dict(values)) if values else ""
        key = (*argv, text)
        if key not in self._renders:
            self._renders[key] = Manifest(self.run([*argv, "--values=-"] if text else argv, text))
        return self._renders[key]

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
            raise HelmError(done.stderr.strip().removeprefix("Error: "))
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
