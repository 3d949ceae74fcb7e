"""The log lines of spark-ui-proxy's service: one of JSON each, whatever a client or a cluster sent."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_ui_proxy.logs import JsonLines

ATTACK = '\x1b]52;c;AAAA\x07\x9b2J\u202e\r\n{"decision":"ok"}'


def logged(message: str, exception: str = "", **extra: object) -> str:
    """A line of the log."""
    record = logging.makeLogRecord({"name": "audit", "msg": "%s", "args": (message,), **extra})
    try:
        raise RuntimeError(exception)
    except RuntimeError:
        record.exc_info = sys.exc_info()
    return JsonLines().format(record)


@pytest.mark.parametrize("field", ["message", "exception", "user", "path", "detail", "problem"])
def test_a_line_is_one_line_of_plain_characters(field: str) -> None:
    given = {"message": "refused", field: ATTACK}
    line = logged(**given)
    assert line.isascii()
    assert line.isprintable()
    assert ATTACK in json.loads(line)[field]


def test_a_line_has_an_end() -> None:
    assert len(logged("a" * 1_000_000, "b" * 1_000_000, user="c" * 1_000_000)) < 64 * 1024


@settings(deadline=None)
@given(st.text(), st.text())
def test_no_text_makes_two_lines(message: str, user: str) -> None:
    line = logged(message, user=user)
    assert line.isprintable()
    assert json.loads(line)["user"] == user
