"""A real registry of images and charts on this machine, for a test's time."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ephemeral_port_reserve import reserve

from kindling_dev.golang import GoModule, build
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings

_MODULE = GoModule("ci/registry", {"registry": "github.com/distribution/distribution/v3/cmd/registry"})
_CONFIG = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: {address}}}
"""


def free_address() -> str:
    """ "127.0.0.1:PORT" where nothing listens now; on this address Docker and Helm need no TLS."""
    return f"127.0.0.1:{reserve()}"


@contextmanager
def registry(folder: Path, address: str) -> Iterator[None]:
    """A registry at an address, with its blobs in a folder, for as long as the block runs."""
    config = folder / "registry.yaml"
    config.write_text(_CONFIG.format(folder=folder / "blobs", address=address))
    with (folder / "registry.log").open("w") as log:
        process = subprocess.Popen([_program(), "serve", config], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                urllib.request.urlopen(f"http://{address}/v2/", timeout=5)
                break
            except OSError:
                assert time.monotonic() < deadline, (folder / "registry.log").read_text()
                assert process.poll() is None, (folder / "registry.log").read_text()
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _program() -> Path:
    return build(_MODULE, Settings.from_environment(), Progress()) / "registry"
