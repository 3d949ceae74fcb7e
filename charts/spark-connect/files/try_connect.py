"""Tries a Connect server: counts with an executor, and sees that a stranger is refused.

``try_connect.py`` asks the server of this pod, ``try_connect.py HOST:PORT`` another one, which is to show the
certificate of /etc/connect-tls where that is there. It needs what the image of the chart has: Spark's Python, pandas,
pyarrow, grpcio.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
import threading
from pathlib import Path
from typing import Any

import lasting

TOKEN = Path("/etc/connect-login/token")
CERTIFICATE = Path("/etc/connect-tls/tls.crt")
AT_ONCE = 1 << 16


def main() -> None:
    """Count, and end with a line that says what went wrong where it does."""
    sys.path[:0] = lasting.python_of_spark()
    # Its own, or a session of this pod's configuration would begin.
    os.environ.pop("SPARK_CONNECT_AUTHENTICATE_TOKEN", None)
    server = sys.argv[1] if sys.argv[1:] else "localhost:15002"
    # Clients send tokens over TLS, or to localhost.
    place = f"localhost:{relay(server)}" if sys.argv[1:] else server
    token = TOKEN.read_text().strip() if TOKEN.exists() else ""
    try:
        spark = session(place, token)
        print("counted", spark.range(1000).repartition(2).count(), "with Spark", spark.version)
        spark.stop()
    except Exception as error:
        sys.exit(f"kindling: the Connect server at {server} does not count: {error}")
    if token:
        try:
            session(place, f"not-{token}").range(1).count()
        except Exception as error:
            if "UNAUTHENTICATED" not in str(error):
                sys.exit(f"kindling: a stranger is not refused, but has: {error}")
        else:
            sys.exit("kindling: the server asks for no token")


def session(place: str, token: str) -> Any:
    """A session with a server."""
    from pyspark.sql.connect.session import SparkSession

    return SparkSession.builder.remote(f"sc://{place}/" + (f";token={token}" if token else "")).create()


def relay(server: str) -> int:
    """A port of this pod behind which a server is, by TLS with its very certificate where there is one.

    The names in it are those that clients use, not this pod.
    """
    started: list[int] = []
    ready = threading.Event()

    async def run() -> None:
        listener = await asyncio.start_server(lambda *ends: pass_on(server, *ends), "127.0.0.1", 0)
        started.append(listener.sockets[0].getsockname()[1])
        ready.set()
        await listener.serve_forever()

    threading.Thread(target=lambda: asyncio.run(run()), daemon=True).start()
    ready.wait()
    return started[0]


async def pass_on(server: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry a connection's bytes both ways."""
    host, _, port = server.rpartition(":")
    try:
        there, back = await asyncio.open_connection(host, int(port), ssl=encryption())
    except OSError as error:
        print(f"kindling: no connection to {server}: {error}", file=sys.stderr, flush=True)
        writer.close()
        return
    await asyncio.gather(pump(reader, back), pump(there, writer))


async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Carry bytes one way, to their end."""
    try:
        while data := await source.read(AT_ONCE):
            target.write(data)
            await target.drain()
    except OSError:
        pass
    finally:
        target.close()


def encryption() -> ssl.SSLContext | None:
    """TLS that trusts the server's certificate and no other."""
    if not CERTIFICATE.exists():
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=CERTIFICATE)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.set_alpn_protocols(["h2"])
    return context


if __name__ == "__main__":
    main()
