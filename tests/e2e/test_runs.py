"""What a run promises when things go wrong, and when they are done again."""

from __future__ import annotations

import pytest
from team import OLD_LINE_LONG, SLEEP, Team

from chartproof import HelmError
from kindling_dev.spark_image import DEFAULT_LINE, SparkLine

HELLO = {"source": "print('hello')"}


@pytest.mark.check(23)
def test_a_failing_application_fails_the_job_with_its_exit_code(team: Team, line: SparkLine) -> None:
    team.install("fails", line=line, app={"source": "import sys\nprint('reason: no luck')\nsys.exit(42)\n"})
    end = team.end_of("fails")
    assert not end.succeeded
    assert end.exit_codes == (42,)
    assert "no luck" in end.messages[0]


def test_a_python_exception_fails_the_job_and_stands_in_the_status(team: Team) -> None:
    team.install("raises", line=DEFAULT_LINE, app={"source": "raise ValueError('column delay is missing')\n"})
    end = team.end_of("raises")
    assert end.exit_codes == (1,)
    assert "ValueError: column delay is missing" in end.messages[0]


def test_an_application_file_that_does_not_exist_fails_the_job_and_is_named(team: Team, line: SparkLine) -> None:
    team.install("missing", line=line, app={"file": "local:///opt/no/such/job.py"})
    end = team.end_of("missing")
    assert not end.succeeded
    assert end.exit_codes != (0,)
    assert "/opt/no/such/job.py" in end.messages[0]


def test_an_unknown_key_is_refused_and_nothing_is_made(team: Team) -> None:
    before = team.objects()
    with pytest.raises(HelmError, match="executer"):
        team.install("typo", line=DEFAULT_LINE, app=HELLO, executer={"instances": 2})
    assert team.objects() == before


def test_a_deadline_ends_a_run(team: Team) -> None:
    team.install("long", line=DEFAULT_LINE, app={"source": "import time\ntime.sleep(600)\n"}, deadlineSeconds=8)
    end = team.end_of("long")
    assert end.reason == "DeadlineExceeded"


def test_a_finished_run_goes_after_its_ttl(team: Team) -> None:
    team.install("brief", line=DEFAULT_LINE, app=HELLO, ttlSecondsAfterFinished=0)
    job = team.cluster.batch.list_namespaced_job
    gone = team.cluster.wait_for(
        job, lambda _, event: True if event == "DELETED" else None, "removal of the Job", 60, namespace=team.name
    )
    assert gone


@pytest.mark.check(25)
@OLD_LINE_LONG
@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_deleting_the_release_leaves_nothing(swept: Team, mode: str, line: SparkLine) -> None:
    # What is left, of any kind, is found by the fixture.
    swept.install("sleeps", line=line, mode=mode, app={"source": SLEEP.format(seconds=600)})
    swept.running("sleeps", "executor", deadline_s=120)
    swept.uninstall("sleeps")


def test_the_same_values_run_once_and_others_replace_the_run(team: Team) -> None:
    team.install("daily", line=DEFAULT_LINE, app=HELLO)
    first = team.end_of("daily")
    team.install("daily", line=DEFAULT_LINE, action="upgrade", app=HELLO)
    assert {name for name in team.objects() if name.startswith("Job/")} == {f"Job/{first.name}"}
    team.install("daily", line=DEFAULT_LINE, action="upgrade", app=HELLO, run={"id": "again"})
    jobs = {name for name in team.objects() if name.startswith("Job/")}
    assert len(jobs) == 1
    assert jobs != {f"Job/{first.name}"}
    assert team.end_of("daily").succeeded
