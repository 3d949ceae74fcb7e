"""The guide "Log in and submit as yourself", done as written: from outside of the cluster, with a team's account.

A person's machine is a container of Spark's image on the host's network, with kubectl, helm and kindling.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from as_written import write_values
from door import new_door
from grants import grant, service_account, wait_until_granted
from object_store import BUCKET, PORT, REGION, object_store
from team import OLD_LINE_LONG, QUICK, SMALL, Team, is_running

from chartproof import Cluster, Helm
from kindling_dev.command import run
from kindling_dev.guides import commands
from kindling_dev.progress import Progress
from kindling_dev.settings import ADMIN_NAMESPACE, REPO, Settings
from kindling_dev.spark_image import DEFAULT_LINE, SparkLine, ensure_spark_image

_SMALL = {f"spark.kubernetes.{role}.request.cores": SMALL[role]["requestCores"] for role in SMALL}
_KINDLING = '#!/bin/sh\nexec python3 -m kindling "$@"\n'


@dataclass(frozen=True)
class Desk:
    """A machine outside of the cluster.

    Attributes:
        team: the team of its user.
        folder: the user's files, at the same place in the container; "admin" is a kubeconfig of the cluster's admin.
        image: of the Spark that is installed.
        packages: what kindling imports, for that image's Python.
        hosts: addresses of hosts that its name server does not know.
    """

    team: Team
    folder: Path
    image: str
    packages: Path
    hosts: Mapping[str, str] = field(default_factory=dict)

    def run(self, script: str) -> str:
        """Run a shell script; what it printed."""
        program = self.folder / "kindling"
        program.write_text(_KINDLING)
        program.chmod(0o755)
        mounts = {
            str(self.folder): str(self.folder),
            f"{self.team.charts}": f"{self.folder}/charts:ro",
            str(program): "/usr/local/bin/kindling:ro",
            str(REPO / "src"): "/kindling:ro",
            str(self.packages): "/packages:ro",
        }
        mounts |= {str(Path(path).resolve()): f"/usr/local/bin/{name}:ro" for name, path in _programs().items()}
        options = [f"--volume={there}:{here}" for there, here in mounts.items()]
        # Files that are the user's alone, who is root here.
        options += ["--rm", "--network=host", "--user=0:0", f"--workdir={self.folder}"]
        # Then the container has a hosts file of its own, which lacks the machine's name.
        hosts = self.hosts and {socket.gethostname(): "127.0.0.1", **self.hosts}
        options += [f"--add-host={host}:{address}" for host, address in hosts.items()]
        options += ["--env=PYTHONPATH=/kindling:/packages", f"--env=KUBECONFIG={self.folder}/admin"]
        return run(["docker", "run", *options, self.image, "bash", "-euo", "pipefail", "-c", script])

    def drivers(self) -> list[Any]:
        """The drivers' pods."""
        pods: list[Any] = self.team.cluster.core.list_namespaced_pod(
            self.team.name, label_selector="spark-role=driver"
        ).items
        return pods


def _programs() -> dict[str, str]:
    found = {name: shutil.which(name) for name in ("kubectl", "helm")}
    return {name: path for name, path in found.items() if path}


NewDesk = Callable[[str, dict[str, str], dict[str, Any]], Desk]
"""Makes one, of its image, the pods' (the value `image`), and the namespace's facts (the value `global`)."""


def of_team(team: Team, written: str) -> str:
    """A guide's commands for another team than theirs."""
    return written.replace("team-a", team.name)


