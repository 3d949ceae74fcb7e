"""The guide "Log in and submit as yourself", done as written: from outside of the cluster, with a team's account.

A person's machine is a container of Spark's image on the host's network, with kubectl, helm and kindling.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from door import new_door
from grants import grant, service_account, wait_until_granted
from object_store import BUCKET, PORT, REGION, object_store
from team import QUICK, SMALL, Team, is_running

from chartproof import Cluster, Helm
from kindling_dev.command import run
from kindling_dev.guides import commands
from kindling_dev.progress import Progress
from kindling_dev.settings import ADMIN_NAMESPACE, REPO, Settings
from kindling_dev.spark_image import DEFAULT_LINE, LINES, SparkLine, ensure_spark_image

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
        options += [f"--add-host={host}:{address}" for host, address in self.hosts.items()]
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
def new_desk(
    team: Team, cluster: Cluster, packages_of: Callable[[str], Path], tmp_path: Path
) -> Callable[[str, str, dict[str, Any]], Desk]:
    """Makes the machine: the admin has made an account, its user has logged in. It takes an image, and the namespace's
    image and facts."""

    def new_desk(image: str, in_cluster: str, facts: dict[str, Any]) -> Desk:
        spark = {**QUICK, **_SMALL, "spark.executor.instances": "1", "spark.kubernetes.container.image": in_cluster}
        values = {"namespace": {"name": team.name}, "global": {"sparkConf": spark, **facts}}
        chart = str(team.charts / "spark-namespace")
        upgrade = ["upgrade", team.name, chart, f"--namespace={ADMIN_NAMESPACE}", "--values=-"]
        team.helm.run(upgrade, yaml.safe_dump(values))
        (tmp_path / "admin").write_text(cluster.kubeconfig.read_text())
        desk = Desk(team, tmp_path, image, packages_of(image))
        assert desk.run(of_team(team, commands("log-in", "An account"))).endswith("yes\n")
        return desk

    return new_desk


@pytest.fixture
def desk(new_desk: Callable[[str, str, dict[str, Any]], Desk], request: pytest.FixtureRequest) -> Desk:
    """The machine of a user who needs a line's Spark alone."""
    line: SparkLine = getattr(request, "param", DEFAULT_LINE)
    return new_desk(ensure_spark_image(line, Settings.from_environment(), Progress()), line.published, {})


LOGGED_IN = "export KUBECONFIG=$PWD/alice.kubeconfig\n"


def succeeded(desk: Desk) -> bool:
    """Whether there are drivers and each has printed what it is for."""
    core, name = desk.team.cluster.core, desk.team.name
    ended = [(pod.status.phase, core.read_namespaced_pod_log(pod.metadata.name, name)) for pod in desk.drivers()]
    return bool(ended) and all(
        phase == "Succeeded" and re.search(r"^Pi is roughly 3\.", log, re.MULTILINE) for phase, log in ended
    )


@pytest.mark.parametrize(
    "desk",
    [DEFAULT_LINE, pytest.param(LINES["3.5"], marks=pytest.mark.long)],
    ids=lambda line: f"spark-{line.line}",
    indirect=True,
)
def test_spark_submit_needs_a_kubeconfig_that_renews_its_tokens_and_has_no_more(desk: Desk) -> None:
    submit = of_team(desk.team, commands("log-in", "spark-submit"))
    elsewhere = submit.replace("--deploy-mode", "--conf spark.kubernetes.namespace=default --deploy-mode")
    refused = desk.run(f"{LOGGED_IN}{{\n{elsewhere}}} 2>&1 || true")
    assert 'cannot create resource "pods" in API group "" in the namespace "default"' in refused
    assert desk.drivers() == []
    assert "Pi is roughly 3." in desk.run(LOGGED_IN + submit)
    assert succeeded(desk)


@pytest.mark.long
def test_spark_submit_takes_a_token_in_a_file_and_the_login_of_a_proxy(desk: Desk) -> None:
    defaults = commands("log-in", "spark-submit").partition("spark-submit --master")[0]
    in_file, by_proxy = commands("log-in", "A token in a file"), commands("log-in", "Through kubectl proxy")
    for number, submit in enumerate((in_file, by_proxy), start=1):
        desk.run(LOGGED_IN + of_team(desk.team, defaults + submit))
        assert len(desk.drivers()) == number
        assert succeeded(desk)


