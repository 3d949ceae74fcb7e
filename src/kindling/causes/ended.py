"""Why a driver ended as it did."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from kindling import driver_log
from kindling.causes import chart_values, fetch_faults
from kindling.causes.kerberos import explain_kerberos, explain_unreached
from kindling.causes.known_faults import Explained
from kindling.causes.refused import explain_refusal
from kindling.causes.waiting import explain_waiting
from kindling.facts import Container, Evidence, Finding, Pod, Run

_KILLED = 137
_CONFIG = 78
_OF_EXCEPTIONS = (None, 1, 11, 50)
"""Exit codes of a driver that an exception ended."""
_NO_START = re.compile(r"the driver does not start: (\w{1,64}): (.*)", re.DOTALL)
_IMAGE = re.compile(r'image "?([^\s":]{1,255}(?::[\w.-]{1,128})?(?:@sha256:[0-9a-f]{64})?)')
_SAID_BY_CHART = ("executors are refused: ", "the driver is refused: ", "no driver: ", "the driver does not start: ")
"""Begins of what spark-job's programs say where they end a run, with exit code 78 (_CONFIG)."""
_MAIN_CLASS = re.compile(r"Failed to load (?:class )?([\w$]+(?:\.[\w$]+)*)")
_CLASS = re.compile(r"(?:ClassNotFoundException|NoClassDefFoundError): (?:Class )?([\w.$/]+)")


def explain_end(run: Run, driver: Pod) -> Finding:
    """Why a failed driver failed; every end has an answer, if only its exit code."""
    return next((finding for cause in _CAUSES if (finding := cause(run, driver))), None) or _exit_code(run, driver)


def explain_changed_programs(submitter: Pod) -> Finding | None:
    """A submitter that did not run what stood in the place of the chart's programs, if that is how it ended."""
    message = submitter.main.message
    if submitter.main.exit_code != _CONFIG or "is not what the chart made" not in message:
        return None
    return Finding(
        "configmap-changed",
        "submitter",
        f"somebody changed what the run's pods read: {message.partition(';')[0]}",
        "find out who may write ConfigMaps here, delete this one, and upgrade the release with the same values",
        (Evidence(f"Pod/{submitter.name}", _terminated(submitter)),),
    )


def explain_kept(pod: Pod) -> Finding | None:
    """A container that keeps a pod whose Spark has ended, if one does."""
    kept = pod.kept_by
    if not kept:
        return None
    names = ", ".join(one.name for one in kept)
    which = f"container {names} of its pod runs on" if len(kept) == 1 else f"containers {names} of its pod run on"
    labels, annotations = chart_values.of("labels", pod.role), chart_values.of("annotations", pod.role)
    return Finding(
        "sidecar-runs-on",
        pod.role,
        f"the {pod.role} ended with exit code {pod.main.exit_code}, but {which}: the pod does not end",
        f"kubectl delete pod {pod.name} if its work is done; have what adds {names} add a native sidecar, which ends "
        f"with Spark (an init container with restartPolicy: Always), or keep it out by {labels} or {annotations}",
        (Evidence(f"Pod/{pod.name}", f"{_terminated(pod)}; container {kept[0].name}: {kept[0].state}"),),
    )


def executors_out_of_memory(run: Run) -> Finding | None:
    """Executors that were killed for their memory, by their pods or else by the driver's log."""
    pod = next((pod for pod in run.executors if pod.main.reason == "OOMKilled"), None)
    if pod is not None:
        return _out_of_memory("executor", run, pod, Evidence(f"Pod/{pod.name}", _terminated(pod)))
    line = driver_log.executors_out_of_memory(run.log)
    return _out_of_memory("executor", run, None, run.in_log(line)) if line else None


