"""What Kubernetes 1.24 (PodSecurityPolicy) and 1.34 (Pod Security) admit and refuse in a team's namespace."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from grants import bind, service_account
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from chartproof import Helm
from chartproof.apiserver import ApiServer
from chartproof.pods import pods
from chartproof.podsecurity import findings
from kindling_dev.scenarios import CHARTS, SCENARIOS

Body = dict[str, Any]
_ACCOUNTS = ("spark-submitter", "spark-driver")
_PERSON = ("Impersonate-User", "ada@example.com"), ("Impersonate-Group", "0c3f2a77-5a0e-4a3e-8f43-2f4e8d1d7a11")
"""A user of a group of Active Directory, by the group's object id."""
_DEADLINE_S = 10


@dataclass(frozen=True)
class Team:
    """A namespace made by spark-namespace."""

    server: ApiServer
    namespace: str

    def api(self, identity: str) -> Any:
        """The API as one of its identities: a service account, or "person"."""
        api: Any = client.ApiClient(self.server.cluster.api_client.configuration)
        account = f"system:serviceaccount:{self.namespace}:{identity}"
        headers = _PERSON if identity == "person" else (("Impersonate-User", account),)
        for name, value in headers:
            api.set_default_header(name, value)
        return api

    def ensure_account(self, name: str) -> None:
        """Make a service account that a scenario names, where it is missing."""
        core = self.server.cluster.core
        if name not in {
            account.metadata.name for account in core.list_namespaced_service_account(self.namespace).items
        }:
            account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name=name))
            core.create_namespaced_service_account(self.namespace, account)

    def ensure_priority_class(self, name: str) -> None:
        """Make a PriorityClass that a scenario names, where it is missing."""
        scheduling: Any = client.SchedulingV1Api(self.server.cluster.api_client)
        if name not in {found.metadata.name for found in scheduling.list_priority_class().items}:
            metadata = client.V1ObjectMeta(name=name)
            scheduling.create_priority_class(client.V1PriorityClass(metadata=metadata, value=1))

    def admitted(self, pod: Mapping[str, Any], identity: str) -> Any:
        """The pod as the server would make it, and the warnings it gives.

        Raises:
            ApiException: it refuses the pod.
        """
        create: Any = client.CoreV1Api(self.api(identity)).create_namespaced_pod_with_http_info
        made, _, headers = create(self.namespace, pod, dry_run="All")
        return made, headers.get("Warning", "")

    def refusal(self, pod: Mapping[str, Any], identity: str) -> str:
        """What the server says of a pod that it must refuse."""
        with pytest.raises(ApiException) as refusal:
            self.admitted(pod, identity)
        return str(json.loads(refusal.value.body or "{}")["message"])


@pytest.fixture(scope="session")
def team_of(peopled: Callable[[str], ApiServer]) -> Callable[..., Team]:
    """Makes a team's namespace on a version of Kubernetes, with some values of spark-namespace."""

    def team_of(version: str, *values: str) -> Team:
        server = peopled(version)
        namespace = f"team-{uuid4().hex[:8]}"
        place = ["--namespace=kindling-system", "--create-namespace", f"--set=namespace.name={namespace}"]
        # What is refused, Pod Security or a policy refuses.
        place += ["--set=guard.enabled=false"]
        argv = ["install", namespace, str(CHARTS / "spark-namespace"), *place, *(f"--set={value}" for value in values)]
        server.helm().run(argv)
        people = [{"kind": "Group", "name": _PERSON[1][1]}, service_account(namespace, "spark-submitter")]
        bind(server.cluster, namespace, people, "ClusterRole/edit", "update pods")
        return Team(server, namespace)

    return team_of


@pytest.fixture(scope="session")
def plain(team_of: Callable[..., Team]) -> Callable[[str], Team]:
    """A team with the charts' defaults, one for each version of Kubernetes."""
    made: dict[str, Team] = {}

    def plain(version: str) -> Team:
        if version not in made:
            made[version] = team_of(version)
        return made[version]

    return plain


@pytest.fixture(params=["1.34", "1.24"])
def team(request: pytest.FixtureRequest, plain: Callable[[str], Team]) -> Team:
    """A team on the cluster's version of Kubernetes, and on the oldest that the charts support."""
    return plain(request.param)


