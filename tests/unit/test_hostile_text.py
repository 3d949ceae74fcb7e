"""What a cluster said is shown by ``kindling``, and never obeyed by a terminal."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
from pathlib import Path

import drive
import last_error
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kindling import cli, output, terminal
from kindling.causes import explain
from kindling.errors import KindlingError
from kindling.facts import Container, CronJob, Event, Pod, Report, Run, Workload
from kindling.mend import TakenOut
from kindling.preflight import checks
from kindling.preflight.facts import Check, Quota, Readiness, Release
from kindling.recover import Recovered
from kindling_dev.settings import REPO

ATTACKS = (
    "\x1b[2J\x1b[H\x1b[32msucceeded\x1b[0m",  # clears the screen and lies
    "\x1b]52;c;cm0gLXJmIH4=\x07",  # fills the clipboard
    "\x1b]8;;https://evil.example\x1b\\a link\x1b]8;;\x1b\\",
    "\x9b31m\x9d0;title\x9c\x90q\x9c",  # C1: CSI, OSC, DCS in one character each
    "failed\rsucceeded",
    "failed\b\b\b\b\b\bfine  ",
    "a\x00b\x07c\x0bd\x0ce\x7ff\x85g",
    "\u202egnorw\u202c \u2066isolated\u2069 \u200fmark",  # direction
    "pod\u200b-\u200d1\u2060\ufeff\u00ad\u034f\ufe0f\U000e0041\u3164",  # no width
    "\u2028line\u2029paragraph",
    "\ud800 half",
    "[red]markup[/red] [link=https://evil.example]link[/link] [/] :skull:",
)
BLANK = "\u034f\ufe0f\u3164"
"""Printable as Unicode counts, and not to be seen."""
ATTACK = " ".join(ATTACKS)
TEXT = st.text(st.characters(), max_size=200) | st.sampled_from(ATTACKS)


def is_shown(text: str) -> bool:
    """Whether a terminal has nothing to obey in it, and a reader sees each character of it."""
    return all(c == "\n" or (c.isprintable() and c not in BLANK) for c in text)


def hostile_run(text: str) -> Run:
    """A run in which all that a team may write says one thing."""
    events = (Event("FailedCreate", f"Error creating: {text}"), Event("FailedMount", text))
    container = Container(text, text, "terminated", text, text, 1)
    driver = Pod("driver", "driver", "Failed", "1", text, text, containers=(container,), events=events)
    first = Pod("first", "driver", "Failed", "0", "", "", containers=(container,))
    job = Workload(text, "2", "Failed", text, text, events=events)
    cron_job = CronJob(text, text, True)
    log = (text, f"Error: {text}", f'pods "x" is forbidden: {text}')
    return Run(text, text, text, text, text, job, cron_job, (first, driver), log=log, log_of=text, unread=(text,))


def waiting_run(text: str) -> Run:
    """A run whose driver does not start, for a reason that says one thing."""
    container = Container("driver", text, "waiting", "ImagePullBackOff", text)
    return Run("run", "team", drivers=(Pod("driver", "driver", "Pending", containers=(container,)),))


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_report_has_nothing_that_a_terminal_obeys(attack: str, capsys: pytest.CaptureFixture[str]) -> None:
    for run in (hostile_run(attack), waiting_run(attack), Run("a", "b", gone=((attack, Event(attack, attack)),))):
        output.print_report(explain(run))
    assert is_shown(capsys.readouterr().out)


@settings(deadline=None)
@given(TEXT)
def test_any_text_is_shown_and_stays_as_it_is_shown(text: str) -> None:
    shown = terminal.printable(text)
    assert is_shown(shown)
    assert terminal.printable(shown) == shown
    assert is_shown(terminal.line(text))
    assert last_error.printable(text).isprintable()


def test_what_people_write_stays_as_it_is() -> None:
    for text in (
        "column délai is missing: \u20ac 5",
        "\u65e5\u672c\u8a9e",
        "\u0639\u0631\u0628\u064a",
        "\U0001f680",
        "[red]",
    ):
        assert terminal.printable(text) == last_error.printable(text) == text


def test_an_escape_is_seen_as_one() -> None:
    assert terminal.printable("a\x1b[31m\x9b\u202e\U000e0041") == "a\\x1b[31m\\x9b\\u202e\\U000e0041"


def test_lines_stay_lines_only_where_they_are_the_programs_own() -> None:
    assert terminal.printable("a\nb\rc", lines=True) == "a\nb\\rc"
    assert terminal.line("pod\nsucceeded\rfine") == "pod succeeded fine"


def test_markup_in_a_name_is_that_name(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_mend("[/nightly]", [TakenOut(1, "PodSecurityPolicy/[link=https://evil.example]a[/link]:skull:")])
    told = capsys.readouterr().out
    assert "[/nightly]" in told
    assert "[link=https://evil.example]a[/link]:skull:" in told


def test_every_command_prints_what_a_terminal_may_have(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_mend(ATTACK, [TakenOut(1, ATTACK)])
    output.print_recover(ATTACK, Recovered(1, ATTACK, ATTACK), dry_run=False)
    output.print_recover(ATTACK, Recovered(1, ATTACK, "failed"), dry_run=True)
    told = [Check(ATTACK, "fail", ATTACK, ATTACK), *checks.releases(readiness()), *checks.quota(readiness())]
    output.print_preflight(readiness(), told)
    terminal.say(ATTACK)
    terminal.complain(ATTACK)
    printed = capsys.readouterr()
    assert is_shown(printed.out)
    assert is_shown(printed.err)
    assert "\\x1b[2J" in printed.out


def readiness() -> Readiness:
    """A cluster all of whose names attack."""
    release = Release(ATTACK, ATTACK, (ATTACK,), (ATTACK,))
    quota = Quota(ATTACK, {"pods": "2"}, {"pods": "1"})
    return Readiness(
        ATTACK, (1, 34), ATTACK, (), True, ATTACK, "", frozenset({ATTACK}),
        (release, Release("", "", (), (), ATTACK)), None, ATTACK, (), 0, (quota,), None,
    )  # fmt: skip


def test_colours_are_the_programs_own_and_no_one_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    output.print_report(explain(hostile_run(ATTACK)))
    told = stream.getvalue()
    assert "\x1b[1;31mfailed\x1b[0m" in told, "the state is red"
    for own in ("\x1b[1m", "\x1b[0m", "\x1b[2m", "\x1b[1;31m"):
        told = told.replace(own, "")
    assert is_shown(told)


def test_lines_have_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_report(explain(hostile_run("a" * 1_000_000)))
    assert max(map(len, capsys.readouterr().out.splitlines())) < 5_000


def test_json_is_one_ascii_document(capsys: pytest.CaptureFixture[str]) -> None:
    report: Report = explain(hostile_run(ATTACK))
    terminal.print_json(output.report_as_json(report))
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert is_shown(printed)
    assert json.loads(printed)["name"] == ATTACK


def test_an_error_is_one_printable_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: object) -> None:
        raise KindlingError(f"{ATTACK}\n{'a' * 1_000_000}")

    monkeypatch.setattr("kindling.connection.connect", fail)
    assert cli.run(["why", "run"]) == 2
    told = capsys.readouterr().err
    assert is_shown(told)
    assert told.count("\n") == 1
    assert len(told) < 5_000


UNEXPECTED = """
import logging, sys, warnings
from kindling import __main__, terminal
terminal.guard()
attack = "\\x1b]52;c;AAAA\\x07\\x9b2J\\u202e"
logging.getLogger("urllib3").warning("retrying %s", attack)
warnings.warn(attack)
print(attack, file=sys.stderr)
raise RuntimeError(attack)
"""


def test_what_libraries_say_on_standard_error_is_printable_too() -> None:
    done = subprocess.run([sys.executable, "-c", UNEXPECTED], capture_output=True, check=False)
    told = done.stderr.decode()
    assert "RuntimeError: \\x1b]52;c;AAAA\\x07\\x9b2J\\u202e" in told
    assert told.count("AAAA") >= 4
    assert is_shown(told)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_that_lacks_a_character_gets_its_number(encoding: str) -> None:
    program = "from kindling import terminal; terminal.guard(); terminal.say('d\\xe9lai \\u65e5 \\ud800 \\x1b')"
    env = {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(REPO / "src")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=env)
    assert "\\x1b" in done.stdout.decode(encoding)


@pytest.mark.parametrize("path", sorted((REPO / "src/kindling").rglob("*.py")), ids=lambda path: path.stem)
def test_nothing_prints_but_by_the_terminal(path: Path) -> None:
    if path.stem == "terminal":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name):
            assert node.id not in ("print", "Console"), f"{path}:{node.lineno}"
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("stdout", "stderr") or ast.unparse(node.value) == "done", f"{path}:{node.lineno}"


def test_a_termination_message_is_one_printable_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(last_error, "_MESSAGE", tmp_path / "message")
    last_error.leave_message(f"ValueError: {ATTACK}\n{chr(0x1F680) * 100_000}")
    told = (tmp_path / "message").read_bytes()
    assert len(told) <= 4096, "the kubelet keeps no more"
    assert told.decode().isprintable()
    assert "\\x1b[2J" in told.decode()


def test_a_message_that_has_no_file_loses_no_exit_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(last_error, "_MESSAGE", tmp_path / "nowhere/message")
    assert drive.main(["sh", "-c", "exit 3"]) == 3
    assert "kindling: no termination message: " in capfd.readouterr().err
