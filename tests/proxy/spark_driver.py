"""Real drivers of each Spark line, with their UI at an address of this machine."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from kindling_dev.progress import Progress
from kindling_dev.settings import Settings
from kindling_dev.spark_image import LINES, ensure_spark_image

_APPS = Path(__file__).parent / "apps"
_DEADLINE_S = 240


@dataclass(frozen=True)
class SparkDriver:
    """A driver that runs.

    Attributes:
        line: of Spark, "4.3".
        address: where its UI listens, at port 4040.
        app_id: as it knows itself.
        container: of the engine.
    """

    line: str
    address: str
    app_id: str
    container: str

    def log(self) -> str:
        """What it has written."""
        done = subprocess.run(["docker", "logs", self.container], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr


@contextmanager
def spark_driver(line: str, address: str, *conf: str) -> Iterator[SparkDriver]:
    """Run apps/busy.py on a line of Spark until the context ends.

    Args:
        line: "4.3" or "3.5".
        address: of 127.0.0.0/8, that nothing else listens on.
        conf: Spark's configuration, "spark.ui.proxyBase=/x".
    """
    image = ensure_spark_image(LINES[line], Settings.from_environment(), Progress())
    app_id = f"app-{uuid4().hex[:12]}"
    settings = {
        "spark.driver.host": address,
        "spark.ui.port": "4040",
        # What a local run takes for its id.
        "spark.test.appId": app_id,
        "spark.ui.prometheus.enabled": "true",
        "spark.ui.showConsoleProgress": "false",
        **dict(item.split("=", 1) for item in conf),
    }
    argv = ["docker", "run", "--detach", "--network=host", f"--volume={_APPS}:/apps:ro"]
    argv += [f"--env=SPARK_LOCAL_IP={address}", "--entrypoint=/opt/spark/bin/spark-submit", image]
    argv += ["--master=local[2]", "--driver-memory=512m"]
    argv += [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    container = subprocess.run([*argv, "/apps/busy.py"], check=True, capture_output=True, text=True).stdout.strip()
    driver = SparkDriver(line, address, app_id, container)
    try:
        end = time.monotonic() + _DEADLINE_S
        while "READY" not in (log := driver.log()):
            assert time.monotonic() < end, f"Spark {line} is not ready: {log[-3000:]}"
            time.sleep(0.5)
        yield driver
    finally:
        subprocess.run(["docker", "rm", "--force", container], check=True, capture_output=True)
