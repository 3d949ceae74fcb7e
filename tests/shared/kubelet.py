"""What a kubelet writes of a pod, for tests in which none runs it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

NODE, NODE_ADDRESS = "node-1", "10.255.0.1"
"""The node on which pods of tests are said to be. Nothing is ever sent there."""


def status_of(ip: str, containers: Iterable[str], phase: str = "Running", *, ready: bool = True) -> dict[str, Any]:
    """The status of a pod on NODE.

    Args:
        ip: its address; "": none is said.
        containers: that run, where the phase is Running.
        phase: of the pod.
        ready: it is, where it runs.
    """
    running = phase == "Running"
    address = {"podIP": ip, "podIPs": [{"ip": ip}]} if ip and phase != "Pending" else {}
    return {
        "phase": phase,
        "conditions": [{"type": "Ready", "status": str(ready and running)}],
        "hostIP": NODE_ADDRESS,
        "startTime": "2026-11-21T20:00:00Z",
        **address,
        **({"containerStatuses": [_running(name) for name in containers]} if running else {}),
    }


def _running(container: str) -> dict[str, Any]:
    return {
        "name": container,
        "image": "spark",
        "imageID": "spark@sha256:0",
        "containerID": "containerd://5f0c",
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": "2026-11-21T20:00:01Z"}},
    }
