"""Did a kubelet write this status? Whoever may patch `pods/status` can write any other.

No single field proves it: a status is text, and a forger can write all of it that a kubelet writes. What each takes:

* `spec.nodeName` is set by the scheduler, or by who creates the pod, and never changes. A pod that waits (for a
  `schedulingGate`, for room) has none, no kubelet looks at it, and a forged status stays. It proves that the pod was
  bound; not that the node is there. The cluster's garbage collector deletes pods of nodes that are not; on a node that
  is there the kubelet writes its own status over a forged one, within seconds.
* `hostIP`, `startTime` and `podIPs` are written with the first status that a kubelet writes. Alone they prove nothing;
  who forges only what the proxy routes by (phase, podIP) lacks them.
* The container that serves the UI is `running` with a `containerID`: the container runtime has told the kubelet so. Who
  patches a pod that has not started finds it waiting, or missing.

The manager of `metadata.managedFields` is not looked at: its name is whatever the client says (`fieldManager=kubelet`),
and lists of it can be written by hand. Nor are times compared: clocks of nodes differ.

So a forger who writes all that gets this far. What is left to them is an address that a pod can have (`addresses`),
that nobody else has (`claims`), and at which no Spark says that it is somebody else's driver (`witness`). To keep
people from writing statuses at all is the part of spark-namespace's guard.
"""

from __future__ import annotations

from typing import Any

from spark_ui_proxy.addresses import parsed

_LIKE_A_KUBELET = "as a kubelet's does: somebody else wrote it"


def doubt(spec: dict[str, Any], status: dict[str, Any], container: str) -> str:
    """Why a status that says that a pod runs is not believed, in a line; "": it is.

    Args:
        spec, status: of the pod.
        container: the name of that in which Spark runs.
    """
    if not spec.get("nodeName"):
        return "its status says that it runs, but it is on no node: no kubelet wrote that"
    if not parsed(str(status.get("hostIP", ""))):
        return f"its status does not say which node it is on (hostIP), {_LIKE_A_KUBELET}"
    if not status.get("startTime"):
        return f"its status does not say since when it is there (startTime), {_LIKE_A_KUBELET}"
    if not _known(status, container):
        return f"its status does not say how its container {container} does (containerStatuses), {_LIKE_A_KUBELET}"
    if status.get("podIP") and {"ip": status["podIP"]} not in status.get("podIPs", []):
        return f"its address is not among its addresses (podIPs), {_LIKE_A_KUBELET}"
    return ""


def runs(status: dict[str, Any], container: str) -> bool:
    """Whether a container runs now; one that is restarted does not."""
    state = _of(status, container).get("state") or {}
    return bool(state.get("running"))


def node_addresses(status: dict[str, Any]) -> tuple[str, ...]:
    """What a status says of its node, each in one spelling."""
    said = (status.get("hostIP", ""), *(item.get("ip", "") for item in status.get("hostIPs", [])))
    return tuple(dict.fromkeys(str(address) for text in said if (address := parsed(text))))


def _known(status: dict[str, Any], container: str) -> bool:
    """Whether the runtime has told of it. One that waits to be started again is known too."""
    found = _of(status, container)
    state = found.get("state") or {}
    return "waiting" in state or "://" in found.get("containerID", "")


def _of(status: dict[str, Any], container: str) -> dict[str, Any]:
    statuses: list[dict[str, Any]] = status.get("containerStatuses") or []
    return next((item for item in statuses if item.get("name") == container), {})
