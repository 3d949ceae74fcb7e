"""Connections that are really made: pods that stand for the peers of a network, and what they reach."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from chartproof import Cluster
from chartproof.reachability import Flow, Peer
from kindling_dev.command import run
from kindling_dev.settings import Settings
from kindling_dev.spark_image import DEFAULT_LINE

OPEN, SILENT = "open", "silent"
_APPS = Path(__file__).parent / "apps"
_RUN = "dev.kindling/probes"
_READY_S = 120
_AT_ONCE = 4


@dataclass(frozen=True)
class Probes:
    """Pods that listen and ask.

    Attributes:
        cluster: where they are.
        peers: everyone, by name.
        addresses: of each peer; of one with an address for each port, "name:port".
    """

    cluster: Cluster
    peers: Mapping[str, Peer]
    addresses: Mapping[str, str]

    def ask(self, flows: Iterable[Flow], patience_s: float) -> dict[Flow, str]:
        """Try to make connections, from pods; what came of each: "open", "silent" or an error.

        Args:
            flows: what to try.
            patience_s: seconds after which there is no answer.
        """
        of_source: dict[str, list[Flow]] = {}
        for flow in flows:
            of_source.setdefault(flow.source, []).append(flow)

        def ask(source: str) -> dict[Flow, str]:
            asked = [[self._address(flow), flow.port, flow.protocol, patience_s] for flow in of_source[source]]
            argv = ["kubectl", f"--kubeconfig={self.cluster.kubeconfig}", "exec", pod_name(source)]
            argv += [f"--namespace={self.peers[source].namespace}", "--", *_python("ask", asked)]
            return dict(zip(of_source[source], json.loads(run(argv, what=f"ask from {source}")), strict=True))

        with ThreadPoolExecutor(_AT_ONCE) as some:
            return {flow: said for answers in some.map(ask, of_source) for flow, said in answers.items()}

    def _address(self, flow: Flow) -> str:
        return self.addresses.get(f"{flow.target}:{flow.port}") or self.addresses[flow.target]


def pod_name(peer: str) -> str:
    """The name of the pod that stands for a peer."""
    return re.sub("[^a-z0-9]+", "-", peer.lower())


def start(cluster: Cluster, peers: Mapping[str, Peer], account: Callable[[str], str]) -> dict[str, str]:
    """Make a pod for each peer, with its labels and listening on its ports; return the addresses when all are ready.

    Args:
        cluster: where.
        peers: by name; each in a namespace that is there.
        account: the service account of pods of a namespace.
    """
    label = {_RUN: uuid4().hex}
    names = {(peer.namespace, pod_name(name)): name for name, peer in peers.items()}
    found: dict[str, str] = {}

    def ready(pod: Any, _: str) -> bool | None:
        if any(condition.type == "Ready" and condition.status == "True" for condition in pod.status.conditions or []):
            found[names[pod.metadata.namespace, pod.metadata.name]] = pod.status.pod_ip
        return True if len(found) == len(peers) else None

    for (namespace, pod), name in names.items():
        metadata = {"name": pod, "labels": {**peers[name].labels, **label}}
        spec = {**_SPEC, "serviceAccountName": account(namespace)}
        spec["containers"] = [{**_CONTAINER, "command": _python("listen", _ports(peers[name]))}]
        cluster.core.create_namespaced_pod(namespace, {"metadata": metadata, "spec": spec})
    selector = ",".join(f"{key}={value}" for key, value in label.items())
    listing = cluster.core.list_pod_for_all_namespaces
    cluster.wait_for(listing, ready, f"pods for {', '.join(peers)}", _READY_S, label_selector=selector)
    return found


@contextmanager
def outside(peer: Peer, image: str) -> Iterator[str]:
    """A machine outside of the cluster, listening on a peer's ports: a container beside the node's; its address."""
    argv = ["docker", "run", "--detach", "--network=kind", "--user=0:0", "--entrypoint=", image]
    container = run([*argv, *_python("listen", _ports(peer))]).strip()
    try:
        address = "GlobalIPv6Address" if Settings.from_environment().ip_family == "ipv6" else "IPAddress"
        where = f"{{{{.NetworkSettings.Networks.kind.{address}}}}}"
        yield run(["docker", "inspect", "--format", where, container]).strip()
    finally:
        run(["docker", "rm", "--force", container])


def _ports(peer: Peer) -> list[tuple[int, str]]:
    return [(port.number, port.protocol) for port in peer.ports]


def _python(app: str, argument: object) -> list[str]:
    return ["python3", "-c", (_APPS / f"{app}.py").read_text(), json.dumps(argument)]


_SPEC: dict[str, Any] = {
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,
    "terminationGracePeriodSeconds": 0,
    "securityContext": {"runAsNonRoot": True, "runAsUser": 185, "seccompProfile": {"type": "RuntimeDefault"}},
}
_CONTAINER: dict[str, Any] = {
    "name": "probe",
    "image": DEFAULT_LINE.published,
    "resources": {"requests": {"cpu": "1m", "memory": "16Mi"}},
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}
