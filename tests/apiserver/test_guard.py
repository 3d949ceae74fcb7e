"""The guard (Kubernetes 1.30): what pods of a team's namespace may be, whoever makes them; a real server is asked."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from kubernetes import client

from chartproof.apiserver import ApiServer
from chartproof.values import merged
from kindling.causes.refused import explain_refusal
from kindling.facts import Evidence

Body = dict[str, Any]
Kubectl = Callable[..., str]
_ADMINS = ("--namespace=kindling-system", "--create-namespace")
_GUARD = {
    "secrets": ["ours"],
    "csiDrivers": ["csi.example.com"],
    "hostPaths": ["/data"],
    "executorAccounts": ["another"],
}
_DEADLINE_S = 60
_POLL_S = 0.1
_MINE, _ANOTHERS = "uid-of-the-driver", "uid-of-another-driver"
"""Stand for uids that pods have on a server."""
_IN_ENV = [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "foreign", "key": "password"}}}]
_POD: Body = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "made"},
    "spec": {
        "serviceAccountName": "spark-driver",
        "containers": [{"name": "main", "image": "spark"}],
        "securityContext": {"runAsUser": 185, "seccompProfile": {"type": "RuntimeDefault"}},
    },
}


def owned_by(*uids: str) -> Body:
    """The metadata of an executor that pods own."""
    owners = [{"apiVersion": "v1", "kind": "Pod", "name": "driver", "uid": uid} for uid in uids]
    return {"labels": {"spark-role": "executor", "spark-exec-id": "1"}, "ownerReferences": owners}


_EXECUTOR = merged(_POD, {"metadata": owned_by(_MINE), "spec": {"serviceAccountName": "spark-executor"}})


def with_container(**fields: Any) -> Body:
    """A change of a pod's container."""
    return {"spec": {"containers": [{**_POD["spec"]["containers"][0], **fields}]}}


def with_volume(**source: Any) -> Body:
    """A change of a pod's volumes."""
    return {"spec": {"volumes": [{"name": "taken", **source}]}}


def with_account(name: str) -> Body:
    """A change of a pod's service account."""
    return {"spec": {"serviceAccountName": name}}


_NOT_HERE = "not for pods of this namespace; allowed:"
_ACCOUNTS = (
    "another, spark-driver, spark-executor, spark-history, spark-submitter (guard.serviceAccounts of spark-namespace)"
)
_FOREIGN = f"Secret foreign is {_NOT_HERE} ours (guard.secrets of spark-namespace)"
_NO_HOST = "pods of this namespace have no access to their host; allowed: hostPath /data (guard.hostPaths of "
_NOT_OWNED = " makes what its own pod does not own; allowed: executors, owned by the one pod whose token asks for them"
_NO_EXECUTOR = " makes a pod without the label spark-role=executor; allowed: executors"
_OF_EXECUTORS = "is not for executors; allowed: another, spark-executor (guard.executorAccounts of spark-namespace)"
_SUBMITTER, _DRIVER = "spark-submitter", "spark-driver"
_ELSEWHERE = "spark-driver, but with a token that is no pod's"


class Attack(NamedTuple):
    """A pod that must not be: who makes it, how it differs from the pods of a run, what the refusal says."""

    by: str
    changes: Body
    says: str


