"""Ports of the cluster on this machine."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from chartproof import Cluster


@contextmanager
def forwarded(cluster: Cluster, namespace: str, to: str, port: int) -> Iterator[int]:
    """The port at 127.0.0.1 that leads to a port of something, "service/anna", while the context lasts."""
    argv = ["kubectl", f"--kubeconfig={cluster.kubeconfig}", f"--namespace={namespace}"]
    argv += ["port-forward", to, f":{port}", "--address=127.0.0.1"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as forwarding:
        try:
            assert forwarding.stdout
            line = forwarding.stdout.readline()
            found = re.search(r"127\.0\.0\.1:(\d+)", line)
            assert found, f"kubectl port-forward says {line!r}"
            yield int(found[1])
        finally:
            forwarding.terminate()
