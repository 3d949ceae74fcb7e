"""Markers by tier, chosen by folder: ``-m "render or cluster"``; loaded by ``chartproof.plugin``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

_TIERS: pytest.StashKey[dict[Path, str]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The setting."""
    parser.addini("tiers", 'markers of the tests below folders, a line each: "MARKER: FOLDER …"', type="linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Read the tiers and declare their markers."""
    tiers = config.stash[_TIERS] = _read(config.getini("tiers"), config.rootpath)
    for marker in dict.fromkeys(tiers.values()):
        folders = [folder.relative_to(config.rootpath).as_posix() for folder in tiers if tiers[folder] == marker]
        config.addinivalue_line("markers", f"{marker}: a test below {', '.join(folders)}")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test as its folder says."""
    path = str(item.path)
    for folder, marker in item.config.stash[_TIERS].items():
        if path.startswith(f"{folder}{os.sep}"):
            item.add_marker(marker)


def _read(lines: Sequence[str], root: Path) -> dict[Path, str]:
    """Folder -> its marker."""
    tiers: dict[Path, str] = {}
    for line in lines:
        marker, _, rest = line.partition(":")
        if not marker.isidentifier() or not rest.split():
            raise pytest.UsageError(f'tiers: {line!r} is no tier; write "MARKER: FOLDER …"')
        if marker in tiers.values():
            raise pytest.UsageError(f"tiers: {marker} is there twice; give all its folders in one line")
        for name in rest.split():
            folder = root / name
            if not folder.is_dir():
                raise pytest.UsageError(f"tiers: {marker}: there is no folder {name}; mend the name, or remove it")
            if folder in tiers:
                raise pytest.UsageError(f"tiers: {name} is in {tiers[folder]} and in {marker}; leave one")
            tiers[folder] = marker
    return tiers
