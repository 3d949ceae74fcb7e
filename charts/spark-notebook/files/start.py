"""Starts a notebook: writes what of Spark's configuration only the pod knows, and runs JupyterLab, a hub's or alone.

With arguments it becomes that program instead, with what kernels have: ``start.py jupyter execute report.ipynb``.
Standard library only: any image with Spark, Python and JupyterLab will do.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import lasting

TOKEN = Path("/etc/notebook-login/token")


def main() -> None:
    """Become JupyterLab; with a time after which an idle notebook stops, watch over it instead."""
    settings = json.loads((lasting.FOLDER / "notebook.json").read_text())
    os.environ["PYTHONPATH"] = ":".join([*lasting.python_of_spark(), *filter(None, [os.environ.get("PYTHONPATH")])])
    os.environ.setdefault("PYSPARK_PYTHON", "python3")
    os.chdir(os.environ["HOME"])
    if sys.argv[1:]:
        os.execvp(sys.argv[1], sys.argv[1:])
    lasting.write_configuration(
        Path(os.environ["SPARK_CONF_DIR"]),
        files=("spark-env.sh", "log4j2.properties"),
        more=labels_of_executors() if settings["login"] == "hub" else {},
    )
    lasting.sweep()
    if settings["login"] == "token":
        os.environ.pop("JUPYTER_TOKEN", None)
        os.environ["JUPYTER_TOKEN_FILE"] = str(token_file(TOKEN, Path("/tmp/notebook-token")))
    program = [sys.executable, "-m", "jupyterlab", *options(settings)]
    if settings["login"] == "hub":
        os.environ["JUPYTERHUB_API_TOKEN"] = TOKEN.read_text().strip()
        program = [sys.executable, "-m", "jupyterhub.singleuser", *options(settings)]
    if settings["idleNotebook"] and settings["login"] != "hub":
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


def labels_of_executors() -> dict[str, str]:
    """The policy of a user's pods selects them by these, and no policy of all users' may."""
    labels = {"notebook": os.environ["POD_NAME"], "isolated": "true"}
    return {f"spark.kubernetes.executor.label.kindling.local/{key}": value for key, value in labels.items()}


def options(settings: dict) -> list[str]:
    """JupyterLab's options. None is secret: whoever sees the pod's processes reads them."""
    found = {
        "ServerApp.root_dir": os.environ["HOME"],
        # What is installed is the image's: another would not be on executors.
        "LabApp.extension_manager": "readonly",
    }
    # Of a hub's, the hub says where it listens.
    if settings["login"] != "hub":
        found |= {
            "ServerApp.ip": "",
            "ServerApp.port": settings["port"],
            "ServerApp.port_retries": 0,
            "ServerApp.open_browser": False,
            "ServerApp.base_url": settings["baseUrl"],
            # The page comes by a name that only the Ingress knows, or by a forwarded port.
            "ServerApp.allow_remote_access": True,
        }
    if settings["login"] == "proxy":
        found |= {"IdentityProvider.token": "", "PasswordIdentityProvider.password_required": False}
    if settings["idleKernels"]:
        found |= {
            "MappingKernelManager.cull_idle_timeout": lasting.seconds(settings["idleKernels"]),
            "MappingKernelManager.cull_interval": max(5, min(60, lasting.seconds(settings["idleKernels"]) // 4)),
            # A page that nobody looks at any more stays connected.
            "MappingKernelManager.cull_connected": True,
        }
    if settings["idleNotebook"]:
        found["ServerApp.shutdown_no_activity_timeout"] = lasting.seconds(settings["idleNotebook"])
    return [f"--{name}={value}" for name, value in found.items()]


def watch(program: list[str]) -> None:
    """Run JupyterLab to its end; where that is nobody's wish, the notebook was idle, and is stopped."""
    server = subprocess.Popen(program)
    asked = lasting.pass_signals_on(server)
    code = server.wait()
    if code or asked:
        sys.exit(lasting.exit_code(code))
    lasting.stop_itself("notebook")
    signal.sigwait([signal.SIGTERM, signal.SIGINT])


if __name__ == "__main__":
    main()
