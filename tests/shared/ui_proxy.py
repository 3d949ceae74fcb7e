"""spark-ui-proxy's decider as a process of a test, and the pods that it watches as objects of a real API server."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml
from answers import Answer
from ephemeral_port_reserve import reserve
from grants import wait_until_granted
from kubelet import NODE, NODE_ADDRESS, status_of
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from ports import listens

from chartproof.apiserver import ApiServer
from kindling_dev.settings import REPO

HOST = "spark.example.com"
PROXIES = "proxies"
"""The namespace of the proxy's own service account."""
_DEADLINE_S = 60.0
_POLL_S = 0.02
_numbers = itertools.count(1)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("decider", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


@dataclass(frozen=True)
class Decider:
    """One that runs.

    Attributes:
        process: its own.
        folder: holds its configuration, socket and log.
        operations_port: of health and metrics, on 127.0.0.1.
    """

    process: subprocess.Popen[bytes]
    folder: Path
    operations_port: int

    def request(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: str = "") -> Answer:
        """A request to its socket, as nginx passes one on."""
        connection = _UnixConnection(self.folder / "decider.sock")
        try:
            connection.request(method, path, body or None, {"Host": HOST, **(headers or {})})
            return Answer.of(connection.getresponse())
        finally:
            connection.close()

    def authz(
        self, target: str, headers: Mapping[str, str] | None = None, *, method: str = "GET", host: str = HOST
    ) -> Answer:
        """The decision about a client's request."""
        return self.request("GET", "/authz", {**_original(method, target, host), **(headers or {})})

    def answer(
        self, target: str, headers: Mapping[str, str] | None = None, *, method: str = "GET", host: str = HOST
    ) -> Answer:
        """The answer to a client's request that may not pass."""
        return self.request("GET", "/-/answer", {**_original(method, target, host), **(headers or {})})

    def log_in(self, token: str, to: str = "/", host: str = HOST, base: str = "") -> Answer:
        """Send the form of the login page."""
        headers = {
            "Host": host,
            "Origin": f"https://{host}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = urllib.parse.urlencode({"token": token, "to": to})
        return self.request("POST", f"{base}/-/login", headers, body)

    def operations(self, path: str) -> tuple[int, str]:
        """Status and text of a page of the operations port; 0 and why, if it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.operations_port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except urllib.error.URLError as error:
            return 0, str(error)

    def metric(self, name: str) -> float:
        """A sample of its metrics: `spark_ui_proxy_watch_lists_total{scope="team-a"}`; 0 if it is not there."""
        for line in self.operations("/metrics")[1].splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        return 0.0

    def logged(self, logger: str) -> list[dict[str, Any]]:
        """What a logger has written."""
        lines = (json.loads(line) for line in (self.folder / "decider.log").read_text().splitlines() if line)
        return [line for line in lines if line["logger"] == logger]

    def wait(self, ready: Callable[[], bool], what: str, seconds: float = _DEADLINE_S) -> float:
        """Ask until something is so; return the seconds that took."""
        began = time.monotonic()
        while not ready():
            assert self.process.poll() is None, f"the decider has ended: {(self.folder / 'decider.log').read_text()}"
            assert time.monotonic() - began < seconds, f"{what}: not within {seconds:.0f} s"
            time.sleep(_POLL_S)
        return time.monotonic() - began

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_DEADLINE_S)


@contextmanager
def running_decider(
    server: ApiServer, folder: Path, config: Mapping[str, Any], *, token: str = "", ready: bool = True
) -> Iterator[Decider]:
    """A decider for as long as the context lasts.

    Args:
        server: the API server that it watches.
        folder: an empty one, for its files; its path must be short, as that of a socket.
        config: as the chart writes it, less the files, sockets and ports of this machine.
        token: of its service account; "": made anew.
        ready: wait until it has its lists.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "token").write_text(token or account_token(server, PROXIES, "spark-ui-proxy"))
    (folder / "key").write_bytes(secrets.token_bytes(32))
    port = reserve()
    login = {"sessionKeyFile": str(folder / "key"), "logouts": _logouts(server), **config.get("login", {})}
    # Pods of these tests have addresses of this machine.
    limits = {"podNetworks": ["127.0.0.0/8"], **config.get("limits", {})}
    whole = {
        **config,
        "login": login,
        "limits": limits,
        "socket": str(folder / "decider.sock"),
        "controlSocket": str(folder / "control.sock"),
        "operationsPort": port,
        "apiServer": config.get("apiServer") or server.cluster.api_client.configuration.host,
        "tokenFile": str(folder / "token"),
        "caFile": str(server.folder / "ca.crt"),
        "drainSeconds": config.get("drainSeconds", 0),
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(whole))
    with (folder / "decider.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "spark_ui_proxy", "serve", "--config", str(folder / "config.yaml")],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(REPO / "src")},
        )
    decider = Decider(process, folder, port)
    try:
        decider.wait(lambda: (folder / "decider.sock").exists() and listens(port), "its sockets")
        if ready:
            decider.wait(lambda: decider.operations("/readyz")[0] == 200, "ready")
        yield decider
    finally:
        process.kill()
        process.wait()


def _logouts(server: ApiServer) -> str:
    """The list of logouts of the deciders that have no chart, which all accounts of PROXIES may read and write."""
    name = "logouts"
    rights = {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "resourceNames": [name],
        "verbs": ["list", "watch", "patch"],
    }
    group = "rbac.authorization.k8s.io"
    core, rbac, metadata = server.cluster.core, server.cluster.rbac, {"name": name}
    _ensure(core.create_namespace, {"metadata": {"name": PROXIES}})
    _ensure(core.create_namespaced_config_map, PROXIES, {"metadata": metadata})
    _ensure(rbac.create_namespaced_role, PROXIES, {"metadata": metadata, "rules": [rights]})
    accounts = {"apiGroup": group, "kind": "Group", "name": f"system:serviceaccounts:{PROXIES}"}
    binding = {
        "metadata": metadata,
        "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
        "subjects": [accounts],
    }
    _ensure(rbac.create_namespaced_role_binding, PROXIES, binding)
    wait_until_granted(server.cluster, PROXIES, [accounts], "patch configmaps", name=name)
    return f"{PROXIES}/{name}"


def account_token(
    server: ApiServer, namespace: str, name: str, seconds: int = 3600, audiences: Sequence[str] = ()
) -> str:
    """A token of a service account, which is made if it is missing; for some audiences, or for the API server."""
    core = server.cluster.core
    account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name=name))
    _ensure(core.create_namespace, client.V1Namespace(metadata=client.V1ObjectMeta(name=namespace)))
    _ensure(core.create_namespaced_service_account, namespace, account)
    request = client.AuthenticationV1TokenRequest(
        spec=client.V1TokenRequestSpec(audiences=list(audiences), expiration_seconds=seconds)
    )
    return str(core.create_namespaced_service_account_token(name, namespace, request).status.token)


