"""A submitter of cluster mode runs what the chart made, and takes the right driver for its own.

Jobs, their controller and its policy are real, and so are the programs, with the account's rights. The tests do what a
kubelet would: they write how pods end, and lay a ConfigMap out as files.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
import yaml
from kubernetes import client
from large_pods import make_deep_pod
from pods_account import write_account

from chartproof.apiserver import ApiServer

_ADMINS = ("--namespace=kindling-system", "--create-namespace")
_FILES = Path(__file__).parents[2] / "charts/spark-job/files"
_DEADLINE_S = 60
_NAME_OF_THE_DRIVER = """
import pathlib, sys
import kube
kube._HOST, kube._ACCOUNT = sys.argv[1], pathlib.Path(sys.argv[2])
import submit
print(submit.Submission()._driver)
"""
_PROGRAM = "print('taken')\n"
"""Stands for what an attacker would have run."""
_DISRUPTED = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}


def _terminated(container: str, code: int) -> dict[str, Any]:
    """The status of a pod whose container has ended."""
    state = {"terminated": {"exitCode": code}}
    status = {"name": container, "state": state, "image": "", "imageID": "", "ready": False, "restartCount": 0}
    return {"phase": "Failed" if code else "Succeeded", "containerStatuses": [status]}


class Case(NamedTuple):
    """How the first submitter and its driver ended, and which driver is the second submitter's.

    Attributes:
        submitter: its exit code.
        driver: its exit code; None: it runs.
        takes: the number of the driver that the second submitter takes, on Kubernetes 1.34 and on 1.24.
        disrupted: the first submitter was evicted.
        deleted: the first submitter's pod was deleted after the Job had counted it.
    """

    submitter: int
    driver: int | None
    takes: tuple[int, int]
    disrupted: bool = False
    deleted: bool = False


CASES = {
    "a failed application": Case(7, 7, (1, 1)),
    "one that the Job does not count": Case(1, 137, (1, 1)),
    "a killed submitter": Case(137, None, (0, 0)),
    "a submitter that was asked to go": Case(143, None, (0, 0)),
    "a lost node": Case(255, None, (0, 0)),
    "a driver that failed with nobody there": Case(137, 7, (0, 1)),
    "a driver that succeeded with nobody there": Case(137, 0, (0, 0)),
    "a submitter that broke": Case(1, None, (0, 0)),
    "a submitter evicted as it told of a failure": Case(7, 7, (0, 1), disrupted=True),
    "a failed submitter that was deleted": Case(7, 7, (1, 1), deleted=True),
}


@dataclass(frozen=True)
class Team:
    """A namespace of spark-namespace, and who submits in it."""

    server: ApiServer
    name: str
    account: Path

    def install(self, release: str, chart: Path, **values: Any) -> None:
        """Install or upgrade a release of cluster mode."""
        values = {"mode": "cluster", "retries": 3, "app": {"source": "print('hello')\n"}, **values}
        argv = ["upgrade", "--install", release, str(chart), f"--namespace={self.name}", "--values=-"]
        self.server.helm().run(argv, yaml.safe_dump(values))

    def start(self, release: str, charts: Path) -> Any:
        """Install a run; return its Job's first pod."""
        self.install(release, charts / "spark-job")
        return self.submitter(release)

    def submitter(self, release: str, after: str = "") -> Any:
        """Wait for a submitter of a release that has not ended, other than the one with the uid ``after``."""
        return self.server.cluster.wait_for(
            self.server.cluster.core.list_namespaced_pod,
            lambda pod, _: pod if pod.status.phase == "Pending" and pod.metadata.uid != after else None,
            f"a submitter of {release}",
            _DEADLINE_S,
            namespace=self.name,
            label_selector=f"app.kubernetes.io/component=submitter,app.kubernetes.io/instance={release}",
        )

    def ends(self, pod: str, status: Mapping[str, Any]) -> None:
        """Write how a pod ended, as its kubelet would."""
        self.server.cluster.core.patch_namespaced_pod_status(pod, self.name, {"status": status})

    def make_driver(self, name: str, code: int | None, submitter: Any = None) -> None:
        """Make a driver that runs, or one that has ended with a code; of a submitter's Job, or of nobody's."""
        container = client.V1Container(name="driver", image="spark")
        metadata = client.V1ObjectMeta(name=name, labels={"spark-role": "driver"})
        # Other teams' PodSecurityPolicies are on the server of 1.24.
        confined = client.V1PodSecurityContext(
            run_as_user=185, run_as_non_root=True, seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault")
        )
        if submitter:
            (job,) = submitter.metadata.owner_references
            owner = client.V1OwnerReference(api_version="batch/v1", kind="Job", name=job.name, uid=job.uid)
            metadata.owner_references = [owner]
        pod = client.V1Pod(metadata=metadata, spec=client.V1PodSpec(containers=[container], security_context=confined))
        self.server.cluster.core.create_namespaced_pod(self.name, pod)
        self.ends(name, {"phase": "Running"} if code is None else _terminated("driver", code))

    def load(self, submitter: Any, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run the loader of a submitter over a folder that stands for what is mounted; it looks thrice."""
        with self.loader(submitter, folder, looks=3) as loader:
            output, error = loader.communicate(timeout=_DEADLINE_S)
        return subprocess.CompletedProcess(loader.args, loader.returncode, output, error)

    def loader(self, submitter: Any, folder: Path, looks: int) -> subprocess.Popen[str]:
        """Start the loader of a submitter over a folder."""
        (container,) = submitter.spec.containers
        code, *arguments = container.args[container.args.index("-c") + 1 :]
        copy = folder.with_name(f"copy-of-{folder.name}")
        for there, here in {
            "https://kubernetes.default.svc": self.server.cluster.api_client.configuration.host,
            "/var/run/secrets/kubernetes.io/serviceaccount": str(self.account),
            "/opt/kindling/": f"{folder}/",
            "/tmp/kindling/": f"{copy}/",
            "/dev/termination-log": str(folder.with_name("message")),
            "LOOKS, PAUSE_S = 60, 2": f"LOOKS, PAUSE_S = {looks}, 0.5",
        }.items():
            assert code.count(there) == 1, f"the loader names {there} no more"
            code = code.replace(there, here)
        return subprocess.Popen(
            [sys.executable, "-I", "-c", code, *arguments],
            env={"POD_NAME": submitter.metadata.name},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def mount(self, config_map: str, folder: Path) -> Path:
        """Lay a ConfigMap out as a kubelet does."""
        (folder / "..data").mkdir(parents=True)
        data = self.server.cluster.core.read_namespaced_config_map(config_map, self.name).data
        for file, text in data.items():
            (folder / "..data" / file).write_bytes(text.encode())
            (folder / file).symlink_to(f"..data/{file}")
        return folder

    def driver_of(self, submitter: Any) -> str:
        """The driver that a submitter takes for its own."""
        done = self.look_for_driver(submitter)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def look_for_driver(self, submitter: Any) -> subprocess.CompletedProcess[str]:
        """A submitter's look for its driver, asked with the account's rights."""
        host = self.server.cluster.api_client.configuration.host
        return subprocess.run(
            [sys.executable, "-c", _NAME_OF_THE_DRIVER, host, str(self.account)],
            env={**os.environ, "PYTHONPATH": str(_FILES), "POD_NAME": submitter.metadata.name},
            capture_output=True,
            text=True,
            check=False,
            timeout=_DEADLINE_S,
        )


@pytest.fixture(scope="module")
def team_on(
    apiserver: Callable[[str], ApiServer], charts: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Team]:
    """A team's namespace on a version of Kubernetes; Pod Security is no matter, but 1.24 admits no pod without it."""

    def team_on(version: str) -> Team:
        server, name = apiserver(version), f"team-{uuid4().hex[:8]}"
        mode = "psp" if version == "1.24" else "none"
        values = {"namespace": {"name": name}, "podSecurity": {"mode": mode}, "guard": {"enabled": False}}
        argv = ["install", name, str(charts / "spark-namespace"), *_ADMINS, "--values=-"]
        server.helm().run(argv, yaml.safe_dump(values))
        account = tmp_path_factory.mktemp("account")
        write_account(server, name, "spark-submitter", account)
        return Team(server, name, account)

    return team_on


@pytest.mark.check(23)
@pytest.mark.parametrize(("version", "column"), [("1.34", 0), ("1.24", 1)])
def test_a_submitter_takes_the_driver_that_the_job_misses(
    team_on: Callable[[str], Team], charts: Path, version: str, column: int
) -> None:
    team = team_on(version)
    core = team.server.cluster.core
    firsts, took = {}, {}
    for number, (what, case) in enumerate(CASES.items()):
        first = team.start(f"run-{number}", charts)
        driver = team.driver_of(first)
        assert driver.endswith("-0-driver")
        team.make_driver(driver, case.driver, first)
        status = _terminated("submitter", case.submitter)
        team.ends(first.metadata.name, {**status, "conditions": [_DISRUPTED]} if case.disrupted else status)
        firsts[what] = first
    for number, (what, case) in enumerate(CASES.items()):
        first = firsts[what]
        second = team.submitter(f"run-{number}", after=first.metadata.uid)
        if case.deleted:
            team.server.cluster.wait_for(
                team.server.cluster.batch.list_namespaced_job,
                lambda job, _: job.status.failed or None,
                "the Job to count its failure",
                _DEADLINE_S,
                namespace=team.name,
                label_selector=f"app.kubernetes.io/instance=run-{number}",
            )
            core.delete_namespaced_pod(first.metadata.name, team.name)
        took[what] = int(team.driver_of(second).removesuffix("-driver")[-1])
    assert took == {what: case.takes[column] for what, case in CASES.items()}


def test_a_submitter_adopts_no_pod_that_another_made(team_on: Callable[[str], Team], charts: Path) -> None:
    team = team_on("1.34")
    submitter = team.start("adopted", charts)
    driver = team.driver_of(submitter)
    team.make_driver(driver, 0)
    done = team.look_for_driver(submitter)
    assert done.returncode != 0
    assert f"pod {driver} is there and is no driver of this Job: delete it, and find who made it" in done.stderr


def test_a_driver_that_cannot_be_read_is_told_in_a_line(team_on: Callable[[str], Team], charts: Path) -> None:
    team = team_on("1.34")
    submitter = team.start("deep", charts)
    make_deep_pod(team.server, team.name, team.driver_of(submitter), {"spark-role": "driver"})
    done = team.look_for_driver(submitter)
    assert done.returncode != 0
    assert done.stderr.endswith("an answer of the API server is nested too deeply to be read\n")


def started(done: subprocess.CompletedProcess[str], folder: Path) -> bool:
    """Whether the loader started the chart's program, from its copy; there is nothing here that it could submit."""
    return f"copy-of-{folder.name}/submit.py" in done.stderr


@pytest.fixture(scope="module")
def team(team_on: Callable[[str], Team]) -> Team:
    """A team on the cluster's version of Kubernetes."""
    return team_on("1.34")


def _changed(file: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "..data" / file).write_text(_PROGRAM)


ATTACKS: dict[str, Callable[[Path], object]] = {
    "another program": _changed("submit.py"),
    "another module": _changed("kube.py"),
    "other settings": _changed("spark.properties"),
    "another driver": _changed("driver.json"),
    "another executor": _changed("executor.yaml"),
    "another application": _changed("app.py"),
    "a module more": lambda folder: (folder / "json.py").write_text(_PROGRAM),
    "a file less": lambda folder: (folder / "refusal.py").unlink(),
}


@pytest.mark.check(4)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_what_the_chart_did_not_make_is_not_run(
    team: Team, charts: Path, tmp_path: Path, attack: Callable[[Path], object]
) -> None:
    submitter = team.start("run", charts)
    name = submitter.metadata.labels["job-name"]
    assert started(team.load(submitter, whole := team.mount(name, tmp_path / "whole")), whole)
    attack(team.mount(name, tmp_path / "changed"))
    done = team.load(submitter, tmp_path / "changed")
    assert done.returncode == 78
    message = f'ConfigMap "{name}" is not what the chart made; delete it and upgrade the release'
    assert (tmp_path / "message").read_text() == message
    assert f"kindling: {message}" in done.stdout
    assert not (tmp_path / "copy-of-changed").exists()


@pytest.mark.check(4)
def test_the_programs_of_another_run_are_not_run(team: Team, charts: Path, tmp_path: Path) -> None:
    submitter = team.start("run", charts)
    team.install("another", charts / "spark-job", app={"source": "print('other')\n"})
    another = team.submitter("another").metadata.labels["job-name"]
    assert team.load(submitter, team.mount(another, tmp_path / "another")).returncode == 78


def test_mended_programs_are_run_by_the_run_there_is(
    team: Team, charts: Path, tmp_path: Path, edited: Callable[[str, str, str, str], Path]
) -> None:
    submitter = team.start("mended", charts)
    name = submitter.metadata.labels["job-name"]
    mended = edited("spark-job", "files/submit.py", "def main(", "# Mended.\ndef main(")
    team.install("mended", mended)
    assert [pod.metadata.uid for pod in team.server.cluster.job_pods(team.name, name)] == [submitter.metadata.uid]
    folder = team.mount(name, tmp_path / "mended")
    assert "# Mended." in (folder / "submit.py").read_text()
    assert started(team.load(submitter, folder), folder)


def test_an_upgrade_under_way_is_waited_for(team: Team, charts: Path, tmp_path: Path) -> None:
    """Helm changes the ConfigMap first, and the Job a moment later."""
    submitter = team.start("upgraded", charts)
    name = submitter.metadata.labels["job-name"]
    job = team.server.cluster.batch.read_namespaced_job(name, team.name)
    change = team.server.cluster.batch.patch_namespaced_job
    folder = team.mount(name, tmp_path / "new")
    change(name, team.name, {"metadata": {"annotations": {"kindling.local/config-sha256": "of the old"}}})
    with team.loader(submitter, folder, looks=100) as loader:
        assert loader.stdout
        assert loader.stdout.readline().endswith("is not what the chart made; looking again\n")
        change(name, team.name, {"metadata": {"annotations": job.metadata.annotations}})
        _, error = loader.communicate(timeout=_DEADLINE_S)
    assert f"{folder.with_name('copy-of-new')}/submit.py" in error


def test_a_run_of_a_schedule_goes_on_after_an_upgrade(
    team: Team, charts: Path, tmp_path: Path, kubectl: Callable[..., str]
) -> None:
    schedule = {"cron": "@yearly"}
    team.install("nightly", charts / "spark-job", schedule=schedule)
    kubectl(team.server, "create", "job", "by-hand", "--from=cronjob/nightly", f"--namespace={team.name}")
    submitter = team.submitter("nightly")
    before = team.mount("nightly", tmp_path / "before")
    assert started(team.load(submitter, before), before)
    team.install("nightly", charts / "spark-job", schedule=schedule, app={"source": "print('upgraded')\n"})
    after = team.mount("nightly", tmp_path / "after")
    assert "upgraded" in (after / "app.py").read_text()
    assert started(team.load(submitter, after), after)
