"""helm, killed at a write of the test's choice: a relay between helm and an API server counts what helm writes."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chartproof.apiserver import ApiServer

_HOP = {"host", "connection", "content-length", "transfer-encoding"}
"""Headers of one connection, not of what it carries."""


@dataclass(frozen=True)
class Kill:
    """When helm is killed: as it sends a write, from 1, which then comes to nothing, or once that is done."""

    write: int
    done: bool


@dataclass
class Interrupter:
    """Runs helm through a relay to an API server.

    Attributes:
        program: name of helm.
        server: the API server.
        driver: where helm keeps its records ("secret", "configmap").
        address: the relay's.
        writes: requests of the present helm that change something.
    """

    program: str
    server: ApiServer
    driver: str
    address: str = ""
    writes: int = 0
    _kill: Kill | None = None
    _process: subprocess.Popen[str] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, argv: Sequence[str], stdin: str = "", kill: Kill | None = None) -> int:
        """Run helm, to its end or until it is killed; return how often it wrote."""
        env = {
            **os.environ,
            "KUBECONFIG": str(self.server.kubeconfig),
            "KUBECACHEDIR": str(self.server.folder / "relayed"),
            "HELM_DRIVER": self.driver,
        }
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with self._lock:
            # helm's first request waits here until it is known whom to kill.
            self.writes, self._kill = 0, kill
            command = [self.program, *argv, f"--kube-apiserver={self.address}"]
            self._process = subprocess.Popen(command, env=env, text=True, **pipes)
        _, said = self._process.communicate(stdin, timeout=300)
        assert self._process.returncode == 0 or (kill and self._process.returncode < 0), said
        return self.writes

    def write(self) -> Kill | None:
        """Count a write; what is to be done at it, if it is the one."""
        with self._lock:
            self.writes += 1
            return self._kill if self._kill and self._kill.write == self.writes else None

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process
        self._process.kill()


@contextmanager
def interrupter(program: str, server: ApiServer, driver: str) -> Iterator[Interrupter]:
    """A helm and its relay, for as long as the context lasts."""
    helm = Interrupter(program, server, driver)
    pool = server.cluster.api_client.rest_client.pool_manager
    host = server.cluster.api_client.configuration.host

    class Relay(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:  # helm is dead
                self.close_connection = True

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kill = helm.write() if self.command != "GET" else None
            if kill and not kill.done:
                helm.kill()
                raise ConnectionAbortedError
            headers = {key: value for key, value in self.headers.items() if key.lower() not in _HOP}
            answer = pool.request(self.command, host + self.path, body=body, headers=headers, decode_content=False)
            if kill:
                helm.kill()
                raise ConnectionAbortedError
            self.send_response_only(answer.status)
            for key, value in answer.headers.items():
                if key.lower() not in _HOP:
                    self.send_header(key, value)
            self.send_header("Content-Length", str(len(answer.data)))
            self.end_headers()
            self.wfile.write(answer.data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Relay) as relay:
        relay.daemon_threads = True
        helm.address = f"http://127.0.0.1:{relay.server_port}"
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        yield helm
        relay.shutdown()
