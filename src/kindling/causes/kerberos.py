"""Why a driver that uses a secure HDFS failed: by the table of ``kerberos_faults``, and what the log tells besides."""

from __future__ import annotations

import re

from kindling import driver_log
from kindling.causes.kerberos_faults import (
    LOST_TOKEN,
    NO_DATA_PROTECTION,
    NO_TOKEN,
    explained,
    fault_of,
    namenode,
    unreached,
)
from kindling.causes.known_faults import Explained
from kindling.facts import Finding, Run

_JAVA = re.compile(r"Java version (\d{1,3})\b")
_SINCE_NO_INHERITANCE = 22
_FETCHED = "Created token for "
_NOT_FETCHED = "Failed to get token from service hadoopfs"
"""After this warning a driver goes on without tokens of any HDFS."""
_ONE_NOT_FETCHED = "Utils: Uncaught exception in thread "
"""After this one, of Spark 4, without those of the HDFS that the exception names."""
_RESETS = ("Connection reset", "DIGEST-MD5: No common protection layer")


def explain_kerberos(run: Run) -> Finding | None:
    """The fault of Kerberos or of a secure HDFS that ended a run, if one did."""
    error = driver_log.error_of(run.log)
    if error is None:
        return None
    found = _of_data(run, error.text) or fault_of(error.text)
    if found is None:
        return None
    if found.id == NO_TOKEN.id:
        found = _of_fetch(run, error.text) or _of_java(run, error.text) or found
    return _finding(run, found)


def explain_unreached(run: Run) -> Finding | None:
    """The NameNode that did not answer an application, if that ended the run."""
    error = driver_log.error_of(run.log)
    found = unreached(error.text) if error else None
    return _finding(run, found) if found else None


def _finding(run: Run, found: Explained) -> Finding:
    return Finding(found.id, "driver", found.cause, found.cure, (run.in_log(found.line),))


def _of_fetch(run: Run, error: str) -> Explained | None:
    """Why the driver got no tokens for executors of the file system that an error of theirs names."""
    of_one = (block for block in driver_log.told(run.log, _ONE_NOT_FETCHED) if namenode(block) == namenode(error))
    told = [*driver_log.told(run.log, _NOT_FETCHED), *of_one]
    return next((found for block in told if (found := fault_of(block) or unreached(block))), None)


def _of_data(run: Run, error: str) -> Explained | None:
    """Blocks that no DataNode gives or takes, where the log says that it is not for lack of DataNodes."""
    if not NO_DATA_PROTECTION.sign_in(error) or not any(reset in line for line in run.log for reset in _RESETS):
        return None
    return explained(NO_DATA_PROTECTION, error)


def _of_java(run: Run, error: str) -> Explained | None:
    """Executors without the tokens that the driver did get."""
    java = driver_log.last_matching(run.log, _JAVA)
    if java is None or int(java[1]) < _SINCE_NO_INHERITANCE or not any(_FETCHED in line for line in run.log):
        return None
    return explained(LOST_TOKEN, error, java[1])
