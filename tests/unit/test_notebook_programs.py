"""spark-notebook's programs: what JupyterLab is started with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from programs import program


@pytest.fixture(scope="module")
def start() -> Any:
    """The program that a notebook's container runs, as a module."""
    return program("spark-notebook", "start")


def test_a_token_has_no_space_around_it(start: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("0123abcd\n")
    for _ in range(2):
        copy = start.token_file(secret, tmp_path / "copy")
        assert copy.read_text() == "0123abcd"
        assert copy.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_empty_token_starts_no_notebook(start: Any, tmp_path: Path, text: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text(text)
    with pytest.raises(SystemExit, match=r"the token in login\.secret is empty, and everyone could log in"):
        start.token_file(secret, tmp_path / "copy")


@pytest.mark.parametrize(("text", "seconds"), [("45s", 45), ("90m", 5400), ("4h", 14400)])
def test_durations_are_seconds(start: Any, text: str, seconds: int) -> None:
    assert start.lasting.seconds(text) == seconds