ATTACKS = {
    "another account": Attack(
        _SUBMITTER, with_account("history"), f"service account history is {_NOT_HERE} {_ACCOUNTS}"
    ),
    "the default account": Attack(_SUBMITTER, with_account(""), f"service account default is {_NOT_HERE} {_ACCOUNTS}"),
    "Secret": Attack(_SUBMITTER, with_volume(secret={"secretName": "foreign"}), _FOREIGN),
    "Secret among others": Attack(
        _SUBMITTER, with_volume(projected={"sources": [{"secret": {"name": n}} for n in ("ours", "foreign")]}), _FOREIGN
    ),
    "Secret in a variable": Attack(_SUBMITTER, with_container(env=_IN_ENV), _FOREIGN),
    "Secret as variables": Attack(_SUBMITTER, with_container(envFrom=[{"secretRef": {"name": "foreign"}}]), _FOREIGN),
    "Secret of an init container": Attack(
        _SUBMITTER, {"spec": {"initContainers": [{"name": "before", "image": "spark", "env": _IN_ENV}]}}, _FOREIGN
    ),
    "Secret of images": Attack(_SUBMITTER, {"spec": {"imagePullSecrets": [{"name": "foreign"}]}}, _FOREIGN),
    "Secret that a CSI driver reads": Attack(
        _SUBMITTER,
        with_volume(csi={"driver": "csi.example.com", "nodePublishSecretRef": {"name": "foreign"}}),
        _FOREIGN,
    ),
    "CSI driver": Attack(
        _SUBMITTER,
        with_volume(csi={"driver": "secrets-store.csi.k8s.io"}),
        f"CSI driver secrets-store.csi.k8s.io is {_NOT_HERE} csi.example.com",
    ),
    "volume with a login": Attack(
        _SUBMITTER,
        with_volume(azureFile={"secretName": "foreign", "shareName": "all"}),
        "volume taken is of a kind that may reach hosts or Secrets; allowed: configMap, csi, downwardAPI, emptyDir, ",
    ),
    "hostPath": Attack(_SUBMITTER, with_volume(hostPath={"path": "/database"}), f"hostPath /database: {_NO_HOST}"),
    "hostNetwork": Attack(_SUBMITTER, {"spec": {"hostNetwork": True}}, f"hostNetwork: {_NO_HOST}"),
    "hostPID": Attack(_SUBMITTER, {"spec": {"hostPID": True}}, f"hostPID: {_NO_HOST}"),
    "hostIPC": Attack(_SUBMITTER, {"spec": {"hostIPC": True}}, f"hostIPC: {_NO_HOST}"),
    "hostPort": Attack(
        _SUBMITTER,
        with_container(ports=[{"containerPort": 80, "hostPort": 80}]),
        f"hostPort of container main: {_NO_HOST}",
    ),
    "privileged": Attack(
        _SUBMITTER, with_container(securityContext={"privileged": True}), f"privileged container main: {_NO_HOST}"
    ),
    "an editor": Attack("ann", with_volume(secret={"secretName": "foreign"}), _FOREIGN),
    "the admin": Attack("admin", with_volume(secret={"secretName": "foreign"}), _FOREIGN),
    "driver: no executor": Attack(_DRIVER, {"metadata": {"labels": {"spark-role": "driver"}}}, _NO_EXECUTOR),
    "driver: no owner": Attack(_DRIVER, {"metadata": {"ownerReferences": []}}, _NOT_OWNED),
    "driver: another's": Attack(_DRIVER, {"metadata": owned_by(_ANOTHERS)}, _NOT_OWNED),
    "driver: also another's": Attack(_DRIVER, {"metadata": owned_by(_MINE, _ANOTHERS)}, _NOT_OWNED),
    "driver: elsewhere": Attack(_ELSEWHERE, {}, _NOT_OWNED),
    "driver: its account": Attack(
        _DRIVER, with_account("spark-driver"), f"service account spark-driver {_OF_EXECUTORS}"
    ),
    "driver: the old field": Attack(
        _DRIVER,
        {"spec": {"serviceAccountName": "", "serviceAccount": "spark-submitter"}},
        f"service account spark-submitter {_OF_EXECUTORS}",
    ),
    "driver: Secret": Attack(_DRIVER, with_volume(secret={"secretName": "foreign"}), _FOREIGN),
    "driver: hostPath": Attack(_DRIVER, with_volume(hostPath={"path": "/"}), f"hostPath /: {_NO_HOST}"),
    "an account of the namespace's own": Attack("history", {}, _NOT_OWNED),
}


