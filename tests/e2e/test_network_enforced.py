"""Who reaches whom in a team's closed namespace, asked of the cluster's own network: connections that are really made.

tests/rules/test_network.py evaluates the same matrix, for every scenario.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from door import new_door
from probes import OPEN, SILENT, Probes, outside, start
from team import QUICK, SMALL, Team
from team_network import ABROAD, CLOSED, LAST_UI, RPC, TWELVE, UI, declared, team_of

from chartproof import Cluster, Helm
from chartproof.reachability import Flow, Network, Peer, Port
from chartproof.scenarios import Scenario
from kindling_dev.progress import Progress
from kindling_dev.settings import ADMIN_NAMESPACE, Settings
from kindling_dev.spark_image import DEFAULT_LINE, LINES, SparkLine, ensure_spark_image

PATIENCE_S = 30.0
"""How long a connection may take that is to be made: the machine may be busy."""
SILENCE_S = 3.0
"""How long one is waited for that is not to be made: what is lost on an open way is sent again after a second."""
SHUFFLE = """
import socket
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
context = spark.sparkContext
print("RESULT rows", spark.range(0, 200000, 1, 200).repartition(200, "id").groupBy("id").count().count())
print("RESULT hosts", len(set(context.parallelize(range(200), 200).map(lambda _: socket.gethostname()).collect())))
# Too large to come with the message: fetched from the executors.
print("RESULT bytes", sum(map(len, context.parallelize(range(4), 4).map(lambda _: bytes(2 << 20)).collect())))
for port in (53, 9153):
    try:
        socket.create_connection(("kube-dns.kube-system.svc.cluster.local", port), 3).close()
        print("RESULT", port, "open")
    except TimeoutError:
        print("RESULT", port, "silent")
"""
"""What goes between executors, and to the driver; and of two ports of the cluster's DNS, only one is open to pods."""


def where_the_api_server_is(cluster: Cluster) -> dict[str, str]:
    """The API server's addresses by the port that it listens on there: its Service's, its own."""
    service = cluster.core.read_namespaced_service("kubernetes", "default")
    behind = cluster.core.read_namespaced_endpoints("kubernetes", "default")
    return {"443": service.spec.cluster_ip, "6443": behind.subsets[0].addresses[0].ip}


def close(team: Team, scenario: Scenario, file: Path, changes: dict[str, str]) -> Scenario:
    """Give a team's namespace the network of a scenario, written to a file with names and addresses of this cluster."""
    text = scenario.files[0].read_text()
    api = where_the_api_server_is(team.cluster)
    for name, here in {"team-a": team.name, "10.96.0.1": api["443"], "172.18.0.2": api["6443"], **changes}.items():
        assert name in text, f"{scenario.name} no longer has {name}"
        # A network of one address has 32 bits, or 128.
        text = text.replace(f"{name}/32", f"{here}/{128 if ':' in here else 32}").replace(name, here)
    file.write_text(text)
    chart = str(team.charts / "spark-namespace")
    team.helm.run(["upgrade", team.name, chart, f"--namespace={ADMIN_NAMESPACE}", f"--values={file}"])
    return replace(scenario, files=(file,))


def make_policy(cluster: Cluster, namespace: str, name: str, spec: dict[str, Any]) -> None:
    """Make a NetworkPolicy."""
    cluster.networking.create_namespaced_network_policy(namespace, {"metadata": {"name": name}, "spec": spec})


def make_policies_of_applications(cluster: Cluster, namespace: str, network: Network) -> None:
    """Make the NetworkPolicies of a network that are not there: those of applications, which do not run."""
    there = {policy.metadata.name for policy in cluster.networking.list_namespaced_network_policy(namespace).items}
    for policy in network.policies:
        name = policy["metadata"].get("name", "made-by-spark")
        if name not in there:
            make_policy(cluster, namespace, name, policy["spec"])


def remove_policies(cluster: Cluster, namespace: str) -> None:
    """Remove all NetworkPolicies of a namespace."""
    cluster.networking.delete_collection_namespaced_network_policy(namespace)


def others_than(expected: str, answers: dict[Flow, str]) -> list[str]:
    """The answers that are not the expected one."""
    return sorted(f"{flow}: {said}" for flow, said in answers.items() if said != expected)


