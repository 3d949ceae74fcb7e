"""Who talks to whom in a team's namespace: who is there, and all that may be.

Check 12 of the notes on security: the flows that Spark and its surroundings have are allowed, and no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from chartproof import Helm
from chartproof.checks import Rendered
from chartproof.pods import pods
from chartproof.reachability import Flow, Network, Peer, Port
from chartproof.rules.network import network, peer_of
from chartproof.scenarios import Scenario
from kindling_dev.scenarios import CHARTS

RPC, BLOCKS, UI, LAST_UI = Port(7078), Port(7079), Port(4040), Port(4100)
OPENSHIFTS_DNS = (Port(5353, "UDP"), Port(5353))
DNS, API, KDC = (Port(53, "UDP"), Port(53)), (Port(443), Port(6443)), (Port(88, "UDP"), Port(88))
CLOSED, SCRAPED = "spark-namespace/06-network", ("spark-namespace/06-network", "team-b/spark-namespace")
OPENSHIFT = "spark-namespace/07-closed-to-the-outside"
ABROAD = {
    "ui-proxy": Peer("kindling-system", {"app.kubernetes.io/name": "spark-ui-proxy"}),
    "its neighbour": Peer("kindling-system", {"app.kubernetes.io/name": "other"}),
    "prometheus": Peer("monitoring", {"app.kubernetes.io/name": "prometheus"}),
    "notebook": Peer("jupyter", {"component": "singleuser-server"}, (RPC, BLOCKS)),
    "another team": Peer("team-z", {"spark-role": "driver", "app.kubernetes.io/name": "spark-job"}, (RPC, BLOCKS, UI)),
    "dns": Peer("kube-system", {"k8s-app": "kube-dns"}, DNS),
    "OpenShift's dns": Peer("openshift-dns", {"dns.operator.openshift.io/daemonset-dns": "default"}, OPENSHIFTS_DNS),
    "object store": Peer("minio", {"app": "minio"}, (Port(9000),)),
    "API server": Peer(address="172.18.0.2", ports=API),
    "kdc": Peer(address="192.0.2.88", ports=KDC),
    "namenode": Peer(address="192.0.2.17", ports=(Port(8020),)),
    "internet": Peer(address="203.0.113.9", ports=(Port(443),)),
}
"""Who is not in the namespace. What has no ports here only asks."""
SPARKS_OWN = {
    "metadata": {"name": "spark-plain-policy"},
    "spec": {
        "podSelector": {"matchLabels": {"spark-role": "executor", "spark-app-selector": "spark-plain"}},
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"spark-app-selector": "spark-plain"}}}]}],
    },
}
"""What spark-submit makes since 4.2 for the executors of a cluster-mode application (NetworkPolicyFeatureStep)."""

TWELVE = {
    Flow("mine executor", "mine driver", 7078): True,
    Flow("mine executor", "mine driver", 7079): True,
    Flow("mine driver", "mine executor", 7079): True,
    Flow("mine executor", "other driver", 7078): False,
    Flow("another team", "mine driver", 7078): False,
    Flow("ui-proxy", "mine driver", 4040): True,
    Flow("another team", "mine driver", 4040): False,
    Flow("prometheus", "mine driver", 4040): True,
    Flow("mine driver", "API server", 6443): True,
    Flow("mine driver", "kdc", 88, "UDP"): True,
    Flow("mine driver", "namenode", 8020): True,
    Flow("notebook", "plain executor", 7079): True,
}
"""The flows of check 12, in the scenario CLOSED."""


@dataclass(frozen=True)
class Team:
    """A namespace with applications in it.

    Attributes:
        network: the policies.
        peers: everyone: pods of the namespace, and who is abroad.
        applications: names of the pods that share ports, a set for each application.
        others: names of the other pods of the namespace.
    """

    network: Network
    peers: Mapping[str, Peer]
    applications: tuple[frozenset[str], ...]
    others: frozenset[str]

    @property
    def home(self) -> frozenset[str]:
        """Names of all pods of the namespace."""
        return self.others.union(*self.applications)

    @property
    def drivers(self) -> set[str]:
        """Names of the drivers."""
        return {name for name in self.home if name.endswith("driver")}

    def flows(self, sources: Iterable[str], targets: Iterable[str], *ports: Port) -> Iterator[Flow]:
        """From each source to each target, on those of the ports that it has; none given are all."""
        for source, target in product(sources, targets):
            for port in self.peers[target].ports:
                if not ports or any((port.number, port.protocol) == (one.number, one.protocol) for one in ports):
                    yield Flow(source, target, port.number, port.protocol)


def team_of(scenario: Scenario, helm: Helm, abroad: Mapping[str, Peer] = ABROAD) -> Team:
    """A scenario's namespace, with an application in each deploy mode, another one, and one of plain spark-submit."""
    namespace = str(scenario.values["namespace"]["name"])
    facts = scenario.values.get("global", {})
    base = scenario.render(helm)

    def job(release: str, mode: str) -> Rendered:
        values: dict[str, Any] = {"mode": mode, "app": {"file": "local:///app.py"}, "global": facts}
        chart = CHARTS / "spark-job"
        manifest = helm.template(chart, release=release, namespace=namespace, values=values, checked=False)
        return Rendered(manifest, chart, release, namespace)

    renders = {name: job(name, mode) for name, mode in (("mine", "client"), ("other", "client"), ("far", "cluster"))}
    peers: dict[str, Peer] = {}
    for name, rendered in renders.items():
        for pod in pods(rendered):
            role = pod.labels["app.kubernetes.io/component"]
            peers[f"{name} {role}"] = as_spark_makes_it(peer_of(pod), role, name)
    for role in ("driver", "executor"):
        peers[f"plain {role}"] = as_spark_makes_it(Peer(namespace), role, "plain")
    peers["helm test"] = next(peer_of(pod) for pod in pods(base) if pod.owner.kind == "Pod")
    policies = (*network(base, *renders.values()).policies, {**SPARKS_OWN, "metadata": {"namespace": namespace}})
    running = [[f"{name} {role}" for role in ("driver", "executor")] for name in (*renders, "plain")]
    if not facts.get("isolateApplications"):
        running = [[name for application in running for name in application]]
    applications = tuple(map(frozenset, running))
    others = frozenset(peers).difference(*applications)
    return Team(Network(policies), {**peers, **abroad}, applications, others)


