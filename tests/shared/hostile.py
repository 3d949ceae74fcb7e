"""An attacker's driver: what an owner of a pod may answer with. Each path is an attack."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_PAGE = b"<html>hello</html>"
_FOREIGN_HEADERS = {
    "Content-Type": "text/html",
    "Set-Cookie": "spark-ui=stolen; Path=/",
    "Service-Worker-Allowed": "/",
    "Clear-Site-Data": '"*"',
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Credentials": "true",
    "Refresh": "0; url=https://evil.example/",
    "Alt-Svc": 'h2="evil.example:443"',
    "Report-To": '{"endpoints":[{"url":"https://evil.example/"}]}',
    "NEL": '{"report_to":"default","max_age":1}',
    "Reporting-Endpoints": 'default="https://evil.example/"',
    "Public-Key-Pins": 'pin-sha256="x"; max-age=1',
    "Expect-CT": "max-age=1",
    "Link": "<https://evil.example/x.js>; rel=preload; as=script",
    "Speculation-Rules": '"https://evil.example/rules.json"',
    "SourceMap": "https://evil.example/map",
    "WWW-Authenticate": 'Basic realm="your password, please"',
    "Proxy-Authenticate": "Basic",
    "Authentication-Info": "x",
    "Origin-Agent-Cluster": "?0",
    "Critical-CH": "Sec-CH-UA",
    "X-Forwarded-Context": "/evil",
    "X-Upstream": "169.254.169.254:80",
    "X-Accel-Redirect": "/-/internal/authz",
    "X-Accel-Buffering": "yes",
    "X-Accel-Limit-Rate": "1",
    "X-Accel-Expires": "86400",
    "Server": "evil/1.0",
    "Via": "evil",
    "X-Powered-By": "evil",
    "Cache-Control": "public, s-maxage=86400",
    "Surrogate-Control": "max-age=86400",
    "Pragma": "x",
    "Expires": "Thu, 31 Dec 2099 23:59:59 GMT",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "script-src 'self'",
}


@dataclass
class Hostile:
    """A listening attacker.

    Attributes:
        address, port: where.
        seen: the requests that reached it, raw, without bodies.
        redirect: what /redirect points to.
        connections: how many came.
        sent: bytes of /endless.
        hurry: once it is set, /wait answers.
    """

    address: str
    port: int
    seen: list[bytes] = field(default_factory=list)
    redirect: str = ""
    connections: int = 0
    sent: int = 0
    hurry: threading.Event = field(default_factory=threading.Event)
    open: list[socket.socket] = field(default_factory=list)

    def hang_up(self) -> None:
        """Close all connections."""
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.open.clear()

    def headers_of(self, number: int = -1) -> dict[str, str]:
        """A request's headers, names in small letters."""
        lines = self.seen[number].decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}

    def answer(self, connection: socket.socket, request: bytes) -> bool:
        """Answer one request; True: another may follow."""
        path = request.split(b" ")[1].partition(b"?")[0].decode()
        if path == "/all-headers":
            self._send(connection, 200, _FOREIGN_HEADERS)
        elif path == "/redirect":
            self._send(connection, 302, {"Location": self.redirect, "Set-Cookie": "spark-ui=stolen"})
        elif path == "/created":
            self._send(connection, 201, {"Location": "https://evil.example/", "Content-Location": "//evil.example/"})
        elif path == "/huge-headers":
            self._send(connection, 200, {f"X-{number}": "x" * 1000 for number in range(100)})
        elif path == "/early":
            connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: <https://evil.example/>; rel=preload\r\n\r\n")
            self._send(connection, 200, {})
        elif path == "/switch":
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: tunnel\r\nConnection: Upgrade\r\n\r\nraw")
            return False
        elif path == "/no-http":
            connection.sendall(b"<script>not even HTTP</script>\r\n\r\n")
            return False
        elif path == "/nearly-http":
            connection.sendall(b"HTTP/1.x 200 OK\r\nSet-Cookie: spark-ui=stolen\r\nContent-Length: 2\r\n\r\nok")
            return False
        elif path == "/no-status":
            connection.sendall(b"HTTP/1.1 000 Nothing\r\nContent-Length: 2\r\n\r\nok")
            return False
        elif path == "/split":
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: spark-ui=stolen\r\nContent-Length: 2\r\n\r\nok")
            return False
        elif path == "/two-answers":
            two = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"
            connection.sendall(two + two.replace(b"first", b"other"))
        elif path == "/two-lengths":
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
            )
            return False
        elif path == "/endless":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
            while True:
                connection.sendall(b"x" * 65536)
                self.sent += 65536
        elif path == "/drip":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(1000):
                connection.sendall(b"x")
                time.sleep(0.2)
        elif path == "/wait":
            self.hurry.wait()
            self._send(connection, 200, {})
        elif path == "/cut":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
            return False
        else:
            self._send(connection, 200, {"Content-Type": "text/html"})
        return True

    def serve(self, connection: socket.socket) -> None:
        """One connection, to its end."""
        self.connections += 1
        self.open.append(connection)
        with contextlib.suppress(OSError), connection:
            more, waiting = True, b""
            while more:
                while b"\r\n\r\n" not in waiting:
                    waiting += received(connection)
                head, _, waiting = waiting.partition(b"\r\n\r\n")
                self.seen.append(head)
                length = int(self.headers_of().get("content-length", 0))
                while len(waiting) < length:
                    waiting += received(connection)
                waiting = waiting[length:]
                more = self.answer(connection, head)

    @staticmethod
    def _send(connection: socket.socket, status: int, headers: dict[str, str]) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(
            f"HTTP/1.1 {status} Answer\r\n{lines}Content-Length: {len(_PAGE)}\r\n\r\n".encode("latin-1") + _PAGE
        )


def received(connection: socket.socket) -> bytes:
    """Some bytes.

    Raises:
        ConnectionError: there are no more.
    """
    part = connection.recv(65536)
    if not part:
        raise ConnectionError
    return part


@contextmanager
def listening(address: str, port: int = 4050) -> Iterator[Hostile]:
    """An attacker at an address of this machine."""
    hostile = Hostile(address, port)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, port), family=family, backlog=128) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=hostile.serve, args=[connection], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield hostile
        finally:
            # A thread that waits in accept() is not woken by close().
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def ending_connections(address: str, *, reset: bool) -> Iterator[tuple[str, int]]:
    """Takes connections and ends each once it has asked something, with a reset or without; its address and port."""
    with socket.create_server((address, 4040)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    if reset:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield address, 4040
        finally:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            server.close()
            thread.join()
