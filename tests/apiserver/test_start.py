"""An API server starts quickly or says in a line why not, is shared, and never outlives who uses it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chartproof.apiserver import ApiServerError, keeper
from chartproof.apiserver.server import PROGRAMS, api_server

_END_DEADLINE_S = 10
_USE = """
import sys, time
from pathlib import Path
from chartproof.apiserver.server import api_server
with api_server("1.34", Path(sys.argv[1]), Path(sys.argv[2])) as server:
    print(server.ready_s, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def programs(apiserver_programs: Path) -> Path:
    """The programs of Kubernetes 1.34."""
    return apiserver_programs / "1.34"


@pytest.fixture
def use(programs: Path, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts processes that use one API server, and waits until they can."""
    users: list[subprocess.Popen[str]] = []

    def use() -> subprocess.Popen[str]:
        argv = [sys.executable, "-c", _USE, str(programs), str(tmp_path / "server")]
        user = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        users.append(user)
        assert user.stdout
        assert user.stdout.readline(), "it could not use the server; why is in its standard error"
        return user

    yield use
    for user in users:
        user.kill()
        user.communicate()


def running(folder: Path) -> dict[int, str]:
    """Process id -> command of what runs for the server of a folder: the keeper names it, its programs run in it."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text().split("\0")
            if (process / "cwd").readlink() == folder or (str(folder) in command and keeper.__file__ in command):
                found[int(process.name)] = command[0]
        except OSError:
            continue  # it has ended meanwhile
    return found


def wait_until_none_runs(folder: Path) -> None:
    """Wait until nothing runs for the server of a folder; processes cannot be watched."""
    end = time.monotonic() + _END_DEADLINE_S
    while left := running(folder):
        assert time.monotonic() < end, left
        time.sleep(0.05)


def test_processes_share_it_and_it_ends_with_the_last_however_that_ends(
    use: Callable[[], subprocess.Popen[str]], tmp_path: Path
) -> None:
    folder = tmp_path / "server"
    first = use()
    started = running(folder)
    assert set(PROGRAMS) < {Path(command).name for command in started.values()}
    second = use()
    assert running(folder) == started
    first.kill()
    first.wait()
    third = use()
    assert running(folder) == started, "the second kept it"
    second.kill()
    third.kill()
    wait_until_none_runs(folder)
    assert not (folder / "data").exists()


def test_its_programs_do_not_outlive_their_keeper(use: Callable[[], subprocess.Popen[str]], tmp_path: Path) -> None:
    use()
    (keeping,) = [process for process, command in running(tmp_path / "server").items() if command == sys.executable]
    os.kill(keeping, signal.SIGKILL)
    wait_until_none_runs(tmp_path / "server")


def test_a_taken_port_is_one_line(programs: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ApiServerError) as refusal, api_server("1.34", programs, tmp_path / "server", port=port):
            pass
    line = str(refusal.value)
    assert line.startswith("Kubernetes 1.34 cannot start: kube-apiserver ended with exit code 1: ")
    assert "bind: address already in use" in line
    assert line.endswith(f"(log: {tmp_path}/server/kube-apiserver.log)")
    assert "\n" not in line
    wait_until_none_runs(tmp_path / "server")


def test_a_missing_program_is_one_line(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "etcd").symlink_to(programs / "etcd")
    with pytest.raises(ApiServerError) as refusal, api_server("1.34", tmp_path, tmp_path / "server"):
        pass
    missing = tmp_path / "kube-apiserver"
    assert str(refusal.value) == f"Kubernetes 1.34 cannot start: {missing} is missing; build it, or name another folder"


def test_a_program_that_is_none_is_one_line(tmp_path: Path) -> None:
    for name in PROGRAMS:
        (tmp_path / name).write_text("not a program")
    with pytest.raises(ApiServerError) as refusal, api_server("1.34", tmp_path, tmp_path / "server"):
        pass
    start = "Kubernetes 1.34 cannot start: keeper ended with exit code 1: PermissionError"
    assert str(refusal.value).startswith(start)
    assert "\n" not in str(refusal.value)


def test_a_run_that_names_no_programs_is_told_so(pytester: pytest.Pytester) -> None:
    (pytester.path / "charts").mkdir()
    pytester.makepyfile("def test_asks(apiserver):\n    apiserver('1.34')\n")
    result = pytester.runpytest_subprocess("-p", "chartproof.plugin")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no API server's programs are known: give --apiservers=FOLDER*"])