def ends(probes: Probes, flow: Flow) -> bool:
    """Whether a connection that can be made no longer can in time, after something closed it."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if probes.ask([flow], SILENCE_S) == {flow: SILENT}:
            return True
    return False


def check_canary(probes: Probes, towards_nodes: Flow) -> bool:
    """See that the network enforces policies; whether also on the way from a pod to its own node.

    Networks differ in that: kindnet left it open until 2026 (kubernetes-sigs/kube-network-policies#283).
    """
    flow = Flow("another team", "notebook", 7078)
    asking, listening = (probes.peers[name].namespace for name in (flow.source, flow.target))
    assert probes.ask([flow, towards_nodes], PATIENCE_S) == {flow: OPEN, towards_nodes: OPEN}
    make_policy(probes.cluster, listening, "closed", {"podSelector": {}, "policyTypes": ["Ingress"]})
    assert ends(probes, flow), "the cluster's network does not enforce NetworkPolicies: see docs/guides/network.md"
    remove_policies(probes.cluster, listening)
    assert probes.ask([flow], PATIENCE_S) == {flow: OPEN}
    make_policy(probes.cluster, asking, "closed", {"podSelector": {}, "policyTypes": ["Egress"]})
    assert ends(probes, flow)
    holds = probes.ask([towards_nodes], SILENCE_S) == {towards_nodes: SILENT}
    remove_policies(probes.cluster, asking)
    return holds


@pytest.fixture
def machines() -> Iterator[dict[str, str]]:
    """Machines outside of the cluster: their addresses by the peers that they stand for."""
    image = ensure_spark_image(DEFAULT_LINE, Settings.from_environment(), Progress())
    with ExitStack() as until_the_end:
        yield {
            name: until_the_end.enter_context(outside(ABROAD[name], image)) for name in ("kdc", "namenode", "internet")
        }


@pytest.mark.check(12)
def test_the_network_keeps_the_matrix_and_opens_once_the_policies_are_gone(
    team: Team,
    cluster: Cluster,
    helm: Helm,
    machines: dict[str, str],
    new_namespace: Callable[..., str],
    scenario_of: Callable[[str], Scenario],
    tmp_path: Path,
) -> None:
    foreign = {peer.namespace for name, peer in ABROAD.items() if name != "dns" and peer.namespace}
    namespaces = {name: new_namespace(name) for name in sorted(foreign)}
    names = {name: namespaces[name] for name in ("kindling-system", "monitoring", "jupyter", "minio")}
    blocks = {"192.0.2.88/32": f"{machines['kdc']}/32", "192.0.2.16/28": f"{machines['namenode']}/32"}
    scenario = close(team, scenario_of(CLOSED), tmp_path / "values.yaml", {**names, **blocks})
    abroad = {n: replace(peer, namespace=namespaces.get(peer.namespace, peer.namespace)) for n, peer in ABROAD.items()}
    everyone = team_of(scenario, helm, abroad)
    make_policies_of_applications(cluster, team.name, everyone.network)

    pods = {name: peer for name, peer in everyone.peers.items() if peer.namespace and name != "dns"}
    addresses = start(cluster, pods, lambda namespace: "spark-executor" if namespace == team.name else "default")
    addresses |= {f"API server:{port}": address for port, address in where_the_api_server_is(cluster).items()}
    addresses["dns"] = cluster.core.read_namespaced_service("kube-dns", "kube-system").spec.cluster_ip
    probes = Probes(cluster, everyone.peers, addresses | machines)
    nodes_are_closed = check_canary(probes, Flow("another team", "API server", 6443))

    # A pod's traffic to itself is no matter of policies, and that of two neighbours none of the team's.
    asked = {
        flow
        for flow in everyone.flows(pods, everyone.peers)
        if flow.source != flow.target and everyone.home & {flow.source, flow.target}
    }
    allowed = asked & declared(scenario, everyone)
    closed = {flow for flow in asked - allowed if nodes_are_closed or flow.target != "API server"}
    assert {flow: flow in allowed for flow in TWELVE} == TWELVE
    assert others_than(OPEN, probes.ask(allowed, PATIENCE_S)) == []
    assert others_than(SILENT, probes.ask(closed, SILENCE_S)) == []
    remove_policies(cluster, team.name)
    assert others_than(OPEN, probes.ask(closed, PATIENCE_S)) == []


@pytest.mark.long
def test_uis_are_reached_by_the_door_alone_which_reaches_nothing_else_and_is_reached_by_who_is_named(
    team: Team, cluster: Cluster, new_namespace: Callable[..., str]
) -> None:
    ingress, monitoring, elsewhere = (new_namespace(name) for name in ("ingress", "monitoring", "elsewhere"))
    api = where_the_api_server_is(cluster)
    to_api = {"cidrs": [f"{address}/32" for address in api.values()], "ports": [int(port) for port in api]}
    named = {
        "ingress": {"namespaces": [ingress], "ports": [8080]},
        "prometheus": {"namespaces": [monitoring], "podLabels": {"app": "prometheus"}, "ports": [8081]},
    }
    past_the_last, history = Port(LAST_UI.number + 1), Port(18080)
    peers = {
        "ingress": Peer(ingress),
        "prometheus": Peer(monitoring, {"app": "prometheus"}),
        "its neighbour": Peer(monitoring, {"app": "other"}),
        "stranger": Peer(elsewhere, ports=(UI,)),
        "driver": Peer(team.name, {"spark-role": "driver"}, (UI, LAST_UI, past_the_last, RPC)),
        "executor": Peer(team.name, {"spark-role": "executor"}, (UI,)),
        "history": Peer(team.name, {"spark-role": "history-server"}, (history, RPC)),
    }
    addresses = start(cluster, peers, lambda namespace: "spark-executor" if namespace == team.name else "default")
    addresses |= {f"API server:{port}": address for port, address in api.items()}
    addresses["dns"] = cluster.core.read_namespaced_service("kube-dns", "kube-system").spec.cluster_ip
    with new_door(team) as door:
        door.let_in(team, door.viewer)
        door.install(
            network={"ingress": {"closed": True, "from": named}, "egress": {"closed": True, "apiServer": to_api}}
        )
        pod = door.pods()[0]
        door_pod = pod.metadata.name
        everyone = {
            **peers,
            door_pod: Peer(ADMIN_NAMESPACE, ports=(Port(8080), Port(8081))),
            **{name: ABROAD[name] for name in ("API server", "dns")},
        }
        probes = Probes(cluster, everyone, {**addresses, door_pod: pod.status.pod_ip})
        asked = {
            Flow(source, target, port.number, port.protocol)
            for source in (*peers, door_pod)
            for target, peer in everyone.items()
            for port in peer.ports
            if source != target and (door_pod in (source, target) or (target in ("driver", "history") and port != RPC))
        }
        allowed = {
            Flow("ingress", door_pod, 8080),
            Flow("prometheus", door_pod, 8081),
            *(Flow(door_pod, "driver", port.number) for port in (UI, LAST_UI)),
            Flow(door_pod, "history", history.number),
            *(Flow(door_pod, "API server", int(port)) for port in api),
        }
        assert allowed < asked
        assert others_than(OPEN, probes.ask(allowed, PATIENCE_S)) == []
        assert others_than(SILENT, probes.ask(asked - allowed, SILENCE_S)) == []
        door.team.kubectl("delete", "networkpolicy", door.release, door.admin)
        remove_policies(cluster, team.name)
        assert others_than(OPEN, probes.ask(asked - allowed, PATIENCE_S)) == []


@pytest.mark.check(14)
@pytest.mark.parametrize(
    ("mode", "line"),
    [
        pytest.param("cluster", LINES["4.3"], id="cluster-4.3", marks=pytest.mark.long),
        pytest.param("client", LINES["4.3"], id="client-4.3", marks=pytest.mark.long),
        pytest.param("cluster", LINES["3.5"], id="cluster-3.5", marks=pytest.mark.long),
    ],
)
def test_a_shuffle_in_a_closed_namespace_waits_for_no_connection(
    team: Team, scenario_of: Callable[[str], Scenario], tmp_path: Path, mode: str, line: SparkLine
) -> None:
    close(team, scenario_of(CLOSED), tmp_path / "values.yaml", {})
    conf = {
        **QUICK,
        # Both executors take part, however busy the machine is.
        "spark.scheduler.minRegisteredResourcesRatio": "1.0",
        "spark.scheduler.maxRegisteredResourcesWaitingTime": "120s",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.shuffle.partitions": "200",
        "spark.kubernetes.executor.deleteOnTermination": "false",
    }
    executor = {**SMALL["executor"], "instances": 2}
    values: dict[str, Any] = {"sparkConf": conf, "executor": executor, "global": {"isolateApplications": True}}
    team.install("shuffle", line=line, mode=mode, app={"source": SHUFFLE}, **values)
    end = team.end_of("shuffle")
    log = team.log_of(end)
    assert end.succeeded, log
    results = [words.partition("RESULT ")[2] for words in log.splitlines() if "RESULT " in words]
    assert results == ["rows 200000", "hosts 2", f"bytes {8 << 20}", "53 open", "9153 silent"]
    policies = team.cluster.networking.list_namespaced_network_policy(team.name).items
    made_by_spark = [policy.metadata.name for policy in policies if policy.metadata.owner_references]
    assert len(made_by_spark) == ((mode, line.line) == ("cluster", "4.3"))
    executors = team.cluster.core.list_namespaced_pod(team.name, label_selector="spark-role=executor").items
    logs = [log, *(team.cluster.core.read_namespaced_pod_log(pod.metadata.name, team.name) for pod in executors)]
    assert len(logs) == 3
    assert [words for words in logs if "timed out" in words or "TaskResultLost" in words] == []
