"""A real Kueue beside an API server: its manager as a process, its webhooks at loopback, and queues to try."""

from __future__ import annotations

import json
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import trustme
import yaml
from ephemeral_port_reserve import reserve

from chartproof.apiserver import ApiServer
from kindling_dev import gitops

Kubectl = Callable[..., str]
_TAKEN = ("job", "pod", "clusterqueue", "resourceflavor", "workload", "cohort")
"""Kinds whose webhooks are used: those that the server has."""
_DEADLINE_S = 120
# Kueue reads the certificate of its metrics there and nowhere else: a folder of the process's own in the place of /etc.
_WITH_ETC = """
mount -t tmpfs tmpfs /etc && mkdir -p /etc/kueue/metrics && cp -r "$CERTIFICATES" /etc/kueue/metrics/certs && exec "$@"
"""


@contextmanager
def kueue(server: ApiServer, folder: Path, kubectl: Kubectl) -> Iterator[None]:
    """Kueue on an API server, as long as the context lasts.

    Args:
        server: where it works; nobody else should: its webhooks see all pods and Jobs.
        folder: an empty one, for its files and its log.
        kubectl: runs that as the server's admin.
    """
    components = gitops.source_of_kueue() / "config/components"
    authority, port, health = trustme.CA(), reserve(), reserve()
    certificates = folder / "certificates"
    certificates.mkdir()
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(certificates / "tls.crt")
    issued.private_key_pem.write_to_path(certificates / "tls.key")
    kubectl(server, "create", "namespace", "kueue-system")
    said = kubectl(server, "apply", "--server-side", f"--filename={components / 'crd/bases'}")
    assert "clusterqueues.kueue.x-k8s.io serverside-applied" in said, said
    kubectl(server, "wait", "--for=condition=Established", "crd", "--all")
    configuration = {
        "apiVersion": "config.kueue.x-k8s.io/v1beta2",
        "kind": "Configuration",
        "health": {"healthProbeBindAddress": f"127.0.0.1:{health}"},
        "metrics": {"bindAddress": "0"},
        "webhook": {"host": "127.0.0.1", "port": port, "certDir": str(certificates)},
        "leaderElection": {"leaderElect": False},
        "internalCertManagement": {"enable": False},
        "integrations": {"frameworks": ["batch/job", "pod"]},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(configuration))
    argv = [str(gitops.program_of(gitops.KUEUE)), f"--config={folder / 'config.yaml'}"]
    argv += [f"--kubeconfig={server.kubeconfig}", "--feature-gates=VisibilityOnDemand=false"]
    own = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-euc", _WITH_ETC, "sh"]
    with (folder / "kueue.log").open("wb") as log:
        manager = subprocess.Popen(
            [*own, *argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={"CERTIFICATES": str(certificates), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )
    try:
        _wait_until_ready(manager, health, folder / "kueue.log")
        _apply(server, kubectl, components / "webhook/manifests.yaml", port, authority)
        yield
    finally:
        manager.kill()
        manager.wait()


def _wait_until_ready(manager: subprocess.Popen[bytes], health: int, log: Path) -> None:
    end = time.monotonic() + _DEADLINE_S
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{health}/readyz", timeout=5):
                return
        except (URLError, OSError):
            last = log.read_text(errors="replace")[-2000:]
            assert manager.poll() is None, f"Kueue ended: {last}"
            assert time.monotonic() < end, f"Kueue is not ready: {last}"
        time.sleep(0.2)


def _apply(server: ApiServer, kubectl: Kubectl, manifests: Path, port: int, authority: trustme.CA) -> None:
    """Kueue's own webhooks, by address instead of by Service, and not of kube-system, as its installation has it."""
    bundle = b64encode(authority.cert_pem.bytes()).decode()
    for body in filter(None, yaml.safe_load_all(manifests.read_text())):
        body["webhooks"] = [hook for hook in body["webhooks"] if hook["name"][1:].partition(".")[0] in _TAKEN]
        for hook in body["webhooks"]:
            path = hook["clientConfig"]["service"]["path"]
            hook["clientConfig"] = {"url": f"https://127.0.0.1:{port}{path}", "caBundle": bundle}
        said = kubectl(server, "apply", "--server-side", "--filename=-", stdin=json.dumps(body))
        assert "serverside-applied" in said, said


def queue(
    server: ApiServer, kubectl: Kubectl, namespace: str, quota: dict[str, str], flavor: dict[str, Any] | None = None
) -> None:
    """A LocalQueue "team-a" in a namespace, with a ClusterQueue and a ResourceFlavor of its own.

    Args:
        server, kubectl: where.
        namespace: of the LocalQueue; ClusterQueue and flavor are called so too.
        quota: resource -> amount.
        flavor: spec of the ResourceFlavor.
    """
    group = "kueue.x-k8s.io/v1beta2"
    resources = [{"name": name, "nominalQuota": amount} for name, amount in quota.items()]
    groups = [{"coveredResources": [*quota], "flavors": [{"name": namespace, "resources": resources}]}]
    objects: list[dict[str, Any]] = [
        {"kind": "ResourceFlavor", "metadata": {"name": namespace}, "spec": flavor or {}},
        {
            "kind": "ClusterQueue",
            "metadata": {"name": namespace},
            "spec": {"namespaceSelector": {}, "resourceGroups": groups},
        },
        {
            "kind": "LocalQueue",
            "metadata": {"name": "team-a", "namespace": namespace},
            "spec": {"clusterQueue": namespace},
        },
    ]
    text = yaml.safe_dump_all([{"apiVersion": group, **body} for body in objects])
    said = kubectl(server, "apply", "--server-side", "--filename=-", stdin=text)
    assert "localqueue" in said, said
