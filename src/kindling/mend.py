"""Taking out of a release what the API server no longer has, so that helm can upgrade and uninstall it again."""

from __future__ import annotations

from dataclasses import dataclass

from kindling.connection import Connection
from kindling.releases import Releases


@dataclass(frozen=True)
class TakenOut:
    """An object that a revision of the release no longer holds."""

    revision: int
    held: str


def mend(connection: Connection, release: str) -> list[TakenOut]:
    """Mend all revisions of a release in the connection's namespace: a rollback needs old ones too.

    Raises:
        KindlingError: the namespace has no such release.
    """
    releases = Releases(connection)
    taken_out = []
    for record in releases.of_namespace(connection.namespace, release):
        gone = [held for held in record.held() if releases.is_gone(held)]
        if gone:
            releases.write(record.without(releases.is_gone))
            taken_out += [TakenOut(record.revision, str(held)) for held in gone]
    return taken_out
