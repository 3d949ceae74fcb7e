"""Tries a Connect server: counts with an executor, and sees that a stranger is refused.

``try_connect.py`` asks the server of this pod, ``try_connect.py HOST:PORT`` one that shows the certificate of /etc/connect-tls.
It needs what the image of the chart has: Spark's Python, pandas, pyarrow, grpcio.
"""

from __future__ import annotations

import os
import ssl
import socket
import sys
from pathlib import Path
from typing import Any

import lasting

TOKEN = Path("/etc/connect-login/token")
CERTIFICATE = "/etc/connect-tls/tls.crt"


def main() -> None:
    """Count, and end with a line that says what went wrong where it does."""
    sys.path[:0] = lasting.python_of_spark()
    # Its own, or a session of this pod's configuration would begin.
    os.environ.pop("SPARK_CONNECT_AUTHENTICATE_TOKEN", None)
    place = sys.argv[1] if sys.argv[1:] else ""
    token = TOKEN.read_text().strip() if TOKEN.exists() else ""
    name = certificates_name(place) if place and Path(CERTIFICATE).exists() else ""
    try:
        spark = session(place, token, name)
        print("counted", spark.range(1000).repartition(2).count(), "with Spark", spark.version)
        spark.stop()
    except Exception as error:
        sys.exit(f"kindling: the Connect server at {place or 'localhost'} does not count: {error}")
    if token:
        try:
            session(place, f"not-{token}", name).range(1).count()
        except Exception as error:
            if "UNAUTHENTICATED" not in str(error):
                sys.exit(f"kindling: a stranger is not refused, but has: {error}")
        else:
            sys.exit("kindling: the server asks for no token")


def session(place: str, token: str, name: str) -> Any:
    """A session with a server."""
    from pyspark.sql.connect.client import DefaultChannelBuilder
    from pyspark.sql.connect.session import SparkSession

    options = [f"use_ssl={str(bool(name)).lower()}", *([f"token={token}"] if token else [])]
    channel = DefaultChannelBuilder(f"sc://{place or 'localhost:15002'}/;{';'.join(options)}")
    if name:
        os.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = CERTIFICATE
        channel.setChannelOption("grpc.ssl_target_name_override", name)
    return SparkSession.builder.channelBuilder(channel).create()


def certificates_name(place: str) -> str:
    """A name in the certificate that a server shows, which is to be the one that its Secret has."""
    host, _, port = place.rpartition(":")
    context = ssl.create_default_context(cafile=CERTIFICATE)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        with socket.create_connection((host, int(port)), timeout=30) as plain, context.wrap_socket(plain) as connection:
            shown: Any = connection.getpeercert()
    except OSError as error:
        sys.exit(f"kindling: no TLS at {place} with the certificate of tls.secretName: {error}")
    names = [value for kind, value in shown.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    if not names:
        sys.exit("kindling: the certificate of tls.secretName names no host (subjectAltName): clients refuse it")
    return str(names[0]).replace("*", "any", 1)


if __name__ == "__main__":
    main()
