"""What a run promises when things go wrong, and when they are done again."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
import yaml
from team import OLD_LINE_LONG, RUN_DEADLINE_S, SLEEP, Team

from chartproof import HelmError
from kindling_dev.spark_image import DEFAULT_LINE, SparkLine

HELLO = {"source": "print('hello')"}
COUNT = {"source": "from pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate().range(9).count()\n"}


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


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_a_finished_run_goes_after_its_ttl(swept: Team, mode: str) -> None:
    before = swept.cluster.inventory(swept.name) | {"ConfigMap/kube-root-ca.crt", "ServiceAccount/default"}
    swept.install("brief", line=DEFAULT_LINE, mode=mode, app=COUNT, ttlSecondsAfterFinished=0)
    made = yaml.safe_load_all(swept.helm.run(["get", "manifest", "brief", "--namespace", swept.name]))
    of_release = {f"{one['kind']}/{one['metadata']['name']}" for one in made}
    (job,) = [name for name in of_release if name.startswith("Job/")]
    swept.cluster.wait_for(
        swept.cluster.batch.list_namespaced_job,
        lambda _, event: True if event == "DELETED" else None,
        "removal of the Job",
        RUN_DEADLINE_S,
        namespace=swept.name,
    )
    # What stays is the release's own, for the next "helm upgrade", and goes with it: the fixture looks.
    record = "Secret/sh.helm.release.v1.brief.v1"
    swept.cluster.wait_for_inventory(swept.name, before | (of_release - {job}) | {record}, deadline_s=60)


def test_a_failed_helm_test_leaves_its_log_and_no_pod(swept: Team) -> None:
    swept.install("fails", line=DEFAULT_LINE, app={"source": "raise SystemExit(3)\n"})
    assert not swept.end_of("fails").succeeded
    argv = [swept.helm.program, "test", "fails", f"--namespace={swept.name}", "--timeout=120s"]
    environment = {**os.environ, "KUBECONFIG": str(swept.cluster.kubeconfig)}
    told = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)
    assert told.returncode != 0
    assert re.search(r"job fails-\w+ Failed ", told.stdout + told.stderr), told
    assert "Pod/fails-test" not in swept.objects()


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
