"""Files that hold credentials, in folders that others may write to as well.

A path is walked folder by folder, each opened from the one before it, so that nobody can exchange a part of it on the
way. Links count if they are the caller's own or root's; what is there already is replaced, never written into.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from secrets import token_hex

from kindling.errors import KindlingError

_MOST = 1024 * 1024  # bytes of a file that is read
_LINKS = 40  # that a path may lead through, as of Linux
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW  # that one may enter, if not list
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_OLD = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a FIFO answers at once
_NOT_SAFE = "choose a folder of your own"


@dataclass(frozen=True)
class _Place:
    """Where a file is: an open folder, and the file's name in it."""

    folder: int
    name: str


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read (0600), in one step: a reader sees the old one or the new one.

    Raises:
        KindlingError: it cannot be written, or others could replace it or have it written elsewhere.
    """
    try:
        with _place(path, make=True) as place:
            _check_folder(place.folder, path)
            _replace(place, text)
    except OSError as error:
        raise KindlingError(f"cannot write {path}: {error.strerror}; choose another place") from None


def read_private(path: Path) -> str | None:
    """The text of a file of the caller's own; None where there is none.

    Raises:
        KindlingError: it is another's, or no file that holds a credential.
    """
    try:
        with _place(path, make=False) as place:
            handle = os.open(place.name, _OLD, dir_fd=place.folder)
            with os.fdopen(handle, "rb") as file:
                about = os.fstat(handle)
                if not stat.S_ISREG(about.st_mode) or not _is_trusted(about):
                    raise KindlingError(f"{path} is another user's, or no file: remove it, or {_NOT_SAFE}")
                content = file.read(_MOST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KindlingError(f"cannot read {path}: {error.strerror}; choose another place") from None
    try:
        if len(content) <= _MOST:
            return content.decode()
    except UnicodeDecodeError:
        pass
    raise KindlingError(f"{path} is no text, or more than a megabyte: remove it, or choose another place")


def remove_private(path: Path) -> None:
    """Remove a file of the caller's own; nothing where there is none.

    Raises:
        KindlingError: it cannot be removed.
    """
    try:
        with _place(path, make=False) as place:
            os.unlink(place.name, dir_fd=place.folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise KindlingError(f"cannot remove {path}: {error.strerror}; remove it by hand: it has a key") from None


def _replace(place: _Place, text: str) -> None:
    scratch = f".{place.name[:200]}.{token_hex(8)}"
    handle = os.open(scratch, _NEW, 0o600, dir_fd=place.folder)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        os.replace(scratch, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(scratch, dir_fd=place.folder)
        raise


def _check_folder(folder: int, path: Path) -> None:
    """Refuse a folder in which another may replace the file: who reads it then logs in where that one says.

    Root writes where it is told: the folders of a CI system's container are those of the user outside.
    """
    about = os.fstat(folder)
    if not _is_trusted(about) and os.geteuid() != 0:
        raise KindlingError(f"{path} is in a folder of another user (uid {about.st_uid}): {_NOT_SAFE}")
    if about.st_mode & stat.S_IWOTH and not about.st_mode & stat.S_ISVTX:
        raise KindlingError(f"{path} is in a folder that everybody may write to: {_NOT_SAFE}, or chmod o-w it")


def _is_trusted(about: os.stat_result) -> bool:
    return about.st_uid in (os.geteuid(), 0)


@contextmanager
def _place(path: Path, *, make: bool) -> Iterator[_Place]:
    """Walk to a file's folder; ``make`` makes what is missing of it, for the caller alone.

    Raises:
        KindlingError: a link of another user's is on the way.
        OSError: a folder cannot be opened or made.
    """
    parts = list(path.absolute().parts[1:])
    links = 0
    folder = os.open("/", _FOLDER)
    try:
        while parts:
            name = parts.pop(0)
            target = _link(folder, name, path)
            if target is not None:
                links += 1
                if links > _LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                if target.is_absolute():
                    folder = _entered(folder, "/")
                parts = [*(part for part in target.parts if part != "/"), *parts]
            elif not parts:
                yield _Place(folder, name)
                return
            else:
                folder = _entered(folder, name, make=make)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    finally:
        os.close(folder)


def _link(folder: int, name: str, path: Path) -> PurePosixPath | None:
    """Where a link leads; None for what is none."""
    try:
        about = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISLNK(about.st_mode):
        return None
    if not _is_trusted(about):
        raise KindlingError(f"{path} leads through a link of another user (uid {about.st_uid}): {_NOT_SAFE}")
    return PurePosixPath(os.readlink(name, dir_fd=folder))


def _entered(folder: int, name: str, *, make: bool = False) -> int:
    try:
        inner = os.open(name, _FOLDER, dir_fd=folder)
    except FileNotFoundError:
        if not make:
            raise
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=folder)
        inner = os.open(name, _FOLDER, dir_fd=folder)
    os.close(folder)
    return inner
