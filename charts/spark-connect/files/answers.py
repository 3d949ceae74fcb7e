"""Asks whether a gRPC server answers at a port.

``answers.py PORT`` asks in plain text within the pod, ``answers.py PORT tls`` at the pod's address. A server of HTTP/2
begins with its settings, without a login: an open port alone does not tell that one is behind it.

Standard library only.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
SETTINGS = 4
QUIET_S = 5


def main() -> None:
    """End with 0 if it does, else with a line."""
    port, with_tls = int(sys.argv[1]), sys.argv[2:] == ["tls"]
    try:
        kind = first_frame(os.environ["POD_IP"] if with_tls else "127.0.0.1", port, with_tls=with_tls)
    except OSError as error:
        sys.exit(f"kindling: nothing answers at port {port}: {error}")
    if kind != SETTINGS:
        sys.exit(f"kindling: what answers at port {port} is no gRPC server")


def first_frame(host: str, port: int, *, with_tls: bool) -> int | None:
    """The kind of the first frame that the server sends; None if it sends none."""
    with socket.create_connection((host, port), timeout=QUIET_S) as plain:
        connection = encrypted(plain) if with_tls else plain
        connection.sendall(PREFACE + NO_SETTINGS)
        got = b""
        while len(got) < 4:
            more = connection.recv(9)
            if not more:
                return None
            got += more
        connection.close()
    return got[3]


def encrypted(connection: socket.socket) -> ssl.SSLSocket:
    """TLS with whom this pod itself is: whose certificate it shows does not matter."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context.wrap_socket(connection)


if __name__ == "__main__":
    main()
