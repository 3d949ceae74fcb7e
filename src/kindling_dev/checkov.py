"""checkov, a second opinion on what charts render: its packages have a lock file of their own (docs/decisions/0012)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from chartproof.checks import Violation
from kindling_dev.command import Failure, run
from kindling_dev.settings import REPO

LOCK = "ci/checkov/requirements.lock"


def findings(folder: Path) -> Iterator[Violation]:
    """What checkov finds in a folder's manifests, in one run of about 5 s.

    Args:
        folder: of manifests, ``FOLDER/NAME.yaml``.

    Yields:
        A violation whose rule is checkov's ("CKV_K8S_16"), about "FOLDER/NAME Kind".

    Raises:
        Failure: checkov did not run, or could not read a manifest.
    """
    argv: list[str | Path] = [REPO / "scripts/bootstrap", "--lock", LOCK, "checkov.main", "--directory", folder]
    # Nothing is asked of the network.
    options = ["--framework=kubernetes", "--output=json", "--compact", "--skip-download", "--soft-fail"]
    report = json.loads(run([*argv, *options], what="run checkov"))
    unread = report["results"]["parsing_errors"]
    if unread:
        raise Failure(f"checkov cannot read {', '.join(unread)}")
    for check in report["results"]["failed_checks"]:
        name = check["file_path"].strip("/").removesuffix(".yaml")
        yield Violation(check["check_id"], f"{name} {check['resource'].partition('.')[0]}", check["check_name"])
