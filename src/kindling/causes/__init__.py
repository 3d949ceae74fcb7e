"""From facts to an answer: what state a run is in, and what keeps it there.

``explain`` decides the state and asks the causes that can apply to it: ``refused`` (the API server made no pod),
``queued`` (a queue of Kueue holds the Job), ``waiting`` (a pod does not start), ``ended`` (a driver failed, or was
started again). What cures name is in ``chart_values``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from kindling import driver_log
from kindling.causes import chart_values
from kindling.causes.ended import (
    executors_fail,
    executors_out_of_memory,
    explain_changed_programs,
    explain_end,
    explain_kept,
    explain_restart,
)
from kindling.causes.queued import explain_queued
from kindling.causes.refused import explain_refusal
from kindling.causes.waiting import explain_first_container, explain_waiting
from kindling.facts import Evidence, Finding, Pod, Report, Run

_REFUSED_PREFIX = re.compile(r"Error creating: |create Pod \S{1,253} in StatefulSet \S{1,253} failed error: ")
_SHOWN_EXECUTORS = 20  # that wait: their findings are mostly one and the same


def explain(run: Run) -> Report:
    """The state of a run, and why it is in it."""
    status, summary, findings = next(answer for state in _STATES if (answer := state(run)) is not None)
    told = _distinct(findings)
    notes = (*_earlier_attempts(run), *_schedule(run), *_when(run, told))
    return Report(run, status, summary, told, notes)


Answer = tuple[str, str, list[Finding]]


def _gone(run: Run) -> Answer | None:
    if not run.gone:
        return None
    name, last = run.gone[-1]
    finding = Finding(
        "gone",
        "job",
        f"Job {name} is not there any more; the last that Kubernetes tells of it: {last.message}",
        "raise ttlSecondsAfterFinished to keep ended runs longer; its log is where the cluster's logs are collected",
        (Evidence(f"Job/{name}", f"{last.reason}: {last.message}"),),
    )
    return "gone", "removed", [finding]


def _scheduled(run: Run) -> Answer | None:
    if run.workload or not run.cron_job:
        return None
    cron_job = run.cron_job
    if cron_job.suspended:
        cure = f"set schedule.suspend to false, or run it now: kubectl create job --from=cronjob/{cron_job.name} NAME"
        cause = f"CronJob {cron_job.name} is suspended: its schedule {cron_job.schedule} starts no run"
        finding = Finding(
            "suspended", "job", cause, cure, (Evidence(f"CronJob/{cron_job.name}", "spec.suspend: true"),)
        )
        return "suspended", "its schedule is suspended", [finding]
    return "scheduled", f"no run yet; it is due by the schedule {cron_job.schedule}", []


def _succeeded(run: Run) -> Answer | None:
    if run.workload and run.workload.condition == "Complete":
        return "succeeded", f"Job {run.workload.name} is complete", _kept(run)
    if not run.workload and run.driver and run.driver.phase == "Succeeded":
        return "succeeded", f"driver {run.driver.name} succeeded", []
    return None


def _kept(run: Run) -> list[Finding]:
    """What keeps pods of a run that is over: cluster mode's driver is not its Job's own pod."""
    pods = (run.driver, run.submitter, *run.executors[:_SHOWN_EXECUTORS])
    return [kept for pod in pods if pod and (kept := explain_kept(pod))]


def _suspended(run: Run) -> Answer | None:
    job = run.workload
    if not job or job.condition != "Suspended":
        return None
    if run.queued:
        return "waiting", f"waits in queue {run.queued.queue}", [explain_queued(run)]
    evidence = Evidence(job.ref, f"{job.reason}: {job.message}")
    cause = f"Job {job.name} is suspended: it starts no pod"
    cure = (
        "wait for whoever set job.suspend of spark-job, or start it: "
        f"kubectl patch job/{job.name} --namespace {run.namespace} "
        '--type merge --patch \'{"spec":{"suspend":false}}\''
    )
    return "suspended", "suspended", [Finding("suspended", "job", cause, cure, (evidence,))]


def _stopped(run: Run) -> Answer | None:
    """A driver that lasts, but not now."""
    server = run.workload
    if not server or server.replicas != 0:
        return None
    idle = chart_values.idle(run.chart)
    finding = Finding(
        "stopped",
        "driver",
        f"{server.kind} {server.name} is scaled to 0{': ' if idle else ''}{idle}",
        f"start it again: kubectl scale {server.kind.lower()}/{server.name} --replicas=1 --namespace {run.namespace}",
        (Evidence(server.ref, "spec.replicas: 0"),),
    )
    return "stopped", "its pod is gone" if not run.driver else "its pod ends", [finding]


def _failed(run: Run) -> Answer | None:
    job, driver = run.workload, run.driver
    if job and job.condition == "Failed":
        findings = [*(_deadline(run) or _why_failed(run)), *_kept(run)]
        return "failed", f"Job {job.name} failed: {job.reason}", findings
    if not job and driver and driver.phase == "Failed":
        return "failed", f"driver {driver.name} failed", [explain_end(run, driver)]
    return None


def _deadline(run: Run) -> list[Finding]:
    """The deadline, and what the run waited for until then if it never started."""
    job = run.workload
    if job is None or job.reason != "DeadlineExceeded":
        return []
    deadline = Finding(
        "deadline-exceeded",
        "job",
        f"the run was ended at its deadline of {job.deadline_s} s",
        f"{chart_values.DEADLINE}, or look below for what it waited for",
        (Evidence(job.ref, f"{job.reason}: {job.message}"),),
    )
    started = any(pod.main.state in ("running", "terminated") for pod in run.drivers)
    return [deadline, *([] if started else _refused_pods(run))]


def _why_failed(run: Run) -> list[Finding]:
    driver, submitter = run.driver, run.submitter
    if submitter and (finding := explain_changed_programs(submitter)):
        return [finding]
    if driver and driver.main.state != "waiting" and driver.phase != "Pending":
        return [explain_end(run, driver)]
    if driver and (finding := explain_waiting(driver) or explain_first_container(driver)):
        return [finding]
    if submitter and submitter.main.state == "terminated":
        return _of_submitter(run)
    return _refused_pods(run) or [_no_trace(run)]


def _of_submitter(run: Run) -> list[Finding]:
    """Why a submitter that has ended made no driver: what it says of the submission is all there is."""
    assert run.submitter is not None, "a submitter has ended"
    refusals = driver_log.refusals(run.log)
    if refusals:
        return [_refused(run, "driver", refusals[-1])]
    return [explain_end(run, run.submitter)] if run.submitter.main.exit_code else []


def _no_trace(run: Run) -> Finding:
    job = run.workload
    assert job is not None, "only a Job fails without a pod"
    evidence = Evidence(job.ref, f"{job.reason}: {job.message}")
    cause = "the Job failed, and its pods are not there any more to say why"
    return Finding(
        "pods-gone", "job", cause, "run it again; cluster-wide log collection keeps what pods print", (evidence,)
    )


def _waiting(run: Run) -> Answer | None:
    """There is no driver that runs yet."""
    driver, submitter = run.driver, run.submitter
    if driver and driver.phase not in ("Pending", "Failed", "Succeeded"):
        return None
    if driver and driver.phase == "Pending":
        findings = [f for f in (explain_waiting(driver),) if f]
        return "waiting", f"driver {driver.name} does not run yet" if findings else "the driver starts", findings
    if submitter and submitter.phase == "Pending":
        findings = [f for f in (explain_waiting(submitter),) if f]
        return "waiting", "the submitter does not run yet" if findings else "the submitter starts", findings
    if submitter and not driver and submitter.main.state == "terminated" and (kept := explain_kept(submitter)):
        return "waiting", f"submitter {submitter.name} has ended; its pod does not end", [*_of_submitter(run), kept]
    if submitter and submitter.phase == "Running" and not driver:
        refusals = driver_log.refusals(run.log)[-1:]
        findings = [_refused(run, "driver", text) for text in refusals]
        return "waiting", "the submitter gets no driver" if findings else "the submitter makes the driver", findings
    if driver:
        return None
    findings = _refused_pods(run)
    return "waiting", "no pod" if findings else "no pod yet", findings


def _refused(run: Run, role: str, said: str) -> Finding:
    """What a refusal in the log means."""
    return explain_refusal(role, said, run.in_log(said), run.chart, run.stays(role))


def _refused_pods(run: Run) -> list[Finding]:
    """The newest refusal of the workload's own pod."""
    owner = run.workload
    told = [event for event in owner.events if event.reason == "FailedCreate"] if owner else []
    if not owner or not told:
        return []
    message = _REFUSED_PREFIX.sub("", told[-1].message, count=1)
    return [explain_refusal(owner.makes, message, Evidence(owner.ref, told[-1].message), run.chart)]


