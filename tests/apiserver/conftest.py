"""What the tests of this tier share. They ask a real API server that has no nodes: no pod runs, all else is real."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from guarded_team import ADMINS, GUARD, Body, Team, installed_team, wait_until_in_force
from kubernetes import client

from chartproof.apiserver import ApiServer

Kubectl = Callable[..., str]
Kindling = Callable[..., "subprocess.CompletedProcess[str]"]
_WORLD = Path(__file__).parent / "world"


@pytest.fixture(params=["1.34", "1.24"])
def server(request: pytest.FixtureRequest, apiserver: Callable[[str], ApiServer]) -> ApiServer:
    """The cluster's version of Kubernetes, and the oldest that the charts support."""
    return apiserver(request.param)


@pytest.fixture
def namespace_of() -> Callable[[ApiServer], str]:
    """Makes a namespace in which pods can be made; it stays until the server ends."""

    def namespace_of(server: ApiServer) -> str:
        name = f"test-{uuid4().hex[:8]}"
        core = server.cluster.core
        core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
        accounts = core.list_namespaced_service_account
        server.cluster.wait_for(accounts, lambda found, _: found, "its ServiceAccount", 60, namespace=name)
        return name

    return namespace_of


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    """Runs kubectl as a server's admin; it returns what that prints or, where it refuses, what it says of that."""

    def kubectl(server: ApiServer, *argv: str, stdin: str = "") -> str:
        env = {**os.environ, "KUBECONFIG": str(server.kubeconfig), "KUBECACHEDIR": str(server.folder / "cache")}
        done = subprocess.run(["kubectl", *argv], input=stdin, capture_output=True, text=True, env=env, check=False)
        return done.stderr if done.returncode else done.stdout

    return kubectl


@pytest.fixture(scope="session")
def kindling() -> Kindling:
    """Runs the user's program as a server's admin."""

    def kindling(server: ApiServer, *argv: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "kindling", *argv, f"--kubeconfig={server.kubeconfig}"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return kindling


@pytest.fixture
def path_with_kindling(tmp_path: Path) -> str:
    """A PATH with the user's program, as guides call it."""
    program = tmp_path / "bin/kindling"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m kindling "$@"\n')
    program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(scope="session")
def peopled(apiserver: Callable[[str], ApiServer], kubectl: Kubectl) -> Callable[[str], ApiServer]:
    """The API server of a version, with what the scenarios presume of a cluster."""
    done = set()

    def peopled(version: str) -> ApiServer:
        server = apiserver(version)
        if version not in done:
            kubectl(server, "apply", "--server-side", f"--filename={_WORLD}")
            kubectl(server, "wait", "--for=condition=Established", "crd", "--all")
            done.add(version)
        return server

    return peopled


@pytest.fixture
def newest_namespace(
    peopled: Callable[[str], ApiServer], namespace_of: Callable[[ApiServer], str]
) -> tuple[ApiServer, str]:
    """The newest of these servers, and a namespace of the test's own in it."""
    server = peopled("1.34")
    return server, namespace_of(server)


@pytest.fixture(scope="session")
def team_with(peopled: Callable[[str], ApiServer], charts: Path, kubectl: Kubectl) -> Callable[..., Team]:
    """Makes a team's namespace from the values of its guard."""

    def team_with(guard: Body, version: str = "1.34") -> Team:
        return installed_team(peopled(version), kubectl, charts / "spark-namespace", guard)

    return team_with


@pytest.fixture(scope="module")
def guarded(team_with: Callable[..., Team]) -> Iterator[Team]:
    """A team with the guard in force."""
    team = team_with(GUARD)
    wait_until_in_force(team)
    yield team
    # Policies that stay make the server slow.
    team.server.helm().run(["uninstall", team.name, ADMINS[0]])


@pytest.fixture(scope="module")
def unguarded(team_with: Callable[..., Team]) -> Team:
    """A team without the guard."""
    return team_with({"enabled": False, "rightsWithout": ["clusterMode", "driverObjects"]})
