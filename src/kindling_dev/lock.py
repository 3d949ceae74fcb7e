"""Locks between processes: two runs at once make a thing once."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kindling_dev.progress import Progress


@contextmanager
def one_at_a_time(file: Path, progress: Progress) -> Iterator[None]:
    """Let one process at a time run the block for a lock file; the file is created, and stays."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with progress.step(f"waiting for another run, which makes {file.stem}"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield
