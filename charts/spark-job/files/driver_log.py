"""Follows the log of a driver pod and passes it on. Standard library only."""

from __future__ import annotations

import re
import sys
import threading
from urllib.parse import quote

import kube
from last_error import LastError
from refusal import refusal_of

_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT")
_TAIL_S = 15  # how long the rest of an ended driver's log may take


class DriverLog(threading.Thread):
    """Prints a driver's log byte by byte as it is, each line once, through restarts of the API server.

    Attributes:
        error: the last error in it.
        refused: set when the driver says that the API server refuses executors; ``refusal`` is what it said.
    """

    def __init__(self, path: str) -> None:
        super().__init__(daemon=True)
        self.error = LastError()
        self.refusal = ""
        self.refused = threading.Event()
        self._path = path
        self._ended = threading.Event()
        self._last = ""

    def finish(self) -> None:
        """The driver has ended: print the rest."""
        self._ended.set()
        self.join(timeout=_TAIL_S)

    def run(self) -> None:
        """Read until the driver has ended and all of its log was read."""
        while True:
            ended = self._ended.is_set()
            try:
                self._read(follow=not ended)
            except (kube.RefusedError, *kube.AWAY):
                # Not started yet, gone, or the API server is away: which of them, the driver's watch finds out.
                pass
            if ended:
                return
            self._ended.wait(timeout=1)

    def _read(self, *, follow: bool) -> None:
        # The API server counts sinceTime in whole seconds: what was printed already is left out below.
        since = f"&sinceTime={quote(self._last[:19] + 'Z')}" if self._last else ""
        begins, known = True, False
        for piece in kube.pieces(f"{self._path}?container=driver&timestamps=true&follow={str(follow).lower()}{since}"):
            printed = piece
            # What the kubelet says of the log itself has no time.
            if begins and _STAMP.match(piece):
                stamp, _, printed = piece.partition(b" ")
                moment = _padded(stamp.decode(errors="replace"))
                known = moment <= self._last
                self._last = max(moment, self._last)
            begins = piece.endswith(b"\n")
            if known:
                continue
            sys.stdout.buffer.write(printed)
            sys.stdout.buffer.flush()
            text = printed.decode(errors="replace")
            self.error.read(text)
            if not self.refusal and (refusal := refusal_of(text)):
                self.refusal = refusal
                self.refused.set()


def _padded(stamp: str) -> str:
    """A time stamp whose fraction has nine digits, so that text sorts as time does."""
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    return f"{whole}.{fraction:0<9}"
