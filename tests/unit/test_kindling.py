"""What ``kindling`` makes of messages, as Kubernetes 1.34, Spark 4.3 and Spark 3.5 write them.

Those of taints, LimitRanges and webhooks are after Kubernetes' sources; the others were captured. That they
come from what they are said to come from is proven in ``tests/e2e/test_why.py``.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from refusal import refusal_of

from kindling import driver_log
from kindling.causes import explain
from kindling.causes.refused import explain_refusal
from kindling.causes.waiting import explain_waiting
from kindling.facts import Container, CronJob, Evidence, Finding, Pod, Run, Workload
from kindling.preflight import checks
from kindling.preflight.facts import Answer, Dns, Node, Quota, Readiness, Release, Right
from kindling_dev.settings import REPO

POST = (
    "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: "
    "https://kubernetes.default.svc/api/v1/namespaces/team/pods. Message: "
)
REFUSED_4_3 = (
    f'{POST}pods "job-exec-1" is forbidden: exceeded quota: tight, requested: pods=1, used: pods=1, limited: pods=1. '
    "Received status: Status(apiVersion=v1, code=403, details=StatusDetails(causes=[], kind=pods, name=job-exec-1), "
    'message=pods "job-exec-1" is forbidden: exceeded quota: tight, requested: pods=1, used: pods=1, limited: pods=1, '
    "metadata=ListMeta(_continue=null), reason=Forbidden, status=Failure, additionalProperties={})."
)
REFUSED_3_5 = (
    f"{POST}Forbidden!Configured service account doesn't have access. Service account may have been revoked. "
    'pods "job-exec-4" is forbidden: exceeded quota: tight, requested: pods=1, used: pods=1, limited: pods=1.'
)
REFUSED_SUBMISSION = (
    'kindling: the driver is refused: pods "job-0-driver" is forbidden: exceeded quota: tight, '
    "requested: pods=1, used: pods=1, limited: pods=1; trying again in 10 s"
)
QUOTA = "is forbidden: exceeded quota: tight, requested: pods=1, used: pods=1, limited: pods=1"
REGISTERED = (
    "26/11/21 08:02:33 INFO KubernetesClusterSchedulerBackend$KubernetesDriverEndpoint: Registered executor "
    "NettyRpcEndpointRef(spark-client://Executor) (10.244.0.104:47276) with ID 1, ResourceProfileId 0"
)
WORKER = """\
Traceback (most recent call last):
  File "/opt/kindling/app.py", line 6, in <module>
    spark.sparkContext.parallelize([1], 1).mapPartitions(f).collect()
  File "/opt/spark/python/lib/pyspark.zip/pyspark/errors/exceptions/captured.py", line 262, in deco
    raise converted from None
pyspark.errors.exceptions.captured.PythonException: An exception was thrown from the Python worker:
Traceback (most recent call last):
  File "/opt/spark/python/lib/pyspark.zip/pyspark/worker.py", line 4327, in invoke_udf
    run_process()
  File "/opt/kindling/app.py", line 5, in f
