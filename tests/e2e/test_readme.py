"""The README's commands, run as they are written."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chartproof import Cluster, Helm
from kindling_dev.first_jobs import install_namespaces, run_pi
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
def newcomer(cluster_helm: Helm, tmp_path: Path) -> Iterator[Path]:
    """A folder that looks like the clone, on a cluster as scripts/up leaves it; kindling is on the path."""
    install_namespaces(Settings.from_environment(), Progress())
    run_pi(Settings.from_environment(), Progress())
    for name in ("charts", "values", "examples", "scripts", "src", "requirements.lock"):
        (tmp_path / name).symlink_to(REPO / name)
    program = tmp_path / "bin/kindling"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nexec scripts/bootstrap kindling "$@"\n')
    program.chmod(0o755)
    yield tmp_path
    releases = ("mine", "report", "nightly", "unlucky", "patient", "bill")
    cluster_helm.run(["uninstall", *releases, "--namespace=team-a", "--ignore-not-found"])


def done_as_written(commands: str, newcomer: Path, cluster: Cluster) -> str:
    """Run commands in the newcomer's folder; what they printed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=newcomer,
        env={
            **os.environ,
            "KUBECONFIG": str(cluster.kubeconfig),
            "PATH": f"{newcomer / 'bin'}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def guide(name: str) -> str:
    """The shell commands of a guide, but for those that install kindling."""
    text = (REPO / f"docs/guides/{name}.md").read_text()
    return "\n".join(commands_in(part) for part in text.split("\n## ") if not part.startswith("Get it"))


def test_the_commands_of_the_readme_and_of_the_guides_do_what_they_say(newcomer: Path, cluster: Cluster) -> None:
    # One test for all: they share the cluster's two teams.
    for commands, *words in (
        (commands_under("Your first job"), "sum: 499999500000"),
        (commands_under("A namespace for your team"), "Phase:          Succeeded"),
        (commands_under("Is it well, and why not"), "pi in team-a: succeeded"),
        (guide("schedule"), "rows: 1000"),
        (guide("dependencies"), "bill: 32.43"),
        (guide("retries-and-modes"), "1      no luck today\n1      no luck today\n", "raise deadlineSeconds"),
        (guide("quota"), "ResourceQuota spark-drivers refuses the driver pod: requests.cpu asked 3, left 2500m"),
        (guide("hardened"), "spark.network.crypto.cipher=AES/GCM/NoPadding", "Pi is roughly 3.1"),
        (guide("does-not-start"), "cause  the driver pod finds no node: no node has enough cpu left"),
    ):
        printed = done_as_written(commands, newcomer, cluster)
        assert all(text in printed for text in words), printed
