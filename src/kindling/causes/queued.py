"""Why a Job that a queue of Kueue holds does not start."""

from __future__ import annotations

import re
from collections.abc import Callable

from kindling.causes import chart_values
from kindling.facts import Evidence, Finding, Queued, Run

_NO_QUEUE = re.compile(r"LocalQueue (\S+) (?:doesn't exist|is inactive|is stopped)")
_NO_CLUSTER_QUEUE = re.compile(r"ClusterQueue (\S+) (?:doesn't exist|is inactive|is stopped)")
_TOO_LARGE = re.compile(r"insufficient quota for (\S+) in flavor \S+ .{0,400}maximum capacity")
_FULL = re.compile(r"insufficient unused quota for (\S+) in flavor")


def explain_queued(run: Run) -> Finding:
    """What the queue waits for."""
    job, queued = run.workload, run.queued
    assert job is not None, "only a Job waits in a queue"
    assert queued is not None, "the caller has seen the queue"
    what, cure = next(answer for cause in _CAUSES if (answer := cause(run, queued)) is not None)
    evidence = Evidence(f"Workload/{queued.workload}", f"{queued.reason}: {queued.message}")
    if not queued.workload:
        evidence = Evidence(job.ref, f"{job.reason}: {job.message}")
    return Finding("queued", "job", f"Job {job.name} waits in queue {queued.queue}: {what}", cure, (evidence,))


Answer = tuple[str, str]


def _unseen(run: Run, queued: Queued) -> Answer | None:
    if queued.workload:
        return None
    if any(what.startswith("workloads ") for what in run.unread):
        cure = "have yourself named in access.viewers of spark-namespace, whose Role shows what Kueue says of it"
        return "you may not read what Kueue says of it", cure
    cure = (
        "ask the cluster's admin whether Kueue takes Jobs of this namespace, "
        "or leave the label out of job.labels of spark-job"
    )
    return "Kueue has not taken it up", cure


def _no_queue(run: Run, queued: Queued) -> Answer | None:
    if not _NO_QUEUE.search(queued.message):
        return None
    cure = (
        "set the label kueue.x-k8s.io/queue-name in job.labels of spark-job to one of: "
        f"kubectl get localqueues --namespace {run.namespace}"
    )
    return queued.message, cure


def _no_cluster_queue(_: Run, queued: Queued) -> Answer | None:
    if not _NO_CLUSTER_QUEUE.search(queued.message):
        return None
    return queued.message, "ask the cluster's admin, whose ClusterQueue it is"


def _quota(run: Run, queued: Queued) -> Answer | None:
    larger, full = _TOO_LARGE.findall(queued.message), _FULL.findall(queued.message)
    if not larger and not full:
        return None
    asked = ", ".join(f"{amount} of {what}" for what, amount in queued.asked if what in (*larger, *full))
    role = run.workload.makes if run.workload else "driver"
    values = chart_values.own_requests(role)
    what = f"it asks for {asked or 'more than there is'}; {queued.message}"
    if larger:
        return what, f"ask for less ({values}), or ask the cluster's admin for a larger ClusterQueue"
    return what, f"wait until other runs of the queue end, or ask for less ({values})"


def _evicted(_: Run, queued: Queued) -> Answer | None:
    if not queued.evicted:
        return None
    return f"Kueue took it back: {queued.evicted}", "wait: it starts again, with a new driver, when the queue lets it"


def _other(_: Run, queued: Queued) -> Answer:
    return queued.message or "Kueue has not decided yet", "wait until the queue lets it start"


_CAUSES: tuple[Callable[[Run, Queued], Answer | None], ...] = (
    _unseen,
    _no_queue,
    _no_cluster_queue,
    _quota,
    _evicted,
    _other,
)