def _running(run: Run) -> Answer | None:
    driver = run.driver
    if run.lasts and driver and (answer := _between_two_drivers(run, driver)):
        return answer
    if driver is None or driver.phase == "Succeeded":
        return "running", "the driver has ended, its Job soon will", []
    if driver.phase == "Failed":
        return "running", "the driver failed; the Job ends or tries again", [explain_end(run, driver)]
    if driver.main.state == "terminated" and not run.lasts:
        return _ended(run, driver)
    up = [pod for pod in run.executors if pod.main.state == "running"]
    summary = f"driver {driver.name} runs, {len(up)} executor{'' if len(up) == 1 else 's'}"
    if not run.lasts:
        return "running", summary, _executors(run)
    applications = len({pod.application for pod in up})
    findings = [*_executors(run), *filter(None, (explain_restart(run),))]
    more = f" of {applications} applications" if applications > 1 else ""
    return "running", f"{summary}{more}{'' if findings else '; nothing keeps executors from it'}", findings


def _ended(run: Run, driver: Pod) -> Answer:
    """A driver whose own container has ended, while its pod has not."""
    code = driver.main.exit_code
    kept = explain_kept(driver)
    findings = [*([explain_end(run, driver)] if code else []), *([kept] if kept else [])]
    how = f"driver {driver.name} has ended with exit code {code}"
    return "running", f"{how}; its pod {'does not end' if kept else 'soon will'}", findings


