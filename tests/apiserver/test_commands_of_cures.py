"""Every command that ``kindling`` tells people to run is one that the real program takes; no server is asked."""

from __future__ import annotations

import re
import shlex
import subprocess
from functools import cache

import pytest
from cures import GAP, commands_told

from kindling import cli
from kindling_dev.settings import REPO

_WORD = re.compile(r"[a-z][a-z-]*")
_FLAG = re.compile(r"(?<![\w-])(--[a-z][a-z-]*|-[a-z])\b")
COMMANDS = commands_told()


@cache
def help_of(*words: str) -> str:
    """What a program's command says of itself; "" if there is no such command."""
    done = subprocess.run([*words, "--help"], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


@cache
def options() -> str:
    """Flags that each command of kubectl and of helm takes."""
    return subprocess.run(["kubectl", "options"], capture_output=True, text=True, check=True).stdout + help_of("helm")


def problem(command: str) -> str:
    """What is wrong with a command of kubectl or helm; "" if nothing is."""
    program, verb, *rest = command.split()
    first = rest[0] if rest and _WORD.fullmatch(rest[0]) else ""
    said = help_of(program, verb)
    if not re.search(rf"(?m)^ {{2,}}{program} {verb}\b", said):
        return f"{program} has no command {verb}"
    groups = re.findall(r"(?m)^  ([a-z][a-z-]+) {2,}\S", said.partition("Available Commands:")[2])
    if groups:
        if first not in groups:
            return f"{program} {verb} has no command {first}"
        said = help_of(program, verb, first)
        second = rest[1] if len(rest) > 1 else ""
        inner = re.findall(r"(?m)^  ([a-z][a-z-]+) {2,}\S", said.partition("Available Commands:")[2])
        if inner:
            if second not in inner:
                return f"{program} {verb} {first} has no command {second}"
            said = help_of(program, verb, first, second)
    for flag in _FLAG.findall(command):
        if not re.search(rf"(?<![\w-]){flag}[,= ]", said + options()):
            return f"{program} {verb} has no flag {flag}"
    return ""


def test_commands_of_cures_are_found() -> None:
    programs = {command.split()[0] for command in COMMANDS}
    assert programs == {"kindling", "kubectl", "helm"}
    assert any(command.startswith(f"kubectl delete pod {GAP}") for command in COMMANDS)
    assert any(command.startswith("kindling mend ") for command in COMMANDS)


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("kubectl logs --previous x --container y", ""),
        ("kubectl log x", "kubectl has no command log"),
        ("kubectl logs --before x", "kubectl logs has no flag --before"),
        ("kubectl create secrets x", "kubectl create has no command secrets"),
        ("kubectl create secret opaque x", "kubectl create secret has no command opaque"),
        ("helm remove x", "helm has no command remove"),
        ("helm upgrade x --sets a=b", "helm upgrade has no flag --sets"),
    ],
)
def test_a_wrong_command_is_found(command: str, wrong: str) -> None:
    assert problem(command) == wrong


@pytest.mark.parametrize("command", sorted(one for one in COMMANDS if not one.startswith("kindling ")))
def test_a_cures_command_is_one_of_the_program(command: str) -> None:
    assert problem(command) == "", str(COMMANDS[command])


@pytest.mark.parametrize("command", sorted(one for one in COMMANDS if one.startswith("kindling ")))
def test_a_cures_command_of_kindling_is_parsed(command: str) -> None:
    words = [word.replace(GAP, "x") for word in shlex.split(command)[1:]]
    if len(words) > 1:
        assert cli.parser().parse_args(words), str(COMMANDS[command])
        return
    with pytest.raises(SystemExit) as told:
        cli.parser().parse_args([*words, "--help"])
    assert told.value.code == 0, str(COMMANDS[command])


@pytest.mark.parametrize("command", sorted(one for one in COMMANDS if "charts/" in one))
def test_a_cures_chart_is_there(command: str) -> None:
    for chart in re.findall(r"charts/[a-z-]+", command):
        assert (REPO / chart / "Chart.yaml").exists(), str(COMMANDS[command])
