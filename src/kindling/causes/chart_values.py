"""The values that cures name, by chart: spark-notebook has no ``retries``, spark-job has no ``kernels``."""

from __future__ import annotations

from typing import Literal

Name = Literal[
    "affinity",
    "annotations",
    "env",
    "envFrom",
    "initContainers",
    "labels",
    "limitCores",
    "memory",
    "memoryOverhead",
    "nodeSelector",
    "podTemplate",
    "requestCores",
    "serviceAccountName",
    "sidecars",
    "tolerations",
    "topologySpreadConstraints",
]
"""A value that each role's pod has."""
JOB = "spark-job"
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
_OF_SUBMITTER = {
    **{name: f"driver.{name}" for name in ("nodeSelector", "tolerations", "affinity")},
    **{name: f"global.helpers.{name}" for name in ("labels", "annotations")},
    **dict.fromkeys(("sidecars", "initContainers", "topologySpreadConstraints"), "submitter.podTemplate"),
    "serviceAccountName": "global.serviceAccounts.submitter",
    "memoryOverhead": "submitter.memory",
}
"""What the submitter's pod takes from elsewhere: it goes where the driver may, and is a helper like others."""
DEADLINE, FAIL_FAST = "raise deadlineSeconds", "failFast"
"""Of spark-job: drivers that last have neither."""
_OF_IMAGE = ("registry", "repository", "tag")
PARTS = {"spark-drivers": "quota.drivers", "spark-submitters": "quota.submitters"}
_OF_QUOTAS = {"spark": "quota.hard", **PARTS}
"""A ResourceQuota that spark-namespace makes -> the value that it comes from."""


def of(name: Name, role: str) -> str:
    """A value of a role's pod: "driver.env"."""
    return _OF_SUBMITTER.get(name, f"submitter.{name}") if role == "submitter" else f"{role}.{name}"


def image(role: str, chart: str) -> str:
    """What names the image of a role's pod: executors may have one of their own, and so may spark-job's drivers."""
    own = [f"{role}.image"] if role == "executor" or (role, chart) == ("driver", JOB) else []
    return " or ".join([", ".join(f"image.{name}" for name in _OF_IMAGE), *own])


def quota(name: str) -> str:
    """Where the figures of a ResourceQuota come from, to go on a sentence; "" if spark-namespace does not make it."""
    return f" ({_OF_QUOTAS[name]} of spark-namespace)" if name in _OF_QUOTAS else ""


def run_again(chart: str) -> str:
    """How an ended driver gets another try."""
    if chart in LASTING:
        return "start it again"
    return "run it again, or set retries; driver.disruptionBudget keeps it from node drains"


def files(chart: str) -> str:
    """What names an application's own file and what it needs."""
    if chart in LASTING:
        return "spark.jars, spark.files, spark.archives or spark.submit.pyFiles in sparkConf"
    return "app.file, app.jars, app.pyFiles, app.files or app.archives"


def packages(chart: str) -> str:
    """What names Maven coordinates."""
    return "spark.jars.packages in sparkConf" if chart in LASTING else "app.packages"


def jars(chart: str) -> str:
    """What names jars."""
    return "spark.jars in sparkConf" if chart in LASTING else "app.jars"


def main_class(chart: str) -> str:
    """How a main class that is missing is mended."""
    if chart in LASTING:
        return "set image to one of this Spark line, with all of its jars"
    return "correct app.mainClass, or app.file if it is another jar"


def memory(role: str, chart: str) -> str:
    """What a container's memory comes from."""
    values = dict.fromkeys((of("memory", role), of("memoryOverhead", role)))
    kernels = ["kernels"] if (role, chart) == ("driver", NOTEBOOK) else []
    return ", ".join([*values, *kernels])


def number(role: str, chart: str) -> str:
    """How many pods there are to be; "" where there is one, whatever the values are."""
    if role != "executor":
        return ""
    return "executor.dynamicAllocation.max" if chart in LASTING else "executor.instances"


def requests(role: str, chart: str) -> str:
    """All that makes an application ask for less."""
    size = ", ".join([of("memory", role), *(["kernels"] if (role, chart) == ("driver", NOTEBOOK) else [])])
    return ", ".join(filter(None, (of("requestCores", role), size, number(role, chart) if role == "executor" else "")))


def own_requests(role: str) -> str:
    """What the one pod asks for that a Job's queue counts."""
    return f"{role}.requestCores, {role}.memory"


def volumes(name: str, chart: str) -> str:
    """Where a volume comes from."""
    return _OF_VOLUMES.get((chart, name)) or (f"volumes ({name})" if name else "volumes")


def class_of_home(role: str, chart: str) -> str:
    """What names the StorageClass of a claim that a chart makes, to go on a sentence."""
    return " (home.storageClass)" if (role, chart) == ("driver", NOTEBOOK) else ""


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
