"""A team's namespace in the cluster, and runs of spark-job in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from chartproof import Cluster, Helm, JobEnd
from kindling_dev.cluster import node_name
from kindling_dev.command import run
from kindling_dev.settings import ADMIN_NAMESPACE, Settings
from kindling_dev.spark_image import DEFAULT_LINE, LINES, SparkLine

RUN_DEADLINE_S = 180
SMALL: dict[str, Any] = {"driver": {"requestCores": "50m"}, "executor": {"requestCores": "50m"}}
"""Requests that let several tests' jobs run at once on two cores; the cluster's own pods ask for more than one."""
QUICK = {f"spark.{role}.defaultJavaOptions": "-XX:TieredStopAtLevel=1" for role in ("driver", "executor")}
"""A run of seconds costs three fifths of the CPU when the JVM compiles less: 8.9 s for SparkPi, not 15."""
EACH = pytest.mark.parametrize(
    ("mode", "line"),
    [
        pytest.param("cluster", LINES["3.5"], id="cluster-3.5"),
        pytest.param("client", LINES["4.3"], id="client-4.3", marks=pytest.mark.long),
        pytest.param("client", LINES["3.5"], id="client-3.5", marks=pytest.mark.long),
        pytest.param("cluster", LINES["4.3"], id="cluster-4.3", marks=pytest.mark.long),
    ],
)
"""Each mode on each line of Spark; the normal run has the pair that other tests have least."""
OLD_LINE_LONG = pytest.mark.parametrize(
    "line",
    [
        pytest.param(DEFAULT_LINE, id=f"spark-{DEFAULT_LINE.line}"),
        pytest.param(LINES["3.5"], id="spark-3.5", marks=pytest.mark.long),
    ],
)
"""Each line of Spark, the older one in the long run."""
NEW_LINE_LONG = pytest.mark.parametrize(
    "line",
    [
        pytest.param(DEFAULT_LINE, id=f"spark-{DEFAULT_LINE.line}", marks=pytest.mark.long),
        pytest.param(LINES["3.5"], id="spark-3.5"),
    ],
)
"""Each line of Spark, the newer one in the long run: it has been seen in that mode by other tests."""
SLEEP = "import time\nfrom pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate()\ntime.sleep({seconds})\n"
"""An application with executors that lasts."""
BURST = """
import time
from pyspark.sql import SparkSession
context = SparkSession.builder.getOrCreate().sparkContext
context.parallelize(range(6), 6).map(lambda _: time.sleep(4)).count()
while context._jsc.sc().getExecutorMemoryStatus().size() > 1:
    time.sleep(0.5)
print("ALL GONE")
"""
"""An application with work for many executors, which ends when all are gone."""


EACH_ALLOCATOR = pytest.mark.parametrize("allocator", ["direct", "statefulset"])
"""Who makes executors."""


def made_by(team: Team, allocator: str) -> dict[str, Any]:
    """Values of executors of a driver that lasts, made by an allocator that the team may use; they stay while idle."""
    if allocator == "direct":
        return {"dynamicAllocation": {"idleTimeout": "600s"}}
    team.set_namespace("driver.statefulSets=true")
    return {"allocator": allocator, "dynamicAllocation": {"enabled": False}}


def is_running(pod: Any) -> bool:
    """Whether a pod runs and is not about to go."""
    return pod.status.phase == "Running" and not pod.metadata.deletion_timestamp


def wait_until_pods_are_taken(cluster: Cluster, namespace: str) -> None:
    """Wait for the account "default", which the control plane makes a moment after the namespace; pods need it."""
    where = {"namespace": namespace, "field_selector": "metadata.name=default"}
    listing = cluster.core.list_namespaced_service_account
    cluster.wait_for(listing, lambda _, event: event == "ADDED" or None, "the account default", 30, **where)


def served(
    cluster: Cluster,
    namespace: str,
    container: dict[str, Any],
    volumes: list[Any],
    port: int,
    labels: dict[str, str] | None = None,
    account: str = "default",
) -> str:
    """Run a container that listens on a port, as a pod of its own; wait until it does, and give "IP:PORT"."""
    restricted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    probe = {"tcpSocket": {"port": port}, "periodSeconds": 1}
    spec = {
        "serviceAccountName": account,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 185, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{**container, "securityContext": restricted, "readinessProbe": probe}],
        "volumes": volumes,
    }
    name = container["name"]
    wait_until_pods_are_taken(cluster, namespace)
    cluster.core.create_namespaced_pod(namespace, {"metadata": {"name": name, "labels": labels}, "spec": spec})

    def address(pod: Any, _: str) -> str | None:
        ready = [c for c in pod.status.conditions or [] if c.type == "Ready" and c.status == "True"]
        return f"{pod.status.pod_ip}:{port}" if ready else None

    where = {"namespace": namespace, "field_selector": f"metadata.name={name}"}
    return cluster.wait_for(cluster.core.list_namespaced_pod, address, f"{name} to listen", 90, **where)


def node_run(*argv: str) -> str:
    """Run a program in the cluster's node."""
    return run(["docker", "exec", node_name(Settings.from_environment()), *argv])