def _between_two_drivers(run: Run, driver: Pod) -> Answer | None:
    """A driver that lasts whose pod or container is not there at the moment."""
    assert run.workload is not None, "what lasts has a workload"
    if driver.is_going:
        return "waiting", f"driver {driver.name} is being deleted; {run.workload.ref} makes another", []
    if driver.phase in ("Failed", "Succeeded"):
        return "waiting", f"driver {driver.name} ended; {run.workload.ref} makes another", [explain_end(run, driver)]
    if driver.main.state != "running" and (finding := explain_restart(run)):
        return "waiting", f"driver {driver.name} waits to be started again", [finding]
    return None


def _executors(run: Run) -> list[Finding]:
    """What keeps executors of a running driver from being there."""
    waits = [pod for pod in run.executors if pod.phase == "Pending"][:_SHOWN_EXECUTORS]
    findings = [finding for pod in waits if (finding := explain_waiting(pod))]
    refusals = _of_application(run, driver_log.refusals(run.log))
    if refusals:
        findings.append(_refused(run, "executor", refusals[-1]))
    elif run.lasts and (fail := executors_fail(run)):
        findings.append(fail)
    if lost := executors_out_of_memory(run):
        findings.append(lost)
    return [*findings, *(kept for pod in run.executors[:_SHOWN_EXECUTORS] if (kept := explain_kept(pod)))]


def _of_application(run: Run, refusals: list[str]) -> list[str]:
    """The refusals of the application that was asked for: what Spark makes for one has names that begin alike."""
    if not (run.lasts and run.application):
        return refusals
    names = {pod.name.rpartition("-exec-")[0] for pod in run.executors}
    return [text for text in refusals if any(f'"{name}-' in text for name in names)]


def _when(run: Run, findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """When the log told of a finding: a driver that lasts may have been idle since."""
    if not run.lasts or not run.driver or run.driver.main.state != "running":
        return ()
    notes = []
    for finding in findings:
        told = [e.message for e in finding.evidence if e.source == f"log of Pod/{run.log_of}"]
        if told and (moment := driver_log.moment_of(run.log, told[-1])):
            notes.append(f"{finding.id}: its log told so last at {moment}, by the pod's clock")
    if findings and (line := driver_log.given_up(run.log)):
        notes.append(f"Spark then ended the session ({line}): start a new one{chart_values.new_session(run.chart)}")
    return tuple(notes)


def _earlier_attempts(run: Run) -> tuple[str, ...]:
    """One line for each attempt before the newest."""
    return tuple(
        f"attempt {number} ended with exit code {pod.main.exit_code}: {' '.join(pod.main.message.split())[:200]}"
        for number, pod in enumerate(run.drivers[:-1], start=1)
        if pod.main.exit_code is not None
    )


def _schedule(run: Run) -> tuple[str, ...]:
    """That no further run will come."""
    if run.workload and run.cron_job and run.cron_job.suspended:
        return (f"CronJob {run.cron_job.name} is suspended: it starts no further run",)
    return ()


def _distinct(findings: list[Finding]) -> tuple[Finding, ...]:
    """Each cause once, with its first evidence: a hundred executors may wait for one thing."""
    return tuple({(finding.id, finding.cause): finding for finding in reversed(findings)}.values())[::-1]


_STATES: tuple[Callable[[Run], Answer | None], ...] = (
    _gone,
    _scheduled,
    _stopped,
    _succeeded,
    _suspended,
    _failed,
    _waiting,
    _running,
)
