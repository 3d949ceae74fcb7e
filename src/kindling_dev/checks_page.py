"""docs/reference/checks.md: thirty checks of safety and reliability, and the tests that carry their numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kindling_dev.settings import REPO

PAGE = REPO / "docs/reference/checks.md"
TESTS = REPO / "tests"
_MARK = "pytest.mark.check"


@dataclass(frozen=True)
class Check:
    """One of the thirty.

    Attributes:
        number: of the mark ``check`` of its tests.
        holds: what its tests show, in a line.
        later: what it comes with; "": it is there, and has tests.
    """

    number: int
    holds: str
    later: str = ""


CHECKS = (
    Check(
        1, "Two teams, people, groups and accounts: each may do what the page on access says, in its namespace alone"
    ),
    Check(2, "No role has a wildcard or a right that leads to others; nothing reaches the whole cluster"),
    Check(3, "Drivers and submitters are refused nothing in any kind of run, and use every right that they have"),
    Check(
        4, "The guard admits a driver's own executors and no other pod of its; without a guard, NOTES warn in a line"
    ),
    Check(5, "Five accounts, none of them `default`; drivers and submitters alone have a token, executors never"),
    Check(6, "The API servers take every pod that the charts render, without a warning"),
    Check(7, "Without one of the four fields that `restricted` asks for, API server and rule name that field"),
    Check(8, "A PodSecurityPolicy is there where Kubernetes has them and values want one, in each of 48 cells"),
    Check(9, "Privileged, root and host paths are refused to accounts and to a group of Active Directory alike"),
    Check(10, "A release that holds a PodSecurityPolicy survives the move from Kubernetes 1.24 to 1.34"),
    Check(11, "A namespace that holds no pod to a level is not ready; the chart sets all labels"),
    Check(12, "Who talks to whom, for every pair: the policies open what the matrix declares and nothing else"),
    Check(13, "Submitters may make NetworkPolicies where Spark 4.2 or newer submits; without the right it is refused"),
    Check(14, "A shuffle of 200 partitions in a closed namespace times out nowhere"),
    Check(15, "What executors say to each other is not readable on the wire; a wrong secret joins nothing"),
    Check(16, "The hardened preset sets each of its properties; weakening one takes its name in a list"),
    Check(17, "No page of the proxy without a login; who may only look kills nothing"),
    Check(18, "The proxy asks drivers and nothing else, whatever it is asked for"),
    Check(19, "Settings that cancel each other's protection are refused in a line"),
    Check(20, "No secret stands in ConfigMaps, arguments, variables, Helm's records or logs"),
    Check(21, "Executors are added long after the first token has died, without a 401"),
    Check(22, "Jobs outlive Kerberos tickets; the keytab is in one pod"),
    Check(23, "A Job ends as its application did, whatever ended it; one submission makes one driver"),
    Check(24, "Executors that are killed are replaced, and the job succeeds"),
    Check(25, "When a driver or its release goes, all that it had goes"),
    Check(26, "Jobs survive a minute without the API server"),
    Check(27, "In a tight quota all jobs finish, none is told to specify limits, and what is missing is said"),
    Check(28, "Drawn values render to sound objects or are refused in a line; forbidden ones are refused"),
    Check(29, "Upgrades, rollbacks and helm's sudden death lose nothing"),
    Check(30, "Packages have the same bytes each time, are signed, and say what is in them"),
)
_TEXT = """# Thirty checks

<!-- Written by scripts/generate from the marks of the tests; a test fails where a check has none. -->

What makes a shared cluster safe and runs reliable, check by check. A test that shows one is marked with its number,
`@pytest.mark.check(4)`. Paths are below `tests/`; a folder is a tier, and *(long)* needs `scripts/test --long`.

| | holds | shown by |
|---|---|---|
{rows}
"""


@dataclass(frozen=True)
class Shown:
    """A test that shows checks.

    Attributes:
        numbers: of the checks.
        name: "apiserver/test_ready.py::test_a_namespace_…".
        is_long: whether all of it needs ``--long``.
    """

    numbers: frozenset[int]
    name: str
    is_long: bool


def marked(tests: Path = TESTS) -> list[Shown]:
    """The marked tests of a folder, sorted by name."""
    return [shown for file in sorted(tests.rglob("test_*.py")) for shown in _marked_in(file, tests)]


def text(shown: list[Shown]) -> str:
    """The page."""
    return _TEXT.format(rows="\n".join(_row(check, shown) for check in CHECKS))


def write_page() -> Path:
    """Write the page; return its path."""
    PAGE.write_text(text(marked()))
    return PAGE


def _row(check: Check, shown: list[Shown]) -> str:
    tests = [f"`{one.name}`{' *(long)*' * one.is_long}" for one in shown if check.number in one.numbers]
    tests += [f"comes with {check.later}"] * bool(check.later)
    return f"| {check.number} | {check.holds} | {'<br>'.join(tests)} |"


def _marked_in(file: Path, tests: Path) -> Iterator[Shown]:
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            marks = [mark for mark in node.decorator_list if ast.unparse(mark).startswith(f"{_MARK}(")]
            numbers = frozenset(ast.literal_eval(number) for mark in marks for number in _arguments(mark))
            is_long = "pytest.mark.long" in map(ast.unparse, node.decorator_list)
            if numbers:
                yield Shown(numbers, f"{file.relative_to(tests).as_posix()}::{node.name}", is_long)


def _arguments(mark: ast.expr) -> list[ast.expr]:
    return mark.args if isinstance(mark, ast.Call) else []
