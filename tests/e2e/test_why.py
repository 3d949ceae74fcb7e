"""``kindling why`` names what was done to a run, asked with no more than a submitter's rights."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from grants import grant, service_account
from notebook import SESSION, Notebook
from team import SLEEP, SMALL, Team
from tool import kindling, kubeconfig_of, quota, submitter_kubeconfig

from kindling_dev.spark_image import DEFAULT_LINE, SparkLine

HELLO = {"source": "print('hello')"}
SPARK = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n"
COUNT = {"source": f"{SPARK}print(spark.range(10).repartition(2).count())\n"}
EAT = """
def eat(rows):
    block = bytearray({megabytes} << 20)
    for position in range(0, len(block), 4096):
        block[position] = 1
    return [len(block)]
"""
JAR = f"local:///opt/spark/jars/spark-core_2.13-{DEFAULT_LINE.version}.jar"
Why = Callable[[str], dict[str, Any]]


@pytest.fixture
def submitter(team: Team, tmp_path: Path) -> Path:
    """A kubeconfig with a submitter's rights."""
    return submitter_kubeconfig(team, tmp_path)


@pytest.fixture
def why(submitter: Path) -> Why:
    """What ``kindling why NAME --json`` answers a submitter."""

    def ask(name: str) -> dict[str, Any]:
        done = kindling(submitter, "why", name, "--json")
        assert done.returncode == 0, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        assert not report["unread"]
        return report

    return ask


def the_finding(report: dict[str, Any], status: str) -> dict[str, Any]:
    """The one finding of a report that has some status."""
    assert report["status"] == status, report
    (finding,) = report["findings"]
    assert finding["evidence"]
    assert "\n" not in finding["cause"] + finding["cure"]
    return dict(finding)


def until_event(team: Team, reason: str) -> None:
    """Wait for a warning of Kubernetes."""
    team.cluster.wait_for(
        team.cluster.core.list_namespaced_event,
        lambda event, _: True if event.reason == reason else None,
        f"event {reason}",
        30,
        namespace=team.name,
        field_selector="type=Warning",
    )


def until_stuck(team: Team, reason: str) -> None:
    """Wait for a container that cannot start."""

    def stuck(pod: Any, _: str) -> bool | None:
        states = [status.state.waiting for status in pod.status.container_statuses or []]
        return True if any(state and state.reason == reason for state in states) else None

    team.cluster.wait_for(
        team.cluster.core.list_namespaced_pod, stuck, f"a container that waits: {reason}", 60, namespace=team.name
    )


@dataclass(frozen=True)
class Case:
    """A driver pod that does not start: values, what Kubernetes then shows, and what why says of it."""

    values: dict[str, Any]
    sign: Callable[[Team, str], None]
    reason: str
    finding: str
    words: tuple[str, ...]


def volume(**source: Any) -> list[dict[str, Any]]:
    """A volume at /data."""
    return [{"name": "data", "mountPath": "/data", **source}]


