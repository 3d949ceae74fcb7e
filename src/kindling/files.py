"""Files that hold credentials."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from kindling.errors import KindlingError


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read (0600), in one step: a reader sees the old one or the new one.

    Raises:
        KindlingError: it cannot be written.
    """
    path = path.resolve()  # a link stays one
    scratch = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, scratch = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # it has mode 0600
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(scratch).replace(path)
    except OSError as error:
        if scratch:
            Path(scratch).unlink(missing_ok=True)
        raise KindlingError(f"cannot write {path}: {error.strerror}; choose another place") from None
