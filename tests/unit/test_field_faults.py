"""What ``kindling why`` makes of faults that users met, as Kubernetes 1.34, containerd and Spark 4.3 write them.

That they do, ``tests/apiserver/test_field_faults_read.py`` and ``tests/e2e/test_field_faults_live.py`` show.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from failed_pods import finding, message
from refusal import refusal_of

from kindling import driver_log
from kindling.causes import explain
from kindling.causes.refused import explain_refusal
from kindling.causes.waiting import explain_waiting
from kindling.facts import Container, Event, Evidence, Finding, Pod, Report, Run, Workload

STATUS = (
    "Received status: Status(apiVersion=v1, code={code}, details=StatusDetails(causes=[{causes}], group=null, "
    "kind=Pod, name=job-exec-1, retryAfterSeconds=null, uid=null, additionalProperties={{}}), kind=Status, "
    "message={message}, metadata=ListMeta(_continue=null, remainingItemCount=null, resourceVersion=null, "
    "selfLink=null, additionalProperties={{}}), reason={reason}, status=Failure, additionalProperties={{}})."
)
URL = "https://kubernetes.default.svc/api/v1/namespaces/team/pods"
THROWN = "io.fabric8.kubernetes.client.KubernetesClientException: "
LABEL = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'"
INVALID = f'Pod "spark_pi-1-exec-1" is invalid: spec.hostname: Invalid value: "spark_pi-1-exec-1": {LABEL}'
CAUSE = 'StatusCause(field=spec.hostname, message=Invalid value: "spark_pi-1-exec-1", reason=FieldValueInvalid)'


def answer(code: int, said: str, reason: str, causes: str = "") -> str:
    """A line of fabric8's."""
    status = STATUS.format(code=code, causes=causes, message=said, reason=reason)
    return f"{THROWN}Failure executing: POST at: {URL}. Message: {said}. {status}"


REFUSED = answer(422, INVALID, "Invalid", CAUSE)
GAVE_UP = "26/11/29 10:10:21 ERROR ExecutorPodsLifecycleManager: Max number of executor failures (4) reached"
QUOTA = "exceeded quota: {quota}, requested: {asked}, used: {used}, limited: {hard}"


def quota(asked: str, used: str, hard: str, name: str = "tight") -> str:
    """What a quota says of a pod."""
    return 'pods "job-exec-1" is forbidden: ' + QUOTA.format(quota=name, asked=asked, used=used, hard=hard)


def refusal(about: str, said: str, beside: tuple[Pod, ...] = (), chart: str = "spark-job") -> Finding:
    """What is made of a refusal."""
    return explain_refusal(about, said, Evidence("Job/job", said), chart, beside)


def driver(main: Container, *others: Container, phase: str = "Running", **more: Any) -> Pod:
    """A driver's pod."""
    return Pod("job-1-x", "driver", phase, containers=(main, *others), chart="spark-job", **more)


def run_of(*pods: Pod, condition: str = "", log: tuple[str, ...] = (), makes: str = "driver") -> Run:
    """A run of spark-job."""
    of = {role: tuple(pod for pod in pods if pod.role == role) for role in ("driver", "submitter", "executor")}
    job = Workload(
        "job-1", condition=condition, reason="BackoffLimitExceeded" if condition == "Failed" else "", makes=makes
    )
    talks = (of["driver"] or of["submitter"])[-1]
    return Run(
        "job",
        "team",
        release="job",
        chart="spark-job",
        workload=job,
        drivers=of["driver"],
        submitters=of["submitter"],
        executors=of["executor"],
        log=log,
        log_of=talks.name,
    )


def ids(report: Report) -> list[str]:
    """The findings' ids."""
    return [found.id for found in report.findings]


ENDED = Container("driver", state="terminated", reason="Completed", exit_code=0)
FAILED = replace(ENDED, reason="Error", exit_code=3)
PROXY = Container("istio-proxy", state="running")


def test_a_driver_that_ended_beside_a_sidecar_is_told_so() -> None:
    report = explain(run_of(driver(ENDED, PROXY)))
    (found,) = report.findings
    assert report.summary == "driver job-1-x has ended with exit code 0; its pod does not end"
    assert (report.status, found.id, found.about) == ("running", "sidecar-runs-on", "driver")
    assert "the driver ended with exit code 0, but container istio-proxy of its pod runs on" in found.cause
    assert found.cure.startswith(
        "kubectl delete pod job-1-x if its work is done; have what adds istio-proxy add a native"
    )
    assert "driver.labels or driver.annotations" in found.cure


