"""What was read of a run: plain values, so that causes are functions of them and need no cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Event:
    """A warning of Kubernetes about an object: ``reason`` is "FailedCreate", ``last`` when it was last seen."""

    reason: str
    message: str
    last: datetime | None = None


@dataclass(frozen=True)
class Container:
    """A container's present state.

    Attributes:
        state: "waiting", "running", "terminated", or "" before the kubelet knows of it.
        reason, message: of that state: "ImagePullBackOff", "OOMKilled".
        exit_code: of a terminated one.
        cpu: the CPU that it asks for, "300m"; "" where it asks for none.
        memory: its memory limit as Kubernetes writes it, "1433Mi"; "" without one.
    """

    name: str
    image: str = ""
    state: str = ""
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    cpu: str = ""
    memory: str = ""


@dataclass(frozen=True)
class Pod:
    """A pod of a run.

    Attributes:
        role: "driver", "executor" or "submitter".
        phase: "Pending", "Running", "Succeeded", "Failed", "Unknown".
        reason, message: of the phase: "Evicted", "DeadlineExceeded".
        unscheduled: what the scheduler says while it finds no node; "" when it found one.
        containers: Spark's container first, then the others, init containers too.
    """

    name: str
    role: str
    phase: str
    uid: str = ""
    reason: str = ""
    message: str = ""
    unscheduled: str = ""
    created: datetime | None = None
    containers: tuple[Container, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def main(self) -> Container:
        """Spark's own container."""
        return self.containers[0] if self.containers else Container("")


@dataclass(frozen=True)
class Job:
    """A run's Job.

    Attributes:
        condition: "Complete", "Failed", "Suspended" or "".
        reason, message: of that condition: "BackoffLimitExceeded", "DeadlineExceeded".
        deadline_s: its activeDeadlineSeconds.
        makes: the role of its pods: "driver", or "submitter" in cluster mode.
    """

    name: str
    uid: str = ""
    condition: str = ""
    reason: str = ""
    message: str = ""
    deadline_s: int | None = None
    makes: str = "driver"
    created: datetime | None = None
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class CronJob:
    """A release's schedule: ``runs`` tells whether a run was ever started by it."""

    name: str
    schedule: str
    suspended: bool
    last_run: datetime | None = None


@dataclass(frozen=True)
class Evidence:
    """Where a finding was read: ``source`` is "Job/nightly-1a2b3c4d" or "log of Pod/…"; ``message`` stands there."""

    source: str
    message: str


@dataclass(frozen=True)
class Run:
    """All that was read about a name.

    Attributes:
        name: what was asked for.
        namespace: where.
        release: the Helm release, "" if the run belongs to none.
        application: Spark's id of the application, "" before there is a driver.
        job, cron_job: None where there is none.
        drivers, submitters: oldest first; the last is the attempt that counts.
        executors: of the newest driver.
        log: end of the newest driver's log, or of the submitter's before there is a driver.
        log_of: name of the pod that ``log`` is of.
        gone: what Kubernetes' events tell of a Job that is not there any more.
        unread: what the caller may not read: "events in team-a".
    """

    name: str
    namespace: str
    release: str = ""
    application: str = ""
    job: Job | None = None
    cron_job: CronJob | None = None
    drivers: tuple[Pod, ...] = ()
    submitters: tuple[Pod, ...] = ()
    executors: tuple[Pod, ...] = ()
    log: tuple[str, ...] = ()
    log_of: str = ""
    gone: tuple[tuple[str, Event], ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def driver(self) -> Pod | None:
        """The newest attempt's driver."""
        return self.drivers[-1] if self.drivers else None

    @property
    def submitter(self) -> Pod | None:
        """The newest attempt's submitter, in cluster mode."""
        return self.submitters[-1] if self.submitters else None

    def in_log(self, line: str) -> Evidence:
        """A line of ``log`` as evidence."""
        return Evidence(f"log of Pod/{self.log_of}", line.strip())


@dataclass(frozen=True)
class Finding:
    """One thing that keeps a run from going on, or that ended it.

    Attributes:
        id: stable name of the cause, "quota-exceeded"; all are in ``kindling.cli``.
        about: "driver", "executor", "submitter" or "job".
        cause, cure: one line each.
    """

    id: str
    about: str
    cause: str
    cure: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Report:
    """The answer to ``kindling why``.

    Attributes:
        status: "waiting", "running", "succeeded", "failed", "suspended", "scheduled" or "gone".
        summary: one line.
        notes: more lines: earlier attempts, what could not be read.
    """

    run: Run
    status: str
    summary: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = field(default=())
