"""What the tests of a run rendered: cache hits, charts, values files, branches; summed over workers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any


@dataclass
class Tally:
    """Counts and sets that grow with each render.

    Attributes:
        folder: the charts of this folder count; what tests copy elsewhere and break does not. None: none counts.
        in_memory: answers that this process had.
        on_disk: answers of an earlier run or another worker.
        misses: answers that an engine made.
        charts: folders of the charts that were rendered.
        files: the values files that were given.
        branches: every branch of the templates of those charts, "CHART/templates/FILE:LINE: if .Values.x".
        taken: the branches that a render took.
    """

    folder: Path | None = None
    in_memory: int = 0
    on_disk: int = 0
    misses: int = 0
    charts: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    branches: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)

    def asked(self, chart: Path, files: Iterable[Path]) -> None:
        """A chart is asked for with some values files."""
        if chart.parent == self.folder:
            self.charts.add(os.fspath(chart))
            self.files.update(map(os.fspath, files))

    def took(self, chart: Path, branches: Sequence[str], taken: Iterable[int]) -> None:
        """A render took some branches of a chart's."""
        if chart.parent == self.folder:
            self.branches.update(branches)
            self.taken.update(branches[index] for index in taken)

    def to_json(self) -> dict[str, Any]:
        """For another process."""
        return {k: sorted(v) if isinstance(v, set) else v for k, v in asdict(self).items() if k != "folder"}

    def add(self, other: dict[str, Any]) -> None:
        """Add what ``to_json`` gave in another process."""
        for entry in fields(self):
            if entry.name in other:
                mine, theirs = getattr(self, entry.name), other[entry.name]
                setattr(self, entry.name, mine | set(theirs) if isinstance(mine, set) else mine + theirs)