def test_a_failed_driver_beside_a_sidecar_says_both() -> None:
    report = explain(run_of(driver(FAILED, PROXY)))
    assert ids(report) == ["exit-code", "sidecar-runs-on"]
    assert "exit code 3" in report.summary


def test_a_native_sidecar_is_not_blamed_while_it_stops() -> None:
    report = explain(run_of(driver(ENDED, replace(PROXY, ends_with_pod=True))))
    assert (report.status, report.findings) == ("running", ())
    assert report.summary == "driver job-1-x has ended with exit code 0; its pod soon will"


def test_a_sidecar_of_a_submitter_or_executor_is_told() -> None:
    ended = replace(ENDED, name="submitter", exit_code=78, message="no driver: it is so")
    submitter = Pod("job-1-y", "submitter", "Running", containers=(ended, PROXY), chart="spark-job")
    report = explain(run_of(submitter, makes="submitter"))
    assert ids(report) == ["not-started", "sidecar-runs-on"]
    assert "global.helpers.labels or global.helpers.annotations" in report.findings[1].cure
    gone = replace(ENDED, name="executor", exit_code=1)
    executor = Pod("job-1-exec-1", "executor", "Running", containers=(gone, PROXY), chart="spark-job")
    up = driver(Container("driver", state="running"))
    (found,) = explain(run_of(up, executor)).findings
    assert (found.id, found.about) == ("sidecar-runs-on", "executor")
    over = explain(run_of(driver(ENDED, PROXY), condition="Complete"))
    assert (over.status, ids(over)) == ("succeeded", ["sidecar-runs-on"]), (
        "cluster mode's Job ends before its driver's pod"
    )


def test_a_notebooks_container_that_ended_is_started_again() -> None:
    pod = Pod("anna-0", "driver", "Running", containers=(FAILED, PROXY), chart="spark-notebook")
    workload = Workload("anna", kind="StatefulSet", replicas=1)
    report = explain(replace(run_of(pod), workload=workload, chart="spark-notebook"))
    assert "sidecar-runs-on" not in ids(report)


def test_an_answer_of_the_api_server_is_code_and_text() -> None:
    (line,) = driver_log.plain([REFUSED])
    assert line == f"{THROWN}the API server answered 422 to POST /api/v1/namespaces/team/pods: {INVALID}"
    two = REFUSED.replace("Message: ", "Message: first\n").splitlines()
    assert "Status(" not in "".join(driver_log.plain(two))
    broken = answer(403, "admission denied the request: first\nlast", "Forbidden").splitlines()
    assert "".join(driver_log.plain(broken)).count("additionalProperties") == 0
    assert driver_log.plain(["an application's own Status(apiVersion=v1, code=1)"])[0].endswith("code=1)")


@pytest.mark.parametrize(
    "log", [[f'Exception in thread "main" {REFUSED}'], ["Traceback (most recent call last):", REFUSED]]
)
def test_no_status_object_is_shown_to_people(log: list[str]) -> None:
    found = finding(driver_log.plain(log))
    for text in (found.cause, found.cure, found.evidence[0].message, message(log)):
        assert "Received status" not in text
        assert "apiVersion" not in text
    assert "422" in found.cause