@pytest.fixture(scope="session")
def packages_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Installs what kindling imports, in the versions of the lock file, for the Python of an image."""

    @cache
    def packages_of(image: str) -> Path:
        ask = "import platform; print(platform.python_version())"
        version = run(["docker", "run", "--rm", image, "python3", "-c", ask]).strip()
        project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
        names = [requirement.partition(">")[0] for requirement in project["dependencies"]]
        folder = tmp_path_factory.mktemp("packages")
        argv = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--only-binary=:all:"]
        where = [f"--target={folder}", f"--python-version={version}", f"--constraint={REPO / 'requirements.lock'}"]
        run([*argv, *where, *names])
        return folder

    return packages_of


@pytest.fixture
def new_desk(team: Team, cluster: Cluster, packages_of: Callable[[str], Path], tmp_path: Path) -> NewDesk:
    """Makes the machine: the admin has made an account, its user has logged in."""

    def new_desk(image: str, of_pods: dict[str, str], facts: dict[str, Any]) -> Desk:
        spark = {**QUICK, **_SMALL, "spark.executor.instances": "1"}
        values = {"namespace": {"name": team.name}, "image": of_pods, "global": {"sparkConf": spark, **facts}}
        chart = str(team.charts / "spark-namespace")
        upgrade = ["upgrade", team.name, chart, f"--namespace={ADMIN_NAMESPACE}", "--values=-"]
        team.helm.run(upgrade, yaml.safe_dump(values))
        (tmp_path / "admin").write_text(cluster.kubeconfig.read_text())
        desk = Desk(team, tmp_path, image, packages_of(image))
        assert desk.run(of_team(team, commands("log-in", "An account"))).endswith("yes\n")
        return desk

    return new_desk


@pytest.fixture
def line() -> SparkLine:
    """The line of Spark, of tests that say nothing else."""
    return DEFAULT_LINE


@pytest.fixture
def desk(new_desk: NewDesk, line: SparkLine) -> Desk:
    """The machine of a user who needs a line's Spark alone."""
    of_pods = {"tag": f"{line.version}-{line.variant}"}
    return new_desk(ensure_spark_image(line, Settings.from_environment(), Progress()), of_pods, {})


LOGGED_IN = "export KUBECONFIG=$PWD/alice.kubeconfig\n"


def succeeded(desk: Desk) -> bool:
    """Whether there are drivers and each has printed what it is for."""
    core, name = desk.team.cluster.core, desk.team.name
    ended = [(pod.status.phase, core.read_namespaced_pod_log(pod.metadata.name, name)) for pod in desk.drivers()]
    return bool(ended) and all(
        phase == "Succeeded" and re.search(r"^Pi is roughly 3\.", log, re.MULTILINE) for phase, log in ended
    )


@OLD_LINE_LONG
def test_spark_submit_needs_a_kubeconfig_that_renews_its_tokens_and_has_no_more(desk: Desk, line: SparkLine) -> None:
    submit = of_team(desk.team, commands("log-in", "spark-submit"))
    elsewhere = submit.replace("--deploy-mode", "--conf spark.kubernetes.namespace=default --deploy-mode")
    refused = desk.run(f"{LOGGED_IN}{{\n{elsewhere}}} 2>&1 || true")
    assert 'cannot create resource "pods" in API group "" in the namespace "default"' in refused
    assert desk.drivers() == []
    assert "Pi is roughly 3." in desk.run(LOGGED_IN + submit)
    assert succeeded(desk)
    (driver,) = desk.drivers()
    assert driver.spec.containers[0].image == f"docker.io/{line.published}"


@pytest.mark.long
def test_spark_submit_takes_a_token_in_a_file_and_the_login_of_a_proxy(desk: Desk) -> None:
    defaults = commands("log-in", "spark-submit").partition("spark-submit --master")[0]
    in_file, by_proxy = commands("log-in", "A token in a file"), commands("log-in", "Through kubectl proxy")
    for number, submit in enumerate((in_file, by_proxy), start=1):
        desk.run(LOGGED_IN + of_team(desk.team, defaults + submit))
        assert len(desk.drivers()) == number
        assert succeeded(desk)