def _ensure(create: Callable[..., Any], *what: Any) -> None:
    try:
        create(*what)
    except ApiException as error:
        if error.status != HTTPStatus.CONFLICT:
            raise


@dataclass(frozen=True)
class SparkPods:
    """Pods of Spark in a namespace; no node runs them, their status is given."""

    server: ApiServer
    namespace: str

    def make(
        self,
        name: str,
        *,
        role: str = "driver",
        labels: Mapping[str, str] | None = None,
        ip: str = "",
        port: int | None = None,
        host: str = NODE_ADDRESS,
        phase: str = "Running",
        ready: bool = True,
        spec: Mapping[str, Any] | None = None,
        container: Mapping[str, Any] | None = None,
    ) -> str:
        """A pod that has its status at once; return its uid. Its address is its own unless one is given."""
        accounts = {"driver": "spark-driver", "executor": "spark-executor", "history-server": "spark-history"}
        ports = {"driver": ("spark-ui", 4040), "history-server": ("history-ui", 18080)}
        named, default = ports.get(role, ("", 0))
        body = {
            "metadata": {"name": name, "labels": {"spark-role": role, **(labels or {})}},
            "spec": {
                "serviceAccountName": accounts[role],
                "automountServiceAccountToken": False,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 185,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "name": role,
                        "image": "spark",
                        "ports": [{"name": named, "containerPort": port or default}] if named else [],
                        "resources": {
                            "requests": {"cpu": "100m", "memory": "128Mi"},
                            "limits": {"cpu": "100m", "memory": "128Mi"},
                        },
                        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                        **(container or {}),
                    }
                ],
                **(spec or {}),
            },
        }
        uid = str(self._call("POST", "", body)["metadata"]["uid"])
        binding = {"metadata": {"name": name}, "target": {"kind": "Node", "name": NODE}}
        self._call("POST", f"/{name}/binding", binding)
        status = status_of(
            ip or new_address(), [item["name"] for item in body["spec"]["containers"]], phase, ready=ready
        )
        self.patch_status(name, {**status, "hostIP": host})
        return uid

    def driver(self, app_id: str, **given: Any) -> str:
        """A running driver of cluster mode, as spark-submit makes it."""
        return self.make(app_id.lower(), labels={"spark-app-selector": app_id}, **given)

    def history_server(self, **given: Any) -> str:
        """A history server that is ready."""
        return self.make("history", role="history-server", **given)

    def set_status(self, name: str, phase: str, ip: str = "", *, ready: bool = True, **more: Any) -> None:
        """What a kubelet would say of a pod; "": its address stays as it is."""
        containers = self._call("GET", f"/{name}")["spec"]["containers"]
        status = status_of(ip, [item["name"] for item in containers], phase, ready=ready)
        self.patch_status(name, {**status, **more})

    def patch_status(self, name: str, status: Mapping[str, Any]) -> None:
        """What anybody may say of a pod who may patch `pods/status`."""
        self._call("PATCH", f"/{name}/status", {"status": status})

    def names(self) -> list[str]:
        """Of the pods that are there."""
        return [item["metadata"]["name"] for item in self._call("GET", "")["items"]]

    def delete(self, name: str, grace_s: int = 0) -> None:
        """Delete a pod."""
        self._call("DELETE", f"/{name}", {"gracePeriodSeconds": grace_s})

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        # The client's own calls take three times as long.
        api = self.server.cluster.api_client
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        answer = api.rest_client.pool_manager.request(
            method,
            f"{api.configuration.host}/api/v1/namespaces/{self.namespace}/pods{path}",
            body=json.dumps(body) if body is not None else None,
            headers={"Content-Type": kind},
        )
        found: dict[str, Any] = json.loads(answer.data)
        assert answer.status < HTTPStatus.MULTIPLE_CHOICES, f"{method} {path}: {found.get('message')}"
        return found


def new_address() -> str:
    """One of 127.0.0.0/8 that no other pod of a test run has; nothing listens there."""
    worker, number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"), next(_numbers)
    return f"127.{60 + int(worker)}.{number // 250}.{number % 250 + 1}"


def bearer(token: str) -> dict[str, str]:
    """The header with which a script shows its token."""
    return {"Authorization": f"Bearer {token}"}


def _original(method: str, target: str, host: str) -> dict[str, str]:
    return {"X-Original-Method": method, "X-Original-URI": target, "X-Original-Host": host}