SECRET_KEY = {"secretKeyRef": {"name": "database", "key": "password"}}
CONFIG_KEY = {"configMapKeyRef": {"name": "kube-root-ca.crt", "key": "password"}}
CASES = {
    "image": Case(
        {"image": {"tag": "no-such"}}, until_stuck, "ErrImagePull", "image-not-pulled", ("apache/spark:no-such",)
    ),
    "cpu": Case(
        {"driver": {"requestCores": "64"}}, until_event, "FailedScheduling", "unschedulable", ("enough cpu", "64")
    ),
    "node": Case(
        {"driver": {**SMALL["driver"], "nodeSelector": {"disk": "ssd"}}},
        until_event,
        "FailedScheduling",
        "unschedulable",
        ("labels",),
    ),
    "pod-security": Case(
        {"driver": {"podTemplate": {"spec": {"hostNetwork": True}}}},
        until_event,
        "FailedCreate",
        "pod-security",
        ("restricted", "hostNetwork=true"),
    ),
    "service-account": Case(
        {"driver": {"serviceAccountName": "nobody"}}, until_event, "FailedCreate", "no-service-account", ("nobody",)
    ),
    "secret-in-env": Case(
        {"driver": {**SMALL["driver"], "env": {"PASSWORD": SECRET_KEY}}},
        until_stuck,
        "CreateContainerConfigError",
        "missing-secret",
        ("Secret database", "does not exist"),
    ),
    "key-in-env": Case(
        {"driver": {**SMALL["driver"], "env": {"PASSWORD": CONFIG_KEY}}},
        until_stuck,
        "CreateContainerConfigError",
        "missing-configmap",
        ("key password of ConfigMap kube-root-ca.crt",),
    ),
    "secret-in-volume": Case(
        {"volumes": volume(secret={"secretName": "database"})},
        until_event,
        "FailedMount",
        "missing-secret",
        ("Secret database",),
    ),
    "configmap-in-volume": Case(
        {"volumes": volume(configMap={"name": "settings"})},
        until_event,
        "FailedMount",
        "missing-configmap",
        ("ConfigMap settings",),
    ),
    "claim": Case(
        {"volumes": volume(persistentVolumeClaim={"claimName": "lake"})},
        until_event,
        "FailedScheduling",
        "unschedulable",
        ("PersistentVolumeClaim lake",),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_driver_that_does_not_start_is_explained(team: Team, why: Why, case: Case) -> None:
    team.install("job", line=DEFAULT_LINE, app=HELLO, **case.values)
    case.sign(team, case.reason)
    finding = the_finding(why("job"), "waiting")
    assert (finding["id"], finding["about"]) == (case.finding, "driver")
    for words in case.words:
        assert words in finding["cause"]


def test_a_driver_that_a_quota_refuses(team: Team, why: Why) -> None:
    quota(team, requests_cpu="40m", pods="9")
    team.install("job", line=DEFAULT_LINE, app=HELLO)
    until_event(team, "FailedCreate")
    finding = the_finding(why("job"), "waiting")
    assert (finding["id"], finding["about"]) == ("quota-exceeded", "driver")
    assert "ResourceQuota tight" in finding["cause"]
    assert "it never fits: requests.cpu asked 50m, the quota has 40m in all" in finding["cause"]
    assert finding["cure"].startswith("lower driver.requestCores, or have requests.cpu of the quota tight raised")


def test_a_driver_that_a_quota_refuses_in_cluster_mode(team: Team, why: Why) -> None:
    quota(team, requests_cpu="120m")
    team.install("job", line=DEFAULT_LINE, app=HELLO, mode="cluster")
    submitter = team.cluster.wait_for(
        team.cluster.core.list_namespaced_pod,
        lambda pod, _: pod if pod.status.phase == "Running" else None,
        "the submitter",
        60,
        namespace=team.name,
    )
    team.cluster.wait_for_log(team.name, submitter.metadata.name, "trying again", 60)
    finding = the_finding(why("job"), "waiting")
    assert (finding["id"], finding["about"]) == ("quota-exceeded", "driver")
    assert "it never fits beside the run's own submitter: requests.cpu asked 50m" in finding["cause"]


def test_executors_that_a_quota_refuses(team: Team, why: Why, line: SparkLine) -> None:
    quota(team, pods="1")
    team.install("job", line=line, app=COUNT)
    driver = team.running("job", "driver")
    team.cluster.wait_for_log(team.name, driver.metadata.name, "exceeded quota", 60)
    finding = the_finding(why(driver.metadata.name), "running")
    assert (finding["id"], finding["about"]) == ("quota-exceeded", "executor")
    assert "never fits beside the run's own driver: pods asked 1, the quota has 1 in all" in finding["cause"]


def test_executors_that_find_no_node_and_a_run_that_is_fine(team: Team, why: Why) -> None:
    far = {**SMALL["executor"], "nodeSelector": {"disk": "ssd"}}
    team.install("far", line=DEFAULT_LINE, app={"source": SLEEP.format(seconds=600)}, executor=far)
    team.pod("far", "executor", lambda pod: bool(pod.status.conditions))
    finding = the_finding(why("far"), "running")
    assert (finding["id"], finding["about"]) == ("unschedulable", "executor")
    team.uninstall("far")
    team.install("fine", line=DEFAULT_LINE, app={"source": SLEEP.format(seconds=600)})
    executor = team.running("fine", "executor")
    by_application = why(executor.metadata.labels["spark-app-selector"])
    assert (by_application["status"], by_application["findings"]) == ("running", [])
    assert by_application["release"] == "fine"
    assert "1 executor" in by_application["summary"]


def test_a_driver_without_rights(team: Team, why: Why) -> None:
    team.install(
        "job", line=DEFAULT_LINE, app=COUNT, driver={**SMALL["driver"], "serviceAccountName": "spark-executor"}
    )
    team.end_of("job")
    finding = the_finding(why("job"), "failed")
    assert finding["id"] == "no-right"
    assert f"{team.name}/spark-executor may not get pods" in finding["cause"]


def test_a_driver_killed_for_its_memory(team: Team, why: Why) -> None:
    team.install("job", line=DEFAULT_LINE, app={"source": EAT.format(megabytes=4096) + "eat([])\n"})
    team.end_of("job")
    finding = the_finding(why("job"), "failed")
    assert (finding["id"], finding["about"]) == ("out-of-memory", "driver")
    assert "limit 1433Mi" in finding["cause"]


@pytest.mark.long
def test_executors_killed_for_their_memory(team: Team, why: Why) -> None:
    source = SPARK + EAT.format(megabytes=420) + "spark.sparkContext.parallelize([1], 1).mapPartitions(eat).collect()\n"
    # All of the heap is touched at once, so that it is the JVM that the kernel takes, whatever the cgroup version.
    conf = {"spark.executor.extraJavaOptions": "-XX:+AlwaysPreTouch", "spark.task.maxFailures": "1"}
    small = {**SMALL["executor"], "memory": "512m", "memoryOverhead": "384m"}
    team.install("job", line=DEFAULT_LINE, app={"source": source}, executor=small, sparkConf=conf)
    team.end_of("job")
    finding = the_finding(why("job"), "failed")
    assert (finding["id"], finding["about"]) == ("out-of-memory", "executor")
    assert "executor.memoryOverhead" in finding["cure"]


@pytest.mark.parametrize("mode", ["client", pytest.param("cluster", marks=pytest.mark.long)])
def test_a_python_exception(team: Team, why: Why, mode: str) -> None:
    team.install("job", line=DEFAULT_LINE, mode=mode, app={"source": "raise ValueError('column delay is missing')\n"})
    end = team.end_of("job")
    report = why(end.name)
    finding = the_finding(report, "failed")
    assert finding["id"] == "python-exception"
    assert finding["cause"] == "the application failed: ValueError: column delay is missing"
    assert report["release"] == "job"


@pytest.mark.parametrize(
    ("app", "finding", "words"),
    [
        ({"file": JAR, "mainClass": "org.example.Missing"}, "class-not-found", "main class org.example.Missing"),
        ({"file": "local:///opt/job.jar", "mainClass": "org.example.Main"}, "file-not-found", "/opt/job.jar"),
        ({"file": "local:///opt/job.py"}, "file-not-found", "/opt/job.py"),
    ],
    ids=["class", "jar", "python-file"],
)
def test_an_application_that_is_not_there(team: Team, why: Why, app: dict[str, str], finding: str, words: str) -> None:
    team.install("job", line=DEFAULT_LINE, app=app)
    team.end_of("job")
    found = the_finding(why("job"), "failed")
    assert found["id"] == finding
    assert words in found["cause"]


def test_a_deadline_a_success_and_a_run_that_is_gone(team: Team, why: Why) -> None:
    team.install("late", line=DEFAULT_LINE, app={"source": "import time\ntime.sleep(600)\n"}, deadlineSeconds=5)
    team.install("well", line=DEFAULT_LINE, app=HELLO)
    assert team.end_of("late").reason == "DeadlineExceeded"
    finding = the_finding(why("late"), "failed")
    assert finding["id"] == "deadline-exceeded"
    assert "5 s" in finding["cause"]
    assert team.end_of("well").succeeded
    assert (why("well")["status"], why("well")["findings"]) == ("succeeded", [])
    team.uninstall("well")
    team.cluster.wait_until_none(
        team.cluster.batch.list_namespaced_job,
        "no Job",
        60,
        namespace=team.name,
        label_selector="app.kubernetes.io/instance=well",
    )
    assert the_finding(why("well"), "gone")["id"] == "gone"


def test_a_notebook_refused_by_quota_and_stopped(team: Team, why: Why) -> None:
    notebook = Notebook(team)
    notebook.install()
    assert why("anna")["summary"] == "driver anna-0 runs, 0 executors; nothing keeps executors from it"
    quota(team, pods="1")
    with notebook.kernel() as kernel:
        kernel.run(SESSION)
        team.cluster.wait_for_log(team.name, "anna-0", "exceeded quota", 60)
        for name in ("anna", "anna-0"):
            report = why(name)
            finding = the_finding(report, "running")
            assert (finding["id"], finding["about"]) == ("quota-exceeded", "executor")
            assert finding["cause"].endswith("beside the run's own driver: pods asked 1, the quota has 1 in all")
            assert "have pods of the quota tight raised" in finding["cure"]
            assert (report["release"], report["workload"], report["job"]) == ("anna", "StatefulSet/anna", "")
            assert "quota-exceeded: its log told so last at " in report["notes"][0]
    team.kubectl("scale", "statefulset/anna", "--replicas=0")
    finding = the_finding(why("anna"), "stopped")
    assert finding["id"] == "stopped"
    assert "idle.notebook" in finding["cause"]
    start = finding["cure"].partition("kubectl ")[2].split()
    assert "statefulset.apps/anna scaled" in team.kubectl(*start)


@pytest.mark.long
def test_one_kernels_executors_are_told_by_their_application(team: Team, why: Why) -> None:
    notebook = Notebook(team)
    notebook.install(executor={"requestCores": "50m", "memory": "512m", "nodeSelector": {"disk": "ssd"}})
    with notebook.kernel() as kernel:
        kernel.run(SESSION)
        executor = team.pod("anna", "executor", lambda pod: bool(pod.status.conditions))
        application = executor.metadata.labels["spark-app-selector"]
        for name in ("anna", executor.metadata.name, application):
            report = why(name)
            finding = the_finding(report, "running")
            assert (finding["id"], finding["about"]) == ("unschedulable", "executor")
            assert "executor.nodeSelector" in finding["cure"]
            assert report["application"] == ("" if name == "anna" else application)


def test_an_init_container_that_fails(team: Team, why: Why) -> None:
    image = f"docker.io/{DEFAULT_LINE.published}"
    resources = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}}
    fetch = {"name": "fetch", "image": image, "command": ["sh", "-c", "echo no such file >&2; exit 22"]}
    driver = {**SMALL["driver"], "initContainers": [{**fetch, "resources": resources}]}
    team.install("fetches", line=DEFAULT_LINE, app=HELLO, driver=driver)
    assert not team.end_of("fetches").succeeded
    finding = the_finding(why("fetches"), "failed")
    assert finding["id"] == "container-fails"
    assert "its container fetch ended with exit code 22" in finding["cause"]


