"""What answers as a driver that knows its pod: Spark's REST, as far as the proxy asks it which pod that is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Speaking:
    """One that listens.

    Attributes:
        address, port: where.
        asked: "GET /jobs/", in turn.
    """

    address: str
    port: int
    asked: list[str] = field(default_factory=list)


@contextmanager
def speaking(address: str, namespace: str, pod: str, port: int = 4050, app_id: str = "spark-1") -> Iterator[Speaking]:
    """A driver of a pod, at an address of this machine, until the context ends."""
    driver = Speaking(address, port)
    properties = [["spark.kubernetes.namespace", namespace], ["spark.kubernetes.driver.pod.name", pod]]
    pages = {
        "/jobs/": "<html>hello</html>",
        "/api/v1/applications": json.dumps([{"id": app_id, "name": "pi"}]),
        f"/api/v1/applications/{app_id}/environment": json.dumps({"sparkProperties": properties}),
    }

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            driver.asked.append(f"{self.command} {self.path}")
            found = pages.get(self.path.partition("?")[0])
            self.send_response(200 if found else 404)
            body = (found or "").encode()
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer((address, port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield driver
        finally:
            server.shutdown()