def explain_restart(run: Run) -> Finding | None:
    """Why the container of a driver that lasts ended and is started again; None if it never ended."""
    driver = run.driver
    if driver is None or driver.main.ended is None:
        return None
    now, last = driver.main, driver.main.ended
    before = replace(driver, phase="Failed", containers=(last, *driver.containers[1:]))
    silent = [event for event in driver.events if event.message.startswith("Liveness probe failed")]
    if silent and last.reason != "OOMKilled":
        found = Finding(
            "liveness",
            "driver",
            f"the driver did not answer: {silent[-1].message}",
            "give it more CPU (driver.requestCores, driver.limitCores), or less to do at once",
            (Evidence(f"Pod/{driver.name}", f"{silent[-1].reason}: {silent[-1].message}"),),
        )
    else:
        found = explain_end(replace(run, log=run.log_of_end), before)
    if found.id == "exit-code":
        previous = "" if now.state == "terminated" else "--previous "
        found = replace(found, cure=f"look at what it printed: {_log_of(run, driver, previous)}")
    elif found.id == "killed":
        found = replace(found, cure="if it recurs, raise driver.memoryOverhead and look at the node")
    lost = chart_values.lost(run.chart)
    times = {0: "not yet", 1: "once"}.get(now.restarts, f"{now.restarts} times so far")
    return replace(found, cause=f"{found.cause}; Kubernetes starts it again ({times}){lost}")


def _driver_out_of_memory(run: Run, driver: Pod) -> Finding | None:
    if driver.main.reason != "OOMKilled":
        return None
    return _out_of_memory("driver", run, driver, Evidence(f"Pod/{driver.name}", _terminated(driver)))


def _out_of_memory(role: str, run: Run, pod: Pod | None, evidence: Evidence) -> Finding:
    limit = f" (limit {pod.main.memory})" if pod and pod.main.memory else ""
    who = "the driver" if role == "driver" else "executors"
    of_kernels = ", or kernels" if (role, run.chart) == ("driver", chart_values.NOTEBOOK) else ""
    return Finding(
        "out-of-memory",
        role,
        f"{who} needed more memory than the container may have{limit}: OOMKilled, exit code 137",
        f"raise {chart_values.of('memoryOverhead', role)} (Python, native code) or "
        f"{chart_values.of('memory', role)} (Java heap){of_kernels}",
        (evidence,),
    )


def _removed(run: Run, driver: Pod) -> Finding | None:
    """Kubernetes ended the pod itself."""
    if not driver.reason or driver.reason in ("Error", "Completed"):
        return None
    evidence = Evidence(f"Pod/{driver.name}", f"{driver.reason}: {driver.message}")
    if driver.reason == "DeadlineExceeded":
        return Finding(
            "deadline-exceeded",
            "driver",
            "the driver ran longer than its deadline",
            chart_values.DEADLINE,
            (evidence,),
        )
    cure = (
        f"nothing: the {run.workload.kind} makes another; what was in memory is gone"
        if run.workload and run.workload.lasts
        else chart_values.run_again(run.chart)
    )
    return Finding(
        driver.reason.lower(),
        "driver",
        f"the cluster ended the driver pod: {driver.reason}: {driver.message}",
        cure,
        (evidence,),
    )


def _refused(run: Run, _: Pod) -> Finding | None:
    """The API server refused what the driver asked for, and the driver gave up."""
    refusals = driver_log.refusals(run.log)
    if not refusals:
        return None
    # At its end a driver may fail to tidy up for lack of a right: that is not why it ended.
    ends = [text for text in refusals if " cannot deletecollection " not in text and " cannot delete " not in text]
    error = driver_log.error_of(run.log)
    if not ends or not (
        driver_log.gave_up_on_executors(run.log)
        or error is None
        or ends[-1] in error.text
        or "SparkContext" in error.text
    ):
        return None
    return _given_up(run, explain_refusal("executor", ends[-1], run.in_log(ends[-1]), run.chart, run.stays("executor")))


def _given_up(run: Run, refused: Finding) -> Finding:
    """The refusal of executors, and that Spark ended the application because of it, if it did."""
    most = driver_log.most_failures(run.log)
    if not most:
        return refused
    return replace(
        refused,
        cause=f"{refused.cause}; Spark counts a refused executor as a failed one, and gave up after {most} "
        "(spark.executor.maxNumFailures)",
        cure=f"{refused.cure}; to have it wait instead, set spark.executor.maxNumFailures in sparkConf, to 1000000 say",
    )