@dataclass(frozen=True)
class Team:
    """A team's namespace on an API server, with two drivers in it.

    Attributes:
        server, name: the server and the namespace.
        uids: what stands for a driver's uid in a body -> the uid.
        logins: who asks -> the headers that say so.
    """

    server: ApiServer
    name: str
    uids: Mapping[str, str]
    logins: Mapping[str, Mapping[str, str]]

    def ask(self, who: str, method: str, path: str, body: Body, *, dry: bool = True) -> str:
        """What the server says of a request in the namespace; "" if it does it.

        Args:
            who: one of ``logins``.
            method, path: of the request, with the path's group: "pods", "apps/v1:statefulsets".
            body: what is sent.
            dry: nothing stays of it.
        """
        group, _, rest = path.rpartition(":")
        kind = "application/strategic-merge-patch+json" if method == "PATCH" else "application/json"
        text = json.dumps(body)
        for name, uid in self.uids.items():
            text = text.replace(name, uid)
        admin = self.server.cluster.api_client
        api = client.ApiClient(bare(admin.configuration)) if "Authorization" in self.logins[who] else admin
        url = f"{admin.configuration.host}/{f'apis/{group}' if group else 'api/v1'}/namespaces/{self.name}/{rest}"
        headers = {"Content-Type": kind, **self.logins[who]}
        answer = api.call_api(method, f"{url}?dryRun=All" if dry else url, headers, json.loads(text))
        said = json.loads(answer.read())
        return "" if said["kind"] != "Status" else str(said["message"])


def bare(admin: client.Configuration) -> client.Configuration:
    """How to reach an admin's server, without the admin's certificate."""
    settings = client.Configuration()
    settings.host, settings.ssl_ca_cert = admin.host, admin.ssl_ca_cert
    return settings


