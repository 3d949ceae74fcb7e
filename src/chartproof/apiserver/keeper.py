"""Runs programs for as long as anyone uses them; ends them all when no one does, or when one of them ends.

Usage: python keeper.py FOLDER. ``FOLDER/programs.json`` holds name -> argv; each runs in FOLDER, writes ``NAME.log``.
Who uses them holds a shared lock on ``FOLDER/users``: the kernel drops it with the last process that has it, however
that ends. Then ``FOLDER/data`` and ``FOLDER/ready`` go too. It is a program of its own, of the standard library alone,
because no worker of a test run is sure to outlive the others.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

DATA = "data"
_PR_SET_PDEATHSIG = 1


def keep(folder: Path) -> int:
    """Run the programs of a folder to their end; return 0 if that came because no one uses them."""
    unused = threading.Event()
    children = {
        _start(name, argv, folder): name for name, argv in json.loads((folder / "programs.json").read_text()).items()
    }

    def end_when_unused(users: int) -> None:
        fcntl.flock(users, fcntl.LOCK_EX)
        unused.set()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    with (folder / "users").open() as users:
        threading.Thread(target=end_when_unused, args=[users.fileno()], daemon=True).start()
        ended, status = os.wait()
        if not unused.is_set():
            (folder / "ended").write_text(f"{children[ended]} {os.waitstatus_to_exitcode(status)}")
        for child in children.keys() - {ended}:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        (folder / "ready").unlink(missing_ok=True)
        shutil.rmtree(folder / DATA, ignore_errors=True)
        # The lock goes last: who waits for it finds nothing here and starts anew.
        return 0 if unused.is_set() else 1


def _start(name: str, argv: list[str], folder: Path) -> int:
    prctl = ctypes.CDLL(None).prctl
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            argv,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # The kernel ends it with the keeper, if that is killed itself.
            preexec_fn=lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),
        ).pid


if __name__ == "__main__":
    sys.exit(keep(Path(sys.argv[1])))