@dataclass(frozen=True)
class Team:
    """A namespace that enforces ``restricted``, and what one does there.

    Attributes:
        name: the namespace.
        helm, cluster: as everywhere.
        charts: the charts' folder.
    """

    name: str
    helm: Helm
    cluster: Cluster
    charts: Path

    @property
    def engineer(self) -> str:
        """A service account of the admin namespace, which access.submitters names."""
        return f"engineer-of-{self.name}"

    def install(self, release: str, *, line: SparkLine, action: str = "install", **values: Any) -> None:
        """Install (or upgrade) a release of spark-job; keyword arguments are values at the top level."""
        merged = {**SMALL, "sparkConf": QUICK, "image": {"tag": f"{line.version}-python3"}, **values}
        argv = [action, release, str(self.charts / "spark-job"), "--namespace", self.name, "--values=-"]
        self.helm.run(argv, yaml.safe_dump(merged))

    def set_namespace(self, *sets: str, **values: Any) -> None:
        """Upgrade the release of spark-namespace: what is given changes, as ``--set`` takes it or as values."""
        argv = ["upgrade", self.name, str(self.charts / "spark-namespace"), "--namespace", ADMIN_NAMESPACE]
        argv += ["--reuse-values", *(f"--set={one}" for one in sets), "--values=-"]
        self.helm.run(argv, yaml.safe_dump(values))

    def uninstall(self, release: str) -> None:
        """Remove a release."""
        self.helm.run(["uninstall", release, "--namespace", self.name])

    def end_of(self, release: str, deadline_s: float = RUN_DEADLINE_S) -> JobEnd:
        """Wait for the end of a release's run."""
        return self.cluster.job_end(self.name, f"app.kubernetes.io/instance={release}", deadline_s)

    def let_end(self, driver: str) -> None:
        """Tell the application of a driver pod, which waits for /tmp/go, to end."""
        self.kubectl("exec", driver, "--container=driver", "--", "touch", "/tmp/go")

    def log_of(self, end: JobEnd) -> str:
        """What a run printed."""
        return self.cluster.job_log(self.name, end.name)

    def pod(
        self, release: str, role: str, found: Callable[[Any], bool] = lambda _: True, deadline_s: float = 90
    ) -> Any:
        """Wait for a pod of a release with a role ("driver", "executor") of which something holds."""
        return self.cluster.wait_for(
            self.cluster.core.list_namespaced_pod,
            lambda pod, event: pod if event != "DELETED" and found(pod) else None,
            f"a {role} of {release}",
            deadline_s,
            namespace=self.name,
            label_selector=f"spark-role={role},app.kubernetes.io/instance={release}",
        )

    def running(self, release: str, role: str, deadline_s: float = 90) -> Any:
        """Wait for a pod of a release with a role that runs."""
        return self.pod(release, role, is_running, deadline_s)

    def pods(self, release: str, role: str) -> list[Any]:
        """The pods of a release with a role that are there, whatever their state."""
        labels = f"spark-role={role},app.kubernetes.io/instance={release}"
        pods: list[Any] = self.cluster.core.list_namespaced_pod(self.name, label_selector=labels).items
        return pods

    def kill(self, pod: Any, container: str) -> None:
        """SIGKILL a container from outside, as the kernel or a crash would."""
        (status,) = [s for s in pod.status.container_statuses if s.name == container]
        task = status.container_id.removeprefix("containerd://")
        node_run("ctr", "--namespace=k8s.io", "task", "kill", "--signal=SIGKILL", "--all", task)

    def evict(self, pod: Any) -> None:
        """Ask for a pod's eviction, as a node's drain does."""
        name = pod.metadata.name
        eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name=name))
        self.cluster.core.create_namespaced_pod_eviction(name, self.name, eviction)

    def objects(self) -> set[str]:
        """ "kind/name" of everything in the namespace that a run or a release may leave behind."""
        kinds = "pods,jobs,services,configmaps,secrets,persistentvolumeclaims,networkpolicies"
        listed = json.loads(self.kubectl("get", kinds, "--output=json"))
        return {f"{item['kind']}/{item['metadata']['name']}" for item in listed["items"]}

    def kubectl(self, *argv: str) -> str:
        """Run kubectl in the namespace as the cluster's admin."""
        return run(["kubectl", f"--kubeconfig={self.cluster.kubeconfig}", f"--namespace={self.name}", *argv])
