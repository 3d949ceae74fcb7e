"""What a run says while it runs, for the case that somebody cuts it off."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import run_log

_TESTS = """
import time, pytest

@pytest.fixture
def slow():
    time.sleep(1)

@pytest.fixture
def broken():
    yield
    raise OSError("the end of the fixture")

def test_waits(slow): pass
def test_fails(): assert 1 == 2, "one is not two"
def test_ends_badly(broken): pass
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_failures_are_told_at_once_and_the_longest_at_the_end(pytester: pytest.Pytester, workers: int) -> None:
    pytester.makeini(f"[pytest]\naddopts = -p chartproof.plugin\npythonpath = {Path(run_log.__file__).parent}\n")
    pytester.makeconftest('pytest_plugins = ["run_log"]')
    pytester.makepyfile(test_of_it=_TESTS)
    result = pytester.runpytest_subprocess(f"-n{workers}")
    result.assert_outcomes(passed=2, failed=1, errors=1)
    text = str(result.stdout)
    before, _, after = text.partition("= FAILURES =")
    assert "FAILED in call: test_of_it.py::test_fails: AssertionError: one is not two" in before
    assert "FAILED in teardown: test_of_it.py::test_ends_badly: OSError: the end of the fixture" in before
    table = (pytester.path / "artifacts/durations.txt").read_text()
    assert re.fullmatch(
        r" +total +setup +call +teardown  test\n +1\.\d +1\.\d +0\.\d +0\.\d  test_of_it\.py::test_waits\n", table
    )
    assert table.rstrip() in after
