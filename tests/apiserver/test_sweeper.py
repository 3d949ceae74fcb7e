"""What removes a killed driver's StatefulSet, with its rights: beside a Job's driver, and in a pod that lives on.

API server, controllers, rights and programs are real. No node runs a pod: tests start the programs, and ask them to go.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from pods_account import write_account

from chartproof.apiserver import ApiServer

_ADMINS = ("--namespace=kindling-system", "--create-namespace")
_FILES = Path(__file__).parents[2] / "charts/spark-notebook/files"
_DEADLINE_S = 60
_SWEEP = """
import pathlib, sys
import kube
kube._HOST, kube._ACCOUNT = sys.argv[1], pathlib.Path(sys.argv[2])
sys.argv[1:] = []
import sweep
sweep.main()
"""
MODES = pytest.mark.parametrize("mode", ["client", "cluster"])


@dataclass(frozen=True)
class Team:
    """A namespace of spark-namespace, and a folder with its drivers' token, as a pod has it."""

    server: ApiServer
    name: str
    account: Path

    @property
    def host(self) -> str:
        """Where the API server is."""
        return str(self.server.cluster.api_client.configuration.host)

    def sets(self) -> list[str]:
        """The StatefulSets that are there."""
        return [one.metadata.name for one in self.server.cluster.apps.list_namespaced_stateful_set(self.name).items]

    def make_set(self, name: str, driver: str = "spark://CoarseGrainedScheduler@127.0.0.1:7078") -> None:
        """Make the StatefulSet of a driver's executors, and wait for its pod."""
        labels = {"spark-role": "executor", "of": name}
        container = {"name": "executor", "image": "spark", "env": [{"name": "SPARK_DRIVER_URL", "value": driver}]}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"replicas": 1, "serviceName": name, "selector": {"matchLabels": labels}, "template": template}
        self.server.cluster.apps.create_namespaced_stateful_set(self.name, {"metadata": {"name": name}, "spec": spec})
        pods = self.server.cluster.core.list_namespaced_pod
        where = {"namespace": self.name, "label_selector": f"of={name}"}
        self.server.cluster.wait_for(pods, lambda pod, _: pod, f"a pod of {name}", _DEADLINE_S, **where)


@pytest.fixture
def team(apiserver: Callable[[str], ApiServer], charts: Path, tmp_path: Path) -> Team:
    """A team whose drivers may make StatefulSets."""
    server, name = apiserver("1.34"), f"team-{uuid4().hex[:8]}"
    of_pods = {"podSecurity": {"mode": "none"}, "guard": {"enabled": False}, "driver": {"statefulSets": True}}
    argv = ["install", name, str(charts / "spark-namespace"), *_ADMINS, "--values=-"]
    server.helm().run(argv, yaml.safe_dump({"namespace": {"name": name}, **of_pods}))
    write_account(server, name, "spark-driver", tmp_path)
    return Team(server, name, tmp_path)


def sweeper_of(team: Team, charts: Path, mode: str) -> dict[str, Any]:
    """The container beside a driver, as a release has it."""
    values = {"mode": mode, "app": {"file": "local:///a.py"}, "executor": {"allocator": "statefulset"}}
    where = [f"--namespace={team.name}", "--kube-version=1.34", "--values=-"]
    text = team.server.helm().run(["template", "run", str(charts / "spark-job"), *where], yaml.safe_dump(values))
    objects = [one for one in yaml.safe_load_all(text) if one]
    if mode == "client":
        spec = next(one["spec"]["template"]["spec"] for one in objects if one["kind"] == "Job")
    else:
        data = next(one["data"] for one in objects if one["kind"] == "ConfigMap")
        spec = json.loads(data["driver.json"])["spec"]
    (sweeper,) = [one for one in spec["initContainers"] if one["name"] == "sweeper"]
    return dict(sweeper)


def start(team: Team, sweeper: dict[str, Any], app_id: str) -> subprocess.Popen[str]:
    """Start the program of such a container."""
    (code,) = sweeper["args"]
    for there, here in {
        "https://kubernetes.default.svc": team.host,
        "/var/run/secrets/kubernetes.io/serviceaccount": str(team.account),
    }.items():
        assert code.count(there) == 1, f"the program names {there} no more"
        code = code.replace(there, here)
    env = {**os.environ, "APP_ID": app_id}
    return subprocess.Popen([sys.executable, "-I", "-c", code], env=env, stdout=subprocess.PIPE, text=True)


@MODES
def test_the_sweeper_waits_and_takes_its_drivers_set(team: Team, charts: Path, mode: str) -> None:
    team.make_set("spark-s-spark-mine-0")
    team.make_set("spark-s-spark-others-0")
    with start(team, sweeper_of(team, charts, mode), "spark-mine") as sweeper:
        with pytest.raises(subprocess.TimeoutExpired):
            sweeper.wait(timeout=2)
        assert len(team.sets()) == 2
        sweeper.send_signal(signal.SIGTERM)
        told, _ = sweeper.communicate(timeout=_DEADLINE_S)
    assert sweeper.returncode == 0
    assert "removed the executors' StatefulSet, which the driver left behind" in told
    assert team.sets() == ["spark-s-spark-others-0"]


def test_a_sweeper_without_a_set_just_ends(team: Team, charts: Path) -> None:
    with start(team, sweeper_of(team, charts, "client"), "spark-none") as sweeper:
        with pytest.raises(subprocess.TimeoutExpired):
            sweeper.wait(timeout=2)
        sweeper.send_signal(signal.SIGTERM)
        told, _ = sweeper.communicate(timeout=10)
    assert (sweeper.returncode, told) == (0, "")


def test_a_pod_that_lives_on_sweeps_a_killed_drivers_set(team: Team) -> None:
    with socket.create_server(("127.0.0.1", 0)) as lives:
        port = lives.getsockname()[1]
        team.make_set("killed", "spark://CoarseGrainedScheduler@127.0.0.1:1")
        team.make_set("living", f"spark://CoarseGrainedScheduler@127.0.0.1:{port}")
        team.make_set("elsewhere", "spark://CoarseGrainedScheduler@127.0.0.2:1")
        here = {"POD_UID": "uid-of-this-pod", "POD_IP": "127.0.0.1", "PYTHONPATH": str(_FILES)}
        argv = [sys.executable, "-c", _SWEEP, team.host, str(team.account)]
        subprocess.run(argv, env={**os.environ, **here}, check=True, timeout=_DEADLINE_S)
        assert sorted(team.sets()) == ["elsewhere", "living"]
