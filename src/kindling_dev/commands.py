"""The three commands: ``up``, ``down`` and ``test``."""

from __future__ import annotations

from kindling_dev import cluster, tools
from kindling_dev.host import Host, ensure_engine
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings
from kindling_dev.spark_image import DEFAULT_LINE


def up(*, jobs: bool) -> None:
    """Cluster, charts and the first two jobs."""
    settings, progress, host = Settings.from_environment(), Progress(), Host.detect()
    with progress.phase(f"tools (into {settings.cache})"):
        tools.ensure_tools(settings, progress, tools.FOR_UP)
    with progress.phase("Docker engine"):
        ensure_engine(settings, host, progress)
    with progress.phase("cluster and images"):
        cluster.ensure_cluster(settings, host, progress, (DEFAULT_LINE,))
    progress.console.print(progress.table())


def down(*, purge: bool) -> None:
    pass


def run_tests(arguments: list[str], *, long: bool) -> int:
    return 0
