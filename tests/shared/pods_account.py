"""A service account as the kubelet gives it to a pod, for programs that tests start on this machine."""

from __future__ import annotations

from pathlib import Path

from chartproof.apiserver import ApiServer


def write_account(server: ApiServer, namespace: str, account: str, folder: Path) -> None:
    """Write a folder's ``token``, which lives for an hour, ``namespace`` and ``ca.crt``."""
    request = {"spec": {"audiences": [], "expirationSeconds": 3600}}
    make = server.cluster.core.create_namespaced_service_account_token
    (folder / "token").write_text(make(account, namespace, request).status.token)
    (folder / "namespace").write_text(namespace)
    ca = Path(server.cluster.api_client.configuration.ssl_ca_cert)
    (folder / "ca.crt").write_bytes(ca.read_bytes())
