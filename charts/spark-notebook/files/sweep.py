"""Removes executors that a killed driver in this pod left behind: their owner, or their StatefulSet's, lives on.

``sweep.py PID`` waits for the end of a driver's JVM first; without arguments no driver runs yet. An executor whose
driver still listens is left alone. Standard library only.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import urllib.parse
from typing import Any

import kube


def main() -> None:
    """Wait, then remove."""
    if sys.argv[1:]:
        # A kernel is ended by a signal to its whole session.
        os.setsid()
        wait_for_end(int(sys.argv[1]))
    for pod in kube.patiently(executors):
        if not listens(*driver_of(pod)):
            print(f"kindling: removing executor {pod['metadata']['name']}, whose driver is gone", flush=True)
            kube.patiently(lambda pod=pod: remove(pod))


def wait_for_end(pid: int) -> None:
    """Return when a process is gone."""
    try:
        ending = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    select.select([ending], [], [])


def executors() -> list[dict[str, Any]]:
    """The executors that this pod owns, or that a StatefulSet makes for a driver in it."""
    query = urllib.parse.urlencode({"labelSelector": "spark-role=executor"})
    pods = kube.ask("GET", f"/api/v1/namespaces/{kube.namespace()}/pods?{query}")["items"]
    here = os.environ["POD_UID"], os.environ["POD_IP"]
    return [pod for pod in pods if owned(pod, here[0]) or (set_of(pod) and driver_of(pod)[0] == here[1])]


def owned(pod: dict[str, Any], uid: str) -> bool:
    """Whether a pod's owner has an uid."""
    return any(owner["uid"] == uid for owner in pod["metadata"].get("ownerReferences", []))


def set_of(pod: dict[str, Any]) -> str:
    """The StatefulSet that makes a pod, and would make it again; "" if none does."""
    owners = pod["metadata"].get("ownerReferences", [])
    return next((str(owner["name"]) for owner in owners if owner["kind"] == "StatefulSet"), "")


def driver_of(pod: dict[str, Any]) -> tuple[str, int]:
    """Where an executor looks for its driver: of ``spark://CoarseGrainedScheduler@10.0.0.1:7078``."""
    variables = {one["name"]: one.get("value", "") for one in pod["spec"]["containers"][0].get("env", [])}
    place = urllib.parse.urlsplit(variables.get("SPARK_DRIVER_URL", ""))
    return place.hostname or "", place.port or 0


def listens(host: str, port: int) -> bool:
    """Whether anything does."""
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return False
    return True


def remove(pod: dict[str, Any]) -> None:
    """Delete a pod, or the StatefulSet that makes it; what is gone is gone."""
    path = f"/api/v1/namespaces/{kube.namespace()}/pods/{pod['metadata']['name']}"
    if set_of(pod):
        path = f"/apis/apps/v1/namespaces/{kube.namespace()}/statefulsets/{set_of(pod)}"
    try:
        kube.ask("DELETE", path)
    except kube.RefusedError as refused:
        if refused.status != 404:
            raise


if __name__ == "__main__":
    main()
