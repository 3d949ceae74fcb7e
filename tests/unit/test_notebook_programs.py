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


HUBS = {"login": "hub", "idleKernels": "4h", "idleNotebook": "2h", "port": 8888, "baseUrl": "<prefix>"}


def test_a_hub_says_where_its_notebook_listens(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/spark")
    alone, hubs = (
        {option.partition("=")[0] for option in start.options({**HUBS, "login": login})} for login in ("token", "hub")
    )
    assert hubs < alone
    assert {option.partition(".")[2] for option in alone - hubs} == {
        "ip",
        "port",
        "port_retries",
        "open_browser",
        "base_url",
        "allow_remote_access",
    }


def test_a_hubs_executors_are_labelled_as_their_notebooks(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POD_NAME", "jupyter-anna")
    label = "spark.kubernetes.executor.label.kindling.local"
    assert start.labels_of_executors() == {f"{label}/notebook": "jupyter-anna", f"{label}/isolated": "true"}
