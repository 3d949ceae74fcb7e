"""A proxy in one file, as people write them: a process for each request asks upstream and rewrites the links of HTML.

Usage: python proxy_rewriting.py PORT TARGET
"""

from __future__ import annotations

import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ForkingMixIn

_LINKS = ("href", "src", "action")


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        """Fetch, rewrite, pass on."""
        with urllib.request.urlopen(sys.argv[2] + self.path) as answer:
            body = answer.read()
            kind = answer.headers.get("Content-Type", "")
        if kind.startswith("text/html"):
            text = body.decode("utf-8", errors="replace")
            for attribute in _LINKS:
                text = text.replace(f'{attribute}="/', f'{attribute}="/proxy/').replace(
                    f"{attribute}='/", f"{attribute}='/proxy/"
                )
            text = text.replace("location.origin", "location.origin + '/proxy'")
            body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Server(ForkingMixIn, HTTPServer):
    """A process for each request."""

    request_queue_size = 128


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
