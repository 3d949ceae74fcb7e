"""Who may talk to whom in a release."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from chartproof.checks import Rendered, Rule, Violation
from chartproof.pods import Pod, namespace_of
from chartproof.reachability import Flow, Network, Peer, Port, surprises


def reachability(peers: Mapping[str, Peer], allowed: Collection[Flow]) -> Rule:
    """Those may talk that a matrix names, and nobody else.

    Args:
        peers: who is there, by name.
        allowed: who may talk to whom.
    """

    def reachability(rendered: Rendered) -> Iterator[Violation]:
        """The NetworkPolicies allow what the matrix allows, and nothing else."""
        for surprise in surprises(network(rendered), peers, allowed):
            yield Violation("reachability", rendered.chart.name, surprise)

    return reachability


def network(*renders: Rendered) -> Network:
    """The policies and namespaces of releases that are in one cluster."""
    policies = tuple(
        {**policy.body, "metadata": {**policy.body["metadata"], "namespace": namespace_of(policy, rendered)}}
        for rendered in renders
        for policy in rendered.manifest.all("NetworkPolicy")
    )
    namespaces = [namespace for rendered in renders for namespace in rendered.manifest.all("Namespace")]
    return Network(policies, {namespace.name: namespace.labels for namespace in namespaces})


def peer_of(pod: Pod) -> Peer:
    """A rendered pod as an end of connections, with the ports that it declares."""
    ports = tuple(Port(port["containerPort"], port.get("protocol", "TCP"), port.get("name", "")) for port in pod.ports)
    return Peer(pod.namespace, pod.labels, ports)