def _executors(run: Run, _: Pod) -> Finding | None:
    finding = executors_out_of_memory(run)
    if finding is None:
        return None
    error = driver_log.error_of(run.log)
    died = error is None or "ExecutorLostFailure" in error.text or "exit code 137" in error.text
    return finding if died or driver_log.gave_up_on_executors(run.log) else None


def executors_fail(run: Run, _: Pod | None = None) -> Finding | None:
    """Executors that ended so often that Spark ended the application."""
    if not driver_log.gave_up_on_executors(run.log):
        return None
    # Of executors that never registered Spark does not say how they ended.
    line = driver_log.executor_exit(run.log) or driver_log.given_up_line(run.log)
    most = driver_log.most_failures(run.log)
    return Finding(
        "executors-fail",
        "executor",
        f"executors fail one after the other, so Spark gave up after {most} (spark.executor.maxNumFailures): {line}",
        "run again with spark.kubernetes.executor.deleteOnTermination=false in sparkConf, then read an executor's log",
        (run.in_log(line),),
    )


def _kerberos(run: Run, driver: Pod) -> Finding | None:
    return explain_kerberos(run) if _of_exception(driver) else None


def _namenode(run: Run, driver: Pod) -> Finding | None:
    return explain_unreached(run) if _of_exception(driver) else None


def _dependency(run: Run, pod: Pod) -> Finding | None:
    """A file or package that Spark itself was to fetch."""
    error = driver_log.error_of(run.log)
    if error is None or not _of_exception(pod):
        return None
    found = fetch_faults.fault_of(error.text, fetch_faults.notes_of((*run.dependencies, *run.log)))
    return _of_fetch(run, pod.role, found) if found else None


def _of_fetch(run: Run, role: str, found: Explained) -> Finding:
    """What spark-job has in values of its own has another chart in sparkConf."""
    lasts = run.chart in chart_values.LASTING
    cause = found.cause.replace(fetch_faults.A_DEPENDENCY, f"a file of {chart_values.files(run.chart)}")
    cure = found.cure_of_conf if lasts and found.cure_of_conf else found.cure
    return Finding(found.id, role, cause, cure, (run.in_log(found.line),))


def _of_exception(pod: Pod) -> bool:
    """Whether an exception ended a driver, or the spark-submit of a submitter, which has one code for all of them."""
    return pod.main.exit_code in _OF_EXCEPTIONS or (pod.role == "submitter" and pod.main.exit_code == _CONFIG)


def _file(run: Run, pod: Pod) -> Finding | None:
    error = driver_log.error_of(run.log)
    # What the application itself reads, and tells by an exception of its own, is another matter.
    if error and error.is_python:
        return None
    found = fetch_faults.missing_file(run.log)
    return _of_fetch(run, pod.role, found) if found else None


def _main_class(run: Run, _: Pod) -> Finding | None:
    match = driver_log.last_matching(run.log, _MAIN_CLASS)
    if match is None:
        return None
    return Finding(
        "class-not-found",
        "driver",
        f"the main class {match[1]} is not in the jar",
        chart_values.main_class(run.chart),
        (run.in_log(match.string),),
    )


def _other_class(run: Run, _: Pod) -> Finding | None:
    error = driver_log.error_of(run.log)
    match = _CLASS.search(error.line) if error else None
    if match is None:
        return None
    name = match[1].replace("/", ".")
    library = fetch_faults.LIBRARIES.get(name)
    cure = (
        f"put {library} into the image, or name it in {chart_values.packages(run.chart)}"
        if library
        else f"name its jar in {chart_values.jars(run.chart)} or its coordinates in {chart_values.packages(run.chart)}"
    )
    return Finding(
        "class-not-found",
        "driver",
        f"the class {name} is not on the class path",
        cure,
        (run.in_log(match.string),),
    )


def _heap(run: Run, _: Pod) -> Finding | None:
    error = driver_log.error_of(run.log)
    if error is None or "java.lang.OutOfMemoryError" not in error.text:
        return None
    line = next(line.strip() for line in error.text.splitlines() if "java.lang.OutOfMemoryError" in line)
    return Finding(
        "heap-full",
        "driver",
        "a Java heap was full: OutOfMemoryError",
        "raise executor.memory if tasks failed, driver.memory if the driver collects much",
        (run.in_log(line),),
    )


