"""Whether a cluster and a namespace are ready for Spark.

``rights`` says who needs what, ``read`` asks the cluster, ``checks`` judge what was read without asking anything;
``kerberos`` and ``lasting`` look at what values name, by the help of ``named``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kindling.connection import Connection
from kindling.preflight import kerberos, lasting
from kindling.preflight.checks import CHECKS
from kindling.preflight.facts import Check, Readiness
from kindling.preflight.named import UNREADABLE, no_values, read_values
from kindling.preflight.read import read


def preflight(connection: Connection, files: Sequence[Path] = ()) -> tuple[Readiness, list[Check]]:
    """Read the cluster and judge it: what was read, and the checks in the order in which they matter.

    Args:
        connection: to the cluster, and the namespace.
        files: of values; what they name is looked at, too.

    Raises:
        KindlingError: a file of values cannot be read.
    """
    try:
        values = read_values(files)
        team, person = kerberos.wanted(values), lasting.wanted(values)
    except UNREADABLE as error:
        raise no_values(", ".join(map(str, files)), error) from None
    facts = read(connection)
    checks = [check for judge in CHECKS for check in judge(facts)]
    return facts, [*checks, *kerberos.check(connection, team), *lasting.check(connection, person)]
