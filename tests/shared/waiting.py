"""Waiting for what a test cannot make happen at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def wait_until(condition: Callable[[], Any], what: str | Callable[[], str], seconds: float = 60) -> None:
    """Ask until something is so.

    Args:
        condition: is asked again and again.
        what: it is, or what tells the evidence when it did not come.
        seconds: at most.

    Raises:
        AssertionError: it was not, in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what if isinstance(what, str) else what()}"
        time.sleep(0.1)
