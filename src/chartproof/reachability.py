"""Who may talk to whom: NetworkPolicies evaluated as Kubernetes documents them (networking.k8s.io/v1).

A connection is allowed if the egress of its source and the ingress of its target allow it. A pod that no policy of a
direction selects is open in that direction; one that some select is open to what any of them allows. What Kubernetes
leaves to the network (a pod's traffic to itself, that of its node and of host-network pods) is not asked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from chartproof.labels import matches

NetworkPolicy = Mapping[str, Any]
"""A NetworkPolicy as rendered; its metadata names its namespace."""


@dataclass(frozen=True)
class Port:
    """A port that something listens on.

    Attributes:
        number: 1 to 65535.
        protocol: "TCP", "UDP" or "SCTP".
        name: the container port's name, if it has one.
    """

    number: int
    protocol: str = "TCP"
    name: str = ""


@dataclass(frozen=True)
class Peer:
    """An end of a connection: a pod (it has a namespace) or an address outside of the cluster.

    Attributes:
        namespace: the pod's namespace; "" for what is no pod.
        labels: the pod's labels.
        ports: where it listens.
        address: IP address; pods have one only where an ipBlock is meant to match them.
    """

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[Port, ...] = ()
    address: str = ""


@dataclass(frozen=True)
class Flow:
    """A connection that is allowed, by names of peers."""

    source: str
    target: str
    port: int
    protocol: str = "TCP"

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}:{self.port}/{self.protocol}"


@dataclass(frozen=True)
class Network:
    """The policies of a cluster.

    Attributes:
        policies: NetworkPolicies of all namespaces.
        namespaces: labels of each namespace by name; the name itself is a label of each, as in Kubernetes.
    """

    policies: tuple[NetworkPolicy, ...] = ()
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def allows(self, source: Peer, target: Peer, port: Port) -> bool:
        """Whether a source may connect to a port of a target."""
        return self._passes("Egress", source, target, port) and self._passes("Ingress", target, source, port)

    def _passes(self, direction: str, pod: Peer, other: Peer, port: Port) -> bool:
        selecting = [policy for policy in self.policies if self._selects(policy, direction, pod)]
        if not selecting:
            return True
        rules_field, peers_field = ("egress", "to") if direction == "Egress" else ("ingress", "from")
        return any(
            self._names_peer(rule.get(peers_field), policy["metadata"]["namespace"], other)
            and _names_port(rule.get("ports"), port)
            for policy in selecting
            for rule in policy["spec"].get(rules_field) or []
        )

    def _selects(self, policy: NetworkPolicy, direction: str, pod: Peer) -> bool:
        spec = policy["spec"]
        types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
        return (
            direction in types
            and pod.namespace == policy["metadata"]["namespace"]
            and matches(spec.get("podSelector") or {}, pod.labels)
        )

    def _names_peer(self, peers: Iterable[Mapping[str, Any]] | None, namespace: str, other: Peer) -> bool:
        """Whether a rule's peers, of a policy in a namespace, have the other end; no peers are all."""
        return not peers or any(self._is_peer(peer, namespace, other) for peer in peers)

    def _is_peer(self, peer: Mapping[str, Any], namespace: str, other: Peer) -> bool:
        if block := peer.get("ipBlock"):
            return _in_block(block, other.address)
        if not other.namespace or not matches(peer.get("podSelector") or {}, other.labels):
            return False
        if peer.get("namespaceSelector") is None:
            return other.namespace == namespace
        labels = {**self.namespaces.get(other.namespace, {}), "kubernetes.io/metadata.name": other.namespace}
        return matches(peer["namespaceSelector"], labels)


def surprises(network: Network, peers: Mapping[str, Peer], allowed: Iterable[Flow]) -> Iterator[str]:
    """What a matrix does not expect, a line each: allowed flows that are blocked, and open ones that it does not name.

    Args:
        network: the policies.
        peers: who is there; each is asked about every port of every one, two pods of its own kind included.
        allowed: all that may be.

    Raises:
        LookupError: a flow names a peer, or a port of one, that is not there.
    """
    declared = set(allowed)
    flows = {
        Flow(source, target, port.number, port.protocol): (peers[source], peers[target], port)
        for source in peers
        for target in peers
        for port in peers[target].ports
        if peers[source].namespace or peers[target].namespace
    }
    if unknown := sorted(map(str, declared - set(flows))):
        raise LookupError(f"{unknown[0]}: no such peer or port; there are {', '.join(sorted(peers))}")
    for flow, (source, target, port) in flows.items():
        if network.allows(source, target, port) != (flow in declared):
            yield f"{flow} is blocked" if flow in declared else f"{flow} is open"


def _in_block(block: Mapping[str, Any], address: str) -> bool:
    if not address:
        return False
    ip = ip_address(address)
    return ip in ip_network(block["cidr"], strict=False) and not any(
        ip in ip_network(hole, strict=False) for hole in block.get("except") or []
    )


def _names_port(ports: Iterable[Mapping[str, Any]] | None, port: Port) -> bool:
    """Whether a rule's ports have a port; no ports are all."""
    return not ports or any(_is_port(entry, port) for entry in ports)


def _is_port(entry: Mapping[str, Any], port: Port) -> bool:
    if entry.get("protocol", "TCP") != port.protocol:
        return False
    wanted = entry.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return wanted == port.name
    return bool(wanted <= port.number <= entry.get("endPort", wanted))