def test_an_executor_refused_for_a_field_names_field_and_value() -> None:
    log = [
        f"26/11/29 10:10:{second} ERROR ExecutorPodsAllocator: Failed to create executor pod 1." for second in (17, 18)
    ]
    lines = driver_log.plain([log[0], REFUSED, log[1], REFUSED, GAVE_UP])
    found = finding(lines, exit_code=11)
    assert (found.id, found.about) == ("invalid-field", "executor")
    assert 'HTTP 422), because of its field spec.hostname: Invalid value: "spark_pi-1-exec-1"' in found.cause
    assert "the release's name" in found.cure
    assert "gave up after 4 (spark.executor.maxNumFailures)" in found.cause
    up = driver(Container("driver", state="running"))
    assert ids(explain(run_of(up, log=tuple(lines[:2])))) == ["invalid-field"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ('metadata.labels: Invalid value: "a b": a valid label must be', "executor.labels"),
        ('spec.tolerations[0].operator: Invalid value: "Is": value must be', "executor.tolerations"),
        ('spec.containers[0].resources.requests[cpu]: Invalid value: "2": must be less', "executor.requestCores"),
        ('spec.containers[0].env[3].name: Invalid value: "1 a": a valid', "executor.env"),
        ("spec.volumes[4].name: Required value", "volumes"),
        ('spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique', "volumes"),
        ("spec.terminationGracePeriodSeconds: Invalid value: -1: must be", "executor.podTemplate"),
        ('[spec.nodeSelector: Invalid value: "x y": a, spec.hostname: Required value]', "executor.nodeSelector"),
    ],
)
def test_a_refused_field_leads_to_its_value(field: str, value: str) -> None:
    found = refusal("executor", f'Pod "x" is invalid: {field}')
    assert found.id == "invalid-field"
    assert found.cure.startswith(f"correct {value}")


def test_what_spark_makes_beside_the_pod_is_no_pod() -> None:
    said = 'PersistentVolumeClaim "job-exec-1-pvc-0" is invalid: spec.resources[storage]: Invalid value: "0": must be'
    found = refusal("executor", said)
    assert "takes no such PersistentVolumeClaim of the executor (HTTP 422)" in found.cause
    assert found.cure.startswith("correct volumes or sparkConf")
    service = refusal("driver", 'Service "spark.pi-driver-svc" is invalid: metadata.name: Invalid value: "spark.pi-"')
    assert "the release's name" in service.cure


def test_fail_fast_sees_an_executor_refused_for_a_field() -> None:
    assert refusal_of(REFUSED) == INVALID
    entry = {"ts": "2026-11-29T10:10:17.000Z", "level": "ERROR", "message": "Failed to create", "exception": REFUSED}
    assert refusal_of(json.dumps(entry)) == INVALID
    assert refusal_of('ValueError: Pod "x" is invalid: by my own rule') == "", "an application's words"


def test_a_pod_larger_than_the_quota_is_not_told_to_wait() -> None:
    found = refusal(
        "driver", quota("requests.cpu=3,pods=1", "requests.cpu=0,pods=0", "requests.cpu=2500m,pods=9", "spark-drivers")
    )
    assert found.id == "quota-exceeded"
    assert found.cause == (
        "ResourceQuota spark-drivers refuses the driver pod: it never fits: requests.cpu asked 3, the quota has 2500m "
        "in all"
    )
    assert found.cure == (
        "lower driver.requestCores, or have requests.cpu of the quota spark-drivers raised (quota.drivers of "
        "spark-namespace); waiting does not help"
    )
    memory = refusal("executor", quota("requests.memory=4505Mi", "requests.memory=0", "requests.memory=4Gi"))
    assert "requests.memory asked 4505Mi, the quota has 4Gi in all" in memory.cause
    assert memory.cure.startswith("lower executor.memory, executor.memoryOverhead, or have")


def test_an_executor_that_never_fits_beside_its_driver() -> None:
    up = driver(Container("driver", state="running", cpu="200m"))
    alone = refusal("executor", quota("pods=1", "pods=1", "pods=1", "spark"), (up,))
    assert "it never fits beside the run's own driver: pods asked 1, the quota has 1 in all" in alone.cause
    assert alone.cure == "have pods of the quota spark raised (quota.hard of spark-namespace); waiting does not help"
    cpu = refusal("executor", quota("requests.cpu=1", "requests.cpu=200m", "requests.cpu=1"), (up,))
    assert "never fits beside the run's own driver: requests.cpu asked 1" in cpu.cause
    assert cpu.cure.startswith("lower executor.requestCores, or have")
    submitter = Pod("s", "submitter", "Running", containers=(Container("submitter", cpu="100m"),))
    of_cluster_mode = quota("requests.cpu=200m", "requests.cpu=100m", "requests.cpu=250m")
    assert "never fits beside the run's own submitter" in refusal("driver", of_cluster_mode, (submitter,)).cause


