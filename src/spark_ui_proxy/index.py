"""What runs: the applications and history servers that the watched pods are.

The watch writes it, everything else reads it; it knows nothing of HTTP and nothing of people.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Target:
    """Where a UI listens: always the address of a watched, running pod.

    Attributes:
        pod_uid: of the pod, which an address alone does not tell from its successor.
        ip: `status.podIP`.
        port: of the UI.
    """

    pod_uid: str
    ip: str
    port: int

    @property
    def address(self) -> str:
        """As a URL has it: "10.1.2.3:4040", "[fd00::1]:4040"."""
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


@dataclass(frozen=True)
class Application:
    """A Spark application whose driver's pod is there.

    Attributes:
        namespace, app_id: its key; of two drivers with the same, the newest that runs counts (`disputed`).
        pod, pod_uid: the driver's.
        name: what its owner calls it: the label spark-app-name, else the release, else the pod. Of one that its driver
            names: as the driver says, else these.
        user: SPARK_USER of the driver, else as the driver says, or "".
        state: `pending`, `running`, `succeeded`, `failed`.
        target: of its UI while it runs, else None.
        problem: why there is none though it runs (host network, port out of range, forged status), in a line; or "".
        created: when its pod was made; of one that its driver names (`Named`), when it started.
        ended: when the driver's container ended; None while it runs.
        spark_version: of the label spark-version, else as the driver says, or "".
        executors: how many executors run.
        cpu: cores asked for by the driver's pod, which other applications may be in too, and by executors.
        memory: bytes asked for by the same.
        disputed: another driver in the namespace bears the same id.
    """

    namespace: str
    app_id: str
    pod: str
    pod_uid: str
    name: str
    user: str
    state: str
    target: Target | None
    created: datetime
    ended: datetime | None = None
    problem: str = ""
    spark_version: str = ""
    executors: int = 0
    cpu: float = 0
    memory: int = 0
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """An application as its driver names it, where the pod's manifest names none.

    Attributes:
        port: at which it was asked.
        name, user, spark_version: text for any page; "": it does not say.
        started: None: it does not say, or says a day to come.
    """

    app_id: str
    port: int
    name: str = ""
    user: str = ""
    spark_version: str = ""
    started: datetime | None = None


@dataclass(frozen=True)
class HistoryServer:
    """A history server's pod that is ready."""

    namespace: str
    pod: str
    target: Target


@dataclass
class Index:
    """All that is known; replaced object by object, as the watch sees pods change.

    Attributes:
        applications: by (namespace, application id).
        histories: by namespace.
        history_problems: by namespace: why a history server that is there may be no target, in a line.
        version: rises with every change: pages and caches compare it.
    """

    applications: dict[tuple[str, str], Application] = field(default_factory=dict)
    histories: dict[str, HistoryServer] = field(default_factory=dict)
    history_problems: dict[str, str] = field(default_factory=dict)
    version: int = 0
