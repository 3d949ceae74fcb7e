"""The service under test, the API server that it asks, and pods whose addresses are of this machine."""

from __future__ import annotations

import json
import resource
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import yaml
from answers import Answer
from ephemeral_port_reserve import reserve
from grants import service_account, wait_until_granted
from ports import listens
from ui_proxy import PROXIES, Decider, SparkPods, account_token, running_decider

from chartproof.apiserver import ApiServer

_DEADLINE_S = 90.0  # nginx gives an application 60
ACCOUNT = "of-all-namespaces"
"""The service's own, in the namespace PROXIES; other tests of the same API server give theirs fewer rights."""
_RIGHTS = f"""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: spark-ui-proxy}}
rules:
- {{apiGroups: [""], resources: [pods], verbs: [list, watch]}}
- {{apiGroups: [""], resources: [namespaces], verbs: [list, watch]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: spark-ui-proxy}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: spark-ui-proxy}}
subjects: [{{kind: ServiceAccount, name: {ACCOUNT}, namespace: {PROXIES}}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: spark-ui-proxy-reviews}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:auth-delegator"}}
subjects: [{{kind: ServiceAccount, name: {ACCOUNT}, namespace: {PROXIES}}}]
"""
_TEAM = """
apiVersion: v1
kind: Namespace
metadata: {{name: {name}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: default, namespace: {name}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: spark-driver, namespace: {name}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: spark-executor, namespace: {name}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: spark-history, namespace: {name}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: viewer, namespace: {name}}}
rules: [{{apiGroups: [kindling.local], resources: [applications], verbs: [get]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: submitter, namespace: {name}}}
rules: [{{apiGroups: [kindling.local], resources: [applications], verbs: [get, update]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: viewer, namespace: {name}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: viewer}}
subjects:
- {{kind: ServiceAccount, name: viewer, namespace: {name}}}
- {{apiGroup: rbac.authorization.k8s.io, kind: User, name: "vera@{name}"}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: submitter, namespace: {name}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: submitter}}
subjects: [{{kind: ServiceAccount, name: submitter, namespace: {name}}}]
"""


@dataclass(frozen=True)
class Team:
    """A namespace; who may look: `viewer` and the user `vera@NAME`; who may also end jobs: `submitter`."""

    world: World = field(repr=False)
    name: str

    @property
    def viewer(self) -> str:
        """A token."""
        return account_token(self.world.server, self.name, "viewer")

    @property
    def submitter(self) -> str:
        """A token."""
        return account_token(self.world.server, self.name, "submitter")

    @property
    def pods(self) -> SparkPods:
        """Its pods."""
        return SparkPods(self.world.server, self.name)

    def revoke(self, role: str) -> None:
        """Take a role from all who have it: "viewer"."""
        self.world.server.cluster.rbac.delete_namespaced_role_binding(role, self.name)

    def driver(self, address: str, **given: Any) -> str:
        """Register a running driver's pod that has an address; return its application's id."""
        app_id = f"spark-{uuid4().hex[:12]}"
        self.pods.driver(app_id, ip=address, **given)
        return app_id