def token(server: ApiServer, namespace: str, account: str, pod: str = "", uid: str = "") -> str:
    """A service account's token, bound to a pod as kubelets ask for it, or to none."""
    bound = {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": pod, "uid": uid}} if pod else {}
    request = {"spec": {"audiences": [], "expirationSeconds": 3600, **bound}}
    make = server.cluster.core.create_namespaced_service_account_token
    return str(make(account, namespace, request).status.token)


@pytest.fixture(scope="module")
def team_with(apiserver: Callable[[str], ApiServer], charts: Path, kubectl: Kubectl) -> Callable[..., Team]:
    """A team's namespace with two drivers. Pod Security refuses nothing there: what is refused, the guard does."""

    def team_with(guard: dict[str, Any], version: str = "1.34") -> Team:
        server, name = apiserver(version), f"team-{uuid4().hex[:8]}"
        values = {
            "namespace": {"name": name},
            "podSecurity": {"enforce": "privileged"},
            "driver": {"statefulSets": True},
            "guard": guard,
            "accounts": [{"name": "alice", "role": "submitter"}],
        }
        argv = ["install", name, str(charts / "spark-namespace"), *_ADMINS, "--values=-"]
        server.helm().run(argv, json.dumps(values))
        for account in ("history", "another"):
            kubectl(server, "create", "serviceaccount", account, f"--namespace={name}")
        # What is refused, the guard refuses: rights are there.
        accounts = ("history", "spark-submitter", "spark-driver")
        to = [*(f"--serviceaccount={name}:{account}" for account in accounts), "--user=ann"]
        kubectl(server, "create", "rolebinding", "edit", "--clusterrole=edit", *to, f"--namespace={name}")
        uids = {}
        for stands, pod in ((_MINE, "driver"), (_ANOTHERS, "another-driver")):
            body = merged(_POD, {"metadata": {"name": pod, "labels": {"spark-role": "driver"}}})
            uids[stands] = str(server.cluster.core.create_namespaced_pod(name, body).metadata.uid)
        tokens = {
            _SUBMITTER: token(server, name, "spark-submitter"),
            _DRIVER: token(server, name, "spark-driver", "driver", uids[_MINE]),
            _ELSEWHERE: token(server, name, "spark-driver"),
            "history": token(server, name, "history"),
            "alice": token(server, name, "alice"),
        }
        logins = {who: {"Authorization": f"Bearer {text}"} for who, text in tokens.items()}
        return Team(server, name, uids, {**logins, "admin": {}, "ann": {"Impersonate-User": "ann"}})

    return team_with


def wait_until_in_force(team: Team) -> None:
    """Wait until the API server judges by the guard, a moment after it got it; nothing tells of that."""
    end = time.monotonic() + _DEADLINE_S
    while not team.ask("admin", "POST", "pods", merged(_POD, {"spec": {"hostNetwork": True}})):
        assert time.monotonic() < end, "the guard is not in force"
        time.sleep(_POLL_S)


@pytest.fixture(scope="module")
def guarded(team_with: Callable[..., Team]) -> Team:
    """A team with the guard in force, a moment after the API server got it."""
    team = team_with(_GUARD)
    wait_until_in_force(team)
    return team


@pytest.fixture(scope="module")
def unguarded(team_with: Callable[..., Team]) -> Team:
    """A team without the guard."""
    return team_with({"enabled": False})


def attacked(team: Team, attack: Attack) -> str:
    """What the server says of an attack: a pod as the attacker makes them, but for a change."""
    pod = _EXECUTOR if attack.by.startswith((_DRIVER, "history")) else _POD
    return team.ask(attack.by, "POST", "pods", merged(pod, attack.changes))


@pytest.mark.check(4)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_is_refused_in_a_line_that_says_what_is_wrong_and_what_is_allowed(
    guarded: Team, attack: Attack
) -> None:
    policy = f"kindling-guard-{guarded.name}"
    said = attacked(guarded, attack)
    start = f"pods \"made\" is forbidden: ValidatingAdmissionPolicy '{policy}' with binding '{policy}' denied request: "
    assert said.startswith(start)
    assert attack.says in said
    assert "\n" not in said
    if value := re.search(r"guard\.\w+", said):
        finding = explain_refusal("driver", said, Evidence("", said))
        assert finding.id == "guard"
        assert f"listed in {value[0]} of" in finding.cure


@pytest.mark.check(4)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_without_the_guard_it_is_admitted(unguarded: Team, attack: Attack) -> None:
    assert attacked(unguarded, attack) == ""


ADMITTED = {
    "a driver of the submitter": (_SUBMITTER, _POD),
    "a driver of an account that submits": ("alice", _POD),
    "a submitter of a Job": (_SUBMITTER, merged(_POD, with_account("spark-submitter"))),
    "an executor of a driver": (_DRIVER, _EXECUTOR),
    "an executor with a listed account": (_DRIVER, merged(_EXECUTOR, with_account("another"))),
    "a listed Secret": (_SUBMITTER, merged(_POD, with_volume(secret={"secretName": "ours"}))),
    "a listed CSI driver": (_SUBMITTER, merged(_POD, with_volume(csi={"driver": "csi.example.com"}))),
    "a folder in a listed one": (_SUBMITTER, merged(_POD, with_volume(hostPath={"path": "/data/flights"}))),
    "a test of helm": ("admin", _POD),
    "many variables": (
        _SUBMITTER,
        merged(_POD, with_container(env=[{"name": f"V{number}", "value": "v" * 100} for number in range(5000)])),
    ),
}


@pytest.mark.check(4)
@pytest.mark.parametrize(("who", "pod"), ADMITTED.values(), ids=ADMITTED)
def test_pods_of_runs_are_admitted(guarded: Team, who: str, pod: Body) -> None:
    assert guarded.ask(who, "POST", "pods", pod) == ""


_SETS = "apps/v1:statefulsets"
_SET: Body = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "set", "ownerReferences": _EXECUTOR["metadata"]["ownerReferences"]},
    "spec": {
        "serviceName": "none",
        "selector": {"matchLabels": {"spark-role": "executor"}},
        "template": {"metadata": {"labels": {"spark-role": "executor"}}, "spec": _EXECUTOR["spec"]},
    },
}
"""As Spark makes it with executor.allocator: statefulset."""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"metadata": {"ownerReferences": []}}, _NOT_OWNED),
        ({"metadata": {"ownerReferences": owned_by(_ANOTHERS)["ownerReferences"]}}, _NOT_OWNED),
        (
            {
                "spec": {
                    "selector": {"matchLabels": {"spark-role": "driver"}},
                    "template": {"metadata": {"labels": {"spark-role": "driver"}}},
                }
            },
            _NO_EXECUTOR,
        ),
        ({"spec": {"template": with_account("spark-submitter")}}, f"service account spark-submitter {_OF_EXECUTORS}"),
    ],
    ids=["no owner", "another's", "no executors", "as the submitter"],
)
def test_a_drivers_statefulset_is_judged_as_its_pods_are(
    guarded: Team, unguarded: Team, changes: Body, says: str
) -> None:
    attack = merged(_SET, changes)
    assert says in guarded.ask(_DRIVER, "POST", _SETS, attack)
    assert unguarded.ask(_DRIVER, "POST", _SETS, attack) == ""
    assert guarded.ask(_DRIVER, "POST", _SETS, _SET) == ""


