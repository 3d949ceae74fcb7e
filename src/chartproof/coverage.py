"""What a full run of the render tests must have reached: every chart, values file and branch, or a reason why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from chartproof.tally import Tally


@dataclass(frozen=True)
class Exceptions:
    """What is known to be uncovered, with a reason each, as a YAML file has it.

    Attributes:
        branches: branch without its line ("spark-job/templates/_driver.tpl: else of if .Values.x") -> reason.
        values: "CHART: path.of.value" that no template needs -> reason; CHART may be "*".
        schema: "CHART: path.of.value" that no all-on scenario sets -> reason; CHART may be "*".
    """

    branches: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    schema: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path | None) -> Exceptions:
        """Those of a file; none where there is no file.

        Raises:
            ValueError: an exception has no reason, or a heading is unknown.
        """
        content: dict[str, Any] = (yaml.safe_load(file.read_text()) or {}) if file and file.exists() else {}
        if unknown := content.keys() - cls.__dataclass_fields__.keys():
            raise ValueError(f"{file}: unknown headings {sorted(unknown)}; use {sorted(cls.__dataclass_fields__)}")
        for heading, entries in content.items():
            for name, reason in (entries or {}).items():
                if not str(reason or "").strip():
                    raise ValueError(f"{file}: {heading}: {name!r} has no reason; write one after it")
        return cls(**{heading: entries or {} for heading, entries in content.items()})


def without_line(branch: str) -> str:
    """A branch's name as exceptions have it: lines move too often."""
    template, _, rest = branch.partition(":")
    return f"{template}:{rest.partition(':')[2]}"


def covered(tally: Tally) -> str:
    """How many branches were taken, "450 of 453 branches"."""
    return f"{len(tally.taken)} of {len(tally.branches)} branches"


def gaps(tally: Tally, charts: Path, values: Path, exceptions: Exceptions) -> list[str]:
    """What a full run has left out, a line each.

    Args:
        tally: what it rendered.
        charts: folder of the charts: CHART/ci/NN-what-values.yaml.
        values: folder of the site's values: CHART.yaml, NAMESPACE/CHART.yaml.
        exceptions: what may be left out.
    """
    return [
        *_chart_gaps(tally, charts),
        *_file_gaps(tally, [*charts.glob("*/ci/*.y*ml"), *values.rglob("*.y*ml")]),
        *_branch_gaps(tally, exceptions.branches),
    ]


def _chart_gaps(tally: Tally, charts: Path) -> Iterable[str]:
    for file in sorted(charts.glob("*/Chart.yaml")):
        chart = file.parent
        if yaml.safe_load(file.read_text()).get("type") == "library":
            continue  # its templates run in the charts that depend on it
        if str(chart) not in tally.charts:
            yield f"no test renders chart {chart.name}; write one"
        if not any(chart.glob("ci/*-values.yaml")):
            yield f"chart {chart.name} has no scenario; write ci/01-NAME-values.yaml in it"


def _file_gaps(tally: Tally, files: Iterable[Path]) -> Iterable[str]:
    """Values files that nothing was rendered with, those of a name that no scenario takes included."""
    for file in sorted(files):
        if str(file) not in tally.files:
            yield f"no test renders {file}; use it, name it as a scenario or remove it"


def _branch_gaps(tally: Tally, exceptions: Mapping[str, str]) -> Iterable[str]:
    if tally.charts and not tally.branches:
        yield "branches were not counted: chartproof-renderer is not on PATH; build it and run this again"
        return
    missing = sorted(tally.branches - tally.taken)
    for branch in missing:
        if without_line(branch) not in exceptions:
            yield f"no render takes {branch}; test it, remove it or list it with a reason"
    for name in sorted(exceptions.keys() - set(map(without_line, missing))):
        yield f"the exception {name!r} is taken or gone; remove it"
