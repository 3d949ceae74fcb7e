"""From the official client's objects to ``facts``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kindling import api_answers
from kindling.facts import Container, CronJob, Event, Pod, Queued, Workload
from kindling.foreign import bounded

ROLE = "spark-role"
COMPONENT = "app.kubernetes.io/component"
CHART = "app.kubernetes.io/name"
APPLICATION = "spark-app-selector"
QUEUE = "kueue.x-k8s.io/queue-name"
_MAIN = {"driver": "spark-kubernetes-driver", "executor": "spark-kubernetes-executor"}


def event(raw: Any) -> Event:
    """An event of core/v1."""
    return Event(bounded(raw.reason), bounded(raw.message), raw.last_timestamp or raw.event_time or raw.first_timestamp)


def kind_of(raw: Any) -> str:
    """ "Job", "StatefulSet" or "Deployment": what is in a list does not say it itself."""
    return type(raw).__name__.removeprefix("V1")


def workload(raw: Any, events: tuple[Event, ...] = ()) -> Workload:
    """A Job, StatefulSet or Deployment with its warnings."""
    present = {c.type: c for c in raw.status.conditions or [] if c.status == "True"}
    condition = next((present[kind] for kind in ("Complete", "Failed", "Suspended") if kind in present), None)
    if refused := present.get("ReplicaFailure"):
        # The warnings are those of a Deployment's ReplicaSet.
        events += (Event(bounded(refused.reason), bounded(refused.message), refused.last_update_time),)
    return Workload(
        name=raw.metadata.name,
        uid=raw.metadata.uid,
        condition=condition.type if condition else "",
        reason=bounded(condition.reason) if condition else "",
        message=bounded(condition.message) if condition else "",
        deadline_s=getattr(raw.spec, "active_deadline_seconds", None),
        makes=role_of(raw.spec.template) or "driver",
        created=raw.metadata.creation_timestamp,
        events=events,
        kind=kind_of(raw),
        replicas=getattr(raw.spec, "replicas", None),
        queue=(raw.metadata.labels or {}).get(QUEUE, "") if kind_of(raw) == "Job" else "",
    )


def queued(queue: str, raw: dict[str, Any] | None) -> Queued:
    """Kueue's Workload of a Job, as JSON; None: there is none to be seen."""
    if raw is None:
        return Queued(queue)
    conditions = {c["type"]: c for c in raw.get("status", {}).get("conditions", [])}
    reserved, evicted = conditions.get("QuotaReserved", {}), conditions.get("Evicted", {})
    return Queued(
        queue=queue,
        workload=raw["metadata"]["name"],
        reason=bounded(reserved.get("reason")),
        message=bounded(reserved.get("message")),
        asked=tuple(sorted(_asked(raw["spec"]["podSets"]).items())),
        evicted=bounded(evicted.get("message")) if evicted.get("status") == "True" else "",
    )


def _asked(pod_sets: list[dict[str, Any]]) -> dict[str, str]:
    """What the Job's one pod asks for: Spark's container alone where several ask, as they are added up nowhere else."""
    containers = [container for one in pod_sets for container in one["template"]["spec"]["containers"]]
    return {str(key): str(value) for key, value in containers[0].get("resources", {}).get("requests", {}).items()}


def cron_job(raw: Any) -> CronJob:
    """A CronJob."""
    return CronJob(raw.metadata.name, raw.spec.schedule, bool(raw.spec.suspend), raw.status.last_schedule_time)


def role_of(raw: Any) -> str:
    """ "driver", "executor", "submitter", or "" for a pod that is none of a run."""
    labels = raw.metadata.labels or {}
    return str(labels.get(ROLE) or ("submitter" if labels.get(COMPONENT) == "submitter" else ""))


def pod(raw: Any, events: tuple[Event, ...] = ()) -> Pod:
    """A pod with its warnings."""
    role, labels = role_of(raw), raw.metadata.labels or {}
    status = raw.status
    scheduled = next((c for c in status.conditions or [] if c.type == "PodScheduled"), None)
    waits = scheduled is not None and scheduled.status == "False"
    return Pod(
        name=raw.metadata.name,
        role=role,
        phase=status.phase or "Pending",
        uid=raw.metadata.uid,
        reason=bounded(status.reason),
        message=bounded(status.message),
        unscheduled=bounded(f"{scheduled.reason}: {scheduled.message}") if scheduled and waits else "",
        created=raw.metadata.creation_timestamp,
        containers=_containers(raw, role),
        events=events,
        chart=labels.get(CHART, ""),
        application=labels.get(APPLICATION, ""),
        is_going=raw.metadata.deletion_timestamp is not None,
    )


def _containers(raw: Any, role: str) -> tuple[Container, ...]:
    specs = [*raw.spec.containers, *(raw.spec.init_containers or [])]
    names = [spec.name for spec in specs]
    main = next((name for name in (role, _MAIN.get(role)) if name in names), names[0])
    status = raw.status
    states = {s.name: s for s in [*(status.container_statuses or []), *(status.init_container_statuses or [])]}
    return tuple(_with_last(spec, states.get(spec.name)) for spec in sorted(specs, key=lambda spec: spec.name != main))


def _with_last(spec: Any, status: Any) -> Container:
    if status is None:
        return _container(spec, None)
    was = _container(spec, status.last_state)
    return replace(_container(spec, status.state), restarts=status.restart_count or 0, last=was if was.state else None)


def _container(spec: Any, state: Any) -> Container:
    kind = next((kind for kind in ("waiting", "running", "terminated") if getattr(state, kind, None)), "")
    detail = getattr(state, kind) if kind else None
    limits = (spec.resources.limits if spec.resources else None) or {}
    requests = (spec.resources.requests if spec.resources else None) or {}
    return Container(
        name=spec.name,
        image=bounded(spec.image),
        state=kind,
        reason=bounded(getattr(detail, "reason", None)),
        message=bounded("\n".join(map(api_answers.plain, (getattr(detail, "message", None) or "").splitlines()))),
        exit_code=getattr(detail, "exit_code", None),
        cpu=requests.get("cpu", ""),
        memory=limits.get("memory", ""),
        ends_with_pod=spec.restart_policy == "Always",
        pull_policy=spec.image_pull_policy or "",
    )
