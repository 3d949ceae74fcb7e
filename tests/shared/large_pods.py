"""Pods that are hard to read: as deep, or as large, as the API server takes them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any

from chartproof.apiserver import ApiServer

LEVELS = 9_000
"""Of `managedFields`; the API server takes 10,000."""
CHARACTERS = 1_400_000
"""Of arguments, each of which is six bytes in the API server's JSON; etcd takes 1.5 MB."""


def make_deep_pod(server: ApiServer, namespace: str, name: str, labels: Mapping[str, str]) -> None:
    """A pod with `LEVELS` levels, which the API server keeps."""
    entry = {"manager": "evil", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": "DEEP"}
    body = json.dumps(_pod(name, labels, managedFields=[entry]))
    deep = '{"f:a":' * LEVELS + "{}" + "}" * LEVELS
    path = f"/api/v1/namespaces/{namespace}/pods"
    _kubectl(server, "create", f"--raw={path}", "--filename=-", given=body.replace('"DEEP"', deep))
    assert _kubectl(server, "get", f"--raw={path}/{name}").count('{"f:a":') >= LEVELS


def make_large_pod(server: ApiServer, namespace: str, name: str, labels: Mapping[str, str]) -> None:
    """A pod whose JSON has more than eight megabytes."""
    body = _pod(name, labels, args=["<" * CHARACTERS])
    server.cluster.core.create_namespaced_pod(namespace, body)


def _pod(name: str, labels: Mapping[str, str], args: list[str] | None = None, **metadata: Any) -> dict[str, Any]:
    container = {"name": "driver", "image": "x", "args": args or []}
    return {"metadata": {"name": name, "labels": dict(labels), **metadata}, "spec": {"containers": [container]}}


def _kubectl(server: ApiServer, *argv: str, given: str = "") -> str:
    command = ["kubectl", f"--kubeconfig={server.kubeconfig}", *argv]
    return subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout
