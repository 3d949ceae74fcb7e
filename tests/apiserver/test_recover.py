"""helm is killed at any of its writes: after ``kindling recover`` the same command ends as if nothing had been."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from kubernetes import client, dynamic

from chartproof import HelmError
from chartproof.apiserver import ApiServer
from chartproof.interrupter import Interrupter, Kill, interrupter
from kindling.cli import run
from kindling_dev.scenarios import CHARTS
from kindling_dev.settings import REPO

State = dict[tuple[str, str], dict[str, Any]]
"""(kind, name) -> the object."""
_KINDS = {
    "v1": ("Namespace", "ServiceAccount", "ConfigMap", "ResourceQuota", "LimitRange"),
    "rbac.authorization.k8s.io/v1": ("Role", "RoleBinding"),
    "networking.k8s.io/v1": ("NetworkPolicy",),
    "admissionregistration.k8s.io/v1": ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
    "batch/v1": ("Job",),
}
"""Of all objects that these releases have, and may leave."""
_OF_ITS_LIFE = {"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"}
_BEFORE: dict[str, Mapping[str, Any]] = {
    "spark-namespace": {
        "access": {"viewers": {"users": ["vera"]}},
        "limits": {"default": {"memory": "1Gi"}},
        "quota": {"hard": {"pods": 40, "requests.cpu": 8}},
    },
    "spark-job": {"app": {"source": "print('one')"}, "global": {"isolateApplications": True}},
}
_AFTER: dict[str, Mapping[str, Any]] = {
    "spark-namespace": {
        "access": {"submitters": {"users": ["anna"]}},
        "accounts": [{"name": "ci", "role": "submitter"}],
        "global": {"serviceAccounts": {"driver": "other-driver"}},
        "guard": {"enabled": False},
        "quota": {"hard": {"requests.cpu": 9, "count/jobs.batch": 100}},
    },
    "spark-job": {"app": {"source": "print('two')"}},
}


@dataclass(frozen=True)
class Subject:
    """A release whose life is interrupted.

    Attributes:
        chart: its name.
        name, namespace: of the release.
        team: the namespace of its objects.
        helm: what changes it.
        api: what knows its objects.
    """

    chart: str
    name: str
    namespace: str
    team: str
    helm: Interrupter
    api: dynamic.DynamicClient

    def do(self, operation: str, kill: Kill | None = None) -> int:
        """Let helm do an operation; return how often it wrote."""
        of_release = (self.name, f"--namespace={self.namespace}")
        if operation == "rollback":
            return self.helm.run(["rollback", *of_release, "1"], kill=kill)
        if operation.startswith("uninstall"):
            return self.helm.run([*operation.split(), *of_release], kill=kill)
        values = dict((_AFTER if operation == "upgrade" else _BEFORE)[self.chart])
        if self.chart == "spark-namespace":
            values["namespace"] = {"name": self.team}
        argv = [*operation.split(), *of_release, str(CHARTS / self.chart), "--values=-"]
        return self.helm.run(argv, yaml.safe_dump(values), kill)

    def records(self) -> list[Any]:
        """helm's records."""
        kind = {"secret": "Secret", "configmap": "ConfigMap"}[self.helm.driver]
        return self._list("v1", kind, f"owner=helm,name={self.name}", namespace=self.namespace)

    def state(self) -> State:
        """The objects that carry the release's label, wherever they are."""
        of_release = f"app.kubernetes.io/instance={self.name}"
        listed = [self._list(version, kind, of_release) for version, kinds in _KINDS.items() for kind in kinds]
        return {(item["kind"], item["metadata"]["name"]): item for items in listed for item in items}

    def _list(self, version: str, kind: str, selector: str, **where: str) -> list[Any]:
        resource = self.api.resources.get(api_version=version, kind=kind)
        return list(resource.get(label_selector=selector, **where).to_dict()["items"])


def meant(state: State) -> State:
    """What is meant by objects; what the API server says of their lives is left out."""
    found = {}
    for key, body in state.items():
        metadata = {name: value for name, value in body["metadata"].items() if name not in _OF_ITS_LIFE}
        # A Job's name says what is in it; the rest is named after its uid.
        others = () if key[0] == "Job" else body.keys() - {"metadata", "status"}
        found[key] = {"metadata": metadata} | {name: body[name] for name in others}
    return found


def uids(state: State) -> dict[tuple[str, str], str]:
    """The uid of each object."""
    return {key: body["metadata"]["uid"] for key, body in state.items()}