def test_ones_own_login_is_given_the_teams_namespace(desk: Desk) -> None:
    assert desk.run(of_team(desk.team, commands("log-in", "Your own login"))).startswith(
        f"kindling: {desk.folder}/own.kubeconfig has "
    )


UPLOADS = f"s3a://{BUCKET}/uploads"
STORED = (
    "java -Djavax.net.ssl.trustStore=truststore -cp '/opt/spark/jars/*' org.apache.hadoop.fs.FsShell "
    "$(sed -n 's/^spark[.]hadoop[.]/-D /p' spark-defaults.conf)"
)
"""Looks into the store from the desk, as Hadoop's own program does; takes its arguments."""


@contextmanager
def forwarded(cluster: Cluster, namespace: str, service: str, port: int) -> Iterator[str]:
    """A port of a Service at this machine, under the same number: gives the address, which nothing else uses."""
    address = ".".join(["127", *(str(random.randint(1, 254)) for _ in range(3))])
    argv = ["kubectl", f"--kubeconfig={cluster.kubeconfig}", f"--namespace={namespace}", "port-forward"]
    process = subprocess.Popen(
        [*argv, f"--address={address}", f"service/{service}", str(port)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        # Its first line says that it listens.
        assert process.stdout.readline().startswith(f"Forwarding from {address}:{port} ")
        yield address
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.long
def test_spark_submit_uploads_files_of_its_machine(
    team: Team,
    new_namespace: Callable[..., str],
    new_desk: Callable[[str, str, dict[str, Any]], Desk],
    of_s3: dict[str, str],
) -> None:
    namespace = new_namespace("store")
    store, core = object_store(team.cluster, namespace), team.cluster.core
    core.create_namespaced_config_map(team.name, {"metadata": {"name": "company-ca"}, "data": {"ca.crt": store.ca}})
    credentials = {"metadata": {"name": "s3"}, "stringData": {"credentials": store.credentials_file}}
    core.create_namespaced_secret(team.name, credentials)
    s3 = {"endpoint": store.endpoint, "region": REGION, "pathStyle": True, "secret": {"name": "s3"}}
    image = "{repository}:{tag}".format(**of_s3)
    desk = new_desk(image, image, {"trust": {"configMap": "company-ca"}, "s3": s3})
    (desk.folder / "credentials").write_text(store.credentials_file)
    (desk.folder / "wrong").write_text(store.credentials_file.replace("secret-", "wrong-"))
    prepare = commands("log-in", "spark-submit").partition("spark-submit --master")[0]
    prepare = f"{LOGGED_IN}export AWS_SHARED_CREDENTIALS_FILE=$PWD/credentials\n{of_team(team, prepare)}"
    written = commands("dependencies", "From your own machine").replace("s3a://jobs/uploads", UPLOADS)
    path = f"--conf spark.kubernetes.file.upload.path={UPLOADS}"
    with forwarded(team.cluster, namespace, "store", PORT) as address:
        desk = replace(desk, hosts={f"store.{namespace}.svc": address})
        for refused, why in {
            written.replace(path, ""): "Please specify spark.kubernetes.file.upload.path property.",
            written.replace(UPLOADS, "s3a://nowhere/uploads"): "Bucket does not exist",
            f"export AWS_SHARED_CREDENTIALS_FILE=$PWD/wrong\n{written}": "SignatureDoesNotMatch",
        }.items():
            submit = refused.partition("kubectl logs")[0]
            said = desk.run(f"{prepare}{{\n{submit}}} 2>&1 || echo exit code $?")
            assert (said.endswith("exit code 1\n"), why in said, desk.drivers()) == (True, True, []), said
        assert desk.run(f"{prepare}{STORED} -ls -R {UPLOADS} 2>&1 || true").endswith("No such file or directory\n")
        assert "invoice: 108.1 32.43\n" in desk.run(prepare + written)
        listed = desk.run(f"{prepare}{STORED} -ls -R {UPLOADS}")
        rate = desk.run(f"{prepare}{STORED} -cat {UPLOADS}/*/rate.txt")
    files = re.findall(rf"^-.* {UPLOADS}/spark-upload-[0-9a-f-]{{36}}/(\S+)$", listed, re.MULTILINE)
    assert sorted(files) == ["invoice.py", "rate.txt", "tax.py"], listed
    assert rate == "1.081\n"
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
