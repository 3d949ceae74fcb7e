"""What is told of a pod that failed, from what it printed: by ``kindling why``, and in its termination message."""

from __future__ import annotations

from dataclasses import replace

from last_error import LastError

from kindling.causes import explain
from kindling.facts import Container, Finding, Pod, Run, Workload


def finding(lines: list[str], role: str = "driver", exit_code: int = 1) -> Finding:
    """What ``kindling why`` finds in the log of a driver or a submitter."""
    container = Container(role, state="terminated", reason="Error", exit_code=exit_code)
    pod = Pod("job-1-x", role, "Failed", containers=(container,))
    job = Workload("job-1", condition="Failed", reason="BackoffLimitExceeded")
    run = Run("job", "team", workload=job, log=tuple(lines), log_of=pod.name)
    run = replace(run, drivers=(pod,)) if role == "driver" else replace(run, submitters=(pod,))
    (found,) = explain(run).findings
    return found


def message(lines: list[str], addresses: list[str] | None = None) -> str:
    """The termination message of a pod that printed the lines; ``addresses``: what it printed of values first."""
    reader = LastError()
    reader.know(addresses or [])
    for line in lines:
        reader.read(line)
    return reader.line
