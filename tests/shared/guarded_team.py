"""A team's namespace on a real API server, for attacks on it: who asks, what they send, and what the server says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from grants import grant, service_account
from kubernetes import client

from chartproof.apiserver import ApiServer
from chartproof.values import merged

Body = dict[str, Any]
Kubectl = Callable[..., str]
_HUBS = "kindling-system"
ADMINS = (f"--namespace={_HUBS}", "--create-namespace")
GUARD = {
    "secrets": ["ours"],
    "csiDrivers": ["csi.example.com"],
    "hostPaths": ["/data"],
    "nfs": ["nfs.example.com:/exports/ours"],
    "executorAccounts": ["another"],
    "priorityClasses": ["nightly"],
    "tolerations": ["dedicated"],
    "schedulers": ["batch"],
    "runtimeClasses": ["gvisor"],
    "serviceAnnotations": ["prometheus.io/"],
}
"""What the guarded team's values list."""
DENIED = ["spark.driver.extraClassPath", "spark.yarn."]
"""Spark configuration that its values deny."""
MINE, ANOTHERS = "uid-of-the-driver", "uid-of-another-driver"
"""Stand for uids that pods have on a server."""
DRIVERS = {MINE: "driver", ANOTHERS: "another-driver"}
"""The names of those pods."""
SUBMITTER, DRIVER, HISTORY, ENGINEER, ADMIN = "spark-submitter", "spark-driver", "history", "ann", "admin"
HUB = "hub"
"""A JupyterHub's account, of another namespace."""
ELSEWHERE = "spark-driver, but with a token that is no pod's"
POD: Body = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "made"},
    "spec": {
        "serviceAccountName": "spark-driver",
        "containers": [{"name": "main", "image": "spark"}],
        "securityContext": {"runAsUser": 185, "seccompProfile": {"type": "RuntimeDefault"}},
    },
}
_ASKED = {
    "": [
        "pods",
        "pods/status",
        "pods/ephemeralcontainers",
        "configmaps",
        "persistentvolumeclaims",
        "secrets",
        "services",
    ],
    "apps": ["statefulsets"],
    "batch": ["jobs"],
    "networking.k8s.io": ["networkpolicies"],
    "monitoring.coreos.com": ["podmonitors"],
}
"""What the attackers may do anything with, so that what is refused, the guard refuses."""
_VERBS = ["get", "list", "create", "update", "patch", "delete", "deletecollection"]
_DEADLINE_S = 180
_POLL_S = 0.1
_SEEN_IN_FORCE = 5
"""Refusals in a row, after which the guard is taken to be in force; its policies come one by one."""


def owned_by(*uids: str) -> Body:
    """The metadata of an executor that pods own."""
    owners: list[Body] = [
        {"apiVersion": "v1", "kind": "Pod", "name": DRIVERS.get(uid, "gone"), "uid": uid} for uid in uids
    ]
    if len(owners) == 1:
        owners[0]["controller"] = True
    return {"labels": {"spark-role": "executor", "spark-exec-id": "1"}, "ownerReferences": owners}


EXECUTOR = merged(
    POD, {"metadata": {"name": "made-exec-1", **owned_by(MINE)}, "spec": {"serviceAccountName": "spark-executor"}}
)


def with_container(**fields: Any) -> Body:
    """A change of a pod's container."""
    return {"spec": {"containers": [{**POD["spec"]["containers"][0], **fields}]}}


def with_volume(**source: Any) -> Body:
    """A change of a pod's volumes."""
    return {"spec": {"volumes": [{"name": "taken", **source}]}}


def with_account(name: str) -> Body:
    """A change of a pod's service account."""
    return {"spec": {"serviceAccountName": name}}


class Attack(NamedTuple):
    """A request that must be refused.

    Attributes:
        by: who makes it, one of ``Team.logins``.
        method, path: as of ``Team.ask``.
        body: what is sent.
        says: what stands in the refusal.
    """

    by: str
    method: str
    path: str
    body: Body
    says: str


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
        kind = "application/merge-patch+json" if "podmonitors" in path else "application/strategic-merge-patch+json"
        admin = self.server.cluster.api_client
        api = client.ApiClient(bare(admin.configuration)) if "Authorization" in self.logins[who] else admin
        url = f"{admin.configuration.host}/{f'apis/{group}' if group else 'api/v1'}/namespaces/{self.name}/{rest}"
        headers = {"Content-Type": kind if method == "PATCH" else "application/json", **self.logins[who]}
        if method == "DELETE":
            # With a body, the server does not look for options in the address.
            body = {"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"] * dry}
        elif dry:
            url += "?dryRun=All"
        answer = api.call_api(method, url, headers, json.loads(self.named(json.dumps(body))))
        said = json.loads(answer.read())
        # Of a deletion the answer is a Status too.
        return "" if said["kind"] != "Status" or said["status"] == "Success" else str(said["message"])

    def named(self, text: str) -> str:
        """A text with the uids of this team's drivers in it."""
        for name, uid in self.uids.items():
            text = text.replace(name, uid)
        return text

    def tried(self, attack: Attack) -> str:
        """What the server says of an attack; nothing stays of it."""
        return self.ask(attack.by, attack.method, attack.path, attack.body)

    def knowing(self, stands: str, path: str) -> Team:
        """The same team, where a word in a body stands for the uid of something that is there."""
        group, _, rest = path.rpartition(":")
        api = self.server.cluster.api_client
        url = f"{api.configuration.host}/{f'apis/{group}' if group else 'api/v1'}/namespaces/{self.name}/{rest}"
        there = json.loads(api.call_api("GET", url).read())
        return replace(self, uids={**self.uids, stands: there["metadata"]["uid"]})

    def holds(self, path: str, body: Body) -> None:
        """Make something that attacks are aimed at, as an admin."""
        said = self.ask(ADMIN, "POST", path, body, dry=False)
        assert not said or "already exists" in said, said


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


