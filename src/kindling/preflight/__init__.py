"""Whether a cluster and a namespace are ready for Spark.

``rights`` says who needs what, ``read`` asks the cluster, ``checks`` judge what was read without asking anything.
"""

from __future__ import annotations

from kindling.connection import Connection
from kindling.preflight.checks import CHECKS
from kindling.preflight.facts import Check, Readiness
from kindling.preflight.read import read


def preflight(connection: Connection) -> tuple[Readiness, list[Check]]:
    """Read the cluster and judge it: what was read, and the checks in the order in which they matter."""
    facts = read(connection)
    return facts, [check for judge in CHECKS for check in judge(facts)]