def as_spark_makes_it(peer: Peer, role: str, application: str) -> Peer:
    """A pod with the labels and ports that it has where Spark completes its template."""
    if role not in ("driver", "executor"):
        return peer
    labels = {"spark-role": role, "spark-app-selector": f"spark-{application}"}
    ports = (RPC, BLOCKS, UI, LAST_UI) if role == "driver" else (BLOCKS,)
    return replace(peer, labels={**peer.labels, **labels}, ports=ports)


def declared(scenario: Scenario, team: Team) -> set[Flow]:
    """All that may be in a scenario's namespace."""
    values = scenario.values
    closed = values.get("network", {})
    is_closed = closed.get("egress", {}).get("closed", False)
    plain = {"plain driver", "plain executor"}
    flows = set(team.flows(plain, plain, RPC, BLOCKS))
    if closed.get("ingress", {}).get("closed", True):
        for application in team.applications:
            flows |= set(team.flows(application, application, RPC, BLOCKS))
    else:
        to = team.home - {"plain executor"}  # Spark's own policy closes that
        flows |= {*team.flows(ABROAD, to), *team.flows(team.home, to, *((RPC, BLOCKS) if is_closed else ()))}
    if values.get("global", {}).get("uiProxy", {}).get("namespace"):
        flows |= set(team.flows(["ui-proxy"], team.drivers, UI, LAST_UI))
    if scenario.name in SCRAPED:
        flows |= set(team.flows(["prometheus"], team.drivers, UI))
    if scenario.name == CLOSED:
        flows |= set(team.flows(["notebook"], team.home, BLOCKS))
        flows |= set(team.flows(team.home, ["notebook", "kdc", "namenode", "object store"]))
    if is_closed:
        is_openshift = scenario.name == OPENSHIFT
        flows |= set(team.flows(team.home, ["OpenShift's dns" if is_openshift else "dns"]))
        asking = [name for name in team.home if not name.endswith("executor")]
        flows |= set(team.flows(asking, ["API server"], *(API[1:] if is_openshift else API)))
    else:
        flows |= set(team.flows(team.home, ABROAD))
    # Nobody of the namespace at either end: no matter of its policies. Two addresses are no matter of any.
    pods_abroad = [name for name, peer in ABROAD.items() if peer.namespace]
    return {*flows, *team.flows(ABROAD, pods_abroad), *team.flows(pods_abroad, ABROAD)}
