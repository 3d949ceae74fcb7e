"""Content addresses: the same inputs give the same name, so what is built once is found again."""

from __future__ import annotations

import hashlib
from pathlib import Path


def fingerprint(*inputs: str | Path) -> str:
    """Twelve hexadecimal digits that change when any input does.

    A string counts as itself; a file as its name, content and executable bit; a folder as all its files.
    """
    digest = hashlib.sha256()
    for item in inputs:
        if isinstance(item, str):
            digest.update(b"s" + item.encode() + b"\0")
            continue
        files = sorted(path for path in item.rglob("*") if path.is_file()) if item.is_dir() else [item]
        for path in files:
            name = path.relative_to(item).as_posix() if item.is_dir() else path.name
            mode = b"x" if path.stat().st_mode & 0o100 else b"-"
            digest.update(b"f" + name.encode() + b"\0" + mode + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]
