"""Releases of our charts in a cluster, with the values of this repository."""

from __future__ import annotations

from chartproof.errors import HelmError
from chartproof.helm import Helm
from kindling_dev.command import Failure, run
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings

CHARTS = REPO / "charts"
VALUES = REPO / "values"


def make_once(what: str, make: str, namespace: str, settings: Settings) -> None:
    """Run a command that makes an object ("secret spark-auth") in a namespace, unless it is there."""
    of_namespace = f"--namespace {namespace}"
    script = f"kubectl get {what} {of_namespace} || {make} {of_namespace}"
    run(["sh", "-c", script], env={"KUBECONFIG": str(settings.kubeconfig)}, what=f"make {what} in {namespace}")


def install_chart(
    chart: str, namespace: str, *arguments: str, release: str, into: str, settings: Settings, progress: Progress
) -> None:
    """Install or upgrade a release of a chart with the site's values for a namespace.

    Args:
        chart: its name.
        namespace: whose values they are: values/NAMESPACE.
        arguments: more of helm's.
        release: its name.
        into: namespace of the release.
        settings, progress: as everywhere.
    """
    files = (VALUES / f"{chart}.yaml", VALUES / namespace / "common.yaml", VALUES / namespace / f"{chart}.yaml")
    values = [f"--values={file}" for file in files if file.exists()]
    argv = ["upgrade", "--install", release, str(CHARTS / chart), "--namespace", into, "--create-namespace"]
    with progress.step(f"helm upgrade --install {release} charts/{chart}"):
        try:
            Helm(kubeconfig=settings.kubeconfig).run([*argv, *values, *arguments])
        except HelmError as error:
            raise Failure(f"helm {' '.join(argv[:3])}: {error}") from None
