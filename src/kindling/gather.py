"""Finds what a name means and reads all that is known of that run."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import Any

from kindling import convert, driver_log
from kindling.connection import Connection
from kindling.errors import KindlingError
from kindling.facts import Event, Run
from kindling.reader import Reader

LOG_LINES = 3000
"""Lines of a driver's log that are read, from its end."""
_CHART = "app.kubernetes.io/name=spark-job"
_INSTANCE = "app.kubernetes.io/instance"
_APP = "spark-app-selector"
_JOB = "job-name"  # the one that every version of Kubernetes sets
_LABEL_VALUE = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")


def gather(connection: Connection, name: str) -> Run:
    """Read the newest run of a release, or the run that an application id, a pod or a Job belongs to.

    Raises:
        KindlingError: nothing has that name, or the caller may see nothing that could.
    """
    reader = Reader(connection)
    found = _find(reader, name)
    if found is None:
        return _gone(reader, connection.namespace, name)
    raw_job, raw_cron_job, raw_pods = found
    if raw_job is not None:
        raw_pods = _pods_of(reader, raw_job)
    warnings = _warnings(reader)
    pods = [
        convert.pod(raw, tuple(warnings[raw.metadata.uid])) for raw in raw_pods if not _is_going(raw) or raw_job is None
    ]
    drivers = tuple(pod for pod in pods if pod.role == "driver")
    submitters = tuple(pod for pod in pods if pod.role == "submitter")
    labels = _labels(raw_job or raw_cron_job or (raw_pods[-1] if raw_pods else None))
    run = Run(
        name=name,
        namespace=connection.namespace,
        release=labels.get(_INSTANCE, ""),
        application=_application(raw_pods),
        job=convert.job(raw_job, tuple(warnings[raw_job.metadata.uid])) if raw_job is not None else None,
        cron_job=convert.cron_job(raw_cron_job) if raw_cron_job is not None else None,
        drivers=drivers,
        submitters=submitters,
        executors=tuple(pod for pod in pods if pod.role == "executor"),
    )
    talks = run.driver if run.driver and run.driver.main.state in ("running", "terminated") else run.submitter
    log = tuple(driver_log.plain(reader.log(talks.name, talks.main.name, LOG_LINES))) if talks else ()
    return replace(run, log=log, log_of=talks.name if talks else "", unread=tuple(reader.unread))


def _find(reader: Reader, name: str) -> tuple[Any, Any, list[Any]] | None:
    """The Job, the CronJob and (where no Job is) the pods that a name means; None if nothing has it."""
    if _LABEL_VALUE.match(name):
        release = f"{_CHART},{_INSTANCE}={name}"
        jobs, cron_jobs = reader.jobs(release), reader.cron_jobs(release)
        if jobs or cron_jobs:
            return jobs[-1] if jobs else None, cron_jobs[-1] if cron_jobs else None, []
        if pods := reader.pods(f"{_APP}={name}") or _of_client_mode(reader, name):
            return _job_of(reader, pods), None, pods
    if pod := reader.pod(name):
        return _job_of(reader, [pod]), None, _application_of(reader, pod)
    if job := reader.job(name):
        return job, None, []
    if cron_job := reader.cron_job(name):
        return None, cron_job, []
    return None


def _of_client_mode(reader: Reader, application: str) -> list[Any]:
    """The driver whose application id follows from its uid: spark-job's client mode cannot label it."""
    uid = application.removeprefix("spark-")
    return [pod for pod in reader.pods("spark-role=driver") if pod.metadata.uid == uid]


def _job_of(reader: Reader, pods: list[Any]) -> Any:
    """The Job that owns a driver or submitter; an executor's driver is looked at instead of it."""
    for pod in pods:
        for owner in pod.metadata.owner_references or []:
            if owner.kind == "Job":
                return reader.job(owner.name)
            if owner.kind == "Pod" and (driver := reader.pod(owner.name)) is not None:
                return _job_of(reader, [driver])
    return None


def _application_of(reader: Reader, pod: Any) -> list[Any]:
    application = _labels(pod).get(_APP)
    return reader.pods(f"{_APP}={application}") if application else [pod]


def _pods_of(reader: Reader, job: Any) -> list[Any]:
    """The Job's pods, drivers that it owns besides, and executors of the newest driver, oldest first."""
    own = reader.pods(f"{_JOB}={job.metadata.name}")
    release = _labels(job).get(_INSTANCE)
    others = reader.pods(f"{_INSTANCE}={release},spark-role") if release else []
    own += [pod for pod in others if _owned_by(pod, job.metadata.uid) and not _has(own, pod)]
    own.sort(key=lambda pod: pod.metadata.creation_timestamp)
    drivers = [pod for pod in own if convert.role_of(pod) == "driver"]
    if not drivers:
        return own
    newest = drivers[-1]
    # Those of a StatefulSet are not the driver's own: the application's id tells.
    application = _application([newest])
    return own + [
        pod
        for pod in others
        if convert.role_of(pod) == "executor"
        and (_owned_by(pod, newest.metadata.uid) or _labels(pod).get(_APP) == application)
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
            "namespace (-n), or it ended and was removed (ttlSecondsAfterFinished, helm uninstall)"
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
