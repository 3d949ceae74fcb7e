"""The hardened preset where Spark runs: what the wire shows, whom a driver takes for its executor, where secrets are seen.

Checks 15 and 20 of the security notes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from team import EACH, QUICK, Team
from wire import listening

from kindling_dev.settings import ADMIN_NAMESPACE
from kindling_dev.spark_image import DEFAULT_LINE, SparkLine

APP = (Path(__file__).parent / "apps/shuffle.py").read_text()
FACTS: dict[str, Any] = {"global": {"security": {"profile": "hardened"}}}
"""What the team's common.yaml says."""
SHUFFLE_PORTS = (7078, 7079)
LITERAL = {
    **QUICK,
    "spark.shuffle.compress": False,
    "spark.eventLog.enabled": True,
    "spark.eventLog.dir": "file:/tmp/events",
    "spark.eventLog.compress": False,
    "spark.scheduler.minRegisteredResourcesRatio": 1,
    "spark.scheduler.maxRegisteredResourcesWaitingTime": "60s",
}
"""What moves is not packed, and moves between two executors."""


def wanted(seed: str) -> str:
    """The text that the application of a seed moves."""
    return hashlib.sha256(seed.encode()).hexdigest()[:32]


def run_of(team: Team, release: str, line: SparkLine, seed: str, **values: Any) -> str:
    """Start the application; the name of its driver when all has moved."""
    app = {"source": APP, "args": [seed]}
    executors = {"instances": 2, "requestCores": "200m"}
    team.install(release, line=line, app=app, sparkConf=LITERAL, executor=executors, **values)
    driver: str = team.running(release, "driver").metadata.name
    told = team.cluster.wait_for_log(team.name, driver, "KEYS ", 120)
    assert told.split() == ["KEYS", "400", "ON", "2"]
    return driver


def finish(team: Team, release: str, driver: str) -> str:
    """Let the application end; what it printed."""
    log = team.kubectl("logs", driver, "--container=driver")
    team.kubectl("exec", driver, "--container=driver", "--", "touch", "/tmp/go")
    end = team.end_of(release)
    assert end.succeeded, end
    return log


def test_check_15_without_the_preset_the_wire_shows_what_a_shuffle_moves(swept: Team) -> None:
    seed = uuid4().hex
    with listening(wanted(seed), *SHUFFLE_PORTS) as heard:
        driver = run_of(swept, "plain", DEFAULT_LINE, seed)
    print(heard)
    assert heard.hits >= 1, heard
    finish(swept, "plain", driver)


@EACH
def test_check_15_hardened_the_wire_shows_nothing(hardened: Team, mode: str, line: SparkLine) -> None:
    seed = uuid4().hex
    with listening(wanted(seed), *SHUFFLE_PORTS) as heard:
        driver = run_of(hardened, "hard", line, seed, mode=mode, **FACTS)
    assert heard.moved > 400 * 4 * 512 // 4, "the capture saw the shuffle"
    print(heard)
    assert heard.hits == 0, heard
    finish(hardened, "hard", driver)


@pytest.fixture
def hardened(swept: Team) -> Iterator[Team]:
    """A team whose admin made it hardened."""
    chart = str(swept.charts / "spark-namespace")
    argv = ["upgrade", swept.name, chart, f"--namespace={ADMIN_NAMESPACE}", "--reuse-values", "--values=-"]
    swept.helm.run(argv, yaml.safe_dump(FACTS))
    swept.kubectl("create", "secret", "generic", "spark-auth", f"--from-literal=secret={uuid4().hex}")
    yield swept
    swept.kubectl("delete", "secret", "spark-auth")
