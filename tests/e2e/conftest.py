"""What the e2e tests share: a team's namespace made by spark-namespace, the lines of Spark, the audit log."""

from __future__ import annotations

import fcntl
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from program_image import load
from registry import free_address
from secure_hdfs import SecureHdfs, installed_hdfs
from team import Team

from chartproof import Cluster, Helm
from kindling_dev import images
from kindling_dev.cluster import node_name
from kindling_dev.command import run
from kindling_dev.progress import Progress
from kindling_dev.s3_image import ensure_s3_image
from kindling_dev.settings import ADMIN_NAMESPACE, Settings
from kindling_dev.spark_image import DEFAULT_LINE, LINES, SparkLine, ensure_spark_image

_GUARD = {
    "serviceAccounts": ["other-driver"],
    "executorAccounts": ["other-executor"],
    "secrets": ["password", "registry", "database", "nowhere"],
    "tolerations": ["spark"],
}
"""What the tests' jobs use, as a team's admin lists it."""


@pytest.fixture(autouse=True)
def _no_one_else(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests marked ``alone`` disturb the whole cluster: they wait for the others, and the others for them."""
    alone = request.node.get_closest_marker("alone") is not None
    with (Settings.from_environment().cluster_dir / "tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


@pytest.fixture
def swept(team: Team) -> Iterator[Team]:
    """A team whose releases are removed when the test ends; whatever kind of object is left then is a failure."""
    # The control plane makes these two when it comes round to it.
    before = team.cluster.inventory(team.name) | {"ConfigMap/kube-root-ca.crt", "ServiceAccount/default"}
    yield team
    for release in json.loads(team.helm.run(["list", "--all", "--namespace", team.name, "--output", "json"])):
        team.uninstall(release["name"])
    team.cluster.wait_for_inventory(team.name, before, deadline_s=120)


@pytest.fixture
def new_team(
    new_namespace: Callable[..., str], cluster: Cluster, cluster_helm: Helm, charts: Path
) -> Iterator[Callable[[], Team]]:
    """Makes namespaces of teams by spark-namespace."""
    teams = []
    admin = f"--namespace={ADMIN_NAMESPACE}"

    def new_team() -> Team:
        team = Team(new_namespace("team", create=False), cluster_helm, cluster, charts)
        teams.append(team)
        engineer = {"namespace": ADMIN_NAMESPACE, "name": team.engineer}
        people = {"submitters": {"serviceAccounts": [engineer]}}
        guard = {**_GUARD, "priorityClasses": [team.name], "runtimeClasses": [team.name]}
        values = {"namespace": {"name": team.name}, "access": people, "guard": guard}
        chart = str(charts / "spark-namespace")
        cluster_helm.run(["install", team.name, chart, admin, "--create-namespace", "--values=-"], json.dumps(values))
        team.kubectl("create", "serviceaccount", team.engineer, admin)
        return team

    yield new_team
    for team in teams:
        team.kubectl("delete", "serviceaccount", team.engineer, admin, "--ignore-not-found")
        cluster_helm.run(["uninstall", team.name, admin, "--ignore-not-found"])


@pytest.fixture
def team(new_team: Callable[[], Team]) -> Team:
    """A team's namespace of the test's own."""
    return new_team()


@pytest.fixture(params=list(LINES.values()), ids=lambda line: f"spark-{line.line}")
def line(request: pytest.FixtureRequest) -> SparkLine:
    """Each line of Spark that Kindling supports."""
    selected: SparkLine = request.param
    return selected


@pytest.fixture(scope="session")
def shared_hdfs(cluster: Cluster) -> Iterator[SecureHdfs]:
    """The HDFS with Kerberos of all workers; tests take one of the two fixtures below."""
    with installed_hdfs(cluster) as hdfs:
        yield hdfs


@pytest.fixture
def secure_hdfs(shared_hdfs: SecureHdfs) -> Iterator[SecureHdfs]:
    """An HDFS with Kerberos whose servers nobody stops while the test runs."""
    with shared_hdfs.used():
        yield shared_hdfs


@pytest.fixture
def own_hdfs(shared_hdfs: SecureHdfs) -> Iterator[SecureHdfs]:
    """The same, for a test that stops its servers: no other test uses it meanwhile."""
    with shared_hdfs.used(alone=True):
        yield shared_hdfs
        # Also when the test failed while it was stopped.
        shared_hdfs.start_kdc()


@pytest.fixture(scope="session")
def of_s3() -> dict[str, str]:
    """The value `image` of a Spark that speaks S3, which the cluster has."""
    settings, progress = Settings.from_environment(), Progress()
    image = ensure_s3_image(ensure_spark_image(DEFAULT_LINE, settings, progress), settings, progress)
    load(image)
    repository, _, tag = image.partition(":")
    return {"repository": repository, "tag": tag}


@pytest.fixture
def address() -> str:
    """Where a registry may listen on this machine."""
    return free_address()


@pytest.fixture
def image(tmp_path: Path, address: str) -> Iterator[str]:
    """The name, at that address, of a tiny image that the engine has; it is gone after the test."""
    archive = tmp_path / "root.tar"
    with tarfile.open(archive, "w") as tar:
        tar.addfile(tarfile.TarInfo("hello"), io.BytesIO())
    reference = f"{address}/tiny:{uuid4().hex[:8]}"
    run(["docker", "import", archive, reference])
    yield reference
    if images.in_engine(reference):
        run(["docker", "image", "rm", reference])


@pytest.fixture(scope="session")
def audit_log() -> Callable[[], list[dict[str, Any]]]:
    """Read the API server's audit log: one event a request, newest last."""
    node = node_name(Settings.from_environment())

    def read() -> list[dict[str, Any]]:
        text = run(["docker", "exec", node, "cat", "/var/log/kubernetes/audit.log"], what="read the audit log")
        return [json.loads(line) for line in text.splitlines()]

    return read
