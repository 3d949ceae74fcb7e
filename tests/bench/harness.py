"""What a test of a chart costs: chartproof against a render for each test and against helm-unittest.

The same sixty assertions about a dozen renders of spark-job (harness_questions.py), each a test, asked once, twice and
four times, in turn and each in a process of its own:

* chartproof: pytest with the plugin (harness_chartproof.py), with nothing kept of an earlier run;
* chartproof, again: the same where the chart is as it was in an earlier run;
* per test: pytest with a ``helm template``, PyYAML and jsonschema for each test (harness_per_test.py);
* helm-unittest: the assertions as its suite, written by this program.

All render with Helm 3. Processor time is told too: on a machine that has other things to do it says more.
Run: scripts/bootstrap tests.bench.harness [ROUNDS]
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from chartproof import Helm
from chartproof.helm import build_dependencies
from kindling_dev import tools
from kindling_dev.command import run
from kindling_dev.golang import GoModule, build
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings
from tests.bench.harness_questions import NAMESPACE, QUESTIONS, RELEASE

HELM_UNITTEST = GoModule(
    folder="tests/bench/go/helm-unittest",
    programs={"helm-unittest": "github.com/helm-unittest/helm-unittest/cmd/helm-unittest"},
)
_TIMES = (1, 2, 4)
_CHART = REPO / "charts/spark-job"
_OURS, _AGAIN, _PER_TEST, _UNITTEST = "chartproof", "chartproof, again", "per test", "helm-unittest"


@dataclass(frozen=True)
class Measure:
    """One process with all its tests: seconds from start to end, and of processor time."""

    wall: float
    cpu: float


def write_suite(folder: Path, times: int) -> Path:
    """The questions as a suite of helm-unittest, each so many times; return its file."""
    tests = []
    for number, question in enumerate(QUESTIONS):
        values = folder / f"values-{number}.yaml"
        values.write_text(json.dumps(question.values))
        asserts = [{"equal": {"path": question.path, "value": question.value}}]
        tests.append(
            {"it": question.name, "values": [str(values)], "template": "templates/job.yaml", "asserts": asserts}
        )
    suite = {"suite": "spark-job", "release": {"name": RELEASE, "namespace": NAMESPACE}, "tests": tests * times}
    file = folder / f"suite-{times}_test.yaml"
    file.write_text(json.dumps(suite))  # JSON is YAML
    return file


def ask_pytest(suite: str, times: int, kept: Path | None = None) -> None:
    """Ask in a process of pytest; ``kept`` is the folder of its cache, where it may have one."""
    cache = ["-o", f"cache_dir={kept}"] if kept else ["-p", "no:cacheprovider"]
    argv = [sys.executable, "-m", "pytest", "-q", *cache, str(REPO / "tests/bench" / suite)]
    said = run(argv, cwd=REPO, env={"HARNESS_TIMES": str(times)})
    _check_count(said, f"{times * len(QUESTIONS)} passed")


def ask_unittest(program: Path, suite: Path, times: int) -> None:
    """Ask in a process of helm-unittest."""
    said = run([program, "--with-subchart=false", "--file", suite, _CHART])
    _check_count(said, f"{times * len(QUESTIONS)} passed, {times * len(QUESTIONS)} total")


def _check_count(said: str, expected: str) -> None:
    if expected not in said:
        raise SystemExit(f"not {expected!r}: {said}")


def _measure(ask: Callable[[], None]) -> Measure:
    began, cpu = time.monotonic(), _cpu_of_children()
    ask()
    return Measure(time.monotonic() - began, _cpu_of_children() - cpu)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _report(measures: dict[str, dict[int, list[Measure]]]) -> None:
    number, most, rounds = len(QUESTIONS), max(_TIMES), len(measures[_OURS][1])
    console = Console()
    for what in ("wall", "cpu"):
        medians = {
            way: {times: statistics.median(getattr(m, what) for m in taken) for times, taken in of.items()}
            for way, of in measures.items()
        }
        further = {way: (of[most] - of[1]) / (number * (most - 1)) for way, of in medians.items()}
        title = f"{number} assertions on a dozen renders, {what} time, medians of {rounds}"
        columns = (*(f"x{times}, s" for times in _TIMES), "a test, ms", "a further, ms", "tests/s")
        table = Table("", *columns, title=title)
        for column in table.columns[1:]:
            column.justify = "right"
        for way, of in medians.items():
            seconds = (f"{of[times]:.2f}" for times in _TIMES)
            each = (f"{1000 * of[1] / number:.1f}", f"{1000 * further[way]:.2f}", f"{number / of[1]:.0f}")
            table.add_row(way, *seconds, *each)
        console.print(table)
        for ours in (_OURS, _AGAIN):
            for other, target in ((_PER_TEST, 10), (_UNITTEST, 1)):
                once, often = (medians[other][times] / medians[ours][times] for times in (1, most))
                console.print(f"{other} / {ours}: {once:.1f}, of {most} times the tests {often:.1f} (target: {target})")
            growth = medians[ours][most] / medians[ours][1]
            console.print(f"{ours} takes {growth:.2f} times as long for {most} times the tests (target: flat)\n")
    folder = REPO / "artifacts"
    folder.mkdir(exist_ok=True)
    every = {way: {times: [asdict(m) for m in taken] for times, taken in of.items()} for way, of in measures.items()}
    (folder / "bench-harness.json").write_text(json.dumps(every, indent=2) + "\n")


def main(rounds: int) -> None:
    """Measure each way in turn, after a round that does not count."""
    settings, progress = Settings.from_environment(), Progress()
    tools.ensure_tools(settings, progress, ("helm",))
    program = build(HELM_UNITTEST, settings, progress) / "helm-unittest"
    build_dependencies(REPO / "charts", Helm())
    measures: dict[str, dict[int, list[Measure]]] = {
        way: {times: [] for times in _TIMES} for way in (_OURS, _AGAIN, _PER_TEST, _UNITTEST)
    }
    with TemporaryDirectory() as folder:
        suites = {times: write_suite(Path(folder), times) for times in _TIMES}
        for number in range(rounds + 1):
            for times in _TIMES if number else _TIMES[:1]:
                ways: dict[str, Callable[[], None]] = {
                    _OURS: partial(ask_pytest, "harness_chartproof.py", times),
                    _AGAIN: partial(ask_pytest, "harness_chartproof.py", times, Path(folder) / "kept"),
                    _PER_TEST: partial(ask_pytest, "harness_per_test.py", times),
                    _UNITTEST: partial(ask_unittest, program, suites[times], times),
                }
                for way, ask in ways.items():
                    taken = _measure(ask)
                    progress.say(f"{way} x{times}: {taken}" + ("" if number else " (not counted)"))
                    if number:
                        measures[way][times].append(taken)
    _report(measures)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
