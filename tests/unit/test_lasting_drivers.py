"""What ``kindling why`` makes of drivers that last: a notebook's pod with several kernels, a Connect server's.

Messages and lines are as Kubernetes 1.34, JupyterLab 4 and Spark 4.3 wrote them; ``tests/e2e/test_why.py`` and
``tests/apiserver/test_kindling_of_notebooks.py`` prove that they do.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import yaml

from kindling.causes import explain
from kindling.facts import Container, Event, Finding, Pod, Run, Workload
from kindling_dev.settings import REPO

QUOTA = "is forbidden: exceeded quota: tight, requested: pods=1, used: pods=4, limited: pods=4"
REFUSED = (
    "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: "
    "https://kubernetes.default.svc/api/v1/namespaces/team/pods. Message: "
    f'pods "{{app}}-exec-{{number}}" {QUOTA}. Received status: Status(apiVersion=v1, code=403)'
)
FAILED = (
    "26/11/29 10:10:{second:02} ERROR ExecutorPodsAllocator: Failed to create executor pod {number}. Total failures: 1"
)
GAVE_UP = "26/11/29 10:10:21 ERROR ExecutorPodsLifecycleManager: Max number of executor failures (20) reached"
REGISTERED = (
    "26/11/29 10:11:02 INFO KubernetesClusterSchedulerBackend: Registered executor NettyRpcEndpointRef with ID 1"
)
LOST = [
    "26/11/29 10:12:05 ERROR TaskSchedulerImpl: Lost executor 4 on 10.244.0.131: ",
    "The executor with id 4 exited with exit code 137(SIGKILL, possible container OOM).",
]
FIRST, SECOND = "anna-78f31ea226c86357", "anna-c18eefa226c17a80"
LOADED = "[I 2026-11-29 10:08:46.845 ServerApp] Jupyter Server 2.21.1 is running at:"
LIVENESS = Event("Unhealthy", "Liveness probe failed: Get http://10.244.0.9:8888/api: context deadline exceeded")


def refused(app: str, number: int = 1) -> list[str]:
    """The lines of a refused executor."""
    return [FAILED.format(second=number, number=number), REFUSED.format(app=app, number=number)]


def executor(app: str, number: int = 1, **fields: Any) -> Pod:
    """An executor of a kernel."""
    container = fields.pop("container", Container("executor", state="running"))
    phase = fields.pop("phase", "Running")
    name = f"{app}-exec-{number}"
    return Pod(name, "executor", phase, containers=(container,), chart="spark-notebook", application=app, **fields)


def notebook(*log: str, main: Container | None = None, **changes: Any) -> Run:
    """A notebook that runs, but for some changes."""
    container = main or Container("driver", state="running", memory="1408Mi")
    driver = Pod("anna-0", "driver", "Running", containers=(container,), chart="spark-notebook")
    run = Run(
        "anna",
        "team",
        release="anna",
        chart="spark-notebook",
        workload=Workload("anna", kind="StatefulSet", replicas=1),
        drivers=(driver,),
        log=(LOADED, *log),
        log_of="anna-0",
    )
    return replace(run, **changes)


def unstarted(*messages: str, **changes: Any) -> Run:
    """A notebook whose StatefulSet gets no pod."""
    events = tuple(Event("FailedCreate", f"create Pod anna-0 in StatefulSet anna failed error: {m}") for m in messages)
    workload = Workload("anna", kind="StatefulSet", replicas=1, events=events)
    return notebook(workload=workload, drivers=(), log=(), log_of="", **changes)


def waiting(**fields: Any) -> Run:
    """A notebook whose pod is pending."""
    fields = {"containers": (Container("driver", image="x", memory="1408Mi"),), **fields}
    pod = Pod("anna-0", "driver", "Pending", chart="spark-notebook", **fields)
    return notebook(drivers=(pod,), log=(), log_of="")


def restarted(reason: str, code: int, restarts: int = 1, message: str = "") -> Container:
    """A container that runs again."""
    last = Container("driver", "x", "terminated", reason, message, code, memory="1408Mi")
    return Container("driver", "x", "running", memory="1408Mi", restarts=restarts, last=last)


def only_finding(run: Run) -> Finding:
    (finding,) = explain(run).findings
    return finding


def test_a_notebook_that_is_well_says_so_in_a_line() -> None:
    report = explain(notebook())
    assert (report.status, report.findings, report.notes) == ("running", (), ())
    assert report.summary == "driver anna-0 runs, 0 executors; nothing keeps executors from it"
    both = explain(notebook(executors=(executor(FIRST), executor(FIRST, 2), executor(SECOND))))
    assert both.summary.startswith("driver anna-0 runs, 3 executors of 2 applications; ")


def test_refused_executors_are_told_with_time_and_end() -> None:
    report = explain(notebook(*refused(FIRST), *refused(FIRST, 21), GAVE_UP))
    (finding,) = report.findings
    assert (report.status, finding.id, finding.about) == ("running", "quota-exceeded", "executor")
    assert "pods asked 1, left 0 (4 of 4 used)" in finding.cause
    assert "ask for less (executor.dynamicAllocation.max)" in finding.cure
    assert report.notes == (
        "quota-exceeded: its log told so last at 26/11/29 10:10:21, by the pod's clock",
        "Spark then ended the session (Max number of executor failures (20) reached): start a new one, such as by "
        "restarting the kernel",
    )
    assert explain(notebook(*refused(FIRST), REGISTERED)).findings == ()


def test_one_kernels_refusals_are_not_anothers() -> None:
    log = [*refused(FIRST), *refused(SECOND)]
    run = notebook(*log, application=SECOND, executors=(executor(SECOND),))
    assert SECOND in only_finding(run).evidence[0].message
    assert explain(notebook(*refused(FIRST), application=SECOND, executors=(executor(SECOND),))).findings == ()


def test_executors_that_wait_or_die_are_told_as_a_jobs() -> None:
    far = executor(FIRST, phase="Pending", unscheduled="Unschedulable: 0/1 nodes are available: 1 Insufficient memory.")
    finding = only_finding(notebook(executors=(far,)))
    assert (finding.id, finding.about) == ("unschedulable", "executor")
    assert "executor.memory, executor.memoryOverhead" in finding.cure
    lost = only_finding(notebook(*LOST))
    assert (lost.id, lost.about) == ("out-of-memory", "executor")
    assert only_finding(notebook(GAVE_UP)).id == "executors-fail"


@pytest.mark.parametrize(
    ("container", "events", "finding", "words"),
    [
        (restarted("OOMKilled", 137), (), "out-of-memory", "limit 1408Mi"),
        (restarted("OOMKilled", 137), (LIVENESS,), "out-of-memory", "limit 1408Mi"),
        (restarted("Error", 137, 3), (LIVENESS,), "liveness", "(3 times so far)"),
        (restarted("Error", 137), (), "killed", "exit code 137"),
        (restarted("Error", 1, message="no port 8888"), (), "exit-code", "exit code 1: no port 8888"),
        (Container("driver", "x", "terminated", "Error", "", 3), (), "exit-code", "(not yet)"),
        (replace(restarted("Error", 3), state="waiting", reason="CrashLoopBackOff"), (), "exit-code", "(once)"),
    ],
    ids=["memory", "memory before liveness", "liveness", "killed", "error", "not yet again", "back off"],
)
def test_a_restart_says_why(container: Container, events: tuple[Event, ...], finding: str, words: str) -> None:
    run = notebook(main=container)
    run = replace(run, drivers=(replace(run.drivers[0], events=events),))
    report = explain(run)
    (found,) = report.findings
    assert (found.id, found.about) == (finding, "driver")
    assert words in found.cause
    assert "its kernels' sessions are gone" in found.cause
    assert report.status == ("running" if container.state == "running" else "waiting")
    assert ("kernels" in found.cure) == (finding == "out-of-memory")


def test_a_connect_servers_log_says_why_it_ended() -> None:
    trace = ["Traceback (most recent call last):", '  File "x.py", line 1, in <module>', "ValueError: no such catalog"]
    server = Workload("shared", kind="Deployment", replicas=1)
    run = notebook(main=restarted("Error", 1), chart="spark-connect", workload=server, log_of_end=tuple(trace))
    finding = only_finding(run)
    assert finding.id == "python-exception"
    assert "ValueError: no such catalog; Kubernetes starts it again (once)" in finding.cause
    assert "kernels" not in finding.cause


def test_a_pod_that_goes_is_not_called_refused() -> None:
    run = notebook(workload=unstarted(f'pods "anna-0" {QUOTA}').workload)
    going = explain(replace(run, drivers=(replace(run.drivers[0], is_going=True),)))
    assert (going.status, going.findings) == ("waiting", ())
    assert going.summary == "driver anna-0 is being deleted; StatefulSet/anna makes another"


def test_a_connect_server_that_is_stopped_may_have_been_idle() -> None:
    server = Workload("shared", kind="StatefulSet", replicas=0)
    finding = only_finding(notebook(chart="spark-connect", workload=server, drivers=()))
    idle = "an idle Connect server stops so after the time of idle.server"
    assert finding.cause == f"StatefulSet shared is scaled to 0: {idle}"
    assert "kubectl scale statefulset/shared --replicas=1 --namespace team" in finding.cure


def test_an_init_container_that_fails_again_is_told() -> None:
    last = Container("executors-versions", "x", "terminated", "Error", "no such file", 1)
    again = Container("executors-versions", "x", "waiting", "CrashLoopBackOff", restarts=2, last=last)
    finding = only_finding(waiting(containers=(Container("driver"), again)))
    assert finding.id == "container-fails"
    assert "executors-versions ends with exit code 1 again and again: no such file" in finding.cause


NO_SECRET = 'MountVolume.SetUp failed for volume "login" : secret "notebook-token" not found'
NO_CLAIM = 'Unschedulable: 0/1 nodes are available: persistentvolumeclaim "anna" not found.'
NO_VOLUME = "Unschedulable: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."
NO_MEMORY = "Unschedulable: 0/1 nodes are available: 1 Insufficient memory."
MEMORY = (
    'pods "anna-0" is forbidden: exceeded quota: tight, requested: limits.memory=3Gi, used: limits.memory=0, '
    "limited: limits.memory=2Gi"
)
NO_ACCOUNT = (
    'pods "anna-0" is forbidden: error looking up service account team/nobody: serviceaccount "nobody" not found'
)
CURES = {
    "token": (waiting(events=(Event("FailedMount", NO_SECRET),)), "missing-secret", "login.secret"),
    "claim": (waiting(unscheduled=NO_CLAIM), "unschedulable", "home.existingClaim"),
    "volume": (waiting(unscheduled=NO_VOLUME), "unschedulable", "home.storageClass"),
    "node": (waiting(unscheduled=NO_MEMORY), "unschedulable", "kernels"),
    "quota": (unstarted(MEMORY), "quota-exceeded", "driver.memory, driver.memoryOverhead, kernels"),
    "pods": (unstarted(f'pods "anna-0" {QUOTA}'), "quota-exceeded", "wait until other runs end, or have the quota"),
    "account": (unstarted(NO_ACCOUNT), "no-service-account", "driver.serviceAccountName"),
    "executors": (notebook(*refused(FIRST)), "quota-exceeded", "executor.dynamicAllocation.max"),
    "memory": (notebook(main=restarted("OOMKilled", 137)), "out-of-memory", "kernels"),
    "killed": (notebook(main=restarted("Error", 137)), "killed", "driver.memoryOverhead"),
    "evicted": (
        notebook(drivers=(Pod("anna-0", "driver", "Failed", reason="Evicted", message="The node was low on memory"),)),
        "evicted",
        "makes another",
    ),
}


@pytest.mark.parametrize(("run", "finding", "words"), CURES.values(), ids=CURES)
def test_cures_name_values_that_spark_notebook_has(run: Run, finding: str, words: str) -> None:
    found = only_finding(run)
    assert found.id == finding
    assert words in found.cure
    of = {name: yaml.safe_load((REPO / f"charts/{name}/values.yaml").read_text()) for name in _CHARTS}
    tops = {*of["spark-job"], *of["spark-notebook"]}
    for word in re.findall(r"\b[a-z]\w*(?:\.[a-zA-Z]+)+|\bretries\b|\bkernels\b", found.cure):
        if word.partition(".")[0] in tops:
            value: Any = of["spark-notebook"]
            for part in word.split("."):
                assert part in value, f"{word} is no value of spark-notebook"
                value = value[part]


_CHARTS = ("spark-job", "spark-notebook")


@pytest.mark.parametrize(("volume", "value"), [("login", "login.secret"), ("tls", "tls.secretName")])
def test_a_servers_missing_secret_is_that_of_its_value(volume: str, value: str) -> None:
    missing = Event("FailedMount", f'MountVolume.SetUp failed for volume "{volume}" : secret "mine" not found')
    run = waiting(events=(missing,))
    drivers = tuple(replace(driver, chart="spark-connect") for driver in run.drivers)
    finding = only_finding(replace(run, chart="spark-connect", drivers=drivers))
    assert finding.id == "missing-secret"
    assert value in finding.cure


def test_a_killed_server_takes_sessions_and_no_kernels() -> None:
    finding = only_finding(notebook(main=restarted("OOMKilled", 137), chart="spark-connect"))
    assert finding.cause.endswith("; its sessions are gone")
    assert "kernels" not in finding.cause + finding.cure