@pytest.mark.parametrize(
    "said",
    [
        quota("pods=1", "pods=3", "pods=3"),
        quota("requests.cpu=1", "requests.cpu=1200m", "requests.cpu=2"),
        quota("requests.cpu=1", "requests.cpu=what", "requests.cpu=1"),
    ],
)
def test_a_quota_that_others_use_is_waited_for(said: str) -> None:
    up = driver(Container("driver", state="running", cpu="200m"))
    assert refusal("executor", said, (up,)).cure.startswith("wait until other runs end, ")


def test_a_run_that_spark_gave_up_on_names_its_setting() -> None:
    lines = [answer(403, quota("pods=1", "pods=3", "pods=3"), "Forbidden"), GAVE_UP]
    found = finding(driver_log.plain(lines), exit_code=11)
    assert (found.id, found.about) == ("quota-exceeded", "executor")
    assert found.cause.endswith(
        "Spark counts a refused executor as a failed one, and gave up after 4 (spark.executor.maxNumFailures)"
    )
    assert "set spark.executor.maxNumFailures in sparkConf, to 1000000 say" in found.cure
    crashed = finding([GAVE_UP], exit_code=11)
    assert crashed.id == "executors-fail"
    assert "gave up after 4 (spark.executor.maxNumFailures)" in crashed.cause


@pytest.mark.parametrize(
    ("said", "id_", "words"),
    [
        ("no driver: Error: Missing application resource.", "not-started", "no application ran"),
        (
            "pod job-0-driver is there and is no driver of this Job: delete it, and find who made it",
            "not-started",
            "delete",
        ),
        ("configmaps is forbidden", "not-started", "configmaps is forbidden"),
        (
            'the driver does not start: ImagePullBackOff: Back-off pulling image "docker.io/x/y:1": not found',
            "image-not-pulled",
            "cannot have image docker.io/x/y:1: there is none of that name; failFast ended the run",
        ),
        (
            'the driver does not start: CreateContainerConfigError: secret "database" not found',
            "missing-secret",
            "needs Secret database, which does not exist; failFast ended the run",
        ),
    ],
)
def test_exit_code_78_is_no_end_of_an_application(said: str, id_: str, words: str) -> None:
    ended = Container("submitter", state="terminated", reason="Error", exit_code=78, message=said)
    submitter = Pod("job-1-y", "submitter", "Failed", containers=(ended,), chart="spark-job")
    (found,) = explain(run_of(submitter, condition="Failed", makes="submitter")).findings
    assert found.id == id_
    assert words in found.cause
    assert "the application ended" not in found.cause


def test_a_driver_that_fail_fast_ended_was_refused_executors() -> None:
    said = "executors are refused: denied by a rule of the site"
    ended = Container("driver", state="terminated", reason="Error", exit_code=78, message=said)
    (found,) = explain(run_of(driver(ended, phase="Failed"), condition="Failed")).findings
    assert (found.id, "denied by a rule of the site" in found.cause) == ("not-started", True)
    own = replace(ended, message="my own 78")
    (found,) = explain(run_of(driver(own, phase="Failed"), condition="Failed")).findings
    assert found.cause == "the application ended with exit code 78: my own 78"


def test_an_exception_of_spark_submit_is_not_the_applications() -> None:
    log = ['Exception in thread "main" java.lang.IllegalArgumentException: spark.driver.memory is no size']
    found = finding(log, role="submitter", exit_code=78)
    assert (found.about, found.cause) == (
        "submitter",
        "spark-submit made no driver: java.lang.IllegalArgumentException: spark.driver.memory is no size",
    )


NOT_YET = (
    'MountVolume.SetUp failed for volume "spark-conf-volume-driver" : configmap "spark-drv-78f31ea226c86357-conf-map" '
    "not found"
)
UNSYNCED = 'MountVolume.SetUp failed for volume "data" : object "team"/"settings" not registered'
NO_CLAIM = 'Unschedulable: 0/1 nodes are available: persistentvolumeclaim "job-driver-pvc-0" not found.'
UNBOUND = "Unschedulable: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."
OWN = 'MountVolume.SetUp failed for volume "data" : configmap "settings" not found'


