"""A client certificate, where the cluster's admin approves it; its key is made here."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from typing import Any
from uuid import uuid4

from kubernetes import client, watch

from kindling.connection import TIMEOUT_S, Connection
from kindling.errors import KindlingError
from kindling.terminal import complain

_SIGNER = "kubernetes.io/kube-apiserver-client"
_END = ("Denied", "Failed")


def request_certificate(connection: Connection, user: str, life_s: int, wait_s: int) -> dict[str, str]:
    """Have a certificate made for a user; return the fields of a kubeconfig's user.

    Raises:
        KindlingError: openssl is missing, or no one approves in time.
    """
    key, request = _key_and_request(user)
    name = f"kindling-{uuid4().hex[:12]}"
    api: Any = client.CertificatesV1Api(connection.api)
    spec = client.V1CertificateSigningRequestSpec(
        request=b64encode(request).decode(), signer_name=_SIGNER, usages=["client auth"], expiration_seconds=life_s
    )
    body = client.V1CertificateSigningRequest(metadata=client.V1ObjectMeta(name=name), spec=spec)
    api.create_certificate_signing_request(body, _request_timeout=TIMEOUT_S)
    complain(f"an admin approves it with: kubectl certificate approve {name}")
    certificate = _wait(api, name, wait_s)
    return {"client-certificate-data": certificate, "client-key-data": b64encode(key).decode()}


def _wait(api: Any, name: str, wait_s: int) -> str:
    """The certificate, as the API server writes it (base64)."""
    requests = watch.Watch().stream(
        api.list_certificate_signing_request,
        field_selector=f"metadata.name={name}",
        timeout_seconds=wait_s,
        _request_timeout=(TIMEOUT_S[0], wait_s + TIMEOUT_S[1]),
    )
    for event in requests:
        status = event["object"].status
        ended = next((c for c in status.conditions or [] if c.type in _END), None)
        if ended:
            raise KindlingError(
                f"no certificate: {name} is {ended.type.lower()}: {ended.message or 'no reason is given'}"
            )
        if status.certificate:
            return str(status.certificate)
    raise KindlingError(f"no certificate: no one approved {name} within {wait_s} s; ask an admin, then run this again")


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