def _exception(run: Run, driver: Pod) -> Finding | None:
    error = driver_log.error_of(run.log)
    # A program that chose its exit code has dealt with its exceptions.
    if error is None or not _of_exception(driver):
        return None
    if driver.role == "submitter":
        return Finding(
            "java-exception",
            "submitter",
            f"spark-submit made no driver: {error.line}",
            f"correct what it names; the whole trace: {_log_command(run)}",
            (run.in_log(error.line),),
        )
    crashed = "Python worker exited unexpectedly" in error.line
    cure = (
        "a Python worker died in an executor, most often for lack of memory: raise executor.memoryOverhead"
        if crashed
        else f"correct the application; the whole trace: {_log_command(run)}"
    )
    return Finding(
        "python-exception" if error.is_python else "java-exception",
        "driver",
        f"the application failed: {error.line}",
        cure,
        (run.in_log(error.line),),
    )


def _not_started(run: Run, pod: Pod) -> Finding | None:
    """A run that spark-job's own programs ended, before an application ran or while it had no executors."""
    said = " ".join(pod.main.message.split())
    if pod.main.exit_code != _CONFIG or not (pod.role == "submitter" or said.startswith(_SAID_BY_CHART)):
        return None
    if stuck := _driver_that_did_not_start(run, said):
        return stuck
    return Finding(
        "not-started",
        pod.role,
        f"no application ran; the chart's program gave up (exit code {_CONFIG}): {said or 'its log says why'}",
        f"correct what it names, and run it again; all that it printed: {_log_of(run, pod)}",
        (Evidence(f"Pod/{pod.name}", _terminated(pod)),),
    )


def _driver_that_did_not_start(run: Run, said: str) -> Finding | None:
    """A driver of cluster mode that ``failFast`` removed: its submitter says what it waited for."""
    match = _NO_START.match(said)
    if match is None:
        return None
    image = _IMAGE.search(match[2])
    container = Container("driver", image[1] if image else "", "waiting", match[1], match[2])
    found = explain_waiting(Pod("", "driver", "Pending", containers=(container,), chart=run.chart))
    if found is None:
        return None
    submitter = run.submitter.name if run.submitter else ""
    evidence = Evidence(f"Pod/{submitter}", said)
    return replace(found, cause=f"{found.cause}; {chart_values.FAIL_FAST} ended the run", evidence=(evidence,))


def _exit_code(run: Run, driver: Pod) -> Finding:
    code = driver.main.exit_code
    said = " ".join(driver.main.message.split()[-40:])
    if code == _KILLED:
        memory = chart_values.of("memoryOverhead", driver.role)
        return Finding(
            "killed",
            driver.role,
            f"the {driver.role} was killed: exit code 137, and not for its memory as far as the kubelet knows",
            f"run it again; if it recurs, raise {memory} and look at the node",
            (Evidence(f"Pod/{driver.name}", _terminated(driver)),),
        )
    what = "the application" if driver.role == "driver" else f"the {driver.role}"
    return Finding(
        "exit-code",
        driver.role,
        f"{what} ended with exit code {code}" + (f": {said}" if said else ""),
        f"look at what it printed: {_log_of(run, driver)}",
        (Evidence(f"Pod/{driver.name}", _terminated(driver)),),
    )


def _log_of(run: Run, pod: Pod, previous: str = "") -> str:
    return f"kubectl logs {previous}--namespace {run.namespace} {pod.name} --container {pod.main.name}"


def _terminated(pod: Pod) -> str:
    state = pod.main
    last = state.message.strip().splitlines()[-1:]
    return ": ".join([f"container {state.name}: {state.reason or pod.phase}, exit code {state.exit_code}", *last])


def _log_command(run: Run) -> str:
    return f"kubectl logs --namespace {run.namespace} {run.log_of}"


_CAUSES: tuple[Callable[[Run, Pod], Finding | None], ...] = (
    _driver_out_of_memory,
    _removed,
    _refused,
    _executors,
    executors_fail,
    _kerberos,
    _dependency,
    _namenode,
    _file,
    _main_class,
    _other_class,
    _heap,
    _exception,
    _not_started,
)
