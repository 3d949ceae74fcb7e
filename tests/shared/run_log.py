"""Tells of a run while it runs: a failure as it happens, and at the end which tests and fixtures took longest.

The table, ``artifacts/durations.txt``, has a line for each test of a second or more: seconds of its fixtures, of the
test itself and of its end, and its name. A run that is cut off has printed its failures all the same.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

_PHASES = ("setup", "call", "teardown")
_LONGEST = 20
"""So many tests are named at the end of a run; the file has them all."""


class RunLog:
    """The hooks of a run, in the process that reports.

    Attributes:
        seconds: of each test, by name, how long each phase took.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.seconds: dict[str, dict[str, float]] = defaultdict(dict)
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember how long a phase took, and tell a failure at once."""
        self.seconds[report.nodeid][report.when or "call"] = report.duration
        if report.failed:
            terminal = self._config.pluginmanager.get_plugin("terminalreporter")
            assert terminal is not None  # pytest always has it
            # Dots are being printed: the line begins on one of its own.
            terminal.write_line(f"\nFAILED in {report.when}: {report.nodeid}: {_reason(report)}", red=True)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the table, and show where it begins."""
        lines = _table(self.seconds)
        if len(lines) <= 1:
            return
        folder = self._config.getoption("--bundles")
        file = Path(self._config.rootpath / folder / "durations.txt")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n")
        terminalreporter.section(f"longest tests (all of a second or more: {folder}/{file.name})")
        for line in lines[: _LONGEST + 1]:
            terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    """Follow the run where it is reported: not in a worker."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(RunLog(config), "run-log")


def _reason(report: pytest.TestReport) -> str:
    """The first line of what a test failed with."""
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr).strip().partition("\n")[0][:300]


def _table(seconds: dict[str, dict[str, float]]) -> list[str]:
    """A heading, and the tests of a second or more, longest first."""
    head = " ".join(f"{name:>8}" for name in ("total", *_PHASES))
    longest = sorted(seconds.items(), key=lambda item: -sum(item[1].values()))
    return [f"{head}  test"] + [
        " ".join(f"{value:8.1f}" for value in (sum(phases.values()), *(phases.get(phase, 0.0) for phase in _PHASES)))
        + f"  {name}"
        for name, phases in longest
        if sum(phases.values()) >= 1
    ]
