"""What GitHub's workflows must not have: zizmor's findings, and three rules for what it does not look at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from chartproof.checks import Violation
from kindling_dev.command import run

_USES = re.compile(r"^\s*(?:- )?uses: (?P<action>\S+)(?P<comment>.*)$", re.MULTILINE)
_PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40}")
_VERSION = re.compile(r" # v\d+\.\d+\.\d+")
_NOTHING: dict[str, str] = {}


def findings(folder: Path) -> Iterator[Violation]:
    """What is wrong in a repository's ``.github``; nothing is asked of the network.

    Args:
        folder: of ``workflows/NAME.yaml`` and ``dependabot.yml``.

    Yields:
        A violation about the file's name, or "NAME job"; its rule is zizmor's ("template-injection") or one of ours.

    Raises:
        Failure: zizmor did not run, or could not read a file.
    """
    # All that it knows, and no comment in a file turns it off: a reason would be written where other exemptions are.
    options = ["--offline", "--persona=auditor", "--strict-collection", "--no-config", "--no-ignores"]
    report = run(["zizmor", *options, "--no-exit-codes", "--quiet", "--format=json-v1", folder], what="run zizmor")
    for found in json.loads(report):
        file = Path(found["locations"][0]["symbolic"]["key"]["Local"]["verbatim_path"]).name
        yield Violation(found["ident"], file, found["desc"])
    for workflow in sorted((folder / "workflows").glob("*.y*ml")):
        yield from _not_of_zizmor(workflow)


def _not_of_zizmor(workflow: Path) -> Iterator[Violation]:
    text = workflow.read_text()
    for uses in _USES.finditer(text):
        # An action of the tree itself is the tree's own commit.
        if not uses["action"].startswith("./"):
            if not _PINNED.fullmatch(uses["action"]):
                yield Violation("pinned", workflow.name, f"{uses['action']} is not pinned by a commit of 40 hex digits")
            if not _VERSION.fullmatch(uses["comment"]):
                yield Violation("version", workflow.name, f"{uses['action']} has no comment with its version, # v1.2.3")
    content = yaml.safe_load(text)
    if content.get("permissions") != _NOTHING:
        yield Violation("permissions", workflow.name, "write permissions: {} at the top, and in each job what it needs")
    for name, job in content["jobs"].items():
        if "permissions" not in job:
            yield Violation("permissions", f"{workflow.name} {name}", "the job does not say what it needs")
        if "timeout-minutes" not in job:
            yield Violation("timeout", f"{workflow.name} {name}", "the job has no timeout-minutes: GitHub's is 6 hours")