def test_helm_installs_a_job_with_ones_own_login(desk: Desk) -> None:
    site = (REPO / "values/spark-job.yaml").read_text()
    write_values(desk.folder, {"spark-job.yaml": site, f"{desk.team.name}/common.yaml": ""})
    written = LOGGED_IN + of_team(desk.team, commands("log-in", "helm"))
    refused = desk.run(f"{{\n{written.replace('export HELM_DRIVER=configmap', '')}}} 2>&1 || true")
    assert "secrets is forbidden" in refused
    assert "Phase:          Succeeded" in desk.run(written)
    assert desk.drivers() == []


def test_ones_own_login_is_given_the_teams_namespace(desk: Desk) -> None:
    assert desk.run(of_team(desk.team, commands("log-in", "Your own login"))).startswith(
        f"kindling: {desk.folder}/own.kubeconfig has "
    )


UPLOADS = f"s3a://{BUCKET}/uploads"
STORED = (
    "java -Djavax.net.ssl.trustStore=truststore -cp '.:/opt/spark/jars/*' org.apache.hadoop.fs.FsShell "
    "$(sed -n 's/^spark[.]hadoop[.]/-D /p' spark-defaults.conf)"
)
"""Looks into the store from the desk, as Hadoop's own program does; takes its arguments, and a core-site.xml."""


def at_the_node(cluster: Cluster, namespace: str, name: str) -> tuple[str, int]:
    """Have a Service listen at the cluster's node too, at a port that is then its own in the cluster: address, port."""
    core = cluster.core
    service = core.patch_namespaced_service(name, namespace, {"spec": {"type": "NodePort"}})
    (port,) = service.spec.ports
    port.port = port.node_port
    core.replace_namespaced_service(name, namespace, service)
    (node,) = core.list_node().items
    (address,) = [one.address for one in node.status.addresses if one.type == "InternalIP"]
    return address, port.node_port


@pytest.mark.long
def test_spark_submit_uploads_files_of_its_machine(
    team: Team,
    new_namespace: Callable[..., str],
    new_desk: NewDesk,
    of_s3: dict[str, str],
) -> None:
    namespace = new_namespace("store")
    store, core = object_store(team.cluster, namespace), team.cluster.core
    core.create_namespaced_config_map(team.name, {"metadata": {"name": "company-ca"}, "data": {"ca.crt": store.ca}})
    credentials = {"metadata": {"name": "s3"}, "stringData": {"credentials": store.credentials_file}}
    core.create_namespaced_secret(team.name, credentials)
    address, port = at_the_node(team.cluster, namespace, "store")
    endpoint = store.endpoint.replace(f":{PORT}", f":{port}")
    s3 = {"endpoint": endpoint, "region": REGION, "pathStyle": True, "secret": {"name": "s3"}}
    desk = new_desk("{repository}:{tag}".format(**of_s3), of_s3, {"trust": {"configMap": "company-ca"}, "s3": s3})
    (desk.folder / "core-site.xml").write_text("<configuration/>")
    (desk.folder / "credentials").write_text(store.credentials_file)
    (desk.folder / "wrong").write_text(store.credentials_file.replace("secret-", "wrong-"))
    prepare = commands("log-in", "spark-submit").partition("spark-submit --master")[0]
    prepare = f"{LOGGED_IN}export AWS_SHARED_CREDENTIALS_FILE=$PWD/credentials\n{of_team(team, prepare)}"
    written = commands("dependencies", "From your own machine").replace("s3a://jobs/uploads", UPLOADS)
    path = f"--conf spark.kubernetes.file.upload.path={UPLOADS}"
    desk = replace(desk, hosts={f"store.{namespace}.svc": address})
    for refused, why in {
        written.replace(path, ""): "Please specify spark.kubernetes.file.upload.path property.",
        written.replace(UPLOADS, "s3a://nowhere/uploads"): "UnknownStoreException",
        f"export AWS_SHARED_CREDENTIALS_FILE=$PWD/wrong\n{written}": "SignatureDoesNotMatch",
    }.items():
        submit = refused.partition("kubectl logs")[0]
        said = desk.run(f"{prepare}{{\n{submit}}} 2>&1 || echo exit code $?")
        assert (said.endswith("exit code 1\n"), why in said, desk.drivers()) == (True, True, []), said
    assert "invoice: 108.1 32.43\n" in desk.run(prepare + written)
    desk.run(f"{prepare}{STORED} -get {UPLOADS} stored")
    stored = {file.name: file.read_text() for file in desk.folder.glob("stored/spark-upload-*/[!.]*")}
    assert stored == {name: (desk.folder / name).read_text() for name in ("invoice.py", "tax.py", "rate.txt")}
    assert len(list((desk.folder / "stored").iterdir())) == len(stored), "one of each; a refused submission left none"
    objects = team.kubectl("get", "pods,configmaps,events", "--output=yaml")
    assert not [word for word in (store.access_key, store.secret_key) if word in objects]


