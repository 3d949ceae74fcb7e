"""Runs by the clock and by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from team import OLD_LINE_LONG, SLEEP, Team

from kindling_dev.spark_image import DEFAULT_LINE, SparkLine

HELLO = {"source": "print('hello')"}
NEVER = {"cron": "0 3 29 2 *", "timeZone": "Europe/Zurich", "suspend": True}


def jobs(team: Team) -> dict[str, Any]:
    """The namespace's Jobs by name."""
    return {job.metadata.name: job for job in team.cluster.batch.list_namespaced_job(team.name).items}


def of_job(name: str) -> Callable[[Any], bool]:
    """Whether a pod is of a Job of some name."""
    return lambda pod: bool(pod.metadata.labels["batch.kubernetes.io/job-name"] == name)


@pytest.mark.long
def test_the_clock_starts_a_run(swept: Team) -> None:
    swept.install("minutely", line=DEFAULT_LINE, app=HELLO, schedule={"cron": "* * * * *", "timeZone": "Asia/Tokyo"})
    (cron,) = swept.cluster.batch.list_namespaced_cron_job(swept.name).items
    assert (cron.spec.schedule, cron.spec.time_zone, cron.spec.concurrency_policy) == (
        "* * * * *",
        "Asia/Tokyo",
        "Forbid",
    )
    assert not jobs(swept), "installing it runs nothing"
    end = swept.end_of("minutely")
    assert end.succeeded
    assert "hello" in swept.log_of(end)
    # Nothing more may begin while the test ends.
    swept.install("minutely", line=DEFAULT_LINE, action="upgrade", app=HELLO, schedule=NEVER)
    (cron,) = swept.cluster.batch.list_namespaced_cron_job(swept.name).items
    assert cron.spec.suspend


@pytest.mark.long
@OLD_LINE_LONG
def test_runs_by_hand_overlap_and_share_nothing(swept: Team, line: SparkLine) -> None:
    app = {"source": SLEEP.format(seconds=10)}
    # Four pods at once, and those of another test beside them.
    tiny = {"requestCores": "50m"}
    schedule = {**NEVER, "concurrencyPolicy": "Allow"}
    swept.install("by-hand", line=line, app=app, schedule=schedule, driver=tiny, executor=tiny)
    for name in ("one", "two"):
        swept.kubectl("create", "job", "--from=cronjob/by-hand", name)
    both = [swept.pod("by-hand", "driver", of_job(name)) for name in ("one", "two")]
    uids = {pod.metadata.uid for pod in both}
    executors: dict[str, str] = {}

    def ran(pod: Any, _: str) -> bool | None:
        executors[pod.metadata.owner_references[0].uid] = pod.metadata.labels["spark-app-selector"]
        return True if set(executors) == uids else None

    where = {"namespace": swept.name, "label_selector": "spark-role=executor"}
    swept.cluster.wait_for(swept.cluster.core.list_namespaced_pod, ran, "an executor of each", 120, **where)
    assert executors == {uid: f"spark-{uid}" for uid in uids}
    swept.kubectl("wait", "job/one", "job/two", "--for=condition=complete", "--timeout=120s")


def test_a_scheduled_application_runs_in_cluster_mode_too(swept: Team) -> None:
    swept.install("nightly", line=DEFAULT_LINE, mode="cluster", app=HELLO, schedule=NEVER)
    swept.kubectl("create", "job", "--from=cronjob/nightly", "now")
    assert swept.end_of("nightly").succeeded


def test_run_now_runs_once_at_the_start_and_once_for_a_change(swept: Team) -> None:
    values: dict[str, Any] = {"line": DEFAULT_LINE, "schedule": NEVER, "run": {"now": True}}
    swept.install("both", app=HELLO, **values)
    first = swept.end_of("both")
    swept.helm.run(["test", "both", "--namespace", swept.name])
    swept.install("both", action="upgrade", app=HELLO, **values)
    assert set(jobs(swept)) == {first.name}
    swept.install("both", action="upgrade", app={"source": "print('other')"}, **values)
    assert len(jobs(swept)) == 1
    assert set(jobs(swept)) != {first.name}
    assert swept.end_of("both").succeeded