def whole(body: Mapping[str, Any], name: str) -> Body:
    """A pod template as Spark completes it: a name, the main container's image."""
    pod = {"apiVersion": "v1", "kind": "Pod", **copy.deepcopy(dict(body))}
    pod["metadata"] = {"labels": (pod.get("metadata") or {}).get("labels"), "name": name}
    for container in containers(pod):
        container.setdefault("image", "docker.io/apache/spark:4.3.0-python3")
    return pod


def containers(pod: Mapping[str, Any]) -> Iterator[Body]:
    """All containers of a pod."""
    for kind in ("initContainers", "containers"):
        yield from pod["spec"].get(kind) or []


def plain_body(pod: Any) -> Body:
    """What the server made, as it would be written."""
    api: Any = client.ApiClient()
    return dict(api.sanitize_for_serialization(pod))


def contexts(pod: Mapping[str, Any]) -> list[Body]:
    """The security contexts of a pod and its containers."""
    return [
        pod["spec"].setdefault("securityContext", {}),
        *(c.setdefault("securityContext", {}) for c in containers(pod)),
    ]


def pods_of_scenarios(helm: Helm, version: str) -> Iterator[tuple[str, Body]]:
    """Every pod and pod template that the charts render, with where it is from."""
    for scenario in SCENARIOS:
        for number, pod in enumerate(pods(scenario.render(helm, version))):
            yield f"{scenario.name} {pod.about}", whole(pod.body, f"pod-{number}")


def of_cluster_mode(helm: Helm, scenario_of: Callable[[str], Any]) -> dict[str, Body]:
    """The pods of a run in cluster mode: the submitter, and the templates of driver and executor."""
    rendered = scenario_of("spark-job/04-cluster-mode").render(helm, "1.34")
    return {pod.about.partition(" ")[2] or pod.owner.kind: whole(pod.body, "one") for pod in pods(rendered)}


def without_ids_given(made: Body, pod: Body) -> Body:
    """What the server made, without the ids that a policy gives to a pod which leaves them to the platform."""
    if "runAsUser" in pod["spec"]["securityContext"]:
        return made
    without = copy.deepcopy(made)
    for holder in (without["spec"], *containers(without)):
        for field in ("runAsUser", "runAsGroup", "fsGroup", "supplementalGroups"):
            holder.get("securityContext", {}).pop(field, None)
    return without


@pytest.mark.check(6, 9)
def test_the_charts_pods_are_admitted_as_they_are(team: Team, helm: Helm) -> None:
    admitted = 0
    for about, pod in pods_of_scenarios(helm, team.server.version):
        team.ensure_account(pod["spec"].get("serviceAccountName", "default"))
        if "priorityClassName" in pod["spec"]:
            team.ensure_priority_class(pod["spec"]["priorityClassName"])
        for identity in (*_ACCOUNTS, "person"):
            made, warnings = team.admitted(pod, identity)
            assert not warnings, about
            made = plain_body(made)
            assert contexts(without_ids_given(made, pod)) == contexts(pod), f"{about}: the policy changes it"
            if team.server.version == "1.24":
                assert made["metadata"]["annotations"]["kubernetes.io/psp"] == f"spark-{team.namespace}"
            admitted += 1
    assert admitted > 3 * 30


FIELDS = [
    # what is removed, what Pod Security says of that, what a PodSecurityPolicy makes of the pod
    ("allowPrivilegeEscalation", "allowPrivilegeEscalation != false", "writes it in"),
    ("capabilities", "unrestricted capabilities", "writes it in"),
    ("runAsNonRoot", "runAsNonRoot != true", "takes it: the user that the pod names is not root"),
    ("seccompProfile", "seccompProfile", "refuses it"),
]