def test_a_driver_takes_no_statefulset_over(guarded: Team, unguarded: Team) -> None:
    takeover = {"metadata": {"ownerReferences": _SET["metadata"]["ownerReferences"]}}
    for team, said in ((guarded, _NOT_OWNED), (unguarded, "")):
        anothers = merged(_SET, {"metadata": {"name": "anothers", "ownerReferences": []}, "spec": {"replicas": 0}})
        assert team.ask("admin", "POST", _SETS, anothers, dry=False) == ""
        assert said in team.ask(_DRIVER, "PATCH", f"{_SETS}/anothers", takeover)
        assert (team.ask(_DRIVER, "PATCH", f"{_SETS}/anothers", {"spec": {"replicas": 1}}) == "") == (team is unguarded)


_EPHEMERAL = {"spec": {"ephemeralContainers": [{"name": "look", "image": "spark", "env": _IN_ENV}]}}
_TURNED = {"metadata": {"labels": {"spark-role": "executor"}}}
_TAKEN = {"metadata": {"ownerReferences": owned_by(_MINE)["ownerReferences"]}}
_STAYS = "label spark-role says whose the pod is, and stays; allowed: other labels"
_CHANGES = " changes a pod; allowed: labels and annotations of its own pod and of executors"


@pytest.mark.parametrize(
    ("who", "path", "changes", "says"),
    [
        (_DRIVER, "pods/another-driver", {"spec": {"containers": [{"name": "main", "image": "mine"}]}}, _CHANGES),
        (_DRIVER, "pods/another-driver", {"metadata": {"labels": {"any": "one"}}}, _CHANGES),
        (_DRIVER, "pods/driver", {"spec": {"containers": [{"name": "main", "image": "mine"}]}}, _CHANGES),
        (_DRIVER, "pods/driver", _TURNED, _STAYS),
        ("ann", "pods/driver", _TURNED, _STAYS),
        ("ann", "pods/another-driver", _TAKEN, "the owners of a pod stay as they were made"),
        (_SUBMITTER, "pods/driver/status", _TURNED, _STAYS),
        ("admin", "pods/driver/ephemeralcontainers", _EPHEMERAL, _FOREIGN),
    ],
    ids=["image", "label", "own image", "own role", "role", "owner", "role by status", "ephemeral container"],
)
def test_a_running_pod_is_not_turned_into_another(
    guarded: Team, unguarded: Team, who: str, path: str, changes: Body, says: str
) -> None:
    assert says in guarded.ask(who, "PATCH", path, changes)
    assert unguarded.ask(who, "PATCH", path, changes) == ""


