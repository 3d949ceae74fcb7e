"""NetworkPolicies are read as Kubernetes documents them; a matrix says who may talk to whom.

Cases follow https://kubernetes.io/docs/concepts/services-networking/network-policies/.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from chartproof.checks import Rule
from chartproof.reachability import Flow, Network, Peer, Port, surprises
from chartproof.rules.network import reachability

Said = Callable[[Rule, str], list[str]]

HTTP, DNS, METRICS = Port(8080, "TCP", "http"), Port(53, "UDP", "dns"), Port(9090, "TCP", "metrics")
WEB = Peer("team-a", {"app": "web"}, (HTTP, METRICS))
JOB = Peer("team-a", {"app": "job"}, (HTTP,))
FAR = Peer("team-b", {"app": "job"}, (HTTP,))
RESOLVER = Peer("kube-system", {"k8s-app": "kube-dns"}, (DNS,))
INSIDE, HOLE, OUTSIDE = (Peer(address=address, ports=(HTTP,)) for address in ("10.1.2.3", "10.1.9.9", "192.0.2.1"))
NAMESPACES = {"team-b": {"tenant": "yes"}}


def network(*policies: str) -> Network:
    """A cluster whose policies in team-a have these specs."""
    return Network(
        tuple({"metadata": {"namespace": "team-a"}, "spec": yaml.safe_load(policy)} for policy in policies), NAMESPACES
    )


def test_without_a_policy_everyone_may_talk() -> None:
    assert network().allows(FAR, WEB, HTTP)
    assert network().allows(WEB, OUTSIDE, HTTP)


def test_a_policy_without_rules_denies_its_direction_only() -> None:
    ingress = network("{podSelector: {}, policyTypes: [Ingress]}")
    assert not ingress.allows(JOB, WEB, HTTP)
    assert ingress.allows(WEB, FAR, HTTP)
    egress = network("{podSelector: {}, policyTypes: [Egress]}")
    assert not egress.allows(WEB, FAR, HTTP)
    assert egress.allows(FAR, WEB, HTTP)


def test_policy_types_follow_the_rules_where_they_are_not_given() -> None:
    assert not network("{podSelector: {}}").allows(JOB, WEB, HTTP), "ingress always"
    assert network("{podSelector: {}}").allows(WEB, FAR, HTTP), "egress only where there are rules"
    assert not network("{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}").allows(WEB, FAR, HTTP)


def test_an_empty_rule_allows_all() -> None:
    assert network("{podSelector: {}, ingress: [{}]}").allows(FAR, WEB, HTTP)
    assert network("{podSelector: {}, policyTypes: [Egress], egress: [{}]}").allows(WEB, OUTSIDE, HTTP)


def test_policies_add_up() -> None:
    deny, allow = "{podSelector: {}}", "{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 8080}]}]}"
    assert network(deny, allow).allows(FAR, WEB, HTTP)
    assert not network(deny, allow).allows(FAR, WEB, METRICS)
    assert not network(deny, allow).allows(WEB, JOB, HTTP)


def test_both_ends_must_agree() -> None:
    to_web = "{podSelector: {matchLabels: {app: job}}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]}"
    assert network(to_web).allows(JOB, WEB, HTTP)
    assert not network(to_web, "{podSelector: {matchLabels: {app: web}}}").allows(JOB, WEB, HTTP)
    assert not network(to_web).allows(JOB, FAR, HTTP)


@pytest.mark.parametrize(
    ("peers", "allowed"),
    [
        ("[{podSelector: {}}]", [JOB]),
        ("[{podSelector: {matchLabels: {app: job}}}]", [JOB]),
        ("[{podSelector: {matchLabels: {app: db}}}]", []),
        ("[{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}}]", [JOB]),
        ("[{namespaceSelector: {}}]", [JOB, FAR, RESOLVER]),
        ("[{namespaceSelector: {matchLabels: {tenant: 'yes'}}}]", [FAR]),
        ("[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: team-b}}}]", [FAR]),
        ("[{namespaceSelector: {}, podSelector: {matchLabels: {app: job}}}]", [JOB, FAR]),
        ("[{namespaceSelector: {matchLabels: {tenant: 'yes'}}}, {podSelector: {}}]", [JOB, FAR]),
        ("[{ipBlock: {cidr: 10.1.0.0/16}}]", [INSIDE, HOLE]),
        ("[{ipBlock: {cidr: 10.1.0.0/16, except: [10.1.9.0/24]}}]", [INSIDE]),
        ("[{ipBlock: {cidr: 0.0.0.0/0}}]", [INSIDE, HOLE, OUTSIDE]),
        ("[{ipBlock: {cidr: '2001:db8::/32'}}]", []),
        ("[]", [JOB, FAR, RESOLVER, INSIDE, HOLE, OUTSIDE]),
    ],
)
def test_peers_are_those_that_the_selectors_name(peers: str, allowed: list[Peer]) -> None:
    policy = f"{{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{{from: {peers}}}]}}"
    everyone = [JOB, FAR, RESOLVER, INSIDE, HOLE, OUTSIDE]
    assert [peer for peer in everyone if network(policy).allows(peer, WEB, HTTP)] == allowed


@pytest.mark.parametrize(
    ("ports", "allowed"),
    [
        ("[{port: 8080}]", [HTTP]),
        ("[{port: http}]", [HTTP]),
        ("[{port: https}]", []),
        ("[{port: 8080, endPort: 9090}]", [HTTP, METRICS]),
        ("[{port: 8081, endPort: 9089}]", []),
        ("[{port: 53}]", []),
        ("[{port: 53, protocol: UDP}]", [DNS]),
        ("[{protocol: UDP}]", [DNS]),
        ("[{protocol: TCP}]", [HTTP, METRICS]),
        ("[]", [HTTP, METRICS, DNS]),
    ],
)
def test_ports_are_those_that_the_rule_names(ports: str, allowed: list[Port]) -> None:
    policy = f"{{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{{ports: {ports}}}]}}"
    assert [port for port in (HTTP, METRICS, DNS) if network(policy).allows(JOB, WEB, port)] == allowed


def test_peers_and_ports_of_one_rule_go_together() -> None:
    rule = "{from: [{podSelector: {matchLabels: {app: job}}}], ports: [{port: 8080}]}"
    one = network(f"{{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{rule}]}}")
    assert one.allows(JOB, WEB, HTTP)
    assert not one.allows(JOB, WEB, METRICS)
    assert not one.allows(FAR, WEB, HTTP)


def test_a_policy_is_for_its_own_namespace() -> None:
    assert network("{podSelector: {}}").allows(WEB, FAR, HTTP)


PEERS: dict[str, Peer] = {"web": WEB, "job": JOB, "internet": OUTSIDE}
DENY = "{kind: NetworkPolicy, metadata: {name: deny}, spec: {podSelector: {}, policyTypes: [Ingress, Egress]}}"


def test_a_matrix_that_holds_is_silent(said: Said) -> None:
    assert said(reachability(PEERS, []), DENY) == []
    everything = [
        Flow(s, t, p.number) for s in PEERS for t in PEERS for p in PEERS[t].ports if (s, t) != ("internet",) * 2
    ]
    assert list(surprises(Network(), PEERS, everything)) == []


def test_what_a_matrix_does_not_expect_is_named(said: Said) -> None:
    assert said(reachability({"web": WEB, "job": JOB}, [Flow("job", "web", 8080)]), DENY) == [
        "mine: job -> web:8080/TCP is blocked"
    ]
    assert said(reachability({"job": JOB, "internet": OUTSIDE}, [Flow("job", "job", 8080)]), "") == [
        "mine: job -> internet:8080/TCP is open",
        "mine: internet -> job:8080/TCP is open",
    ]


def test_a_flow_to_nowhere_is_an_error() -> None:
    with pytest.raises(LookupError, match="job -> web:81/TCP: no such peer or port; there are internet, job, web"):
        list(surprises(Network(), PEERS, [Flow("job", "web", 81)]))


ENDS = [
    Peer("a", {"app": "web", "tier": "1"}, address="10.0.1.1"),
    Peer("a", {"app": "db"}, address="10.0.1.2"),
    Peer("b", {"app": "web"}, address="10.0.2.1"),
    Peer("b", {}, address="10.0.2.2"),
    Peer("c", {"app": "db", "tier": "2"}, address="10.0.3.1"),
    Peer(address="192.0.2.7"),
]
LABELS = {"a": {"team": "x"}, "b": {"team": "y", "shared": "yes"}, "c": {}}
PORTS = [Port(80, "TCP", "http"), Port(5432, "TCP", "db"), Port(53, "UDP", "dns")]


def test_another_evaluator_gives_the_same_verdicts() -> None:
    """``network-policies.jsonl``: random policies, and what cyclonus 0.5.6 says of each of the questions in turn.

    The policies have no NotIn: cyclonus takes it for false where the label is absent, Kubernetes for true.
    """
    questions = [(s, t, port) for s in ENDS for t in ENDS if s.namespace or t.namespace for port in PORTS]
    cases = [json.loads(line) for line in (Path(__file__).parent / "network-policies.jsonl").read_text().splitlines()]
    assert len(cases) == 100
    for case in cases:
        evaluated = Network(tuple(case["policies"]), LABELS)
        verdicts = "".join("01"[evaluated.allows(*question)] for question in questions)
        assert verdicts == case["allowed"], case["policies"]
