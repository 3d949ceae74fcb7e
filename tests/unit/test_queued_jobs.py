"""What ``kindling why`` makes of what Kueue 0.17 says of a Job; apiserver/test_kueue.py has it say so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kindling import convert
from kindling.causes import explain
from kindling.facts import Finding, Queued, Run, Workload

JOB = Workload("nightly-1", condition="Suspended", reason="JobSuspended", message="Job suspended", queue="team-a")
HELD = Queued("team-a", "job-nightly-1-5f0c", "Pending", asked=(("cpu", "1"), ("memory", "1408Mi")))
MAIN = "couldn't assign flavors to pod set main: "
FULL = f"{MAIN}insufficient unused quota for cpu in flavor default, 500m more needed"
LARGE = (
    f"{MAIN}insufficient quota for cpu in flavor default, previously considered podsets requests (0) + "
    "current podset request (1) > maximum capacity (500m)"
)


def told(held: Queued, job: Workload = JOB, unread: tuple[str, ...] = ()) -> Finding:
    """What keeps a Job that Kueue says this of."""
    report = explain(Run("nightly", "team", workload=job, queued=held, unread=unread))
    assert (report.status, report.summary) == ("waiting", "waits in queue team-a")
    (finding,) = report.findings
    return finding


@pytest.mark.parametrize(
    ("message", "cause", "cure"),
    [
        (FULL, f"it asks for 1 of cpu; {FULL}", "wait until other runs of the queue end, or ask for less (driver.req"),
        (LARGE, f"it asks for 1 of cpu; {LARGE}", "ask for less (driver.requestCores, driver.memory), or ask the"),
        ("LocalQueue team-a doesn't exist", "LocalQueue team-a doesn't exist", "kubectl get localqueues --namespace t"),
        ("LocalQueue team-a is stopped", "LocalQueue team-a is stopped", "kubectl get localqueues --namespace team"),
        ("ClusterQueue all is inactive", "ClusterQueue all is inactive", "ask the cluster's admin, whose ClusterQueue"),
        ("", "Kueue has not decided yet", "wait until the queue lets it start"),
    ],
)  # fmt: skip
def test_a_job_in_a_queue_is_explained(message: str, cause: str, cure: str) -> None:
    finding = told(replace(HELD, message=message))
    assert (finding.id, finding.cause) == ("queued", f"Job nightly-1 waits in queue team-a: {cause}")
    assert cure in finding.cure
    assert finding.evidence[0].source == "Workload/job-nightly-1-5f0c"


def test_a_queued_submitter_is_told_by_its_own_values() -> None:
    assert (
        "submitter.requestCores, submitter.memory"
        in told(replace(HELD, message=FULL), replace(JOB, makes="submitter")).cure
    )


def test_a_job_that_kueue_took_back_says_why() -> None:
    finding = told(replace(HELD, evicted="Preempted to accommodate a workload"))
    assert "Kueue took it back: Preempted to accommodate a workload" in finding.cause


def test_a_job_that_kueue_has_not_taken_up_names_the_label() -> None:
    finding = told(Queued("team-a"))
    assert "Kueue has not taken it up" in finding.cause
    assert "job.labels" in finding.cure
    assert finding.evidence[0].source == "Job/nightly-1"


def test_a_queue_that_may_not_be_read_names_the_right() -> None:
    finding = told(Queued("team-a"), unread=("workloads in team",))
    assert "access.viewers" in finding.cure


def test_a_job_suspended_by_hand_is_started_by_a_command() -> None:
    report = explain(Run("nightly", "team", workload=replace(JOB, queue="")))
    assert report.status == "suspended"
    assert "kubectl patch job/nightly-1 --namespace team" in report.findings[0].cure


def test_what_kueue_says_is_read_of_its_conditions() -> None:
    requests = {"cpu": "1", "memory": "1408Mi"}
    pod_sets = [{"template": {"spec": {"containers": [{"name": "driver", "resources": {"requests": requests}}]}}}]
    conditions = [
        {"type": "QuotaReserved", "status": "False", "reason": "Pending", "message": FULL},
        {"type": "Evicted", "status": "True", "reason": "Preempted", "message": "for another"},
    ]
    raw = {"metadata": {"name": "w"}, "spec": {"podSets": pod_sets}, "status": {"conditions": conditions}}
    assert convert.queued("team-a", raw) == Queued("team-a", "w", "Pending", FULL, HELD.asked, "for another")
    assert convert.queued("team-a", None) == Queued("team-a")
