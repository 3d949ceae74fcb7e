"""A client certificate, where the cluster's admin approves it; its key is made here.

A request that nobody has approved in time is kept with its key, beside the kubeconfig that it is for: the next call
takes it up again.
"""

from __future__ import annotations

import subprocess
from base64 import b64encode
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml
from kubernetes import client, watch

from kindling.connection import TIMEOUT_S, Connection
from kindling.errors import KindlingError
from kindling.files import read_private, remove_private, write_private
from kindling.terminal import complain

_SIGNER = "kubernetes.io/kube-apiserver-client"
_END = ("Denied", "Failed")


@dataclass(frozen=True)
class _Request:
    """A request for a certificate: its name at the API server, the key, and the request itself (both PEM)."""

    name: str
    server: str
    user: str
    key: str
    request: str


def request_certificate(connection: Connection, user: str, life_s: int, wait_s: int, kept: Path) -> dict[str, str]:
    """Have a certificate made for a user; return the fields of a kubeconfig's user.

    Args:
        connection: to the cluster.
        user: whose it is.
        life_s: seconds that it lives.
        wait_s: seconds to wait for an admin's approval.
        kept: the file of the request and its key; whoever has stored what is returned removes it (``forget``).

    Raises:
        KindlingError: openssl is missing, or no one approves in time.
    """
    api: Any = client.CertificatesV1Api(connection.api)
    request = _taken_up(api, connection.host, user, kept) or _asked(api, connection.host, user, life_s, kept)
    complain(f"an admin approves it with: kubectl certificate approve {request.name}")
    certificate = _wait(api, request.name, wait_s, kept)
    return {"client-certificate-data": certificate, "client-key-data": b64encode(request.key.encode()).decode()}


def forget(kept: Path) -> None:
    """Remove a request and its key: the certificate is stored, or there will be none."""
    remove_private(kept)


def _asked(api: Any, server: str, user: str, life_s: int, kept: Path) -> _Request:
    """A new request, and the key kept before anybody can approve it."""
    key, text = _key_and_request(user)
    request = _Request(f"kindling-{uuid4().hex[:12]}", server, user, key.decode(), text.decode())
    write_private(kept, yaml.safe_dump(asdict(request)))
    spec = client.V1CertificateSigningRequestSpec(
        request=_as_sent(request), signer_name=_SIGNER, usages=["client auth"], expiration_seconds=life_s
    )
    body = client.V1CertificateSigningRequest(metadata=client.V1ObjectMeta(name=request.name), spec=spec)
    try:
        api.create_certificate_signing_request(body, _request_timeout=TIMEOUT_S)
    except BaseException:
        forget(kept)
        raise
    return request


def _taken_up(api: Any, server: str, user: str, kept: Path) -> _Request | None:
    """The request of an earlier call, if the API server still has it: it keeps them for an hour to a day."""
    request = _kept(kept)
    if request is None or (request.server, request.user) != (server, user):
        return None
    there = _list(api, request.name)
    if there is None or there.spec.request != _as_sent(request):
        return None
    complain(f"taking up request {request.name} again, whose key is in {kept}")
    return request


def _kept(kept: Path) -> _Request | None:
    text = read_private(kept)
    if text is None:
        return None
    try:
        return _Request(**yaml.safe_load(text))
    except (yaml.YAMLError, TypeError):
        raise KindlingError(f"{kept} holds no request of kindling's: remove it, or choose another --output") from None


def _list(api: Any, name: str) -> Any:
    found = api.list_certificate_signing_request(field_selector=f"metadata.name={name}", _request_timeout=TIMEOUT_S)
    return found.items[0] if found.items else None


def _as_sent(request: _Request) -> str:
    return b64encode(request.request.encode()).decode()


def _wait(api: Any, name: str, wait_s: int, kept: Path) -> str:
    """The certificate, as the API server writes it (base64)."""
    requests = watch.Watch().stream(
        api.list_certificate_signing_request,
        field_selector=f"metadata.name={name}",
        timeout_seconds=max(wait_s, 1),
        _request_timeout=(TIMEOUT_S[0], wait_s + TIMEOUT_S[1]),
    )
    for event in requests:
        status = event["object"].status
        ended = next((c for c in status.conditions or [] if c.type in _END), None)
        if ended:
            forget(kept)
            raise KindlingError(
                f"no certificate: {name} is {ended.type.lower()}: {ended.message or 'no reason is given'}"
            )
        if status.certificate:
            return str(status.certificate)
    raise KindlingError(
        f"no certificate: no one approved {name} within {wait_s} s; run the same command again once it is approved: "
        f"{kept} keeps the request and its key"
    )


def _key_and_request(user: str) -> tuple[bytes, bytes]:
    """A private key, which stands in no file yet, and a request for its certificate, both as PEM."""
    # RSA: Spark's own client of Kubernetes takes other keys only with a library that Spark does not have.
    key = _openssl(["genrsa", "2048"], b"")
    name = "".join(f"\\{letter}" if letter in "/+=\\" else letter for letter in user)
    return key, _openssl(["req", "-new", "-utf8", "-key", "/dev/stdin", "-subj", f"/CN={name}"], key)


def _openssl(argv: list[str], given: bytes) -> bytes:
    try:
        done = subprocess.run(["openssl", *argv], input=given, capture_output=True, check=False)
    except FileNotFoundError:
        raise KindlingError("no certificate: the program openssl makes the key; install it") from None
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise KindlingError(f"no certificate: openssl {argv[0]} failed: {said}")
    return done.stdout
