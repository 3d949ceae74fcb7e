"""Whether a cluster and a namespace are ready for Spark.

``rights`` says who needs what, ``read`` asks the cluster, ``checks`` judge what was read without asking anything;
``kerberos`` looks at what a team's values name.
"""

from __future__ import annotations

from pathlib import Path

from kindling.connection import Connection
from kindling.preflight import kerberos
from kindling.preflight.checks import CHECKS
from kindling.preflight.facts import Check, Readiness
from kindling.preflight.read import read


def preflight(connection: Connection, values: Path | None = None) -> tuple[Readiness, list[Check]]:
    """Read the cluster and judge it: what was read, and the checks in the order in which they matter.

    Raises:
        KindlingError: the values file cannot be read.
    """
    wanted = kerberos.wanted(values) if values else None
    facts = read(connection)
    checks = [check for judge in CHECKS for check in judge(facts)]
    return facts, checks + (kerberos.check(connection, wanted) if wanted else [])
