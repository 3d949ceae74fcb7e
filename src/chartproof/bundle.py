"""What a failed test leaves behind: manifests, events, describe and logs of its namespaces, in one folder."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

_KINDS = "all,configmaps,persistentvolumeclaims,serviceaccounts,roles,rolebindings,networkpolicies"
_TIMEOUT_S = 30


def write_bundle(folder: Path, test: str, namespaces: Sequence[str], kubeconfig: Path) -> Path:
    """Write a folder named after a test; return it.

    Args:
        folder: the parent of all bundles.
        test: the test's node id.
        namespaces: what to look at.
        kubeconfig: the cluster's.
    """
    target = folder / re.sub(r"[^\w.=-]+", "-", test).strip("-")
    target.mkdir(parents=True, exist_ok=True)
    for namespace in namespaces:

        def keep(name: str, *argv: str, namespace: str = namespace) -> str:
            text = _kubectl(kubeconfig, "--namespace", namespace, *argv)
            (target / f"{namespace}-{name}").write_text(text)
            return text

        keep("manifests.yaml", "get", _KINDS, "--output=yaml")
        keep("events.txt", "get", "events", "--sort-by=.lastTimestamp")
        keep("describe.txt", "describe", "pods,jobs")
        pods = keep("pods.txt", "get", "pods", "--output=name")
        for pod in re.findall(r"^pod/(\S+)$", pods, re.MULTILINE):
            keep(f"{pod}.log", "logs", pod, "--all-containers", "--prefix")
    return target


def _kubectl(kubeconfig: Path, *argv: str) -> str:
    try:
        done = subprocess.run(
            ["kubectl", f"--kubeconfig={kubeconfig}", *argv],
            capture_output=True,
            text=True,
            errors="replace",  # a log may hold any bytes
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"kubectl {' '.join(argv)}: no answer within {_TIMEOUT_S} s\n"
    return done.stdout + done.stderr