@pytest.mark.parametrize(
    ("who", "path", "changes"),
    [
        (_DRIVER, "pods/driver", {"metadata": {"annotations": {"spark.exit-exception": "none"}}}),
        (_DRIVER, "pods/executor", {"metadata": {"labels": {"spark-exec-inactive": "true"}}}),
        (_DRIVER, "pods/executor", {"metadata": {"labels": {"spark-exec-id": "2"}}}),
        (_SUBMITTER, "pods/driver/status", {"status": {"conditions": [{"type": "Mine", "status": "True"}]}}),
        ("ann", "pods/driver", {"metadata": {"labels": {"any": "one"}}}),
    ],
    ids=["own annotation", "executor's label", "number of a StatefulSet's executor", "a condition", "a person's label"],
)
def test_what_runs_change_of_pods_can_be_changed(guarded: Team, who: str, path: str, changes: Body) -> None:
    executor = merged(_EXECUTOR, {"metadata": {"name": "executor"}})
    assert guarded.ask(_DRIVER, "POST", "pods", executor, dry=False) in ("", 'pods "executor" already exists')
    assert guarded.ask(who, "PATCH", path, changes) == ""


def job(name: str, pod: Body) -> Body:
    """A Job of such pods."""
    spec = {**pod["spec"], "restartPolicy": "Never"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": {"spec": spec}}}


@pytest.mark.parametrize("change", [with_account("history"), with_volume(secret={"secretName": "foreign"})])
def test_a_job_gets_no_pod_that_its_maker_may_not_have_and_says_why(guarded: Team, change: Body) -> None:
    name = f"bad-{uuid4().hex[:8]}"
    assert guarded.ask("ann", "POST", "batch/v1:jobs", job(name, merged(_POD, change)), dry=False) == ""
    events = guarded.server.cluster.core.list_namespaced_event
    message = guarded.server.cluster.wait_for(
        events,
        lambda event, _: event.message if event.reason == "FailedCreate" else None,
        "the refusal",
        _DEADLINE_S,
        namespace=guarded.name,
        field_selector=f"involvedObject.name={name}",
    )
    assert (
        f"denied request: {'service account history' if 'serviceAccountName' in str(change) else _FOREIGN}" in message
    )


def test_pods_that_were_there_before_the_guard_live_and_end(
    team_with: Callable[..., Team], charts: Path, kubectl: Kubectl
) -> None:
    team = team_with({"enabled": False})
    old = merged(_POD, {"metadata": {"name": "old", "finalizers": ["example.com/last"]}, **with_account("history")})
    assert team.ask("admin", "POST", "pods", old, dry=False) == ""
    argv = ["upgrade", team.name, str(charts / "spark-namespace"), *_ADMINS[:1], "--reuse-values"]
    team.server.helm().run([*argv, "--set=guard.enabled=true"])
    wait_until_in_force(team)
    assert team.ask("admin", "PATCH", "pods/old/status", {"status": {"phase": "Running"}}, dry=False) == ""
    kubectl(team.server, "delete", "pod", "old", "--wait=false", f"--namespace={team.name}")
    assert (
        team.ask(
            "ann", "PATCH", "pods/old", {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/last"]}}
        )
        == ""
    )


def test_the_api_server_finds_nothing_wrong_with_its_types(guarded: Team) -> None:
    policies = client.AdmissionregistrationV1Api(guarded.server.cluster.api_client)
    checked = guarded.server.cluster.wait_for(
        policies.list_validating_admission_policy,
        lambda policy, _: policy.status if policy.status and policy.status.observed_generation else None,
        "the check of types",
        _DEADLINE_S,
        field_selector=f"metadata.name=kindling-guard-{guarded.name}",
    )
    assert checked.type_checking is None or not checked.type_checking.expression_warnings


def test_each_team_has_a_guard_of_its_own_that_goes_with_its_release(
    guarded: Team, team_with: Callable[..., Team], kubectl: Kubectl
) -> None:
    second = team_with({"secrets": ["foreign"]})
    wait_until_in_force(second)
    take = merged(_POD, with_volume(secret={"secretName": "foreign"}))
    assert second.ask(_SUBMITTER, "POST", "pods", take) == ""
    assert _FOREIGN in guarded.ask(_SUBMITTER, "POST", "pods", take)
    second.server.helm().run(["uninstall", second.name, "--namespace=kindling-system"])
    kinds = "validatingadmissionpolicies,validatingadmissionpolicybindings"
    names = kubectl(second.server, "get", kinds, "--output=name")
    assert f"kindling-guard-{second.name}\n" not in names
    assert names.count(f"kindling-guard-{guarded.name}\n") == 2


def test_an_upgrade_from_the_release_before_the_guard_brings_it(
    apiserver: Callable[[str], ApiServer], charts: Path, kubectl: Kubectl
) -> None:
    server, name = apiserver("1.34"), f"team-{uuid4().hex[:8]}"
    (released,) = (charts.parent / "tests/releases").glob("spark-namespace-0.1.0.tgz")
    argv = [name, *_ADMINS[:1], f"--set=namespace.name={name}"]
    server.helm().run(["install", *argv[:1], str(released), *argv[1:], "--create-namespace"])
    before = kubectl(
        server, "get", "serviceaccounts", f"--namespace={name}", "--output=jsonpath={.items[*].metadata.uid}"
    )
    server.helm().run(["upgrade", *argv[:1], str(charts / "spark-namespace"), *argv[1:]])
    after = kubectl(
        server, "get", "serviceaccounts", f"--namespace={name}", "--output=jsonpath={.items[*].metadata.uid}"
    )
    assert set(before.split()) < set(after.split()), "all live on; some are new"
    assert f"kindling-guard-{name}" in kubectl(server, "get", "validatingadmissionpolicies", "--output=name")


@pytest.fixture(scope="module")
def before_the_guard(peopled: Callable[[str], ApiServer], team_with: Callable[..., Team]) -> Team:
    """A team on Kubernetes 1.24."""
    peopled("1.24")
    return team_with({"enabled": "auto"}, "1.24")


@pytest.mark.parametrize("name", ["another account", "Secret", "driver: no executor", "driver: another's"])
def test_kubernetes_1_24_cannot_refuse_it(before_the_guard: Team, name: str) -> None:
    assert attacked(before_the_guard, ATTACKS[name]) == ""


@pytest.mark.check(4)
@pytest.mark.parametrize(
    ("version", "guard", "says"),
    [
        ("1.24", {}, "WARNING: without the guard (Kubernetes 1.30 and newer have it), who runs jobs here can use "),
        (
            "1.34",
            {"enabled": False},
            "WARNING: without the guard (guard.enabled is false), who runs jobs here can use ",
        ),
        ("1.34", {}, "Its guard lets pods use no Secret (guard.secrets)."),
        ("1.34", {"secrets": ["a", "b"]}, "Its guard lets pods use the Secrets a, b (guard.secrets)."),
    ],
)
def test_who_installs_is_told_in_a_line_whether_there_is_a_guard(
    apiserver: Callable[[str], ApiServer], charts: Path, version: str, guard: Body, says: str
) -> None:
    values = json.dumps({"namespace": {"name": "told"}, "guard": guard})
    argv = ["install", "told", str(charts / "spark-namespace"), *_ADMINS, "--values=-", "--dry-run=server"]
    notes = apiserver(version).helm().run(argv, values).partition("NOTES:")[2]
    assert [line.startswith(says) for line in notes.splitlines()].count(True) == 1
