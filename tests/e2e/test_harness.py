"""The harness itself: a failed test leaves evidence, a wait that is in vain says what it saw."""

from __future__ import annotations

from pathlib import Path

import pytest
from team import Team

from chartproof import WaitTimeoutError
from chartproof.bundle import write_bundle
from kindling_dev.spark_image import DEFAULT_LINE


def test_a_bundle_holds_manifests_events_descriptions_and_logs(team: Team, tmp_path: Path) -> None:
    team.install("hello", line=DEFAULT_LINE, app={"source": "print('hello from the driver')"})
    end = team.end_of("hello")
    folder = write_bundle(tmp_path, "tests/e2e/test_x.py::test_y[z]", [team.name], team.cluster.kubeconfig)
    assert folder.name == "tests-e2e-test_x.py-test_y-z"
    texts = {path.name.removeprefix(f"{team.name}-"): path.read_text() for path in folder.iterdir()}
    assert f"name: {end.name}" in texts["manifests.yaml"]
    assert "SuccessfulCreate" in texts["events.txt"]
    assert f"Name:             {end.name}" in texts["describe.txt"]
    (pod,) = team.cluster.job_pods(team.name, end.name)
    assert "hello from the driver" in texts[f"{pod.metadata.name}.log"]


def test_a_failed_test_writes_its_bundle(pytester: pytest.Pytester, team: Team) -> None:
    pytester.makepyfile(
        "def test_fails(new_namespace):\n    new_namespace('evidence')\n    assert False, 'on purpose'\n"
    )
    pytester.makeini("[pytest]\naddopts = -p chartproof.plugin\n")
    (pytester.path / "charts").mkdir()
    result = pytester.runpytest_subprocess(f"--kubeconfig={team.cluster.kubeconfig}")
    result.assert_outcomes(failed=1)
    (bundle,) = (pytester.path / "artifacts").iterdir()
    assert {path.name.split("-", 2)[2] for path in bundle.iterdir()} >= {"manifests.yaml", "events.txt", "describe.txt"}
    result.stdout.fnmatch_lines([f"*what the test left behind: {bundle}*"])


def test_a_wait_in_vain_says_what_it_waited_for_and_what_it_saw(team: Team) -> None:
    accounts = team.cluster.core.list_namespaced_service_account
    with pytest.raises(WaitTimeoutError, match=r"not within 2 s: a miracle; last seen: ADDED spark-"):
        team.cluster.wait_for(accounts, lambda *_: None, "a miracle", 2, namespace=team.name)
