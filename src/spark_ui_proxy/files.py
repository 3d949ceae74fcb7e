"""Files that change while the service runs: tokens, keys and certificates of mounted Secrets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


class Reread(Generic[T]):
    """What a file's bytes mean, worked out anew whenever the file has changed.

    Args:
        path: the file; a mounted Secret replaces it as a whole.
        parse: what its bytes mean.
    """

    def __init__(self, path: Path, parse: Callable[[bytes], T]) -> None:
        self._path = path
        self._parse = parse
        self._stamp: tuple[int, int, int] | None = None
        self._value: T

    def get(self) -> T:
        """The value of the file as it is now.

        Raises:
            OSError: there is no such file.
        """
        status = self._path.stat()
        stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
        if stamp != self._stamp:
            self._value = self._parse(self._path.read_bytes())
            self._stamp = stamp
        return self._value
