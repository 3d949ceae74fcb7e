"""``ct install --upgrade``: chart-testing's own eyes on each chart, from its newest released package to this tree."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from team import SMALL, Team

from chartproof import Cluster
from kindling_dev.command import run
from kindling_dev.release import application_charts, build_packages
from kindling_dev.settings import REPO

CT_CONFIG = REPO / "ci/ct.yaml"


def version(package: Path) -> tuple[int, ...]:
    """Version of a released package, for comparison: (0, 1, 0)."""
    return tuple(map(int, package.stem.rpartition("-")[2].split(".")))


def git(folder: Path, *argv: str) -> None:
    """Run git as somebody."""
    someone = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", *someone, *argv], cwd=folder, check=True, capture_output=True)


def put(package: Path, scenario: str, repository: Path) -> None:
    """Commit a package as the chart's state; a package has no scenarios, so one is put beside it."""
    chart = package.name.rpartition("-")[0]
    shutil.rmtree(repository / "charts", ignore_errors=True)
    with tarfile.open(package) as tar:
        tar.extractall(repository / "charts", filter="data")
    (repository / "charts" / chart / "ci").mkdir()
    shutil.copy(REPO / "charts" / chart / "ci" / scenario, repository / "charts" / chart / "ci")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", package.name)


@pytest.fixture
def history(tmp_path: Path, charts: Path) -> Callable[[str, str], Path]:
    """Make a repository whose main branch has a chart's newest release, and whose head has this tree's chart.

    ct installs what a merge base has, and upgrades it. The commit before is no release, and released packages are what
    people come from.
    """
    built = {
        chart.name: package
        for chart, package in zip(
            application_charts(charts), build_packages(charts, tmp_path / "packages"), strict=True
        )
    }

    def make(chart: str, scenario: str) -> Path:
        repository = tmp_path / "repository"
        repository.mkdir()
        git(repository, "init", "--quiet", "--initial-branch=main")
        put(max((REPO / "tests/releases").glob(f"{chart}-*.tgz"), key=version), scenario, repository)
        git(repository, "checkout", "--quiet", "-b", "change")
        put(built[chart], scenario, repository)
        git(repository, "remote", "add", "origin", str(repository))
        git(repository, "fetch", "--quiet", "origin")
        return repository

    return make


def ct_install(repository: Path, chart: str, cluster: Cluster, *options: str) -> str:
    """Install, test and upgrade a chart by ct; what it printed."""
    argv: list[str | Path] = [
        "ct",
        "install",
        "--upgrade",
        "--config",
        CT_CONFIG,
        "--target-branch=main",
        f"--charts=charts/{chart}",
    ]
    return run(
        [*argv, *options], cwd=repository, env={"KUBECONFIG": str(cluster.kubeconfig)}, what="run ct", timeout=300
    )


@pytest.mark.long
def test_ct_installs_and_upgrades_a_job(team: Team, history: Callable[[str, str], Path]) -> None:
    repository = history("spark-job", "01-python-file-values.yaml")
    small = ",".join(f"{role}.{key}={value}" for role in SMALL for key, value in SMALL[role].items())
    options = (f"--namespace={team.name}", f"--helm-extra-set-args=--set={small}")
    printed = ct_install(repository, "spark-job", team.cluster, *options)
    # ct skips an upgrade to a version that may break, and exits with 0.
    assert "Testing upgrades of chart" in printed


def test_ct_installs_and_upgrades_a_namespace(
    cluster: Cluster, new_namespace: Callable[..., str], history: Callable[[str, str], Path]
) -> None:
    # ct gives each release another name, and the namespace that a first one made and kept would be refused to a second.
    name = new_namespace("team")
    repository = history("spark-namespace", "01-new-namespace-values.yaml")
    values = f"--helm-extra-set-args=--set=namespace.name={name},namespace.create=false"
    printed = ct_install(repository, "spark-namespace", cluster, f"--namespace={name}", values)
    assert "Testing upgrades of chart" in printed
