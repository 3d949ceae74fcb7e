"""How long a command may take."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from kindling.errors import KindlingError


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """End what takes longer, whatever it waits for or counts; only in the main thread, and where there are signals.

    Raises:
        KindlingError: it took longer.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> NoReturn:
        raise KindlingError(f"no answer within {seconds} s: try again, or ask for less")

    before = signal.signal(signal.SIGALRM, end)
    # Again each second: a library may take the first one for an error of its own.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
