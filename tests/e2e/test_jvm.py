"""An application in Java, from a jar on a volume: its result and its exit codes, on both lines of Spark."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from team import OLD_LINE_LONG, Team

from kindling_dev.jvm_example import MAIN_CLASS, ensure_jar
from kindling_dev.settings import Settings
from kindling_dev.spark_image import DEFAULT_LINE, SparkLine

LIMIT = 200_000
VOLUMES = [{"name": "jar", "mountPath": "/jars", "configMap": {"name": "jar"}}]


def run(team: Team, line: SparkLine, *arguments: str, **values: Any) -> None:
    """Install the application as release "digits", its jar in a ConfigMap."""
    jar = ensure_jar(line, Settings.from_environment())
    team.kubectl("create", "configmap", "jar", f"--from-file=app.jar={jar}")
    app = {"file": "local:///jars/app.jar", "mainClass": MAIN_CLASS, "args": [str(LIMIT), *arguments]}
    team.install("digits", line=line, app=app, volumes=VOLUMES, **values)


def expected() -> str:
    """The line that the application prints, computed by Python."""
    counts = Counter(sum(map(int, str(number))) for number in range(LIMIT))
    digit_sum, numbers = min(counts.items(), key=lambda item: (-item[1], item[0]))
    return f"limit={LIMIT} digit-sum={digit_sum} numbers={numbers}"


@OLD_LINE_LONG
def test_a_jar_runs_on_driver_and_executors(team: Team, line: SparkLine) -> None:
    run(team, line)
    end = team.end_of("digits")
    assert end.succeeded, end
    assert end.exit_codes == (0,)
    assert expected() in team.log_of(end).splitlines()


@OLD_LINE_LONG
def test_spark_pi_runs_as_sparks_own_guide_has_it(team: Team, line: SparkLine) -> None:
    scala = {"4.3": "2.13", "3.5": "2.12"}[line.line]
    jar = f"local:///opt/spark/examples/jars/spark-examples_{scala}-{line.version}.jar"
    app = {"file": jar, "mainClass": "org.apache.spark.examples.SparkPi", "args": ["3"]}
    team.install("pi", line=line, app=app, mode="cluster")
    end = team.end_of("pi")
    assert end.succeeded, end
    assert "Pi is roughly 3.1" in team.log_of(end)


@pytest.mark.long
@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_the_exit_code_of_a_jvm_is_the_jobs(team: Team, mode: str) -> None:
    run(team, DEFAULT_LINE, "exit=7", mode=mode)
    end = team.end_of("digits")
    assert not end.succeeded
    assert end.exit_codes == (7,)


@pytest.mark.long
@OLD_LINE_LONG
def test_an_exception_in_java_is_the_jobs_last_message(team: Team, line: SparkLine) -> None:
    run(team, line, "throw=the barn is on fire")
    end = team.end_of("digits")
    assert end.exit_codes == (1,)
    assert "IllegalStateException: the barn is on fire" in end.messages[-1]


def test_the_jar_is_compiled_once_and_the_same_from_nothing(tmp_path: Path) -> None:
    settings = Settings.from_environment()
    jar = ensure_jar(DEFAULT_LINE, settings)
    made = jar.stat().st_mtime_ns
    assert ensure_jar(DEFAULT_LINE, settings).stat().st_mtime_ns == made
    from_nothing = ensure_jar(DEFAULT_LINE, replace(settings, cache=tmp_path))
    assert from_nothing.read_bytes() == jar.read_bytes()
