"""The command-line tool ``kindling`` as a member of a team runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml
from team import Team

from kindling_dev.settings import ADMIN_NAMESPACE


def kindling(kubeconfig: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run the command-line tool."""
    command = [sys.executable, "-m", "kindling", *argv, f"--kubeconfig={kubeconfig}"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def kubeconfig_of(team: Team, folder: Path, account: str, namespace: str = "") -> Path:
    """A kubeconfig with a service account of the team's namespace or another one as its user."""
    config = yaml.safe_load(team.cluster.kubeconfig.read_text())
    token = team.kubectl("create", "token", account, f"--namespace={namespace or team.name}").strip()
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    for context in config["contexts"]:
        context["context"]["namespace"] = team.name
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def submitter_kubeconfig(team: Team, folder: Path) -> Path:
    """A kubeconfig of someone whom access.submitters names."""
    return kubeconfig_of(team, folder, team.engineer, ADMIN_NAMESPACE)


def quota(team: Team, **hard: str) -> None:
    """A ResourceQuota named "tight"."""
    team.kubectl(
        "create", "quota", "tight", "--hard=" + ",".join(f"{k.replace('_', '.')}={v}" for k, v in hard.items())
    )
