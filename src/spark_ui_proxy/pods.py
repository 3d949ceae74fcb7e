"""What one pod's manifest says: its role, its application, and where its UI is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from spark_ui_proxy.addresses import Addresses, parsed
from spark_ui_proxy.config import Limits
from spark_ui_proxy.index import Target
from spark_ui_proxy.kubelet import doubt, node_addresses, runs

DRIVER, EXECUTOR, HISTORY_SERVER = "driver", "executor", "history-server"
SELECTOR = f"spark-role in ({DRIVER},{EXECUTOR},{HISTORY_SERVER})"
UI_PORTS = 17
"""Ports at which the UIs of one pod's applications may be: as many as Spark tries (spark.port.maxRetries)."""
APP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_UI_PORT, _HISTORY_PORT = 4040, 18080
_APP_ID_ARGUMENT = "spark.app.id="
_VARIABLE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")
_NAME_LENGTH = 253
_SUFFIXES = {
    "": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60,
    "m": 1e-3, "u": 1e-6, "n": 1e-9,
}  # fmt: skip
_QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)")


@dataclass(frozen=True, slots=True)
class Pod:
    """What of a pod counts here.

    Attributes:
        role: DRIVER, EXECUTOR or HISTORY_SERVER.
        app_id: of a driver or executor; "" where the manifest does not tell.
        state: `pending`, `running`, `succeeded`, `failed`; of the driver's own container if others outlive it.
        leaving: it is being deleted.
        ready: as its readiness probe says.
        target: of its UI, while it runs and may be a target, if nobody else has its address (`claims`).
        problem: why it may not be one, in a line.
        claim: the address that it has, while it runs and that is believed; "": none.
        nodes: addresses of its node, while it runs and that is believed.
        millicores, memory: what its containers ask for; memory in bytes.
        ended: when the container ended in which Spark ran.
    """

    uid: str
    namespace: str
    name: str
    role: str
    app_id: str
    state: str
    leaving: bool
    ready: bool
    target: Target | None
    problem: str
    claim: str
    nodes: tuple[str, ...]
    created: datetime
    title: str
    user: str
    spark_version: str
    millicores: int
    memory: int
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a running pod is: parts of a Pod."""

    target: Target | None = None
    problem: str = ""
    claim: str = ""
    nodes: tuple[str, ...] = ()


def read_pod(raw: dict[str, Any], limits: Limits, addresses: Addresses) -> Pod:
    """A pod from its manifest."""
    metadata, spec, status = raw["metadata"], raw.get("spec", {}), raw.get("status", {})
    labels = metadata.get("labels") or {}
    role = str(labels.get("spark-role", ""))
    container = _own_container(spec, role)
    state = _state(status, str(container.get("name", "")))
    leaving = "deletionTimestamp" in metadata
    place = _place(raw, role, container, limits, addresses) if state == "running" and not leaving else _Place()
    return Pod(
        uid=metadata["uid"],
        namespace=metadata["namespace"],
        name=metadata["name"],
        role=role,
        app_id=_app_id(labels, metadata, container),
        state=state,
        leaving=leaving,
        ready=any(
            condition["type"] == "Ready" and condition["status"] == "True" for condition in status.get("conditions", [])
        ),
        target=place.target,
        problem=place.problem,
        claim=place.claim,
        nodes=place.nodes,
        created=datetime.fromisoformat(metadata["creationTimestamp"]),
        title=(labels.get("spark-app-name") or labels.get("app.kubernetes.io/instance") or metadata["name"])[
            :_NAME_LENGTH
        ],
        user=next((str(env.get("value", "")) for env in container.get("env", []) if env["name"] == "SPARK_USER"), "")[
            :_NAME_LENGTH
        ],
        spark_version=str(labels.get("spark-version", "")),
        millicores=round(sum(_requests(spec, "cpu")) * 1000),
        memory=round(sum(_requests(spec, "memory"))),
        ended=_ended(status, str(container.get("name", ""))),
    )


def quantity(text: str) -> float:
    """A quantity of Kubernetes as a number; 0 if it is none."""
    found = _QUANTITY.fullmatch(text)
    if not found or found[2] not in _SUFFIXES:
        return 0.0
    try:
        return float(found[1]) * _SUFFIXES[found[2]]
    except ValueError:
        return 0.0


def _own_container(spec: dict[str, Any], role: str) -> dict[str, Any]:
    """The container in which Spark runs: that with the UI's port, else the first."""
    containers: list[dict[str, Any]] = spec.get("containers") or [{}]
    name = _port_name(role)
    return next(
        (item for item in containers if any(port.get("name") == name for port in item.get("ports", []))), containers[0]
    )


