"""The values that cures name, by chart: spark-notebook has no ``retries``, spark-job has no ``kernels``."""

from __future__ import annotations

NOTEBOOK = "spark-notebook"
CONNECT = "spark-connect"
LASTING = (NOTEBOOK, CONNECT)
"""Charts whose driver is to run until somebody stops it."""
_OF_VOLUMES = {
    (NOTEBOOK, "login"): "login.secret",
    (NOTEBOOK, "home"): "home.existingClaim",
    (CONNECT, "login"): "login.secret",
    (CONNECT, "tls"): "tls.secretName",
}
"""Chart and name of a volume that the chart makes itself -> the value that it comes from."""


def memory(role: str, chart: str) -> str:
    """What a container's memory comes from."""
    if role == "submitter":
        return "submitter.memory"
    kernels = ", kernels" if (role, chart) == ("driver", NOTEBOOK) else ""
    return f"{role}.memory, {role}.memoryOverhead{kernels}"


def number(role: str, chart: str) -> str:
    """How many pods there are to be; "" where there is one, whatever the values are."""
    if chart in LASTING:
        return "executor.dynamicAllocation.max" if role == "executor" else ""
    return "executor.instances"


def requests(role: str, chart: str) -> str:
    """All that makes an application ask for less."""
    if role == "submitter":
        return "submitter.requestCores, submitter.memory"
    size = "driver.memory, kernels" if (role, chart) == ("driver", NOTEBOOK) else f"{role}.memory"
    return ", ".join(filter(None, (f"{role}.requestCores", size, number(role, chart))))


def volumes(name: str, chart: str) -> str:
    """Where a volume comes from."""
    return _OF_VOLUMES.get((chart, name)) or (f"volumes ({name})" if name else "volumes")


def idle(chart: str) -> str:
    """After which time a driver that nobody uses stops itself, in a sentence; "" if it does not."""
    of_charts = {NOTEBOOK: "an idle notebook stops so after the time of idle.notebook"}
    of_charts[CONNECT] = "an idle Connect server stops so after the time of idle.server"
    return of_charts.get(chart, "")


def lost(chart: str) -> str:
    """What the end of a driver's container takes with it, to go on a sentence."""
    of_charts = {NOTEBOOK: "; its kernels' sessions are gone", CONNECT: "; its sessions are gone"}
    return of_charts.get(chart, "")


def new_session(chart: str) -> str:
    """How one gets a new session after Spark ended the driver's, to go on a sentence."""
    of_charts = {NOTEBOOK: ", such as by restarting the kernel", CONNECT: " when the server has started again"}
    return of_charts.get(chart, "")
