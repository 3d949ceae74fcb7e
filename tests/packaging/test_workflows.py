"""GitHub's workflows: actions by commit, the least rights for each job, no text of others in a shell."""

from pathlib import Path

import pytest

from kindling_dev.command import Failure
from kindling_dev.settings import REPO
from kindling_dev.workflows import findings

SOUND = """\
name: sound
on: push
permissions: {}
concurrency: {group: sound, cancel-in-progress: false}
jobs:
  one:
    name: one
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read # the checkout
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          persist-credentials: false
      - run: echo "$TITLE"
        env:
          TITLE: ${{ github.event.head_commit.message }}
"""
FAULTS = [
    (" # v4.2.2", "", "version"),
    (" # v4.2.2", " # v4", "version"),
    ("@11bd71901bbe5b1630ceea73d27597364c9af683", "@v4.2.2", "pinned"),
    ("@11bd71901bbe5b1630ceea73d27597364c9af683", "@v4.2.2", "unpinned-uses"),
    ("@11bd71901bbe5b1630ceea73d27597364c9af683", "@11bd71901bbe", "pinned"),
    ("          persist-credentials: false", "          fetch-depth: 1", "artipacked"),
    ("permissions: {}\n", "", "permissions"),
    ("permissions: {}", "permissions: write-all", "excessive-permissions"),
    ("permissions: {}", "permissions: {contents: read}", "permissions"),
    ("    permissions:\n      contents: read # the checkout\n", "", "permissions"),
    ("    timeout-minutes: 5\n", "", "timeout"),
    ("on: push", "on: pull_request_target", "dangerous-triggers"),
    ('"$TITLE"', '"${{ github.event.head_commit.message }}"', "template-injection"),
    ('"$TITLE"', '"${{ github.head_ref }}"', "template-injection"),
    ("concurrency: {group: sound, cancel-in-progress: false}\n", "", "concurrency-limits"),
]


def github(folder: Path, workflow: str) -> Path:
    """A repository's .github with one workflow."""
    (folder / ".github/workflows").mkdir(parents=True)
    (folder / ".github/workflows/sound.yaml").write_text(workflow)
    return folder / ".github"


def test_nothing_is_wrong_with_the_workflows() -> None:
    assert len(list((REPO / ".github/workflows").iterdir())) >= 2
    assert list(findings(REPO / ".github")) == []


def test_nothing_is_wrong_with_a_sound_workflow(tmp_path: Path) -> None:
    assert list(findings(github(tmp_path, SOUND))) == []


@pytest.mark.parametrize(("sound", "fault", "rule"), FAULTS)
def test_a_fault_in_a_workflow_is_found(sound: str, fault: str, rule: str, tmp_path: Path) -> None:
    assert sound in SOUND
    folder = github(tmp_path, SOUND.replace(sound, fault))
    assert rule in {violation.rule for violation in findings(folder)}


def test_a_comment_turns_no_rule_off(tmp_path: Path) -> None:
    workflow = SOUND.replace("on: push", "on: pull_request_target # zizmor: ignore[dangerous-triggers]")
    assert "dangerous-triggers" in {violation.rule for violation in findings(github(tmp_path, workflow))}


def test_a_workflow_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="could not run zizmor"):
        list(findings(github(tmp_path, "jobs: [")))