def test_a_schedule_that_is_suspended(team: Team, why: Why) -> None:
    team.install("nightly", line=DEFAULT_LINE, app=HELLO, schedule={"cron": "0 3 * * *", "suspend": True})
    finding = the_finding(why("nightly"), "suspended")
    assert "0 3 * * *" in finding["cause"]
    assert "kubectl create job --from=cronjob/nightly" in finding["cure"]


def test_people_read_lines_and_what_is_not_there_or_may_not_be_read_is_one_line(team: Team, submitter: Path) -> None:
    team.install("job", line=DEFAULT_LINE, app=HELLO, driver={"serviceAccountName": "nobody"})
    until_event(team, "FailedCreate")
    printed = kindling(submitter, "why", "job")
    assert printed.returncode == 0
    head, cause, cure, seen = printed.stdout.splitlines()
    assert head == f"job in {team.name}: waiting, no pod"
    assert cause.startswith("  cause  the driver pod's service account nobody does not exist")
    assert cure.startswith("  cure ")
    assert seen.startswith("  seen   Job/job-")
    assert "\x1b" not in printed.stdout
    for name, namespace, words in (
        ("nothing", team.name, "has no run"),
        ("job", "kube-system", "you may read neither"),
    ):
        refused = kindling(submitter, "why", name, "-n", namespace)
        assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (2, "", 1)
        assert words in refused.stderr
    nowhere = kindling(Path("/nowhere"), "why", "job")
    assert (nowhere.returncode, len(nowhere.stderr.splitlines())) == (2, 1)


def test_what_may_not_be_read_is_said(team: Team, tmp_path: Path) -> None:
    team.kubectl("create", "serviceaccount", "visitor")
    rules = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
        {"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": ["get", "list"]},
    ]
    grant(team.cluster, team.name, [service_account(team.name, "visitor")], rules)
    team.install("job", line=DEFAULT_LINE, app=HELLO, driver={"serviceAccountName": "nobody"})
    until_event(team, "FailedCreate")
    printed = kindling(kubeconfig_of(team, tmp_path, "visitor"), "why", "job")
    assert printed.returncode == 0
    head, note = printed.stdout.splitlines()
    assert head == f"job in {team.name}: waiting, no pod yet"
    assert f"you may not read events in {team.name}" in note
