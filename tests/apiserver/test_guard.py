"""The guard (Kubernetes 1.30): what pods of a team's namespace may be, whoever makes them; a real server is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest
from guarded_team import (
    ADMINS,
    ANOTHERS,
    DRIVER,
    ELSEWHERE,
    EXECUTOR,
    MINE,
    POD,
    SUBMITTER,
    Body,
    Kubectl,
    Team,
    owned_by,
    wait_until_in_force,
    with_account,
    with_container,
    with_volume,
)
from kubernetes import client

from chartproof.apiserver import ApiServer
from chartproof.values import merged
from kindling.causes.refused import explain_refusal
from kindling.facts import Evidence

_IN_ENV = [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "foreign", "key": "password"}}}]
_DEADLINE_S = 60
_NOT_HERE = "not for pods of this namespace; allowed:"
_ACCOUNTS = (
    "another, spark-driver, spark-executor, spark-history, spark-submitter (guard.serviceAccounts of spark-namespace)"
)
_FOREIGN = f"Secret foreign is {_NOT_HERE} ours (guard.secrets of spark-namespace)"
_NO_HOST = " reaches the host, which is shared with other teams; allowed: none of it"
_NO_PATH = f" is {_NOT_HERE} /data, each read-only (guard.hostPaths of spark-namespace)"
_CHANGES_HOST = " may change its host; allowed: type Directory or File, and mounts with readOnly: true"
_NOT_OWNED = (
    " makes or changes what its own pod does not own; allowed: executors and what is theirs, owned by the one pod "
)
_NO_EXECUTOR = " makes a pod without the label spark-role=executor; allowed: executors"
_OF_EXECUTORS = "is not for executors; allowed: another, spark-executor (guard.executorAccounts of spark-namespace)"


class Pod(NamedTuple):
    """A pod that must not be: who makes it, how it differs from the pods of a run, what the refusal says."""

    by: str
    changes: Body
    says: str


ATTACKS = {
    "another account": Pod(SUBMITTER, with_account("history"), f"service account history is {_NOT_HERE} {_ACCOUNTS}"),
    "the default account": Pod(SUBMITTER, with_account(""), f"service account default is {_NOT_HERE} {_ACCOUNTS}"),
    "Secret": Pod(SUBMITTER, with_volume(secret={"secretName": "foreign"}), _FOREIGN),
    "Secret among others": Pod(
        SUBMITTER, with_volume(projected={"sources": [{"secret": {"name": n}} for n in ("ours", "foreign")]}), _FOREIGN
    ),
    "Secret in a variable": Pod(SUBMITTER, with_container(env=_IN_ENV), _FOREIGN),
    "Secret as variables": Pod(SUBMITTER, with_container(envFrom=[{"secretRef": {"name": "foreign"}}]), _FOREIGN),
    "Secret of an init container": Pod(
        SUBMITTER, {"spec": {"initContainers": [{"name": "before", "image": "spark", "env": _IN_ENV}]}}, _FOREIGN
    ),
    "Secret of images": Pod(SUBMITTER, {"spec": {"imagePullSecrets": [{"name": "foreign"}]}}, _FOREIGN),
    "Secret of images, of another account": Pod(
        SUBMITTER,
        {"spec": {"imagePullSecrets": [{"name": "history-dockercfg-x2x4c"}]}},
        f"Secret history-dockercfg-x2x4c is {_NOT_HERE} ours",
    ),
    "Secret that has the name of one of images": Pod(
        SUBMITTER,
        with_volume(secret={"secretName": "spark-driver-dockercfg-x2x4c"}),
        f"Secret spark-driver-dockercfg-x2x4c is {_NOT_HERE} ours",
    ),
    "Secret that a CSI driver reads": Pod(
        SUBMITTER,
        with_volume(csi={"driver": "csi.example.com", "nodePublishSecretRef": {"name": "foreign"}}),
        _FOREIGN,
    ),
    "CSI driver": Pod(
        SUBMITTER,
        with_volume(csi={"driver": "secrets-store.csi.k8s.io"}),
        f"CSI driver secrets-store.csi.k8s.io is {_NOT_HERE} csi.example.com",
    ),
    "volume with a login": Pod(
        SUBMITTER,
        with_volume(azureFile={"secretName": "foreign", "shareName": "all"}),
        "volume taken is of a kind that may reach hosts or Secrets; allowed: configMap, csi, downwardAPI, emptyDir, ",
    ),
    "FlexVolume": Pod(
        SUBMITTER,
        with_volume(flexVolume={"driver": "example.com/fuse"}),
        "volume taken is of a kind that may reach hosts or Secrets; allowed: configMap, csi, downwardAPI, emptyDir, ",
    ),
    "hostPath": Pod(SUBMITTER, with_volume(hostPath={"path": "/database"}), f"hostPath /database{_NO_PATH}"),
    "below a listed hostPath": Pod(
        SUBMITTER, with_volume(hostPath={"path": "/data/link"}), f"hostPath /data/link{_NO_PATH}"
    ),
    "a listed hostPath by another name": Pod(
        SUBMITTER, with_volume(hostPath={"path": "/data/"}), f"hostPath /data/{_NO_PATH}"
    ),
    "hostPath that is written": Pod(
        SUBMITTER,
        merged(
            with_volume(hostPath={"path": "/data"}),
            with_container(volumeMounts=[{"name": "taken", "mountPath": "/data"}]),
        ),
        f"hostPath that container main may write{_CHANGES_HOST}",
    ),
    "hostPath that an init container writes": Pod(
        SUBMITTER,
        merged(
            with_volume(hostPath={"path": "/data"}),
            {
                "spec": {
                    "initContainers": [
                        {"name": "before", "image": "spark", "volumeMounts": [{"name": "taken", "mountPath": "/data"}]}
                    ]
                }
            },
        ),
        f"hostPath that container before may write{_CHANGES_HOST}",
    ),
    "hostPath that is made": Pod(
        SUBMITTER,
        with_volume(hostPath={"path": "/data", "type": "DirectoryOrCreate"}),
        f"hostPath of type DirectoryOrCreate{_CHANGES_HOST}",
    ),
    "socket of the host": Pod(
        SUBMITTER, with_volume(hostPath={"path": "/data", "type": "Socket"}), f"hostPath of type Socket{_CHANGES_HOST}"
    ),
    "another team's NFS export": Pod(
        SUBMITTER,
        with_volume(nfs={"server": "nfs.example.com", "path": "/exports"}),
        f"NFS export nfs.example.com:/exports is {_NOT_HERE} nfs.example.com:/exports/ours (guard.nfs of ",
    ),
    "claim of a chosen volume": Pod(
        SUBMITTER,
        with_volume(
            ephemeral={
                "volumeClaimTemplate": {
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "volumeName": "of-team-b",
                        "resources": {"requests": {"storage": "1Gi"}},
                    }
                }
            }
        ),
        "volume taken names the volume that its claim takes, or what it copies, or has annotations; allowed: ",
    ),
    "image of another's that the node has": Pod(
        SUBMITTER,
        with_container(imagePullPolicy="Never"),
        f"imagePullPolicy Never is {_NOT_HERE} Always, IfNotPresent (guard.imagePullPolicies of spark-namespace)",
    ),
    "probe of another team's driver": Pod(
        SUBMITTER,
        with_container(livenessProbe={"httpGet": {"host": "127.0.0.1", "port": 4040, "path": "/jobs/job/kill/?id=0"}}),
        f"probe of another host by container main{_NO_HOST}",
    ),
    "hook to another team's driver": Pod(
        SUBMITTER,
        with_container(lifecycle={"preStop": {"httpGet": {"host": "127.0.0.1", "port": 4040}}}),
        f"probe of another host by container main{_NO_HOST}",
    ),
    "claim with a folder of its own": Pod(
        SUBMITTER,
        with_volume(
            ephemeral={
                "volumeClaimTemplate": {
                    "metadata": {"annotations": {"nfs.io/storage-path": "../team-b"}},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
                }
            }
        ),
        "or has annotations; allowed: ephemeral volumes of a ",
    ),
    "hostNetwork": Pod(SUBMITTER, {"spec": {"hostNetwork": True}}, f"hostNetwork{_NO_HOST}"),
    "hostPID": Pod(SUBMITTER, {"spec": {"hostPID": True}}, f"hostPID{_NO_HOST}"),
    "hostIPC": Pod(SUBMITTER, {"spec": {"hostIPC": True}}, f"hostIPC{_NO_HOST}"),
    "hostPort": Pod(
        SUBMITTER,
        with_container(ports=[{"containerPort": 80, "hostPort": 80}]),
        f"hostPort of container main{_NO_HOST}",
    ),
    "privileged": Pod(
        SUBMITTER, with_container(securityContext={"privileged": True}), f"privileged container main{_NO_HOST}"
    ),
    "an editor": Pod("ann", with_volume(secret={"secretName": "foreign"}), _FOREIGN),
    "the admin": Pod("admin", with_volume(secret={"secretName": "foreign"}), _FOREIGN),
    "driver: no executor": Pod(DRIVER, {"metadata": {"labels": {"spark-role": "driver"}}}, _NO_EXECUTOR),
    "driver: no owner": Pod(DRIVER, {"metadata": {"ownerReferences": []}}, _NOT_OWNED),
    "driver: another's": Pod(DRIVER, {"metadata": owned_by(ANOTHERS)}, _NOT_OWNED),
    "driver: also another's": Pod(DRIVER, {"metadata": owned_by(MINE, ANOTHERS)}, _NOT_OWNED),
    "driver: elsewhere": Pod(ELSEWHERE, {}, _NOT_OWNED),
    "driver: its account": Pod(DRIVER, with_account("spark-driver"), f"service account spark-driver {_OF_EXECUTORS}"),
    "driver: the old field": Pod(
        DRIVER,
        {"spec": {"serviceAccountName": "", "serviceAccount": "spark-submitter"}},
        f"service account spark-submitter {_OF_EXECUTORS}",
    ),
    "driver: Secret": Pod(DRIVER, with_volume(secret={"secretName": "foreign"}), _FOREIGN),
    "driver: hostPath": Pod(DRIVER, with_volume(hostPath={"path": "/"}), f"hostPath /{_NO_PATH}"),
    "an account of the namespace's own": Pod("history", {}, _NOT_OWNED),
}


def attacked(team: Team, attack: Pod) -> str:
    """What the server says of an attack: a pod as the attacker makes them, but for a change."""
    pod = EXECUTOR if attack.by.startswith((DRIVER, "history")) else POD
    return team.ask(attack.by, "POST", "pods", merged(pod, attack.changes))


@pytest.mark.check(4)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_refused_attack_is_told_with_what_is_allowed(guarded: Team, attack: Pod) -> None:
    policy = rf"'kindling-guard-{guarded.name}(\.drivers)?'"
    said = attacked(guarded, attack)
    start = rf'pods "made\S*" is forbidden: ValidatingAdmissionPolicy {policy} with binding {policy} denied request: '
    assert re.match(start, said), said
    assert attack.says in said
    assert "\n" not in said
    finding = explain_refusal("driver", said, Evidence("", said))
    value = re.search(r"guard\.\w+", said)
    assert finding.id == "guard"
    assert (f"listed in {value[0]} of" if value else "has no value that allows it") in finding.cure


@pytest.mark.check(4)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_without_the_guard_it_is_admitted(unguarded: Team, attack: Pod) -> None:
    assert attacked(unguarded, attack) == ""


_SIZE = {"requests": {"storage": "1Gi"}}
ADMITTED = {
    "a driver of the submitter": (SUBMITTER, POD),
    "a driver of an account that submits": ("alice", POD),
    "a submitter of a Job": (SUBMITTER, merged(POD, with_account("spark-submitter"))),
    "an executor of a driver": (DRIVER, EXECUTOR),
    "an executor with a listed account": (DRIVER, merged(EXECUTOR, with_account("another"))),
    "a listed Secret": (SUBMITTER, merged(POD, with_volume(secret={"secretName": "ours"}))),
    "images by the pull Secret of its account": (
        SUBMITTER,
        merged(POD, {"spec": {"imagePullSecrets": [{"name": "spark-driver-dockercfg-x2x4c"}]}}),
    ),
    "a listed CSI driver": (SUBMITTER, merged(POD, with_volume(csi={"driver": "csi.example.com"}))),
    "a listed folder": (
        SUBMITTER,
        merged(
            merged(POD, with_volume(hostPath={"path": "/data", "type": "Directory"})),
            with_container(volumeMounts=[{"name": "taken", "mountPath": "/data", "readOnly": True}]),
        ),
    ),
    "a listed export": (
        SUBMITTER,
        merged(POD, with_volume(nfs={"server": "nfs.example.com", "path": "/exports/ours"})),
    ),
    "a claim on demand": (
        SUBMITTER,
        merged(
            POD,
            with_volume(
                ephemeral={"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": _SIZE}}}
            ),
        ),
    ),
    "a test of helm": ("admin", POD),
    "many variables": (
        SUBMITTER,
        merged(POD, with_container(env=[{"name": f"V{number}", "value": "v" * 100} for number in range(5000)])),
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
    "metadata": {"name": "spark-s-set-0", "ownerReferences": EXECUTOR["metadata"]["ownerReferences"]},
    "spec": {
        "serviceName": "none",
        "selector": {"matchLabels": {"spark-role": "executor"}},
        "template": {"metadata": {"labels": {"spark-role": "executor"}}, "spec": EXECUTOR["spec"]},
    },
}
"""As Spark makes it with executor.allocator: statefulset."""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"metadata": {"ownerReferences": []}}, _NOT_OWNED),
        ({"metadata": {"ownerReferences": owned_by(ANOTHERS)["ownerReferences"]}}, _NOT_OWNED),
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
    assert says in guarded.ask(DRIVER, "POST", _SETS, attack)
    assert unguarded.ask(DRIVER, "POST", _SETS, attack) == ""
    assert guarded.ask(DRIVER, "POST", _SETS, _SET) == ""


def test_a_driver_takes_no_statefulset_over(guarded: Team, unguarded: Team) -> None:
    takeover = {"metadata": {"ownerReferences": _SET["metadata"]["ownerReferences"]}}
    for team, said in ((guarded, _NOT_OWNED), (unguarded, "")):
        anothers = merged(_SET, {"metadata": {"name": "anothers", "ownerReferences": []}, "spec": {"replicas": 0}})
        assert team.ask("admin", "POST", _SETS, anothers, dry=False) == ""
        assert said in team.ask(DRIVER, "PATCH", f"{_SETS}/anothers", takeover)
        assert (team.ask(DRIVER, "PATCH", f"{_SETS}/anothers", {"spec": {"replicas": 1}}) == "") == (team is unguarded)


_EPHEMERAL = {"spec": {"ephemeralContainers": [{"name": "look", "image": "spark", "env": _IN_ENV}]}}
_TURNED = {"metadata": {"labels": {"spark-role": "executor"}}}
_TAKEN = {"metadata": {"ownerReferences": owned_by(MINE)["ownerReferences"]}}
_STAYS = "label spark-role says whose the pod is, and stays; allowed: other labels"
_CHANGES = " changes a pod; allowed: labels and annotations of its own pod and of its executors"


@pytest.mark.parametrize(
    ("who", "path", "changes", "says"),
    [
        (DRIVER, "pods/another-driver", {"spec": {"containers": [{"name": "main", "image": "mine"}]}}, _CHANGES),
        (DRIVER, "pods/another-driver", {"metadata": {"labels": {"any": "one"}}}, _CHANGES),
        (DRIVER, "pods/driver", {"spec": {"containers": [{"name": "main", "image": "mine"}]}}, _CHANGES),
        (DRIVER, "pods/driver", _TURNED, _STAYS),
        ("ann", "pods/driver", _TURNED, _STAYS),
        ("ann", "pods/another-driver", _TAKEN, "the owners of a pod stay as they were made"),
        ("admin", "pods/driver/status", _TURNED, _STAYS),
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
        (DRIVER, "pods/driver", {"metadata": {"annotations": {"spark.exit-exception": "none"}}}),
        (DRIVER, "pods/a-exec-1", {"metadata": {"labels": {"spark-exec-inactive": "true"}}}),
        # Those of a StatefulSet are numbered as they register.
        (DRIVER, "pods/a-exec-1", {"metadata": {"labels": {"spark-exec-id": "2"}}}),
        ("ann", "pods/driver", {"metadata": {"labels": {"any": "one"}}}),
    ],
    ids=["own annotation", "executor's label", "executor's number", "a person's label"],
)
def test_what_runs_change_of_pods_can_be_changed(guarded: Team, who: str, path: str, changes: Body) -> None:
    executor = merged(EXECUTOR, {"metadata": {"name": "a-exec-1"}})
    assert guarded.ask(DRIVER, "POST", "pods", executor, dry=False) in ("", 'pods "a-exec-1" already exists')
    assert guarded.ask(who, "PATCH", path, changes) == ""


def job(name: str, pod: Body) -> Body:
    """A Job of such pods."""
    spec = {**pod["spec"], "restartPolicy": "Never"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": {"spec": spec}}}


@pytest.mark.parametrize("change", [with_account("history"), with_volume(secret={"secretName": "foreign"})])
def test_a_job_gets_no_pod_that_its_maker_may_not_have_and_says_why(guarded: Team, change: Body) -> None:
    name = f"bad-{uuid4().hex[:8]}"
    assert guarded.ask("ann", "POST", "batch/v1:jobs", job(name, merged(POD, change)), dry=False) == ""
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
    old = merged(POD, {"metadata": {"name": "old", "finalizers": ["example.com/last"]}, **with_account("history")})
    assert team.ask("admin", "POST", "pods", old, dry=False) == ""
    argv = ["upgrade", team.name, str(charts / "spark-namespace"), *ADMINS[:1], "--reuse-values"]
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


PARTS = ("", ".drivers", ".monitors", ".network", ".placement", ".statuses")


@pytest.mark.parametrize("part", PARTS)
def test_the_api_server_finds_nothing_wrong_with_types(guarded: Team, part: str) -> None:
    policies = client.AdmissionregistrationV1Api(guarded.server.cluster.api_client)
    checked = guarded.server.cluster.wait_for(
        policies.list_validating_admission_policy,
        lambda policy, _: policy.status if policy.status and policy.status.observed_generation else None,
        "the check of types",
        _DEADLINE_S,
        field_selector=f"metadata.name=kindling-guard-{guarded.name}{part}",
    )
    assert checked.type_checking is None or not checked.type_checking.expression_warnings


def test_each_team_has_a_guard_of_its_own_that_goes_with_its_release(
    guarded: Team, team_with: Callable[..., Team], kubectl: Kubectl
) -> None:
    second = team_with({"secrets": ["foreign"]})
    wait_until_in_force(second)
    take = merged(POD, with_volume(secret={"secretName": "foreign"}))
    assert second.ask(SUBMITTER, "POST", "pods", take) == ""
    assert _FOREIGN in guarded.ask(SUBMITTER, "POST", "pods", take)
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
    argv = [name, *ADMINS[:1], f"--set=namespace.name={name}"]
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
        ("1.34", {}, "The guard lets pods use no Secret (guard.secrets)."),
        ("1.34", {"secrets": ["a", "b"]}, "The guard lets pods use the Secrets a, b (guard.secrets)."),
    ],
)
def test_who_installs_is_told_in_a_line_whether_there_is_a_guard(
    apiserver: Callable[[str], ApiServer], charts: Path, version: str, guard: Body, says: str
) -> None:
    values = json.dumps({"namespace": {"name": "told"}, "guard": guard})
    argv = ["install", "told", str(charts / "spark-namespace"), *ADMINS, "--values=-", "--dry-run=server"]
    notes = apiserver(version).helm().run(argv, values).partition("NOTES:")[2]
    assert [line.startswith(says) for line in notes.splitlines()].count(True) == 1
