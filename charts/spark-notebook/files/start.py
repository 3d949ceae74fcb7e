"""Starts a notebook: writes what of Spark's configuration only the pod knows, and runs JupyterLab.

With arguments it becomes that program instead, with what kernels have: ``start.py jupyter execute report.ipynb``.
Standard library only: any image with Spark, Python and JupyterLab will do.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import kube

FOLDER = Path("/opt/kindling")
TOKEN = Path("/etc/notebook-login/token")
UNITS = {"s": 1, "m": 60, "h": 3600}


def main() -> None:
    """Become JupyterLab; with a time after which an idle notebook stops, watch over it instead."""
    settings = json.loads((FOLDER / "notebook.json").read_text())
    os.environ["PYTHONPATH"] = ":".join([*python_of_spark(), *filter(None, [os.environ.get("PYTHONPATH")])])
    os.environ.setdefault("PYSPARK_PYTHON", "python3")
    os.chdir(os.environ["HOME"])
    if sys.argv[1:]:
        os.execvp(sys.argv[1], sys.argv[1:])
    write_configuration(Path(os.environ["SPARK_CONF_DIR"]))
    # Of a container that ended before this one.
    subprocess.Popen([sys.executable, "-E", "-s", str(FOLDER / "sweep.py")], stdin=subprocess.DEVNULL)
    if settings["login"] == "token":
        os.environ.pop("JUPYTER_TOKEN", None)
        os.environ["JUPYTER_TOKEN_FILE"] = str(token_file(TOKEN, Path("/tmp/notebook-token")))
    program = [sys.executable, "-m", "jupyterlab", *options(settings)]
    if settings["idleNotebook"]:
        watch(program)
    else:
        os.execv(program[0], program)


def token_file(secret: Path, copy: Path) -> Path:
    """The token, without an editor's newline, which JupyterLab would ask for too. By an empty one it lets all in."""
    token = secret.read_text().strip()
    if not token:
        sys.exit("kindling: the token in login.secret is empty, and everyone could log in: put one into the Secret")
    copy.touch(mode=0o600)
    copy.write_text(token)
    return copy


def write_configuration(folder: Path) -> None:
    """Make the folder of Spark's configuration."""
    folder.mkdir(exist_ok=True)
    address = os.environ["POD_IP"]
    host = f"[{address}]" if ":" in address else address
    own = {
        "spark.driver.host": host,
        "spark.driver.bindAddress": host,
        "spark.kubernetes.driver.pod.name": os.environ["POD_NAME"],
    }
    lines = "".join(f"{key}={value}\n" for key, value in own.items())
    (folder / "spark-defaults.conf").write_text((FOLDER / "spark.properties").read_text() + lines)
    for name in ("spark-env.sh", "log4j2.properties"):
        shutil.copyfile(FOLDER / f"driver-{name}", folder / name)


def python_of_spark() -> list[str]:
    """Where Python finds PySpark."""
    python = Path(os.environ.get("SPARK_HOME", "/opt/spark"), "python")
    return [str(path) for path in (python, *python.glob("lib/py4j-*.zip"))]


def options(settings: dict) -> list[str]:
    """JupyterLab's options. None is secret: whoever sees the pod's processes reads them."""
    found = {
        "ServerApp.ip": "",
        "ServerApp.port": settings["port"],
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.base_url": settings["baseUrl"],
        "ServerApp.root_dir": os.environ["HOME"],
        # The page comes by a name that only the Ingress knows, or by a forwarded port.
        "ServerApp.allow_remote_access": True,
        # What is installed is the image's: another would not be on executors.
        "LabApp.extension_manager": "readonly",
    }
    if settings["login"] == "proxy":
        found |= {"IdentityProvider.token": "", "PasswordIdentityProvider.password_required": False}
    if settings["idleKernels"]:
        found |= {
            "MappingKernelManager.cull_idle_timeout": seconds(settings["idleKernels"]),
            "MappingKernelManager.cull_interval": max(5, min(60, seconds(settings["idleKernels"]) // 4)),
            # A page that nobody looks at any more stays connected.
            "MappingKernelManager.cull_connected": True,
        }
    if settings["idleNotebook"]:
        found["ServerApp.shutdown_no_activity_timeout"] = seconds(settings["idleNotebook"])
    return [f"--{name}={value}" for name, value in found.items()]


def seconds(text: str) -> int:
    """A duration, "90s" or "4h"."""
    return int(text[:-1]) * UNITS[text[-1]]


def watch(program: list[str]) -> None:
    """Run JupyterLab to its end; where that is nobody's wish, the notebook was idle, and is stopped."""
    asked: list[int] = []
    server = subprocess.Popen(program)

    def pass_on(number: int, _: object) -> None:
        asked.append(number)
        server.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    code = server.wait()
    if code or asked:
        sys.exit(code if code >= 0 else 128 - code)
    name = os.environ["POD_NAME"].rpartition("-")[0]
    scale(name, 0)
    start = f"kubectl scale statefulset/{name} --replicas=1 --namespace {kube.namespace()}"
    print(f"kindling: nobody used the notebook: stopped. Start it with: {start}", flush=True)
    signal.sigwait([signal.SIGTERM, signal.SIGINT])


def scale(name: str, replicas: int) -> None:
    """Give the notebook's StatefulSet so many pods."""
    path = f"/apis/apps/v1/namespaces/{kube.namespace()}/statefulsets/{name}/scale"
    change = {"spec": {"replicas": replicas}}
    kube.patiently(lambda: kube.ask("PATCH", path, change, "application/merge-patch+json"))


if __name__ == "__main__":
    main()
