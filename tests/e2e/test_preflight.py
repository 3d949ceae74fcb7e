"""``kindling preflight`` on a namespace made by spark-namespace, on one that is not, and asked by a submitter."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from team import Team
from tool import kindling, quota, submitter_kubeconfig

from chartproof import Cluster


def preflight(kubeconfig: Path, namespace: str) -> tuple[int, dict[str, dict[str, str]], dict[str, Any]]:
    """Exit code, checks by id, and the whole answer."""
    done = kindling(kubeconfig, "preflight", "-n", namespace, "--json")
    answer = json.loads(done.stdout)
    return done.returncode, {check["id"]: check for check in answer["checks"]}, answer


def test_a_team_s_namespace_is_ready(team: Team) -> None:
    quota(team, pods="1")
    code, checks, answer = preflight(team.cluster.kubeconfig, team.name)
    assert (code, answer["ready"]) == (0, True)
    for name in ("you", "spark-submitter", "spark-driver", "spark-executor"):
        assert checks[f"rights-{name}"]["state"] == "ok", checks
    for name in ("kubernetes-version", "dns", "storage", "pod-security", "releases"):
        assert checks[name]["state"] == "ok", checks
    assert checks["capacity"]["state"] in ("ok", "warn")
    assert " CPUs and " in checks["capacity"]["what"]
    assert checks["quota"]["state"] == "warn"
    assert "pods 0 of 1 used" in checks["quota"]["what"]


def test_a_namespace_without_accounts_fails_and_the_cure_is_named(
    cluster: Cluster, new_namespace: Callable[..., str]
) -> None:
    code, checks, answer = preflight(cluster.kubeconfig, new_namespace("bare"))
    assert (code, answer["ready"]) == (1, False)
    assert checks["rights-spark-driver"]["state"] == "fail"
    assert "create pods" in checks["rights-spark-driver"]["what"]
    assert "spark-namespace" in checks["rights-spark-driver"]["cure"]
    assert checks["pod-security"]["state"] == "fail"


def test_an_account_with_a_right_too_many_fails(team: Team) -> None:
    team.kubectl("create", "rolebinding", "all", "--clusterrole=view", f"--serviceaccount={team.name}:spark-executor")
    code, checks, _ = preflight(team.cluster.kubeconfig, team.name)
    assert code == 1
    assert "has too much: list pods" in checks["rights-spark-executor"]["what"]


def test_a_submitter_learns_what_he_may_and_what_was_not_checked(team: Team, tmp_path: Path) -> None:
    submitter = submitter_kubeconfig(team, tmp_path)
    code, checks, answer = preflight(submitter, team.name)
    assert code == 0
    assert checks["rights-you"]["state"] == "ok"
    assert {check["state"] for name, check in checks.items() if "not checked" in check["what"]} == {"warn"}
    assert "not checked" in checks["dns"]["what"]
    assert all(entry["allowed"] is None for entry in answer["rights"] if entry["identity"] == "spark-driver")
    printed = kindling(submitter, "preflight")
    assert printed.returncode == 0
    assert f"rights in {team.name}" in printed.stdout
    assert "\x1b" not in printed.stdout


def test_no_cluster_is_one_line(tmp_path: Path) -> None:
    done = kindling(tmp_path / "none", "preflight")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
