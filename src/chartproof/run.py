"""A test run's renders: summed over workers, told at its end, and short of nothing where all tests ran."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from chartproof.coverage import Exceptions, covered, gaps
from chartproof.tally import Tally

_OUTPUT = "chartproof"


class RenderRun:
    """The hooks of a run, in each worker and in the process that starts them.

    Attributes:
        tally: what this process rendered; at the end of a run, what all of them did.
    """

    def __init__(self, config: pytest.Config, charts: Path) -> None:
        self.tally = Tally(charts)
        self._config = config
        self._charts = charts
        self._selected = False  # whether tests were left out that belong to a full run
        self._gaps: list[str] = []

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Notice that some tests do not run; those marked long belong to no full run."""
        self._selected = self._selected or any(not item.get_closest_marker("long") for item in items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add what a worker rendered."""
        output = getattr(node, "workeroutput", {}).get(_OUTPUT)
        if output is None:
            self._selected = True  # it crashed; what it rendered is lost
            return
        self.tally.add(output["tally"])
        self._selected = self._selected or output["selected"]

    def pytest_sessionfinish(self) -> None:
        """In a worker: hand over what it rendered."""
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput[_OUTPUT] = {"tally": self.tally.to_json(), "selected": self._selected}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        """Fail a full run that left something out. One that failed already has said enough."""
        result = yield
        if not hasattr(self._config, "workerinput") and self._is_full() and not session.testsfailed:
            self._gaps = self._find_gaps()
            session.testsfailed += len(self._gaps)
        return result

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Tell what was rendered and how often, and what is missing."""
        made, on_disk, in_memory = self.tally.misses, self.tally.on_disk, self.tally.in_memory
        if made + on_disk + in_memory:
            renders = f"renders: {made} made, {on_disk} found on disk, {in_memory} in memory"
            terminalreporter.write_line(f"{renders}; {covered(self.tally)}")
        for gap in self._gaps:
            terminalreporter.write_line(f"ERROR {gap}", red=True)

    def _find_gaps(self) -> list[str]:
        values = self._config.rootpath / self._config.getini("values")
        file = self._config.getini("exceptions")
        exceptions = Exceptions.read(self._config.rootpath / file if file else None)
        return gaps(self.tally, self._charts, values, exceptions)

    def _is_full(self) -> bool:
        folder = self._config.getini("render_tests")
        narrowed = any(self._config.getoption(name, None) for name in ("collectonly", "lf", "ignore", "ignore_glob"))
        if not folder or narrowed or self._selected:
            return False
        wanted = self._config.rootpath / folder
        asked = [(self._config.invocation_params.dir / argument).resolve() for argument in self._config.args]
        return any(path in (wanted, *wanted.parents) for path in asked)