@pytest.mark.check(7)
@pytest.mark.parametrize(("field", "says", "policy"), FIELDS)
def test_pods_carry_each_field_themselves_for_pod_security_adds_none(  # a policy changes pods, levels do not
    field: str, says: str, policy: str, plain: Callable[[str], Team], helm: Helm, scenario_of: Callable[[str], Any]
) -> None:
    of_namespace = scenario_of("team-a/spark-namespace").render(helm, "1.34")
    templates = {pod.about: whole(pod.body, "one") for pod in pods(of_namespace)}
    templates |= of_cluster_mode(helm, scenario_of)
    assert len(templates) == 4 + 3
    for about, pod in templates.items():
        for context in contexts(pod):
            context.pop(field, None)
        found = findings("restricted", pod["metadata"], pod["spec"])  # one for each container, or for the pod
        assert {finding.check.partition("_")[0] for finding in found} == {field}, about
        refusal = plain("1.34").refusal(pod, "spark-driver")
        assert 'violates PodSecurity "restricted:latest": ' + says in refusal, about
        if policy == "refuses it":
            assert "is not an allowed seccomp profile" in plain("1.24").refusal(pod, "spark-driver"), about
            continue
        made, warning = plain("1.24").admitted(pod, "spark-driver")
        assert (says in warning) == (policy != "writes it in"), "it is warned of what the policy does not hide"
        made = plain_body(made)
        written = [field in (container.get("securityContext") or {}) for container in containers(made)]
        assert set(written) == {policy == "writes it in"}, about


