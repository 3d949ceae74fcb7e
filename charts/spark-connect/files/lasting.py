"""What a notebook's driver and a Connect server's have in common: their configuration, and how they stop themselves.

Standard library only.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import kube

FOLDER = Path("/opt/kindling")
UNITS = {"s": 1, "m": 60, "h": 3600}


def write_configuration(folder: Path, *, files: tuple[str, ...] = (), more: dict[str, str] | None = None) -> None:
    """Make the folder of Spark's configuration: the properties, what only the pod knows, and files of the ConfigMap."""
    folder.mkdir(exist_ok=True)
    host = kube.in_brackets(os.environ["POD_IP"])
    own = {
        "spark.driver.host": host,
        "spark.driver.bindAddress": host,
        "spark.kubernetes.driver.pod.name": os.environ["POD_NAME"],
        **(more or {}),
    }
    lines = "".join(f"{key}={value}\n" for key, value in own.items())
    (folder / "spark-defaults.conf").write_text((FOLDER / "spark.properties").read_text() + lines)
    for name in files:
        shutil.copyfile(FOLDER / f"driver-{name}", folder / name)


def sweep() -> None:
    """Remove the executors of a container that ended before this one."""
    subprocess.Popen([sys.executable, "-E", "-s", str(FOLDER / "sweep.py")], stdin=subprocess.DEVNULL)


def python_of_spark() -> list[str]:
    """Where Python finds PySpark."""
    python = Path(os.environ.get("SPARK_HOME", "/opt/spark"), "python")
    return [str(path) for path in (python, *python.glob("lib/py4j-*.zip"))]


def seconds(text: str) -> int:
    """A duration, "90s" or "4h"."""
    return int(text[:-1]) * UNITS[text[-1]]


def pass_signals_on(server: subprocess.Popen[bytes]) -> list[int]:
    """Let a child have the signals that ask this process to end; the list holds those that came."""
    asked: list[int] = []

    def pass_on(number: int, _: object) -> None:
        asked.append(number)
        server.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    return asked


def exit_code(code: int) -> int:
    """How a shell counts the end of a child by a signal."""
    return code if code >= 0 else 128 - code


def stop_itself(what: str) -> None:
    """Give the own StatefulSet no pod, and say how it is started again."""
    name = os.environ["POD_NAME"].rpartition("-")[0]
    path = f"/apis/apps/v1/namespaces/{kube.namespace()}/statefulsets/{name}/scale"
    change = {"spec": {"replicas": 0}}
    kube.patiently(lambda: kube.ask("PATCH", path, change, "application/merge-patch+json"))
    start = f"kubectl scale statefulset/{name} --replicas=1 --namespace {kube.namespace()}"
    print(f"kindling: nobody used the {what}: stopped. Start it with: {start}", flush=True)
