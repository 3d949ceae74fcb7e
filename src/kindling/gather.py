"""Finds what a name means and reads all that is known of that run."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kubernetes.client.exceptions import ApiException

from kindling import convert, driver_log
from kindling.causes import fetch_faults
from kindling.causes.chart_values import LASTING, NOTEBOOK
from kindling.connection import Connection, server_time
from kindling.errors import KindlingError
from kindling.facts import Event, Run
from kindling.foreign import bounded
from kindling.reader import Reader

YOUNG_S = 120
"""Seconds after which all is there that Spark makes after a pod."""
LOG_LINES = 3000
"""Lines of a driver's log that are read, from its end."""
_CHART = f"{convert.CHART}=spark-job"
_SERVERS = f"{convert.CHART} in ({','.join(LASTING)})"
_INSTANCE = "app.kubernetes.io/instance"
_APP = convert.APPLICATION
_JOB = "job-name"  # the one that every version of Kubernetes sets
_LABEL_VALUE = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")


def gather(connection: Connection, name: str) -> Run:
    """Read the newest run of a release, or the run that an application id, a pod, a Job or the like belongs to.

    Raises:
        KindlingError: nothing has that name, or the caller may see nothing that could.
    """
    reader = Reader(connection)
    found = _find(reader, name)
    if found is None:
        return _gone(reader, connection.namespace, name)
    raw_workload, raw_cron_job, raw_pods = found
    warnings = _warnings(reader)
    workload, asked = None, ""
    if raw_workload is not None:
        workload = convert.workload(raw_workload, tuple(warnings[raw_workload.metadata.uid]))
        asked = _application_asked(raw_pods) if workload.lasts else ""
        raw_pods = _pods_of(reader, raw_workload)
    ends = workload is not None and not workload.lasts
    now = _now(connection)
    pods = [
        replace(convert.pod(raw, tuple(warnings[raw.metadata.uid])), is_young=_is_young(raw, now))
        for raw in raw_pods
        if not (ends and _is_going(raw))
    ]
    drivers = tuple(pod for pod in pods if pod.role == "driver")
    submitters = tuple(pod for pod in pods if pod.role == "submitter")
    newest = raw_workload or raw_cron_job or (raw_pods[-1] if raw_pods else None)
    labels = _labels(newest)
    run = Run(
        name=name,
        namespace=connection.namespace,
        release=_release_of(newest) if newest is not None else "",
        application=asked if workload and workload.lasts else _application(raw_pods),
        chart=labels.get(convert.CHART, ""),
        workload=workload,
        cron_job=convert.cron_job(raw_cron_job) if raw_cron_job is not None else None,
        drivers=drivers,
        submitters=submitters,
        executors=tuple(pod for pod in pods if pod.role == "executor" and asked in ("", pod.application)),
    )
    talks = run.driver if run.driver and run.driver.main.state in ("running", "terminated") else run.submitter
    log = tuple(driver_log.plain(reader.log(talks.name, talks.main.name, LOG_LINES))) if talks else ()
    if workload is not None and workload.queue and workload.condition == "Suspended":
        run = replace(run, queued=convert.queued(workload.queue, reader.queued(workload.uid)))
    run = replace(run, log=log, log_of=talks.name if talks else "", log_of_end=_log_of_end(reader, run, log))
    run = replace(run, dependencies=_dependencies(reader, run))
    return replace(run, unread=tuple(reader.unread))


def _now(connection: Connection) -> datetime:
    """By the API server's clock, which wrote when pods were made, if it tells."""
    try:
        return server_time(connection)
    except (ApiException, KeyError, TypeError, ValueError):
        return datetime.now(UTC)


def _is_young(raw: Any, now: datetime) -> bool:
    age: timedelta = now - raw.metadata.creation_timestamp
    return age.total_seconds() < YOUNG_S


def _dependencies(reader: Reader, run: Run) -> tuple[str, ...]:
    """What the submitter says of the addresses that a driver of cluster mode fetches, where that driver failed."""
    submitter, driver = run.submitter, run.driver
    if submitter is None or driver is None or run.log_of == submitter.name or not driver.main.exit_code:
        return ()
    lines = reader.log(submitter.name, submitter.main.name, LOG_LINES)
    return tuple(bounded(line) for line in lines if line.startswith(fetch_faults.FETCHES))


