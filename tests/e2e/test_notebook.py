"""A person's notebook: sessions without configuration, their UIs, and executors that go with their kernel."""

from __future__ import annotations

import time

import pytest
from notebook import COUNT, Notebook
from team import Team

STATE = """
import os, signal, subprocess
def kill(name):
    found = subprocess.run(["pgrep", "-f", name], capture_output=True, text=True).stdout.split()
    os.kill(int(found[0]), signal.SIGKILL)
"""


@pytest.fixture
def notebook(team: Team) -> Notebook:
    """A notebook that answers."""
    made = Notebook(team)
    made.install()
    return made


def test_executors_go_with_their_kernel(notebook: Notebook) -> None:
    with notebook.kernel() as kernel:
        for end in ("kernel restarted", "JVM killed", "kernel killed"):
            told = kernel.run(COUNT)
            assert "counted 1000" in told.text, told
            assert notebook.executors()
            if end == "kernel restarted":
                kernel.restart()
            elif end == "JVM killed":
                kernel.run(STATE + "kill('org.apache.spark.deploy.SparkSubmit')")
            else:
                kernel.run("import os; os.kill(os.getpid(), 9)")
            began = time.monotonic()
            notebook.wait_until_executors_are_gone()
            print(f"{end}: executors gone after {time.monotonic() - began:.0f} s")
            if end == "JVM killed":
                kernel.restart()
