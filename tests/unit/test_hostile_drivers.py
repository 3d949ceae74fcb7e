"""A driver that prints what no reader expects: spark-job's programs pass it on as it is, and end as it ended."""

from __future__ import annotations

import io
import os
import select
import signal
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import drive
import driver_log as followed
import kube
import pytest
from last_error import LONGEST, LastError
from passing import pass_on
from refusal import refusal_of

PIECES = (
    '{"level":' * 20_000 + "\n",
    '{"level":"ERROR","message":' + "[" * 20_000 + "]" * 20_000 + "}\n",
    '{"message": 5, "level": "ERROR"} pods is forbidden\n',
    '{"level":"ERROR","message":{"a":["\\ud800"]}}\n',
    "pods " + "admission webhook " * 20_000 + "\n",
    "\x1b]52;c;AAAA\x07\x9b2J\u202e\n",
    "x" * 3_000_000 + "\n",
    "ValueError: the end\n",
)


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_a_driver_is_passed_on_byte_by_byte(capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes("".join(PIECES).encode())
    program = f"import sys; sys.stdout.buffer.write(open({str(log)!r}, 'rb').read()); sys.exit(3)"
    driver = drive.Driver([sys.executable, "-c", program])
    assert driver.run() == 3
    assert capfdbinary.readouterr().out == log.read_bytes()
    assert driver.error.line == "ValueError: the end"


@pytest.mark.parametrize("line", PIECES, ids=lambda line: line[:20].strip())
def test_no_line_ends_its_reader(line: str) -> None:
    LastError().read(line)
    assert len(refusal_of(line)) <= 1000


def test_what_comes_without_a_newline_is_passed_on_at_once() -> None:
    (source, child), (shown, target) = os.pipe(), os.pipe()
    with os.fdopen(source, "rb") as pipe, os.fdopen(target, "wb") as output:
        lines: list[str] = []
        passing = threading.Thread(target=lambda: lines.extend(pass_on(pipe, output)))
        passing.start()
        for printed in (b"10%", b"\r20%", b" done\n"):
            os.write(child, printed)
            assert select.select([shown], [], [], 10)[0], "it waits for the line's end"
            assert os.read(shown, 100) == printed
        os.close(child)
        passing.join()
    os.close(shown)
    assert lines == ["10%\r20% done"]


def test_a_line_without_an_end_takes_no_memory() -> None:
    program = "import sys\nfor _ in range(640): sys.stdout.buffer.write(b'x' * 65536)"
    tracemalloc.start()
    with (
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child,
        Path(os.devnull).open("wb") as out,
    ):
        assert child.stdout
        longest = max(len(line) for line in pass_on(child.stdout, out))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert longest <= 2 * LONGEST
    assert most < 2_000_000 < 640 * 65536


@pytest.mark.parametrize("most", [7, 64, 1_000_000])
def test_a_followed_log_is_printed_once_as_it_is(
    most: int, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    times = [f"2026-11-28T16:00:0{number}.000000000Z" for number in range(5)]
    lines = [f"{'lïne ' * 40}{number}\r{number}".encode() + b"\xff\n" for number, _ in enumerate(times)]
    log = b"".join(f"{moment} ".encode() + line for moment, line in zip(times, lines, strict=True))

    def answer(*_: Any) -> Any:
        return closing(io.BytesIO(log))

    monkeypatch.setattr(kube, "_LONGEST", max(most, 64))
    monkeypatch.setattr(kube, "_open", answer)
    follower = followed.DriverLog("/log")
    for _ in range(2):  # asked for again, as after a restart of the API server
        follower._read(follow=False)
    assert capfdbinary.readouterr().out == b"".join(lines)


def test_a_line_of_the_kubelets_own_keeps_the_rest(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    log = b"2026-11-28T16:00:00Z one\nfailed to create fsnotify watcher\n2026-11-28T16:00:01Z two\n"
    monkeypatch.setattr(kube, "_open", lambda *_: closing(io.BytesIO(log)))
    follower = followed.DriverLog("/log")
    follower._read(follow=False)
    assert capfdbinary.readouterr().out == b"one\nfailed to create fsnotify watcher\ntwo\n"
    assert follower._last.startswith("2026-11-28T16:00:01")