def _log_of_end(reader: Reader, run: Run, log: tuple[str, ...]) -> tuple[str, ...]:
    """What a driver that lasts had printed when it ended; a notebook's kernels do not tell why JupyterLab did."""
    driver = run.driver
    if not run.lasts or driver is None or driver.main.ended is None or run.chart == NOTEBOOK:
        return ()
    if driver.main.state == "terminated":
        return log
    return tuple(driver_log.plain(reader.log(driver.name, driver.main.name, LOG_LINES, before=True)))


def _find(reader: Reader, name: str) -> tuple[Any, Any, list[Any]] | None:
    """The workload, the CronJob and the pods that a name means; None if nothing has it."""
    if _LABEL_VALUE.match(name):
        jobs, cron_jobs = _of_release(reader.jobs, _CHART, name), _of_release(reader.cron_jobs, _CHART, name)
        if jobs or cron_jobs:
            return jobs[-1] if jobs else None, cron_jobs[-1] if cron_jobs else None, []
        if pods := reader.pods(f"{_APP}={name}") or _of_client_mode(reader, name):
            return _workload_of(reader, pods), None, _with_driver(reader, pods)
    if pod := reader.pod(name):
        return _workload_of(reader, [pod]), None, _application_of(reader, pod)
    if job := reader.job(name):
        return job, None, []
    if cron_job := reader.cron_job(name):
        return None, cron_job, []
    if _LABEL_VALUE.match(name) and (servers := _of_release(reader.servers, _SERVERS, name)):
        return servers[-1], None, []
    if server := reader.stateful_set(name) or reader.deployment(name):
        return server, None, []
    return None


def _of_release(listing: Callable[[str], list[Any]], charts: str, name: str) -> list[Any]:
    """A release's workloads; where there are none, those that a reconciler has given the name as its own application's.

    Args:
        listing: reads the workloads that a selector selects.
        charts: selector of the charts that make such workloads.
        name: the release, or what Argo CD calls it.
    """
    labelled = listing(f"{charts},{_INSTANCE}={name}")
    return _whose_release_is(name, labelled) or _whose_release_is(name, listing(charts)) or labelled


def _whose_release_is(name: str, things: list[Any]) -> list[Any]:
    return [thing for thing in things if _release_of(thing) == name]


def _release_of(thing: Any) -> str:
    """The release of a workload, by its pods' template: Argo CD writes a name of its own into the object's label."""
    spec = thing.spec
    if job_template := getattr(spec, "job_template", None):
        spec = job_template.spec
    return _labels(getattr(spec, "template", None) or thing).get(_INSTANCE, "")


def _of_client_mode(reader: Reader, application: str) -> list[Any]:
    """The driver whose application id follows from its uid: spark-job's client mode cannot label it."""
    uid = application.removeprefix("spark-")
    return [pod for pod in reader.pods("spark-role=driver") if pod.metadata.uid == uid]


def _workload_of(reader: Reader, things: list[Any]) -> Any:
    """What owns a driver or submitter, in the end; an executor's driver is looked at instead of it."""
    read = {"Pod": reader.pod, "ReplicaSet": reader.replica_set, "StatefulSet": reader.stateful_set}
    for thing in things:
        for owner in thing.metadata.owner_references or []:
            if owner.kind == "Job":
                return reader.job(owner.name)
            if owner.kind == "Deployment":
                return reader.deployment(owner.name)
            if owner.kind in read and (found := read[owner.kind](owner.name)) is not None:
                # That of executors (executor.allocator) has their driver as its owner.
                is_the_driver_s = owner.kind == "StatefulSet" and not found.metadata.owner_references
                return found if is_the_driver_s else _workload_of(reader, [found])
    return None


def _application_of(reader: Reader, pod: Any) -> list[Any]:
    if application := _labels(pod).get(_APP):
        return _with_driver(reader, reader.pods(f"{_APP}={application}"))
    if convert.role_of(pod) != "driver":
        return [pod]
    return [pod, *(one for one in reader.pods("spark-role=executor") if _owned_by(one, pod.metadata.uid))]


def _with_driver(reader: Reader, pods: list[Any]) -> list[Any]:
    """An application's pods with the driver that owns its executors, which has no label of one if it has several."""
    if any(convert.role_of(pod) == "driver" for pod in pods):
        return pods
    owners = {owner.name for pod in pods for owner in pod.metadata.owner_references or [] if owner.kind == "Pod"}
    return [*(pod for name in sorted(owners) if (pod := reader.pod(name))), *pods]


