"""chartproof in pytest: what it starts with, which tests it marks, what it says where there is no cluster."""

from __future__ import annotations

import re

import pytest

HEAVY = {"kubernetes", "urllib3", "trustme", "cryptography", "hypothesis", "rich"}
PLUGIN = "addopts = -p chartproof.plugin --strict-markers\n"
TIERS = "tiers =\n  quick: fast also_fast\n  cluster: slow\n"


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A suite of three folders, with a test in each."""
    for folder in ("fast", "also_fast", "slow"):
        (pytester.path / folder).mkdir()
        (pytester.path / folder / f"test_{folder}.py").write_text("def test_it():\n    pass\n")
    return pytester


def test_a_run_of_renders_imports_no_client_of_a_cluster(pytester: pytest.Pytester) -> None:
    pytester.makeini(f"[pytest]\n{PLUGIN}")
    pytester.makepyfile(
        f"import sys\ndef test_it(helm, render, inventories):\n    assert not {HEAVY} & sys.modules.keys()\n"
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("selected", "passed"), [("quick", 2), ("cluster", 1), ("quick or cluster", 3), ("not quick", 1)]
)
def test_a_tier_is_selected_by_its_marker(suite: pytest.Pytester, selected: str, passed: int) -> None:
    suite.makeini(f"[pytest]\n{PLUGIN}{TIERS}")
    suite.runpytest_inprocess("-m", selected).assert_outcomes(passed=passed, deselected=3 - passed)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("quick: fast\n  slow: slwo", "tiers: slow: there is no folder slwo; mend the name, or remove it"),
        ("quick: fast\n  quick: slow", "tiers: quick is there twice; give all its folders in one line"),
        ("quick: fast\n  slow: slow fast", "tiers: fast is in quick and in slow; leave one"),
        ("quick fast", """tiers: 'quick fast' is no tier; write "MARKER: FOLDER …\""""),
        ("quick:", """tiers: 'quick:' is no tier; write "MARKER: FOLDER …\""""),
    ],
)
def test_tiers_that_select_nothing_or_twice_are_refused(suite: pytest.Pytester, lines: str, message: str) -> None:
    suite.makeini(f"[pytest]\n{PLUGIN}tiers =\n  {lines}\n")
    result = suite.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])


def test_the_cluster_that_a_person_last_looked_at_is_not_taken(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pytester.path / ".kube").mkdir()
    (pytester.path / ".kube/config").write_text("of a cluster that matters")
    monkeypatch.setenv("HOME", str(pytester.path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("PATH", str(pytester.mkdir("no-kind")))
    assert _refusal(pytester) == (
        "no cluster is given and kind is not installed: give one by --kubeconfig or KUBECONFIG, or install kind"
    )


def test_a_run_without_pytests_cache_makes_no_cluster(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    refusal = "no cluster is given, and without pytest's cache none is made: leave that on, or give one"
    assert _refusal(pytester, "-p", "no:cacheprovider") == refusal


def test_a_kubeconfig_that_is_not_there_is_named(pytester: pytest.Pytester) -> None:
    refusal = "no/such/file is no file: name the cluster's kubeconfig by --kubeconfig or KUBECONFIG"
    assert _refusal(pytester, "--kubeconfig=no/such/file") == refusal


def _refusal(pytester: pytest.Pytester, *options: str) -> str:
    """What a run says of a cluster that it cannot have."""
    pytester.makeini(f"[pytest]\n{PLUGIN}")
    pytester.makepyfile("def test_it(cluster):\n    pass\n")
    result = pytester.runpytest_inprocess(*options)
    result.assert_outcomes(errors=1)
    (said,) = re.findall(r"^_+ ERROR at setup of test_it _+$\n(.*?)^=", result.stdout.str(), re.MULTILINE | re.DOTALL)
    return str(said).strip()


def test_update_inventory_rewrites_them(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\naddopts = -p chartproof.inventory_plugin\n")
    old = pytester.path / "tests/inventories/old.txt"
    old.parent.mkdir(parents=True)
    old.write_text("v1 ConfigMap a\n")
    pytester.makepyfile("""
        from pathlib import Path
        from chartproof import Manifest
        from chartproof.checks import Rendered

        def test_inventory(inventories):
            manifest = Manifest("{apiVersion: v1, kind: Secret, metadata: {name: b}}")
            assert not inventories.difference("new", [Rendered(manifest, Path("mine"), "mine", "team-a")])
            assert not inventories.stale()
        """)
    pytester.runpytest_inprocess().assert_outcomes(failed=1)
    pytester.runpytest_inprocess("--update-inventory").assert_outcomes(passed=1)
    assert (pytester.path / "tests/inventories/new.txt").read_text() == "v1 Secret b\n"
    assert not old.exists()
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
