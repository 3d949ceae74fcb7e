"""Pages that speak of tests name those that there are; what pages tell people to run, tests run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from kindling_dev import guides
from kindling_dev.settings import REPO
from spark_ui_proxy.decide import Reason

TESTS = REPO / "tests"
NOT_RUN = {
    (
        "jupyterhub",
        "With zero-to-jupyterhub",
    ): "its chart is in no package registry; e2e/test_jupyterhub.py has the same file",
    ("README", "Two commands"): "scripts/up and scripts/test: what runs the tests",
    ("does-not-start", "Get it"): "installs into the home folder; the tests have the program in their path",
    ("log-in", "A client certificate"): "waits for an admin: apiserver/test_kubeconfig.py is both of them",
}
"""Page and heading of commands that no test runs as they are written -> why; their blocks are "sh"."""
BLOCK_BY_BLOCK = {"recover", "test-your-chart"}
"""Pages that apiserver/test_recover.py and packaging/test_guide.py do, with the files and the output that they show."""
REFERENCE = re.compile(r"`(?:(?P<file>\w+/\w+\.py)|…)(?:::)?(?P<test>[\w…]*)`")
"""`render/test_x.py::test_y`, `…::test_of_the_same_file`, `…end_of_a_name`."""


def named_in(page: Path) -> Iterator[tuple[Path, str]]:
    """The tests that a page names: file, and a part of the name with "…" for anything ("": the file as a whole)."""
    file = TESTS
    for reference in REFERENCE.finditer(page.read_text()):
        file = TESTS / reference["file"] if reference["file"] else file
        yield file, reference["test"]


@pytest.mark.parametrize("page", ["docs/contract-tests.md", "docs/security.md"])
def test_every_test_that_a_page_names_is_there(page: str) -> None:
    for file, test in named_in(REPO / page):
        found = re.search(test.replace("…", ".*"), file.read_text())
        assert found, f"{file.relative_to(TESTS)} has no {test}"


def coverage() -> list[tuple[str, str]]:
    """The rows of docs/coverage.md, which have three cells each: the procedure, and what stands under "test"."""
    lines = (REPO / "docs/coverage.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [(procedure, tests) for procedure, _, tests in rows if tests != "test"]


@pytest.mark.parametrize(("procedure", "tests"), coverage())
def test_a_row_of_the_coverage_page_names_tests_that_exist(procedure: str, tests: str) -> None:
    named = re.findall(r"`([^`]+)`", tests)
    assert bool(named) != tests.startswith("not yet"), f"{procedure}: name tests, or say not yet"
    for path, _, test in (name.partition("::") for name in named):
        assert (TESTS / path).is_file(), f"tests/{path} is not there"
        there = re.findall(r"^def (test_\w+)\(", (TESTS / path).read_text(), re.MULTILINE)
        assert test in there if test else there, f"tests/{path} has no test {test}"


PAGES = sorted(
    page for pattern in ("*.md", "docs/**/*.md", "charts/*/*.md", "examples/*/*.md") for page in REPO.glob(pattern)
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPO)))
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s#:]+)(?:#[^)\s]*)?\)", prose):
        assert (page.parent / link).exists(), link


def test_every_command_of_a_page_is_run_by_a_test_or_has_its_reason() -> None:
    run, needed = guides.run_by(TESTS), set()
    for page in set(guides.pages()) - BLOCK_BY_BLOCK:
        for block in guides.blocks(page):
            place = (page, block.heading)
            if block.language == "bash":
                assert run & {place, (page, "*")}, (
                    f"no test runs {place}: call commands{place}, or write sh and a reason"
                )
            else:
                assert block.language == "sh", f"{place}: write bash, or sh and a reason"
                needed.add(place)
    assert needed == set(NOT_RUN)


def test_each_reason_of_a_refusal_is_in_the_guide_with_its_cure() -> None:
    rows = re.findall(
        r"^\| `([a-z-]+)` \| .+ \| .+ \|$", (guides.GUIDES / "see-applications.md").read_text(), re.MULTILINE
    )
    of_the_gateway = {"unreachable", "slow"}
    assert sorted(rows) == sorted({*get_args(Reason), *of_the_gateway} - {"ok"})


def test_a_heading_that_is_gone_is_an_error() -> None:
    with pytest.raises(ValueError, match="log-in has nothing to run under Log out"):
        guides.commands("log-in", "Log out")