class World:
    """An API server with the service's rights in it."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self.apply(_RIGHTS)
        wishes = ("list namespaces", "create tokenreviews.authentication.k8s.io")
        wait_until_granted(server.cluster, "", [service_account(PROXIES, ACCOUNT)], *wishes)

    def apply(self, manifests: str) -> None:
        """Make objects."""
        argv = ["kubectl", f"--kubeconfig={self.server.kubeconfig}", "apply", "--server-side", "--filename=-"]
        subprocess.run(argv, input=manifests, text=True, check=True, capture_output=True)

    def team(self) -> Team:
        """A new namespace; it stays until the server ends."""
        name = f"team-{uuid4().hex[:8]}"
        self.apply(_TEAM.format(name=name))
        accounts = [service_account(name, role) for role in ("viewer", "submitter")]
        wait_until_granted(self.server.cluster, name, accounts, "get applications.kindling.local")
        return Team(self, name)

    @contextmanager
    def door(self, **config: Any) -> Iterator[Door]:
        """The service: decider and nginx, as the two containers of a pod."""
        login = {"secureCookie": False, **config.pop("login", {})}
        whole = {
            "namespaces": {"all": True},
            "permission": {"reviews": "cluster"},
            "listenPort": reserve(),
            "login": login,
            **config,
        }
        # A name short enough for a socket's path.
        with (
            tempfile.TemporaryDirectory(prefix="door-") as name,
            running_decider(self.server, Path(name), whole, token=self.token) as decider,
            self.gateway(decider) as nginx,
        ):
            yield Door(whole["listenPort"], str(whole.get("basePath", "")), decider, nginx)

    @property
    def token(self) -> str:
        """Of the service's own account."""
        return account_token(self.server, PROXIES, ACCOUNT)

    @contextmanager
    def gateway(self, decider: Decider) -> Iterator[int]:
        """An nginx before a decider; its process id."""
        port = yaml.safe_load((decider.folder / "config.yaml").read_text())["listenPort"]
        argv = ["gateway", f"--config={decider.folder}/config.yaml", f"--folder={decider.folder}/nginx"]
        with (
            (decider.folder / "gateway.log").open("ab") as log,
            subprocess.Popen(
                [sys.executable, "-m", "spark_ui_proxy", *argv], stdout=log, stderr=subprocess.STDOUT
            ) as nginx,
        ):
            try:
                decider.wait(lambda: nginx.poll() is not None or listens(port), "nginx")
                assert nginx.poll() is None, (decider.folder / "gateway.log").read_text()
                yield nginx.pid
            finally:
                nginx.terminate()


@dataclass(frozen=True)
class Door:
    """The service that runs.

    Attributes:
        port: of nginx, on 127.0.0.1.
        base: its base path.
        decider: behind it; its folder has `gateway.log` too.
        nginx: process id of its master.
    """

    port: int
    base: str
    decider: Decider
    nginx: int

    @property
    def host(self) -> str:
        """As a Host header."""
        return f"127.0.0.1:{self.port}"

    def get(
        self, path: str, token: str = "", *, method: str = "GET", body: bytes | str | None = None, **headers: str
    ) -> Answer:
        """Ask for a path below the base, raw; redirects are not followed. Headers: `sec_fetch_site="none"`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        connection = HTTPConnection("127.0.0.1", self.port, timeout=_DEADLINE_S)
        try:
            connection.request(method, self.base + path, body=body, headers=sent)
            return Answer.of(connection.getresponse())
        finally:
            connection.close()

    def session(self, token: str, **headers: str) -> str:
        """Log in as a browser does; the cookie, as a Cookie header has it."""
        form = urlencode({"token": token}).encode()
        given = {"content_type": "application/x-www-form-urlencoded", "origin": f"http://{self.host}", **headers}
        answer = self.get("/-/login", method="POST", body=form, **given)
        assert answer.status == 303, answer.text
        return answer.cookie

    def raw(self, sent: bytes) -> bytes:
        """Send bytes; return all that comes until the other side closes, or says nothing for a second."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=_DEADLINE_S) as connection:
            connection.sendall(sent)
            got = b""
            connection.settimeout(1)
            try:
                while part := connection.recv(65536):
                    got += part
            except TimeoutError:
                pass
            return got

    def log(self) -> list[dict[str, Any]]:
        """nginx's access log, of all requests that were answered."""
        # nginx writes a second later than it answers, in the order of its answers.
        own = f"{self.base}/-/internal/log"
        marker = f"{own}/{uuid4().hex}"
        self.get(marker.removeprefix(self.base))
        file = self.decider.folder / "gateway.log"
        self.decider.wait(lambda: marker in file.read_text(), "nginx's log is written")
        entries = [json.loads(line) for line in file.read_text().splitlines() if line.startswith("{")]
        return [entry for entry in entries if not entry["path"].startswith(own)]

    def shown(self, team: Team, app_id: str) -> str:
        """Wait until an application is routed; return its path, "/team-a/proxy/app-1"."""
        return self.shown_to(team, app_id, team.viewer)

    def shown_to(self, team: Team, app_id: str, token: str) -> str:
        """The same, as who has a token sees it."""
        path = f"/{team.name}/proxy/{app_id}"
        self.decider.wait(lambda: self.get(f"{path}/", token).status not in (403, 404, 503), f"{path} is routed")
        return path

    def megabytes(self) -> float:
        """Memory of nginx: all of its processes', what they share counted once for each."""
        children = Path(f"/proc/{self.nginx}/task/{self.nginx}/children").read_text().split()
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in (self.nginx, *children)]
        return sum(pages) * resource.getpagesize() / 1e6
