"""A driver that prints what no reader expects: spark-job's programs pass it on as it is, and end as it ended."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import drive
import driver_log as followed
import kube
import pytest
from last_error import LastError
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


@pytest.mark.parametrize("most", [7, 64, 1_000_000])
def test_a_line_that_comes_in_pieces_is_printed_once(
    most: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = [f"2026-11-28T16:00:0{number}.000000000Z" for number in range(5)]
    log = "".join(f"{moment} {'line ' * 40}{number}\n" for number, moment in enumerate(times))

    def answer(*_: Any) -> Any:
        return closing(io.BytesIO(log.encode()))

    monkeypatch.setattr(kube, "_LONGEST", max(most, 64))
    monkeypatch.setattr(kube, "_open", answer)
    follower = followed.DriverLog("/log")
    for _ in range(2):  # asked for again, as after a restart of the API server
        follower._read(follow=False)
    printed = capsys.readouterr().out
    assert printed.replace("\n", "").count("line") == 200
    assert [printed.replace("\n", "").count(f"line {number}") for number in range(5)] == [1] * 5
