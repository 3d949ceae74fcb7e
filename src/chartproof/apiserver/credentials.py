"""Certificates and keys of one API server, and a kubeconfig for each who speaks to it."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import trustme
import yaml

ADMINS = "system:masters"


def write_credentials(folder: Path, port: int, users: tuple[str, ...]) -> None:
    """Write what kube-apiserver and its clients need.

    ``ca.crt`` and ``ca.key``; ``server.crt`` and ``server.key`` for 127.0.0.1; ``accounts.key``, which signs the tokens
    of service accounts; and for each user of the group system:masters ``USER.kubeconfig``.
    """
    authority = trustme.CA(organization_name="chartproof")
    authority.cert_pem.write_to_path(folder / "ca.crt")
    authority.private_key_pem.write_to_path(folder / "ca.key")
    server = authority.issue_cert("127.0.0.1", "localhost")
    server.cert_chain_pems[0].write_to_path(folder / "server.crt")
    server.private_key_pem.write_to_path(folder / "server.key")
    authority.issue_cert("accounts").private_key_pem.write_to_path(folder / "accounts.key")
    for user in users:
        client = authority.issue_cert("client", common_name=user, organization_name=ADMINS)
        (folder / f"{user}.kubeconfig").write_text(_kubeconfig(port, authority, client))


def _kubeconfig(port: int, authority: trustme.CA, client: trustme.LeafCert) -> str:
    name = "chartproof"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": f"https://127.0.0.1:{port}",
                    "certificate-authority-data": _text(authority.cert_pem),
                },
            }
        ],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": _text(client.cert_chain_pems[0]),
                    "client-key-data": _text(client.private_key_pem),
                },
            }
        ],
    }
    return yaml.safe_dump(config)


def _text(pem: trustme.Blob) -> str:
    return b64encode(pem.bytes()).decode()
