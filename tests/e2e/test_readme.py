"""The README's commands, run as they are written."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chartproof import Cluster
from kindling_dev.first_jobs import install_namespaces
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings


def commands_under(heading: str) -> str:
    """The shell commands of a section of the README."""
    section = (REPO / "README.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return commands_in(section)


def commands_in(text: str) -> str:
    """The shell commands of a page."""
    return "\n".join(re.findall(r"```bash\n(.*?)```", text, re.DOTALL))


@pytest.fixture
def newcomer(cluster: Cluster, tmp_path: Path) -> Iterator[Path]:
    """A folder that looks like the clone, on a cluster as scripts/up leaves it."""
    install_namespaces(Settings.from_environment(), Progress())
    for name in ("charts", "values"):
        (tmp_path / name).symlink_to(REPO / name)
    yield tmp_path
    uninstall = ["helm", f"--kubeconfig={cluster.kubeconfig}", "uninstall", "mine", "report", "--namespace=team-a"]
    subprocess.run([*uninstall, "--ignore-not-found"], check=True)


def done_as_written(commands: str, newcomer: Path, cluster: Cluster) -> str:
    """Run commands in the newcomer's folder; what they printed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=newcomer,
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_commands_of_the_readme_and_of_a_guide_do_what_they_say(newcomer: Path, cluster: Cluster) -> None:
    # One test for all: they share the cluster's two teams.
    schedule = commands_in((REPO / "docs/guides/schedule.md").read_text())
    for commands, words in (
        (commands_under("Your first job"), "sum: 499999500000"),
        (commands_under("A namespace for your team"), "Phase:          Succeeded"),
        (schedule, "rows: 1000"),
    ):
        assert words in done_as_written(commands, newcomer, cluster)