ValueError: column delay is missing
26/11/21 08:02:39 INFO SparkContext: Successfully stopped SparkContext (Uptime: 16589 ms)
""".splitlines()
PASSED_ON = """\
Traceback (most recent call last):
  File "/opt/spark/python/lib/py4j-0.10.9.9-src.zip/py4j/protocol.py", line 327, in get_return_value
    raise Py4JJavaError(
py4j.protocol.Py4JJavaError: An error occurred while calling None.org.apache.spark.api.java.JavaSparkContext.
: org.apache.spark.SparkException: External scheduler cannot be instantiated
\tat org.apache.spark.SparkContext$.org$apache$spark$SparkContext$$createTaskScheduler(SparkContext.scala:3268)
Caused by: java.lang.reflect.InvocationTargetException
\tat java.base/java.lang.reflect.Constructor.newInstance(Constructor.java:483)
Caused by: java.io.IOException: no route
""".splitlines()
LOST = [
    "26/11/21 08:05:05 ERROR TaskSchedulerImpl: Lost executor 4 on 10.244.0.131: ",
    "The executor with id 4 exited with exit code 137(SIGKILL, possible container OOM).",
]
ABORTED = """\
Traceback (most recent call last):
  File "/opt/kindling/app.py", line 9, in <module>
py4j.protocol.Py4JJavaError: An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, most recent \
failure: Lost task 0.3 in stage 0.0 (TID 3): ExecutorLostFailure (executor 4 exited caused by one of the running tasks)
""".splitlines()


def failed_run(log: list[str], exit_code: int = 1) -> Run:
    """A run whose driver ended."""
    container = Container("driver", state="terminated", reason="Error", exit_code=exit_code)
    driver = Pod("job-1-x", "driver", "Failed", containers=(container,))
    job = Workload("job-1", condition="Failed", reason="BackoffLimitExceeded")
    return Run("job", "team", workload=job, drivers=(driver,), log=tuple(log), log_of=driver.name)


def only_finding(run: Run) -> Finding:
    (finding,) = explain(run).findings
    return finding


@pytest.mark.parametrize("line", [REFUSED_4_3, REFUSED_3_5, REFUSED_SUBMISSION], ids=["4.3", "3.5", "submitter"])
def test_a_refusal_is_read_out_of_a_log_without_what_spark_adds(line: str) -> None:
    (refusal,) = driver_log.refusals([line])
    assert refusal.endswith(QUOTA)
    assert refusal.startswith("pods ")
    assert QUOTA in refusal_of(line), "the chart's program reads it too"


def test_a_refusal_before_an_executor_came_up_is_over() -> None:
    assert driver_log.refusals([REFUSED_4_3, REGISTERED]) == []


def test_a_quota_says_what_was_asked_and_what_is_left() -> None:
    message = (
        'pods "job-1-x" is forbidden: exceeded quota: tight, requested: requests.cpu=100m,requests.memory=1433Mi, '
        "used: requests.cpu=1800m,requests.memory=1Gi, limited: requests.cpu=1850m,requests.memory=2Gi"
    )
    finding = explain_refusal("driver", message, Evidence("Job/job-1", message))
    assert "requests.cpu asked 100m, left 50m (1800m of 1850m used)" in finding.cause
    assert "requests.memory asked 1433Mi, left 1Gi (1Gi of 2Gi used)" in finding.cause


@pytest.mark.parametrize(
    ("message", "finding", "words"),
    [
        (
            'pods "x" is forbidden: failed quota: tight: must specify limits.cpu for: driver',
            "quota-needs-limits",
            "cpu",
        ),
        (
            'pods "x" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
            "limit-range",
            "per Container is 1",
        ),
        (
            'Pod "x" is invalid: spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal '
            "to cpu limit of 500m",
            "limit-range",
            "asks for 2 of cpu, more than its limit of 500m",
        ),
        (
            'pods "x" is forbidden: unable to validate against any security context constraint: '
            "[provider restricted-v2: .containers[0].runAsUser: Invalid value: 185: must be in the ranges: [1, 9]]",
            "platform",
            "runAsUser: Invalid value: 185",
        ),
        ('admission webhook "deny.example.com" denied the request: no team label', "refused", "no team label"),
    ],
)
def test_other_refusals_keep_their_words(message: str, finding: str, words: str) -> None:
    found = explain_refusal("executor", message, Evidence("", message))
    assert found.id == finding
    assert words in found.cause


def test_an_exception_of_a_worker_is_told_and_not_spark_s_wrapping() -> None:
    assert only_finding(failed_run(WORKER)).cause == "the application failed: ValueError: column delay is missing"


def test_what_the_jvm_threw_is_told_and_not_that_it_threw() -> None:
    assert only_finding(failed_run(PASSED_ON)).cause == "the application failed: java.io.IOException: no route"


def test_lost_executors_are_the_cause_only_if_the_run_ended_of_them() -> None:
    assert only_finding(failed_run([*LOST, *ABORTED])).id == "out-of-memory"
    assert only_finding(failed_run([*LOST, *WORKER])).id == "python-exception"


def test_executors_that_never_came_up_are_the_cause_and_not_what_followed() -> None:
    log = [
        "26/11/21 08:51:57 WARN ExecutorPodsLifecycleManager: 1 new failed executors.",
        "26/11/21 08:51:57 ERROR ExecutorPodsLifecycleManager: Max number of executor failures (3) reached",
        *PASSED_ON,
    ]
    finding = only_finding(failed_run(log, exit_code=11))
    assert (finding.id, finding.about) == ("executors-fail", "executor")


def test_a_program_that_chose_its_exit_code_did_not_fail_of_an_exception_that_it_printed() -> None:
    finding = only_finding(failed_run(WORKER, exit_code=42))
    assert finding.id == "exit-code"
    assert "42" in finding.cause


def test_programs_that_were_changed_are_told_before_the_driver() -> None:
    message = 'ConfigMap "job-1" is not what the chart made; delete it and upgrade the release'
    container = Container("submitter", state="terminated", reason="Error", exit_code=78, message=message)
    submitter = Pod("job-1-y", "submitter", "Failed", containers=(container,))
    run = replace(failed_run([], exit_code=7), submitters=(submitter,))
    finding = only_finding(run)
    assert finding.id == "configmap-changed"
    assert finding.cause.endswith('ConfigMap "job-1" is not what the chart made')


def test_lines_of_json_are_read_as_text() -> None:
    entry = (
        '{"ts":"2026-11-21T08:04:08.279Z","level":"ERROR","logger":"o.a.s.Allocator","message":"x","exception":"%s"}'
    )
    lines = driver_log.plain([entry % REFUSED_4_3.replace('"', '\\"')])
    assert lines[0] == "2026-11-21 08:04:08 ERROR o.a.s.Allocator: x"
    assert driver_log.refusals(lines)[0].endswith(QUOTA)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate", "enough cpu left (it asks for 64"),
        ("0/3 nodes are available: 3 node(s) had untolerated taint {gpu: yes}.", "taint {gpu: yes}"),
        ("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.", "labels"),
    ],
)
def test_the_scheduler_s_reasons(message: str, words: str) -> None:
    container = Container("driver", cpu="64")
    pod = Pod("x", "driver", "Pending", unscheduled=f"Unschedulable: {message}", containers=(container,))
    finding = explain_waiting(pod)
    assert finding is not None
    assert words in finding.cause


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("container has runAsNonRoot and image will run as root", "the user is root in image busybox"),
        (
            "container has runAsNonRoot and image has non-numeric user (spark), cannot verify user is non-root",
            "the user spark has no number in image busybox",
        ),
        ("container's runAsUser breaks non-root policy", "container agent runAsUser: 0"),
    ],
)
def test_an_image_of_root_is_told_from_other_faults(message: str, words: str) -> None:
    reason = "CreateContainerConfigError"
    agent = Container("agent", "busybox", "waiting", reason, f'{message} (pod: "job-1-x_team(uid)", container: agent)')
    finding = explain_waiting(Pod("job-1-x", "driver", "Pending", containers=(Container("driver"), agent)))
    assert finding
    assert finding.id == "root-user"
    assert words in finding.cause
    assert "runAsUser" in finding.cure


def test_runs_that_are_fine_have_no_finding() -> None:
    executor = Pod("e", "executor", "Running", containers=(Container("executor", state="running"),))
    driver = Pod("d", "driver", "Running", containers=(Container("driver", state="running"),))
    running = explain(Run("job", "team", workload=Workload("job-1"), drivers=(driver,), executors=(executor,)))
    assert (running.status, running.findings) == ("running", ())
    due = explain(Run("job", "team", cron_job=CronJob("job", "@daily", suspended=False)))
    assert (due.status, due.findings) == ("scheduled", ())


def readiness(**changes: Any) -> Readiness:
    """A cluster that is ready, but for some changes."""
    node = Node("n", Decimal(8), Decimal(16_000_000_000), Decimal(1), Decimal(1_000_000_000))
    facts: dict[str, Any] = {
        "namespace": "team",
        "version": (1, 34),
        "version_text": "v1.34.0",
        "answers": (),
        "namespace_exists": True,
        "pod_security": "restricted",
        "policy": "",
        "guard": frozenset({"kindling-guard-team"}),
        "releases": (),
        "dns": Dns("kube-dns", 2),
        "default_storage_class": "standard",
        "nodes": (node,),
        "other_nodes": 0,
        "quotas": (),
        "defaults": frozenset(),
    }
    return Readiness(**{**facts, **changes})


@pytest.mark.parametrize(
    ("version", "state", "words"),
    [
        ((1, 30), "ok", ""),
        ((1, 29), "warn", "ValidatingAdmissionPolicy"),
        ((1, 25), "warn", "sidecars"),
        ((1, 24), "warn", "PodSecurityPolicies end with 1.25"),
    ],
)
def test_versions_of_kubernetes(version: tuple[int, int], state: str, words: str) -> None:
    (check,) = checks.version(readiness(version=version))
    assert check.state == state
    assert words in check.what


def test_capacity_is_what_no_pod_asked_for() -> None:
    (check,) = checks.capacity(readiness())
    assert check.state == "ok"
    assert "7.00 of 8.00 CPUs and 15.0 of 16.0 GB" in check.what
    small = Node("n", Decimal(2), Decimal(16_000_000_000), Decimal(1), Decimal(0))
    assert checks.capacity(readiness(nodes=(small,)))[0].state == "warn"


def test_a_quota_that_is_used_up_is_a_warning() -> None:
    quota = Quota("tight", {"requests.cpu": "2"}, {"requests.cpu": "1500m"})
    (check,) = checks.quota(readiness(quotas=(quota,)))
    assert check.state == "warn"
    assert "1500m of 2 used" in check.what


def test_a_quota_smaller_than_a_small_job_is_not_waited_for() -> None:
    hard = {"requests.memory": "1Gi", "pods": "9"}
    (check,) = checks.quota(readiness(quotas=(Quota("spark", hard, {}),)))
    assert check.state == "warn"
    assert check.cure == (
        "a small job never fits: have requests.memory of the quota raised (quota.hard of spark-namespace)"
    )
    (check,) = checks.quota(readiness(quotas=(Quota("spark", {"pods": "9"}, {"pods": "9"}),)))
    assert "wait for runs to end" in check.cure


@pytest.mark.parametrize(
    ("defaults", "state"),
    [(frozenset({"cpu"}), "ok"), (frozenset({"memory"}), "warn"), (None, "warn")],
    ids=["given", "not-given", "not-read"],
)
def test_a_quota_of_cpu_limits_is_no_warning_where_containers_get_one(
    defaults: frozenset[str] | None, state: str
) -> None:
    quota = Quota("cpu", {"limits.cpu": "8"}, {})
    (check,) = checks.quota(readiness(quotas=(quota,), defaults=defaults))
    assert check.state == state
    assert ("limits.default.cpu" in check.cure) == (state == "warn")


@pytest.mark.parametrize(
    ("facts", "state", "words"),
    [
        ({"pod_security": "restricted"}, "ok", "enforces restricted"),
        ({"pod_security": "baseline"}, "warn", "enforces baseline"),
        ({"pod_security": "privileged"}, "fail", "enforces privileged"),
        ({"pod_security": ""}, "fail", "enforces nothing"),
        ({"pod_security": None}, "warn", "not checked"),
        ({"pod_security": "", "policy": "spark-team"}, "ok", "PodSecurityPolicy spark-team"),
        ({"pod_security": "", "policy": None}, "warn", "not checked"),
    ],
)
def test_what_holds_pods(facts: dict[str, Any], state: str, words: str) -> None:
    (check,) = checks.pod_security(readiness(**facts))
    assert check.state == state
    assert words in check.what
    assert bool(check.cure) == (state != "ok")


@pytest.mark.parametrize(
    ("facts", "state", "words"),
    [
        ({}, "ok", "1 policies judge"),
        ({"guard": frozenset()}, "warn", "guard: none; who runs jobs here can use every account"),
        ({"guard": None}, "warn", "not checked"),
    ],
)
def test_a_namespace_without_its_guard_is_told(facts: dict[str, Any], state: str, words: str) -> None:
    (check,) = checks.guard(readiness(**facts))
    assert (check.state, bool(check.cure)) == (state, state != "ok")
    assert words in check.what
    assert checks.guard(readiness(version=(1, 29), **facts)) == []


def test_releases_that_helm_cannot_upgrade_are_a_failure() -> None:
    policy = "PodSecurityPolicy/spark-team (policy/v1beta1)"
    held = (Release("team", "admins", (policy,), ()), Release("other", "admins", (), (policy,)))
    gone, going = checks.releases(readiness(releases=held))
    assert (gone.state, gone.cure) == ("fail", "kindling mend team -n admins")
    assert going.state == "warn"
    assert "before the cluster goes there: helm upgrade other" in going.cure
    assert checks.releases(readiness(releases=None))[0].state == "warn"
    assert checks.releases(readiness())[0].state == "ok"


def test_an_account_with_too_much_is_a_failure() -> None:
    answer = Answer("spark-executor", Right("get", "secrets"), needed=False, allowed=True)
    failed = [check for check in checks.rights(readiness(answers=(answer,))) if check.state == "fail"]
    assert [check.id for check in failed] == ["rights-spark-executor"]
    assert "get secrets" in failed[0].what


@pytest.mark.long
def test_the_wheel_installs_into_a_fresh_environment_and_runs(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", f"--wheel-dir={tmp_path}", REPO], check=True)
    (wheel,) = tmp_path.glob("kindling-*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    subprocess.run([*pip, f"--python={tmp_path / 'venv/bin/python'}", "install", wheel], check=True)
    kindling = tmp_path / "venv/bin/kindling"
    printed = subprocess.run(
        [kindling, "why", "--help"], check=True, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}
    )
    assert "application id" in printed.stdout
