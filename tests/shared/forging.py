"""A submitter with a right on `pods/status`: pods of its team are not what they say."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from grants import grant, service_account
from kubelet import status_of
from ui_proxy import account_token

from chartproof.apiserver import ApiServer

ACCOUNT = "spark-submitter"
_NOWHERE = "no-such-node"
_PORTS = {"driver": ("spark-ui", 4050), "history-server": ("history-ui", 18080)}


@dataclass(frozen=True)
class Forger:
    """The submitter's account of a namespace; it can do there what the Role of cluster mode's submitting pod lets it.

    Attributes:
        server: with the namespace.
        namespace: the forger's own.
        token: of the account.
    """

    server: ApiServer
    namespace: str
    token: str

    @classmethod
    def of(cls, server: ApiServer, namespace: str) -> Forger:
        """Give the account of a namespace the right."""
        token = account_token(server, namespace, ACCOUNT)
        rules = [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "delete"]},
            {"apiGroups": [""], "resources": ["pods/status"], "verbs": ["patch"]},
        ]
        grant(server.cluster, namespace, [service_account(namespace, ACCOUNT)], rules)
        return cls(server, namespace, token)

    def pod(
        self,
        status: Mapping[str, Any],
        *,
        role: str = "driver",
        app_id: str = "",
        name: str = "",
        labels: Mapping[str, str] | None = None,
        spec: Mapping[str, Any] | None = None,
        container: Mapping[str, Any] | None = None,
    ) -> str:
        """A pod that is said to be on a node that is not there, with a status; its application's id.

        Raises:
            RefusedError: by the API server.
        """
        app_id = app_id or f"evil-{uuid4().hex[:8]}"
        name = name or f"evil-{uuid4().hex[:8]}"
        port, number = _PORTS[role]
        main = {"name": role, "image": "spark", "ports": [{"name": port, "containerPort": number}], **(container or {})}
        body = {
            "metadata": {"name": name, "labels": {"spark-role": role, "spark-app-selector": app_id, **(labels or {})}},
            "spec": {"containers": [main], "nodeName": _NOWHERE, **(spec or {})},
        }
        self._call("POST", "", "application/json", body)
        self._call("PATCH", f"/{name}/status?fieldManager=kubelet", "application/merge-patch+json", {"status": status})
        return app_id

    def delete(self, name: str) -> None:
        """A pod of its own."""
        self._call("DELETE", f"/{name}", "application/json", {"gracePeriodSeconds": 0})

    def _call(self, method: str, path: str, kind: str, body: Mapping[str, Any]) -> None:
        # The admin's client shows a certificate, which would count more than a token.
        request = urllib.request.Request(
            f"{self.server.cluster.api_client.configuration.host}/api/v1/namespaces/{self.namespace}/pods{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": kind, "Authorization": f"Bearer {self.token}"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, context=_context(self.server.folder / "ca.crt"), timeout=30):
                pass
        except urllib.error.HTTPError as error:
            raise RefusedError(f"{method} {path}: {json.load(error).get('message')}") from None


@cache
def _context(ca: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca))


class RefusedError(Exception):
    """The API server does not take what a forger writes."""


GATED: dict[str, Any] = {"nodeName": None, "schedulingGates": [{"name": "example.com/never"}]}
"""Of a pod that no scheduler places, so that no kubelet corrects what its status says."""


def bare(ip: str) -> dict[str, Any]:
    """The least that a status says of a pod that runs."""
    return {
        "phase": "Running",
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }


def whole(ip: str, role: str = "driver", **more: Any) -> dict[str, Any]:
    """All that a kubelet writes."""
    return {**status_of(ip, [role]), "hostIP": "10.255.0.9", **more}