def installed_team(server: ApiServer, kubectl: Kubectl, chart: Path, guard: Body) -> Team:
    """A team's namespace with two drivers. Pod Security refuses nothing there: what is refused, the guard does."""
    name = f"team-{uuid4().hex[:8]}"
    values = {
        "namespace": {"name": name},
        "podSecurity": {"enforce": "privileged"},
        "driver": {"statefulSets": True},
        "guard": guard,
        "global": {"deniedSparkConf": DENIED},
        "accounts": [{"name": "alice", "role": "submitter"}],
        "notebooks": {"from": [{"namespace": _HUBS, "name": HUB}]},
    }
    server.helm().run(["install", name, str(chart), *ADMINS, "--values=-"], json.dumps(values))
    for account in (HISTORY, "another"):
        kubectl(server, "create", "serviceaccount", account, f"--namespace={name}")
    kubectl(server, "create", "serviceaccount", HUB, f"--namespace={_HUBS}")
    _grant_all(server, name)
    uids = {}
    for stands, pod in DRIVERS.items():
        body = merged(POD, {"metadata": {"name": pod, "labels": {"spark-role": "driver"}}})
        uids[stands] = _made(server, name, body)
    tokens = {
        SUBMITTER: token(server, name, "spark-submitter"),
        DRIVER: token(server, name, "spark-driver", "driver", uids[MINE]),
        ELSEWHERE: token(server, name, "spark-driver"),
        HISTORY: token(server, name, "history"),
        "alice": token(server, name, "alice"),
        HUB: token(server, _HUBS, HUB),
    }
    logins = {who: {"Authorization": f"Bearer {text}"} for who, text in tokens.items()}
    return Team(server, name, uids, {**logins, ADMIN: {}, ENGINEER: {"Impersonate-User": ENGINEER}})


def _made(server: ApiServer, namespace: str, pod: Body) -> str:
    """Make a pod; return its uid. A busy API server learns of the service account a moment after it was made."""
    end = time.monotonic() + _DEADLINE_S
    while True:
        try:
            return str(server.cluster.core.create_namespaced_pod(namespace, pod).metadata.uid)
        except client.ApiException as error:
            if "error looking up service account" not in str(error.body) or time.monotonic() > end:
                raise
        time.sleep(_POLL_S)


def _grant_all(server: ApiServer, namespace: str) -> None:
    rules = [{"apiGroups": [group], "resources": kinds, "verbs": _VERBS} for group, kinds in _ASKED.items()]
    accounts = (HISTORY, "spark-submitter", "spark-driver", "alice")
    subjects = [
        *(service_account(namespace, account) for account in accounts),
        service_account(_HUBS, HUB),
        {"kind": "User", "name": ENGINEER},
    ]
    grant(server.cluster, namespace, subjects, rules)


_PROBES = (
    Attack(ADMIN, "POST", "pods", merged(POD, {"spec": {"hostNetwork": True}}), ""),
    Attack(ADMIN, "POST", "pods", merged(POD, {"spec": {"nodeName": "any"}}), ""),
    Attack(ENGINEER, "PATCH", "pods/driver/status", {"status": {"phase": "Failed"}}, ""),
    Attack(DRIVER, "DELETE", "pods/another-driver", {}, ""),
    Attack(
        ENGINEER,
        "POST",
        "services",
        {"kind": "Service", "apiVersion": "v1", "metadata": {"name": "probe"}, "spec": {"ports": [{"port": 1}]}},
        "",
    ),
    Attack(
        ENGINEER,
        "POST",
        "configmaps",
        {
            "kind": "ConfigMap",
            "apiVersion": "v1",
            "metadata": {"name": "probe"},
            "data": {"spark.properties": f"{DENIED[0]}=/x"},
        },
        "",
    ),
)
"""A request for each part of the guard that needs no object of a custom kind."""


def wait_until_in_force(team: Team) -> None:
    """Wait until the API server judges by each part of the guard, a moment after it got it; nothing tells of that."""
    end = time.monotonic() + _DEADLINE_S
    in_a_row = 0
    while in_a_row < _SEEN_IN_FORCE:
        in_a_row = in_a_row + 1 if all("denied request" in team.tried(probe) for probe in _PROBES) else 0
        assert time.monotonic() < end, "the guard is not in force"
        time.sleep(_POLL_S)
