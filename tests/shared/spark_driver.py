"""Real drivers with something on each page, whose UI has an address of its own on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spark_ui import container, event_log, submission

_APP = Path(__file__).parents[1] / "proxy/apps/busy.py"
_DEADLINE_S = 300


@dataclass(frozen=True)
class BusyDriver:
    """A driver that runs apps/busy.py.

    Attributes:
        line: of Spark, "4.3".
        address: where its UI listens, at port 4040.
        app_id: of the application that runs.
        ended: of the one that ran before.
        folder: what its container has as /test; the event logs are in `events`.
    """

    line: str
    address: str
    app_id: str
    ended: str
    folder: Path


@contextmanager
def busy_driver(line: str, address: str, folder: Path) -> Iterator[BusyDriver]:
    """Run it until the context ends; that of Spark 4.3 is a Spark Connect server too.

    Args:
        line: "4.3" or "3.5".
        address: of 127.0.0.0/8, that nothing else listens on.
        folder: an empty one.
    """
    shutil.copy(_APP, folder)
    own = {
        "spark.driver.host": address,
        "spark.ui.port": "4040",
        "spark.ui.prometheus.enabled": "true",
        "spark.ui.showConsoleProgress": "false",
        **event_log(folder),
        "spark.eventLog.logBlockUpdates.enabled": "true",  # what was cached is seen in the history too
    }
    if line != "3.5":  # whose image has no server
        own["spark.plugins"] = "org.apache.spark.sql.connect.SparkConnectPlugin"
        own["spark.connect.grpc.binding.address"] = address
    command = submission("busy.py", cores=2, conf=own)
    with container(line, folder, command, f"SPARK_LOCAL_IP={address}") as name:
        end, ready, log = time.monotonic() + _DEADLINE_S, None, ""
        while not ready:
            done = subprocess.run(["docker", "logs", name], capture_output=True, text=True, check=False)
            log = done.stdout + done.stderr
            assert done.returncode == 0, f"Spark {line} has ended: {log}"
            assert time.monotonic() < end, f"Spark {line} is not ready: {log[-3000:]}"
            ready = re.search(r"^READY (\S+) (\S+)$", log, re.MULTILINE)
            time.sleep(0.5)
        yield BusyDriver(line, address, app_id=ready[2], ended=ready[1], folder=folder)
