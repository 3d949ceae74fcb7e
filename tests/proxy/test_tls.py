"""TLS at nginx: its own certificate, and that by which an authenticating ingress proves itself."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

import pytest
import trustme
from cryptography.x509 import load_pem_x509_certificate
from hostile import Hostile
from proxy_world import Door, Team, World

_NAME = "spark.example"


@dataclass(frozen=True)
class Site:
    """The service with certificates.

    Attributes:
        authority: that signs both sides' certificates; nginx asks for its clients'.
        files: nginx's own certificate.
    """

    door: Door
    authority: trustme.CA
    files: Path

    def status(self, path: str, client: trustme.CA | None = None, **headers: str) -> int:
        """Of a path below the base, asked with a client certificate that an authority signs, or without."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        if client:
            client.issue_cert("ingress.example", common_name="ingress").configure_cert(context)
        connection = HTTPSConnection("127.0.0.1", self.door.port, context=context, timeout=30)
        # The certificate is for the name; the connection goes to this machine.
        connection.sock = context.wrap_socket(
            socket.create_connection(("127.0.0.1", self.door.port)), server_hostname=_NAME
        )
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("GET", self.door.base + path, headers={"Host": _NAME, **sent})
            return connection.getresponse().status
        finally:
            connection.close()

    def serial(self) -> int:
        """Of the certificate that nginx shows."""
        pem = ssl.get_server_certificate(("127.0.0.1", self.door.port))
        return load_pem_x509_certificate(pem.encode()).serial_number

    def renew(self) -> None:
        """A new certificate in the same files."""
        _write(self.authority, self.files)


def _write(authority: trustme.CA, folder: Path) -> None:
    certificate = authority.issue_cert(_NAME)
    certificate.private_key_pem.write_to_path(folder / "tls.key")
    certificate.cert_chain_pems[0].write_to_path(folder / "tls.crt")


@pytest.fixture(scope="module")
def site(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """People come by an ingress that has a client certificate."""
    authority, files = trustme.CA(), tmp_path_factory.mktemp("tls")
    _write(authority, files)
    authority.cert_pem.write_to_path(files / "ca.crt")
    tls = {"certificate": f"{files}/tls.crt", "key": f"{files}/tls.key", "clientCa": f"{files}/ca.crt"}
    with world.door(tls=tls, login={"mode": "header", "header": {"proof": "mtls"}}) as door:
        yield Site(door, authority, files)


@pytest.fixture(scope="module")
def path(hostile_team: Team, hostile: Hostile) -> str:
    """Of a page of a driver."""
    return f"/{hostile_team.name}/proxy/{hostile_team.driver(hostile.address, port=hostile.port)}/jobs/"


def test_headers_count_from_an_ingress_with_a_certificate_and_from_nobody_else(
    site: Site, hostile_team: Team, path: str
) -> None:
    viewer = f"vera@{hostile_team.name}"
    site.door.decider.wait(lambda: site.status(path, site.authority, x_forwarded_user=viewer) == 200, "it is routed")
    assert site.status(path, site.authority) == 401
    assert site.status(path, site.authority, x_forwarded_user="somebody") == 403
    for claim in ("SUCCESS", "success"):
        assert site.status(path, x_forwarded_user=viewer, x_client_verified=claim) == 401
    # nginx itself refuses a certificate that it cannot verify.
    assert site.status(path, trustme.CA(), x_forwarded_user=viewer, x_client_verified="SUCCESS") == 400


def test_a_trusted_header_that_is_there_twice_is_refused(site: Site, hostile_team: Team, path: str) -> None:
    viewer = f"vera@{hostile_team.name}"
    site.door.decider.wait(lambda: site.status(path, site.authority, x_forwarded_user=viewer) == 200, "it is routed")
    for first, second in ((viewer, "somebody"), ("somebody", viewer)):
        assert site.status(path, site.authority, **{"x_forwarded_user": first, "X-FORWARDED-USER": second}) == 400


def test_a_renewed_certificate_counts_at_once(site: Site) -> None:
    before = site.serial()
    assert site.serial() == before
    site.renew()
    assert site.serial() != before