def _port_name(role: str) -> str:
    return "history-ui" if role == HISTORY_SERVER else "spark-ui"


def _state(status: dict[str, Any], container: str) -> str:
    phase = status.get("phase", "Pending")
    if phase in ("Succeeded", "Failed"):
        return str(phase.lower())
    for item in status.get("containerStatuses", []):
        ended = item.get("state", {}).get("terminated")
        if item["name"] == container and ended is not None:
            return "failed" if ended.get("exitCode") else "succeeded"
    return "pending" if phase == "Pending" else "running"


def _ended(status: dict[str, Any], container: str) -> datetime | None:
    for item in status.get("containerStatuses", []):
        ended = (item.get("state", {}).get("terminated") or {}).get("finishedAt")
        if item["name"] == container and ended:
            return datetime.fromisoformat(ended)
    return None


def _place(raw: dict[str, Any], role: str, container: dict[str, Any], limits: Limits, addresses: Addresses) -> _Place:
    spec, status, name = raw["spec"], raw["status"], str(container.get("name", ""))
    problem = doubt(spec, status, name)
    if problem:
        return _Place(problem=problem)
    nodes = node_addresses(status)
    if spec.get("hostNetwork"):
        problem = "the pod has the node's network (hostNetwork), whose ports are not its own: give it one of its own"
        return _Place(problem="" if role == EXECUTOR else problem, nodes=nodes)
    address = parsed(status.get("podIP", ""))
    if address is None:
        return _Place(nodes=nodes)
    problem = addresses.problem(address)
    if problem:
        return _Place(problem=problem, nodes=nodes)
    port, problem = _port(role, container, limits)
    # Until its container runs again, nothing is routed to; the address stays the pod's.
    target = Target(raw["metadata"]["uid"], str(address), port) if port and runs(status, name) else None
    return _Place(target, problem, str(address), nodes)


def _port(role: str, container: dict[str, Any], limits: Limits) -> tuple[int, str]:
    """That of the UI, or 0 and why there is none to be served."""
    if role == EXECUTOR:
        return 0, ""
    name, default, (lowest, highest) = (
        (_port_name(role), _HISTORY_PORT, limits.history_ports)
        if role == HISTORY_SERVER
        else (_port_name(role), _UI_PORT, limits.driver_ports)
    )
    port = next((item["containerPort"] for item in container.get("ports", []) if item.get("name") == name), default)
    if not lowest <= port <= highest:
        return 0, f"its port {name} is {port}: ports from {lowest} to {highest} are served"
    return port, ""


def _app_id(labels: dict[str, str], metadata: dict[str, Any], container: dict[str, Any]) -> str:
    """Of the label that spark-submit sets, else of the argument `spark.app.id=…` of the driver's own command line."""
    found = labels.get("spark-app-selector", "")
    if not found:
        # No id is longer; without an end to each part, a few kilobytes of variables in variables would fill the memory.
        known = {item["name"]: _value(item, metadata)[:_NAME_LENGTH] for item in container.get("env", [])}
        for argument in (*container.get("command", []), *container.get("args", [])):
            if argument.startswith(_APP_ID_ARGUMENT):
                given = argument.removeprefix(_APP_ID_ARGUMENT)[:_NAME_LENGTH]
                found = _VARIABLE.sub(lambda variable: known.get(variable[1], variable[0]), given)
    return found if APP_ID.fullmatch(found) else ""


def _value(env: dict[str, Any], metadata: dict[str, Any]) -> str:
    path = env.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath", "")
    facts = {f"metadata.{key}": metadata[key] for key in ("uid", "name", "namespace")}
    return str(facts.get(path, env.get("value", "")))


def _requests(spec: dict[str, Any], resource: str) -> list[float]:
    return [
        quantity(str(container.get("resources", {}).get("requests", {}).get(resource, "0")))
        for container in spec.get("containers", [])
    ]