@pytest.mark.check(29)
@pytest.mark.parametrize("lives", [1, pytest.param(20, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ("chart", "program", "driver"),
    [
        ("spark-namespace", "helm4", "secret"),
        ("spark-job", "helm", "configmap"),
        pytest.param("spark-namespace", "helm", "configmap", marks=pytest.mark.long),
        pytest.param("spark-job", "helm4", "secret", marks=pytest.mark.long),
    ],
)
def test_helm_killed_at_any_write_is_recovered(
    chart: str, program: str, driver: str, lives: int, peopled: Callable[[str], ApiServer]
) -> None:
    server = peopled("1.34")
    team = f"team-{uuid4().hex[:8]}"
    admins = f"admins-of-{team}"
    server.cluster.core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=admins)))
    if chart == "spark-job":
        setup = ["install", "team", str(CHARTS / "spark-namespace"), f"--namespace={admins}"]
        server.helm().run([*setup, f"--set=namespace.name={team}"])
    api = dynamic.DynamicClient(server.cluster.api_client)  # type: ignore[no-untyped-call]
    where = admins if chart == "spark-namespace" else team
    with interrupter(program, server, driver) as helm:
        release = Subject(chart, f"life-of-{team}", where, team, helm, api)
        writes, ends = {}, {}
        for operation in ("install", "upgrade", "rollback", "uninstall"):
            writes[operation] = release.do(operation)
            ends[operation] = meant(release.state())
        assert ends["install"] == ends["rollback"] != ends["upgrade"]
        assert {kind for kind, _ in ends["uninstall"]} <= {"Namespace"}, "it is kept"

        points = random.Random(f"{chart} {program}")
        for _ in range(lives):
            for operation, again in (
                ("install", "upgrade --install"),
                ("upgrade", "upgrade"),
                ("rollback", "rollback"),
                ("uninstall", "uninstall --ignore-not-found"),
            ):
                kill = Kill(points.randint(1, writes[operation]), points.random() < 0.5)
                release.do(operation, kill)
                left = release.state()
                known = bool(release.records())
                told = run(
                    ["recover", release.name, "-n", where, "--idle=0", f"--kubeconfig={server.kubeconfig}", "--json"]
                )
                assert (told == 0) == known, f"{operation} killed at {kill}"
                assert uids(release.state()) == uids(left), "recovery touches helm's record alone"
                release.do(again)
                found = release.state()
                assert meant(found) == ends[operation], f"{operation} killed at {kill}"
                kept = left.keys() & found.keys()
                assert {key: uids(left)[key] for key in kept} == {key: uids(found)[key] for key in kept}
            assert not release.records()


def blocks(page: str) -> Iterator[tuple[str, str]]:
    """The commands of a guide, each with what it says that they print."""
    yield from re.findall(r"```bash\n(.*?)```(?:\n+```text\n(.*?)```)?", page, re.DOTALL)


def test_the_guide_recovers_an_upgrade(
    apiserver: Callable[[str], ApiServer], tmp_path: Path, path_with_kindling: str
) -> None:
    server = apiserver("1.34")
    (tmp_path / "charts").symlink_to(CHARTS)
    (tmp_path / "team-a.yaml").write_text(
        yaml.safe_dump({"namespace": {"name": "team-a"}, **_AFTER["spark-namespace"]})
    )
    env = {**os.environ, "KUBECONFIG": str(server.kubeconfig), "PATH": path_with_kindling}
    chart, admins = str(CHARTS / "spark-namespace"), "--namespace=kindling-system"
    server.helm().run(["install", "team-a", chart, admins, "--create-namespace", "--set=namespace.name=team-a"])
    with interrupter("helm", server, "secret") as helm:
        helm.run(["upgrade", "team-a", chart, admins, f"--values={tmp_path / 'team-a.yaml'}"], kill=Kill(3, done=True))
    again = ["upgrade", "--install", "team-a", chart, admins, f"--values={tmp_path / 'team-a.yaml'}"]
    with pytest.raises(HelmError, match=re.escape("another operation (install/upgrade/rollback) is in progress")):
        server.helm().run(again)
    refused = subprocess.run(
        ["kindling", "recover", "team-a", admins], env=env, capture_output=True, text=True, check=False
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert re.fullmatch(
        r"kindling: revision 2 of team-a is pending-upgrade since \d+ s, helm may be at work: "
        r"wait until it is 600 s, or give --idle 0 if you know that it has ended\n",
        refused.stderr,
    )
    for commands, printed in blocks((REPO / "docs/guides/recover.md").read_text()):
        argv = ["bash", "-euo", "pipefail", "-c", commands]
        done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert not [line for line in printed.splitlines() if line not in done.stdout], done.stdout
    assert [
        entry["status"] for entry in json.loads(server.helm().run(["history", "team-a", admins, "--output=json"]))
    ] == [
        "superseded",
        "failed",
        "deployed",
    ]
    finished = subprocess.run(
        ["kindling", "recover", "team-a", admins], env=env, capture_output=True, text=True, check=False
    )
    assert finished.stdout == "revision 3 of team-a is deployed: nothing is to be recovered\n"
    server.helm().run(["uninstall", "team-a", admins])


def test_an_interrupted_upgrade_is_uninstalled_whole(apiserver: Callable[[str], ApiServer]) -> None:
    server = apiserver("1.34")
    name = f"team-{uuid4().hex[:8]}"
    with interrupter("helm", server, "secret") as helm:
        api = dynamic.DynamicClient(server.cluster.api_client)  # type: ignore[no-untyped-call]
        release = Subject("spark-namespace", name, "kindling-system", name, helm, api)
        release.do("install --create-namespace")
        release.do("upgrade", Kill(4, done=True))
        was = release.state()
        assert ("RoleBinding", "access-viewers") in was, "that of before, too"
        run(["recover", name, "-n", "kindling-system", "--idle=0", f"--kubeconfig={server.kubeconfig}"])
        release.do("uninstall")
        assert set(release.state()) == {("Namespace", name)}
