"""The page of checks is that of the tests' marks, and every check that is promised has a test."""

import pytest

from kindling_dev.checks_page import CHECKS, PAGE, Check, marked, text

SHOWN = marked()


def test_the_page_is_that_of_the_marks() -> None:
    assert PAGE.read_text() == text(SHOWN), "run scripts/generate"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.number))
def test_a_check_has_tests_or_says_what_it_comes_with(check: Check) -> None:
    tests = [shown.name for shown in SHOWN if check.number in shown.numbers]
    assert bool(tests) != bool(check.later), "mark a test with its number, or take `later` away"


def test_there_are_thirty_checks_and_no_mark_names_another() -> None:
    assert [check.number for check in CHECKS] == list(range(1, 31))
    assert {number for shown in SHOWN for number in shown.numbers} <= {check.number for check in CHECKS}