ATTACKS: dict[str, tuple[Body, str, str]] = {
    # how: what is laid over an executor, what Pod Security says of it, what a PodSecurityPolicy says
    "privileged": (
        {"container": {"privileged": True, "allowPrivilegeEscalation": True}},
        "privileged",
        "Privileged containers are not allowed",
    ),
    "root": ({"container": {"runAsUser": 0}}, "runAsUser=0", "must be in the ranges: [{185 65535}]"),
    "root in the pod": ({"pod": {"runAsUser": 0}}, "runAsUser=0", "must be in the ranges: [{185 65535}]"),
    "escalation": (
        {"container": {"allowPrivilegeEscalation": True}},
        "allowPrivilegeEscalation != false",
        "Allowing privilege escalation for containers is not allowed",
    ),
    "capability": (
        {"container": {"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}},
        "unrestricted capabilities",
        "capability may not be added",
    ),
    "unconfined": (
        {"pod": {"seccompProfile": {"type": "Unconfined"}}},
        "seccompProfile",
        "unconfined is not an allowed seccomp profile",
    ),
    "path of the node": (
        {"volumes": [{"name": "node", "hostPath": {"path": "/"}}]},
        "restricted volume types",
        "hostPath volumes are not allowed to be used",
    ),
    "network of the node": ({"spec": {"hostNetwork": True}}, "host namespaces", "Host network is not allowed"),
    "processes of the node": ({"spec": {"hostPID": True}}, "host namespaces", "Host PID is not allowed"),
    "memory of the node": ({"spec": {"hostIPC": True}}, "host namespaces", "Host IPC is not allowed"),
}


def attack(how: str, helm: Helm, scenario_of: Callable[[str], Any]) -> Body:
    """An executor that would do what no pod may."""
    pod = of_cluster_mode(helm, scenario_of)["executor.yaml"]
    laid_over = copy.deepcopy(ATTACKS[how][0])
    main = pod["spec"]["containers"][0]
    main["securityContext"].update(laid_over.get("container", {}))
    pod["spec"]["securityContext"].update(laid_over.get("pod", {}))
    pod["spec"]["volumes"] += laid_over.get("volumes", [])
    pod["spec"].update(laid_over.get("spec", {}))
    return pod


@pytest.mark.check(9)
@pytest.mark.parametrize("how", ATTACKS)
def test_a_pod_that_would_break_out_is_refused_whoever_makes_it(
    how: str, team: Team, helm: Helm, scenario_of: Callable[[str], Any]
) -> None:
    pod = attack(how, helm, scenario_of)
    _, of_levels, of_policy = ATTACKS[how]
    by_policy = team.server.version == "1.24"
    who, says = (
        ("PodSecurityPolicy: unable to admit pod", of_policy) if by_policy else ("violates PodSecurity", of_levels)
    )
    for identity in (*_ACCOUNTS, "person"):
        refusal = team.refusal(pod, identity)
        assert who in refusal, identity
        assert says in refusal, identity
    # The same by a Job: its controller is no account of the team, the pod's own account counts.
    template = {"metadata": {}, "spec": {**pod["spec"], "restartPolicy": "Never"}}
    name = f"attack-{uuid4().hex[:8]}"
    job = {"metadata": {"name": name}, "spec": {"template": template}}
    batch: Any = client.BatchV1Api(team.api("spark-submitter"))
    batch.create_namespaced_job(team.namespace, job)

    def told(event: Any, _: str) -> str | None:
        return str(event.message) if event.reason == "FailedCreate" else None

    message = team.server.cluster.wait_for(
        team.server.cluster.core.list_namespaced_event,
        told,
        "an Event that tells of the refused pod",
        _DEADLINE_S,
        namespace=team.namespace,
        field_selector=f"involvedObject.kind=Job,involvedObject.name={name}",
    )
    assert who in message
    assert says in message


def with_path(pod: Body, path: str, *, read_only: bool) -> Body:
    """A pod that mounts a path of its node."""
    pod = copy.deepcopy(pod)
    pod["spec"].setdefault("volumes", []).append({"name": "node", "hostPath": {"path": path}})
    mount = {"name": "node", "mountPath": "/node", "readOnly": read_only}
    pod["spec"]["containers"][0].setdefault("volumeMounts", []).append(mount)
    return pod


def test_a_policy_allows_the_listed_paths_of_nodes_alone(
    team_of: Callable[..., Team], helm: Helm, scenario_of: Callable[[str], Any]
) -> None:
    team = team_of("1.24", "podSecurity.policy.hostPaths[0].pathPrefix=/data/flights")
    executor = of_cluster_mode(helm, scenario_of)["executor.yaml"]
    for identity in _ACCOUNTS:
        team.admitted(with_path(executor, "/data/flights/2013", read_only=True), identity)
        for other in ("/etc", "/data/flights-of-others", "/data/flights/../../etc"):
            refusal = team.refusal(with_path(executor, other, read_only=True), identity)
            assert "is not allowed to be used" in refusal or "must not contain '..'" in refusal, other
        refusal = team.refusal(with_path(executor, "/data/flights", read_only=False), identity)
        assert "must be read-only" in refusal


def test_pod_security_allows_every_path_of_nodes_or_none(
    plain: Callable[[str], Team], team_of: Callable[..., Team], helm: Helm, scenario_of: Callable[[str], Any]
) -> None:
    executor = of_cluster_mode(helm, scenario_of)["executor.yaml"]
    every = team_of("1.34", "podSecurity.enforce=privileged")
    for path in ("/data/flights", "/etc"):
        pod = with_path(executor, path, read_only=True)
        assert "restricted volume types" in plain("1.34").refusal(pod, "spark-driver")
        every.admitted(pod, "spark-driver")


def test_a_policy_cannot_tell_whose_account_and_secret_a_pod_has(
    plain: Callable[[str], Team], helm: Helm, scenario_of: Callable[[str], Any]
) -> None:
    pod = of_cluster_mode(helm, scenario_of)["executor.yaml"]
    pod["spec"]["serviceAccountName"] = "spark-submitter"
    pod["spec"].setdefault("volumes", []).append({"name": "others", "secret": {"secretName": "others"}})
    made, _ = plain("1.24").admitted(pod, "spark-driver")
    assert made.spec.service_account_name == "spark-submitter"


def test_a_pod_that_names_no_user_is_spark_s_under_a_policy(
    plain: Callable[[str], Team], helm: Helm, scenario_of: Callable[[str], Any]
) -> None:
    pod = of_cluster_mode(helm, scenario_of)["executor.yaml"]
    for context in contexts(pod):
        context.pop("runAsUser", None)
    made, _ = plain("1.24").admitted(pod, "spark-driver")
    assert {container.security_context.run_as_user for container in made.spec.containers} == {185}
    made, _ = plain("1.34").admitted(pod, "spark-driver")
    assert {container.security_context.run_as_user for container in made.spec.containers} == {None}, "the image's"


@pytest.mark.parametrize("version", ["1.34", "1.24"])
def test_without_pod_security_nothing_is_refused_by_the_chart(
    version: str, team_of: Callable[..., Team], helm: Helm, scenario_of: Callable[[str], Any]
) -> None:
    team = team_of(version, "podSecurity.mode=none")
    labels = team.server.cluster.core.read_namespace(team.namespace).metadata.labels
    assert not [label for label in labels if label.startswith("pod-security.kubernetes.io/")]
    pod = attack("privileged", helm, scenario_of)
    if version == "1.24":  # a cluster that has the plugin refuses what no policy allows
        assert team.refusal(pod, "spark-driver").endswith("PodSecurityPolicy: unable to admit pod: []")
    else:
        team.admitted(pod, "spark-driver")
