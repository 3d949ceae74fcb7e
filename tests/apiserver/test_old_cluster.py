"""The guide to pod security, done as it is written where there are policies still: on Kubernetes 1.24."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from chartproof.apiserver import ApiServer
from kindling_dev.guides import commands


def test_a_team_goes_from_its_policy_to_levels_before_its_cluster_moves(
    peopled: Callable[[str], ApiServer], kubectl: Callable[..., str], charts: Path
) -> None:
    server = peopled("1.24")
    written = commands("pod-security")
    install, _, rest = written.partition("kubectl label")

    def do(script: str) -> str:
        """What the commands print."""
        argv, env = ["bash", "-euo", "pipefail", "-c", script], {**os.environ, "KUBECONFIG": str(server.kubeconfig)}
        return subprocess.run(argv, cwd=charts.parent, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout

    def holds() -> tuple[bool, bool]:
        """Whether a policy holds the team's pods, and whether a level does."""
        labels = server.cluster.core.read_namespace("legacy").metadata.labels
        policies = kubectl(server, "get", "podsecuritypolicies", "--output=name")
        return "/spark-legacy\n" in policies, labels.get("pod-security.kubernetes.io/enforce") == "restricted"

    assert "Before the cluster goes to Kubernetes 1.25: helm upgrade with podSecurity.mode=psa." in do(install)
    assert holds() == (True, False)
    assert "namespace/legacy labeled (server dry run)" in do(f"kubectl label{rest}")
    assert holds() == (False, True)
