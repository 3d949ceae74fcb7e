"""Telling helm that an operation of its own has ended, where it was killed and could not write that down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kindling.connection import Connection, server_time
from kindling.errors import KindlingError
from kindling.releases import Record, Releases

IDLE_S = 600
"""Since when no helm has written: it writes when it begins and when it ends, and waits for five minutes unless told."""
_CHANGING = ("pending-upgrade", "pending-rollback")
_UNDER_WAY = ("pending-install", *_CHANGING, "uninstalling")
_FAILED = "failed"
_DONE = ("deployed", "superseded")


@dataclass(frozen=True)
class Recovered:
    """The newest revision of a release.

    Attributes:
        revision: its number.
        was: the status that it had.
        status: the one that it has now.
    """

    revision: int
    was: str
    status: str


def recover(connection: Connection, release: str, idle_s: int, *, dry_run: bool) -> Recovered:
    """Mark the newest revision of a release in the connection's namespace as failed, if an operation is under way.

    That is what helm itself does when an operation ends badly; it then takes any other. Objects are not touched. The
    revision now also holds what those before it may have left: helm compares a rollback with the newest revision alone,
    and uninstalls that alone.

    Args:
        connection: names the namespace.
        release: its name.
        idle_s: how many seconds ago the record must have been written; younger, another helm may be at work.
        dry_run: only say what would be done.

    Raises:
        KindlingError: the namespace has no such release, or another helm may be at work.
    """
    releases = Releases(connection)
    *before, newest = releases.of_namespace(connection.namespace, release)
    if newest.status not in _UNDER_WAY:
        return Recovered(newest.revision, newest.status, newest.status)
    _check_idle(newest, server_time(connection), idle_s)
    if not dry_run:
        whole = newest.joined(_unfinished(before)) if newest.status in _CHANGING else newest
        releases.write(whole.marked(_FAILED, f"{newest.status} was interrupted: kindling recover"))
    return Recovered(newest.revision, newest.status, _FAILED)


def _unfinished(before: list[Record]) -> list[Record]:
    """The last revision that was finished, and those after it: their objects may be there."""
    finished = [index for index, record in enumerate(before) if record.status in _DONE]
    return before[finished[-1] if finished else 0 :]


def _check_idle(record: Record, now: datetime, idle_s: int) -> None:
    age_s = int((now - record.written).total_seconds())
    if age_s < idle_s:
        raise KindlingError(
            f"revision {record.revision} of {record.release} is {record.status} since {age_s} s, helm may be at work: "
            f"wait until it is {idle_s} s, or give --idle 0 if you know that it has ended"
        )