@pytest.mark.long
def test_an_application_of_spark_submit_alone_is_opened_by_a_viewer(
    new_namespace: Callable[..., str], cluster: Cluster, cluster_helm: Helm, charts: Path, tmp_path: Path
) -> None:
    """As Spark's documentation has it, in a namespace that nobody prepared; only the Roles are spark-ui-proxy's."""
    team = Team(new_namespace("plain"), cluster_helm, cluster, charts)
    team.kubectl("create", "serviceaccount", "spark")
    team.kubectl("create", "rolebinding", "spark-role", "--clusterrole=edit", f"--serviceaccount={team.name}:spark")
    wait_until_granted(cluster, team.name, [service_account(team.name, "spark")], "create pods")
    may_see = {"apiGroups": ["kindling.local"], "resources": ["applications"], "verbs": ["get"]}
    (tmp_path / "admin").write_text(cluster.kubeconfig.read_text())
    image = ensure_spark_image(DEFAULT_LINE, Settings.from_environment(), Progress())
    desk = Desk(team, tmp_path, image, packages=tmp_path / "none")
    conf = {
        **_SMALL,
        "spark.executor.instances": "1",
        "spark.kubernetes.container.image": DEFAULT_LINE.published,
        "spark.kubernetes.namespace": team.name,
        "spark.kubernetes.authenticate.driver.serviceAccountName": "spark",
        "spark.kubernetes.submission.waitAppCompletion": "false",
    }
    settings = " ".join(f"--conf {key}={value}" for key, value in conf.items())
    with new_door(team) as door:
        door.install(rbac={"roles": True})
        grant(cluster, team.name, [service_account(ADMIN_NAMESPACE, door.viewer)], [may_see])
        desk.run(
            "server=$(kubectl config view --minify --output jsonpath='{.clusters[0].cluster.server}')\n"
            f"spark-submit --master k8s://$server --deploy-mode cluster --name spark-pi {settings} "
            "local:///opt/spark/examples/src/main/python/pi.py 100000"
        )
        driver = cluster.wait_for(
            cluster.core.list_namespaced_pod,
            lambda pod, _: pod if is_running(pod) else None,
            "a driver",
            90,
            namespace=team.name,
            label_selector="spark-role=driver",
        )
        ui = f"{team.name}/proxy/{driver.metadata.labels['spark-app-selector']}"
        cluster.wait_for_log(team.name, driver.metadata.name, "Starting task", 180)
        (listed,) = json.loads(door.ask("/-/api/v1/applications").text)["items"]
        assert (listed["name"], listed["state"]) == ("spark-pi", "running")
        jobs = door.ask(f"/{ui}/jobs/")
        assert (jobs.status, "Active Jobs" in jobs.text) == (200, True)
        assert len(door.rest(ui, f"applications/{listed['id']}/executors")) == 2
        assert door.ask(f"/{ui}/jobs/", "default").status == 403
