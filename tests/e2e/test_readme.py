"""The commands of the README and of guides, run as they are written, one page after the other."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chartproof import Cluster, Helm
from kindling_dev import front_door
from kindling_dev.first_jobs import install_namespaces, run_pi
from kindling_dev.guides import commands
from kindling_dev.progress import Progress
from kindling_dev.settings import ADMIN_NAMESPACE, REPO, Settings


@pytest.fixture
def newcomer(cluster: Cluster, cluster_helm: Helm, tmp_path: Path) -> Iterator[Path]:
    """A folder that looks like the clone, on a cluster as scripts/up leaves it; kindling is on the path."""
    install_namespaces(Settings.from_environment(), Progress())
    run_pi(Settings.from_environment(), Progress())
    front_door.install(Settings.from_environment(), Progress())
    for name in ("charts", "examples", "scripts", "src", "requirements.lock"):
        (tmp_path / name).symlink_to(REPO / name)
    shutil.copytree(REPO / "values", tmp_path / "values")  # a guide writes there
    program = tmp_path / "bin/kindling"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nexec scripts/bootstrap kindling "$@"\n')
    program.chmod(0o755)
    yield tmp_path
    releases = ("mine", "report", "nightly", "unlucky", "patient", "bill", "slow", "curious", "seen")
    cluster_helm.run(["uninstall", *releases, "--namespace=team-a", "--ignore-not-found"])
    cluster_helm.run(["uninstall", "team-c", f"--namespace={ADMIN_NAMESPACE}", "--ignore-not-found"])
    gone = ["kubectl", f"--kubeconfig={cluster.kubeconfig}", "delete", "namespace", "team-c", "--ignore-not-found"]
    subprocess.run(gone, check=True)


def done_as_written(written: str, newcomer: Path, cluster: Cluster) -> str:
    """Run commands in the newcomer's folder; what they printed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", written],
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


Said = tuple[str, ...]
"""Commands, and words that they print."""
ALWAYS: tuple[Said, ...] = (
    (commands("README", "The team of your first job"), "NAME: spark-history-server"),
    (commands("README", "Your first job"), "sum: 499999500000"),
    (commands("README", "A namespace for your team"), "Phase:          Succeeded"),
    (commands("README", "Is it well, and why not"), "pi in team-a: succeeded"),
    (commands("quota"), "refuses the driver pod: it never fits: requests.cpu asked 3, the quota has 2500m in all"),
    (
        commands("give-a-team-a-namespace"),
        "yes\nno\nas it should be\nno\nas it should be\nkind: Job\n",
        "superseded",
    ),
    (commands("network", "Close the other direction"), "endpoints/kubernetes"),
    (commands("watch-a-run", "", "Its pods and its log"), "at work with 1000 rows", "executor"),
    (commands("watch-a-run", "Its UI"), '"sparkUser"'),
    (commands("network", "See that a policy blocks"), "spark-applications", "closed"),
    (commands("watch-a-run", "What holds it up"), "spark-driver", "slow in team-a: running"),
    (commands("watch-a-run", "End it"), 'release "slow" uninstalled'),
    (commands("see-applications", "Install it"), "Phase:          Succeeded"),
    (commands("see-applications", "Who may see, who may kill"), "true"),
    (commands("see-applications", "Log in"), '"name":"pi"'),
)
LONG: tuple[Said, ...] = (
    (commands("guard"), "have it listed in guard.secrets"),
    (commands("hardened"), "spark.network.crypto.cipher=AES/GCM/NoPadding", "Pi is roughly 3.1"),
    (commands("history", "On a claim"), "Phase:          Succeeded", "PythonPi"),
    (commands("schedule"), "rows: 1000"),
    (commands("dependencies", "Python modules of your own, without an image"), "bill: 32.43"),
    (commands("retries-and-modes"), "1      no luck today\n1      no luck today\n", "raise deadlineSeconds"),
    (commands("does-not-start"), "cause  the driver pod finds no node: no node has enough cpu left"),
)
"""What other tests do too, in other words; run with ``--long``."""


def test_the_commands_of_the_readme_and_of_the_guides_do_what_they_say(
    newcomer: Path, cluster: Cluster, pytestconfig: pytest.Config
) -> None:
    # One test for all: they share the cluster's two teams.
    for written, *words in ALWAYS + (LONG if pytestconfig.getoption("--long") else ()):
        printed = done_as_written(written, newcomer, cluster)
        assert all(text in printed for text in words), printed