@pytest.mark.parametrize(
    ("pod", "later"),
    [
        ({"events": (Event("FailedMount", NOT_YET),)}, "half-made"),
        ({"unscheduled": NO_CLAIM}, "half-made"),
        ({"events": (Event("FailedMount", UNSYNCED),)}, "volume-not-mounted"),
        ({"unscheduled": UNBOUND}, "unschedulable"),
    ],
    ids=["configmap", "claim", "unsynced", "unbound"],
)
def test_what_comes_a_moment_later_is_not_told_of_a_young_pod(pod: dict[str, Any], later: str) -> None:
    young = driver(Container("driver"), phase="Pending", is_young=True, **pod)
    report = explain(run_of(young))
    assert (report.status, report.summary, report.findings) == ("waiting", "the driver starts", ())
    (found,) = explain(run_of(replace(young, is_young=False))).findings
    assert found.id == later
    assert "make ConfigMap spark-drv" not in found.cure


def test_a_missing_object_of_ones_own_is_told_at_once() -> None:
    young = driver(Container("driver"), phase="Pending", is_young=True, events=(Event("FailedMount", OWN),))
    found = explain_waiting(young)
    assert found is not None
    assert found.cure == "make ConfigMap settings, or correct volumes (data)"


def test_a_half_made_driver_is_deleted_and_submitted_again() -> None:
    pod = driver(Container("driver"), phase="Pending", events=(Event("FailedMount", NOT_YET),))
    found = explain_waiting(pod)
    assert found is not None
    assert "spark-submit made it, and not ConfigMap spark-drv-78f31ea226c86357-conf-map" in found.cause
    assert found.cure == "kubectl delete pod job-1-x, and submit again"
    claim = 'Unschedulable: persistentvolumeclaim "job-exec-3-pvc-0" not found.'
    executor = Pod("job-exec-3", "executor", "Pending", unscheduled=claim)
    found = explain_waiting(executor)
    assert found is not None
    assert found.cure == "kubectl delete pod job-exec-3: the driver makes another"


PULL = 'Failed to pull image "apache/spark:4.3.0": failed to resolve reference "docker.io/apache/spark:4.3.0": {why}'


@pytest.mark.parametrize(
    ("why", "cause"),
    [
        (
            'failed to do request: Head "https://registry-1.docker.io/v2/": dial tcp 192.0.2.1:443: i/o timeout',
            "does not answer",
        ),
        ("failed to do request: context deadline exceeded", "does not answer"),
        ("dial tcp: connect: no route to host", "does not answer"),
        ("dial tcp: lookup registry.example on 10.96.0.10:53: no such host", "its registry's name is not known"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "do not trust"),
        ("unexpected status from HEAD request: 429 Too Many Requests", "limits how many are pulled"),
        ("docker.io/apache/spark:4.3.0: not found", "there is none of that name"),
        ("pull access denied, repository does not exist or may require authorization", "its registry refuses us"),
    ],
)
@pytest.mark.parametrize("policy", ["Always", "IfNotPresent"])
def test_an_image_that_nodes_have_is_a_matter_of_policy(why: str, cause: str, policy: str) -> None:
    stuck = Container(
        "driver", "apache/spark:4.3.0", "waiting", "ErrImagePull", PULL.format(why=why), pull_policy=policy
    )
    found = explain_waiting(driver(stuck, phase="Pending"))
    assert found is not None
    assert cause in found.cause
    assert ("set image.pullPolicy to IfNotPresent" in found.cure) == (policy == "Always")
    assert ("guard.imagePullPolicies of spark-namespace" in found.cure) == (policy == "Always")


def test_an_image_of_a_sidecar_is_not_that_of_spark() -> None:
    stuck = Container("agent", "agent:1", "waiting", "ErrImagePull", "not found", pull_policy="Always")
    found = explain_waiting(driver(Container("driver"), stuck, phase="Pending"))
    assert found is not None
    assert "container agent in driver.initContainers or driver.sidecars" in found.cure
    assert "its imagePullPolicy to IfNotPresent" in found.cure
    assert "image.registry" not in found.cure


def test_a_notebooks_executor_has_an_image_of_its_own() -> None:
    stuck = Container("executor", "x:1", "waiting", "ErrImagePull", "not found")
    pod = Pod("e", "executor", "Pending", containers=(stuck,), chart="spark-notebook")
    found = explain_waiting(pod)
    assert found is not None
    assert "executor.image" in found.cure
