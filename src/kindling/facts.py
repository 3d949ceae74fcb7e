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
        restarts: how many times the kubelet started it again.
        last: how it was before that; None of one that was never started again.
        ends_with_pod: a native sidecar, which the kubelet stops once Spark's own container has ended.
        pull_policy: "Always", "IfNotPresent" or "Never".
    """

    name: str
    image: str = ""
    state: str = ""
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    cpu: str = ""
    memory: str = ""
    restarts: int = 0
    last: Container | None = None
    ends_with_pod: bool = False
    pull_policy: str = ""

    @property
    def ended(self) -> Container | None:
        """How it last ended; None of one that never did."""
        return self if self.state == "terminated" else self.last


@dataclass(frozen=True)
class Pod:
    """A pod of a run.

    Attributes:
        role: "driver", "executor" or "submitter".
        phase: "Pending", "Running", "Succeeded", "Failed", "Unknown".
        reason, message: of the phase: "Evicted", "DeadlineExceeded".
        unscheduled: what the scheduler says while it finds no node; "" when it found one.
        containers: Spark's container first, then the others, init containers too.
        chart: the chart that its labels name, "spark-notebook"; "" for a pod of plain spark-submit.
        application: Spark's id in its label; a driver that is its application's own process has none.
        is_going: it is about to be deleted.
        is_young: it was made a moment ago, so that what is made after it may still come.
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
    chart: str = ""
    application: str = ""
    is_going: bool = False
    is_young: bool = False

    @property
    def main(self) -> Container:
        """Spark's own container."""
        return self.containers[0] if self.containers else Container("")

    @property
    def kept_by(self) -> tuple[Container, ...]:
        """The containers that keep the pod after Spark's own has ended; none where nothing does."""
        if self.phase not in ("Running", "Unknown") or self.main.state != "terminated":
            return ()
        return tuple(
            one for one in self.containers[1:] if one.state in ("running", "waiting") and not one.ends_with_pod
        )


@dataclass(frozen=True)
class Workload:
    """What makes a run's pods: a Job, or the StatefulSet or Deployment of a driver that lasts.

    Attributes:
        kind: "Job", "StatefulSet" or "Deployment".
        condition: of a Job: "Complete", "Failed", "Suspended" or "".
        reason, message: of that condition: "BackoffLimitExceeded", "DeadlineExceeded".
        deadline_s: a Job's activeDeadlineSeconds.
        makes: the role of its pods: "driver", or "submitter" in cluster mode.
        replicas: how many pods it is to have; None of a Job.
        queue: of Kueue, that a Job's label names; "" if it names none.
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
    kind: str = "Job"
    replicas: int | None = None
    queue: str = ""

    @property
    def ref(self) -> str:
        """Kind and name: "Job/nightly-1a2b3c4d"."""
        return f"{self.kind}/{self.name}"

    @property
    def lasts(self) -> bool:
        """Whether its driver is to run until somebody stops it."""
        return self.kind != "Job"


@dataclass(frozen=True)
class Queued:
    """What Kueue says of a Job that it holds.

    Attributes:
        queue: the LocalQueue that the Job's label names.
        workload: name of Kueue's Workload for the Job; "" if there is none to be seen.
        reason, message: why it has no quota: "Pending", "couldn't assign flavors to pod set main: …".
        asked: resource -> amount of the Job's pods: ("cpu", "1"), ("memory", "1433Mi").
        evicted: why it was stopped after it had run; "" if it was not.
    """

    queue: str
    workload: str = ""
    reason: str = ""
    message: str = ""
    asked: tuple[tuple[str, str], ...] = ()
    evicted: str = ""


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
        application: Spark's id of the application, "" before there is a driver; of a driver with several, such as a
            notebook's, that which was asked for.
        chart: the chart of the release, "spark-job"; "" if there is none.
        workload, cron_job: None where there is none.
        drivers, submitters: oldest first; the last is the attempt that counts.
        executors: of the newest driver; of one application alone where that was asked for.
        log: end of the newest driver's log, or of the submitter's before there is a driver.
        log_of: name of the pod that ``log`` is of.
        log_of_end: what the newest driver, one that lasts, printed at the end before its container last ended.
        gone: what Kubernetes' events tell of a Job that is not there any more.
        unread: what the caller may not read: "events in team-a".
        dependencies: lines of the submitter's log that say which value names what the driver fetches.
        queued: what Kueue says of a Job that it holds; None of any other.
    """

    name: str
    namespace: str
    release: str = ""
    application: str = ""
    chart: str = ""
    workload: Workload | None = None
    cron_job: CronJob | None = None
    drivers: tuple[Pod, ...] = ()
    submitters: tuple[Pod, ...] = ()
    executors: tuple[Pod, ...] = ()
    log: tuple[str, ...] = ()
    log_of: str = ""
    log_of_end: tuple[str, ...] = ()
    gone: tuple[tuple[str, Event], ...] = ()
    unread: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    queued: Queued | None = None

    @property
    def driver(self) -> Pod | None:
        """The newest attempt's driver."""
        return self.drivers[-1] if self.drivers else None

    @property
    def lasts(self) -> bool:
        """Whether its driver is to run until somebody stops it: a notebook, a Connect server."""
        return self.workload is not None and self.workload.lasts

    @property
    def submitter(self) -> Pod | None:
        """The newest attempt's submitter, in cluster mode."""
        return self.submitters[-1] if self.submitters else None

    def stays(self, role: str) -> tuple[Pod, ...]:
        """The run's pods that do not end before one of a role has run: a driver's submitter, an executor's driver."""
        submitters = [self.submitter] if self.submitter else []
        drivers = [self.driver] if self.driver and role == "executor" else []
        return tuple(pod for pod in (*submitters, *drivers) if pod.role != role)

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
        status: "waiting", "running", "stopped", "succeeded", "failed", "suspended", "scheduled" or "gone".
        summary: one line.
        notes: more lines: earlier attempts, what could not be read.
    """

    run: Run
    status: str
    summary: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = field(default=())