def _application_asked(pods: list[Any]) -> str:
    """The application of the executors that a name means, "" where it means the driver of several."""
    return next((application for pod in pods if (application := _labels(pod).get(_APP))), "")


def _selector_of(workload: Any) -> str:
    if convert.kind_of(workload) == "Job":
        return f"{_JOB}={workload.metadata.name}"
    return ",".join(f"{key}={value}" for key, value in (workload.spec.selector.match_labels or {}).items())


def _pods_of(reader: Reader, workload: Any) -> list[Any]:
    """The workload's pods, drivers that it owns besides, and executors of the newest driver, oldest first."""
    own = reader.pods(_selector_of(workload))
    release = _release_of(workload)
    others = reader.pods(f"{_INSTANCE}={release},spark-role") if release else []
    own += [pod for pod in others if _owned_by(pod, workload.metadata.uid) and not _has(own, pod)]
    own.sort(key=lambda pod: pod.metadata.creation_timestamp)
    drivers = [pod for pod in own if convert.role_of(pod) == "driver"]
    if not drivers:
        return own
    newest = drivers[-1]
    # Those of a StatefulSet are not the driver's own: the application's id tells, or that a release has one driver.
    application, lasts = _application([newest]), convert.kind_of(workload) != "Job"
    return own + [
        pod
        for pod in others
        if convert.role_of(pod) == "executor"
        and (
            _owned_by(pod, newest.metadata.uid)
            or _labels(pod).get(_APP) == application
            or (lasts and any(owner.kind == "StatefulSet" for owner in pod.metadata.owner_references or []))
        )
    ]


def _gone(reader: Reader, namespace: str, name: str) -> Run:
    """What events still tell of a run whose objects are gone."""
    if {"jobs", "pods"} <= {text.split(" ")[0] for text in reader.unread}:
        raise KindlingError(
            f"you may read neither Jobs nor pods in namespace {namespace}: "
            "have yourself named in access.viewers of spark-namespace"
        )
    ours = re.compile(rf"{re.escape(name)}(-[0-9a-f]{{8}}|-\d+)?")
    events = reader.events("involvedObject.kind=Job")
    told = [(e.involved_object.name, convert.event(e)) for e in events if ours.fullmatch(e.involved_object.name)]
    told.sort(key=lambda pair: pair[1].last.timestamp() if pair[1].last else 0)
    if not told:
        raise KindlingError(
            f"namespace {namespace} has no run of a release, application, Job or pod named {name}: it is in another "
            "namespace (-n), or it ended and was removed (ttlSecondsAfterFinished, helm uninstall); a notebook's "
            "application is found by its id once it has an executor, and before by the notebook's release, or by the "
            "pod's name (jupyter-…) if a hub made it"
        )
    return Run(name, namespace, gone=tuple(told), unread=tuple(reader.unread))


def _warnings(reader: Reader) -> dict[str, list[Event]]:
    """Uid of an object -> its warnings, oldest first."""
    found: dict[str, list[Event]] = defaultdict(list)
    for raw in reader.events("type=Warning"):
        found[raw.involved_object.uid].append(convert.event(raw))
    for events in found.values():
        events.sort(key=lambda event: event.last.timestamp() if event.last else 0)
    return found


def _application(pods: list[Any]) -> str:
    """Spark's id: the label that Spark sets, or what spark-job's client mode makes of the driver's uid."""
    for pod in reversed(pods):
        if application := _labels(pod).get(_APP):
            return application
    drivers = [pod for pod in pods if convert.role_of(pod) == "driver"]
    return f"spark-{drivers[-1].metadata.uid}" if drivers else ""


def _labels(raw: Any) -> dict[str, str]:
    return (raw.metadata.labels or {}) if raw is not None else {}


def _owned_by(pod: Any, uid: str) -> bool:
    return any(owner.uid == uid for owner in pod.metadata.owner_references or [])


def _has(pods: list[Any], pod: Any) -> bool:
    return any(other.metadata.uid == pod.metadata.uid for other in pods)


def _is_going(pod: Any) -> bool:
    """About to be deleted while it never ended: it tells nothing more."""
    return pod.metadata.deletion_timestamp is not None and pod.status.phase in ("Pending", "Running")
