"""Serves the files of a folder over TLS: PORT FOLDER. All but /files/ asks for the login; requests are printed."""

from __future__ import annotations

import base64
import functools
import json
import ssl
import sys
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[2])
LOGIN = "Basic " + base64.b64encode((FOLDER / "login").read_bytes()).decode()
REFUSED = {"/refused/": HTTPStatus.FORBIDDEN, "/broken/": HTTPStatus.SERVICE_UNAVAILABLE}


class Handler(SimpleHTTPRequestHandler):
    """Answers of an artifact store."""

    def do_GET(self) -> None:
        if self._may():
            super().do_GET()

    def do_HEAD(self) -> None:
        if self._may():
            super().do_HEAD()

    def _may(self) -> bool:
        for beginning, status in REFUSED.items():
            if self.path.startswith(beginning):
                self.send_error(status)
                return False
        if self.path.startswith("/files/") or self.headers["Authorization"] == LOGIN:
            return True
        self.send_response(HTTPStatus.UNAUTHORIZED)
        self.send_header("WWW-Authenticate", 'Basic realm="depot"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def log_request(self, code: int | str = "-", _: int | str = "-") -> None:
        print(json.dumps({"client": self.client_address[0], "path": self.path, "status": str(int(code))}), flush=True)


server = ThreadingHTTPServer(("", int(sys.argv[1])), functools.partial(Handler, directory=str(FOLDER)))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(FOLDER / "server.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
