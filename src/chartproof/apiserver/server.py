"""Starting an API server, or finding the one that another process of the same test run has started."""

from __future__ import annotations

import fcntl
import json
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.error import URLError

from ephemeral_port_reserve import reserve

from chartproof.apiserver import keeper
from chartproof.apiserver.credentials import write_credentials
from chartproof.cluster import Cluster
from chartproof.helm import Helm

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager")
ADMIN = "admin"
_CONTROLLER_MANAGER = "system:kube-controller-manager"
_LAST_WITH_POD_SECURITY_POLICY = (1, 24)
_POLL_S = 0.05
_ANSWERING = "answering"
# A controller manager gives a server ten seconds to answer, and ends; on a busy machine that is too short.
_AFTER_ANSWERING = ["sh", "-c", f'until [ -e {_ANSWERING} ]; do sleep {_POLL_S}; done; exec "$@"', "sh"]
_DEADLINE_S = 120.0


class ApiServerError(Exception):
    """An API server did not start; one line says which, why and what to do."""


@dataclass(frozen=True)
class ApiServer:
    """One that answers, with controllers at work; it ends with the last process that uses it.

    Attributes:
        version: of Kubernetes, "1.34".
        folder: holds its logs, and the audit log ("audit.log") if a policy was given.
        ready_s: seconds from its start until the first namespace had its ServiceAccount.
    """

    version: str
    folder: Path
    ready_s: float

    @property
    def kubeconfig(self) -> Path:
        """The admin's."""
        return self.folder / f"{ADMIN}.kubeconfig"

    @cached_property
    def cluster(self) -> Cluster:
        """Its API, as the admin."""
        return Cluster(self.kubeconfig)

    def helm(self, program: str = "helm") -> Helm:
        """A helm program that speaks to it as the admin."""
        return Helm(program, self.kubeconfig)


@contextmanager
def api_server(
    version: str,
    programs: Path,
    folder: Path,
    *,
    audit_policy: Path | None = None,
    port: int = 0,
    data: Path | None = None,
) -> Iterator[ApiServer]:
    """An API server for as long as the context lasts; who gives the same folder meanwhile shares it.

    Args:
        version: of Kubernetes, "1.34".
        programs: folder with etcd, kube-apiserver and kube-controller-manager of that version.
        folder: where it keeps its files; its parent must be there.
        audit_policy: what to write to the audit log; none: there is no such log.
        port: on 127.0.0.1; 0: a free one.
        data: folder of etcd's data, which stays: a server of another version goes on from it; none: it goes with the
            server.

    Raises:
        ApiServerError: it did not start.
    """
    _check(version, programs)
    folder.mkdir(exist_ok=True, mode=0o700)  # the keys of its admins are in it
    with (folder / "users").open("w") as users:
        with (folder / "starting").open("w") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            # Waits where the last user has just gone, until that one's server has.
            fcntl.flock(users, fcntl.LOCK_SH)
            if not (folder / "ready").exists():
                chosen = port or reserve()
                _start(version, folder, _commands(version, programs, audit_policy, chosen, data), chosen)
        yield ApiServer(version, folder, float((folder / "ready").read_text()))


def _check(version: str, programs: Path) -> None:
    for name in PROGRAMS:
        if not (programs / name).exists():
            raise ApiServerError(
                f"Kubernetes {version} cannot start: {programs / name} is missing; build it, or name another folder"
            )


def _start(version: str, folder: Path, commands: dict[str, list[str]], port: int) -> None:
    begin = time.monotonic()
    write_credentials(folder, port, (ADMIN, _CONTROLLER_MANAGER))
    for trace in ("ended", _ANSWERING):
        (folder / trace).unlink(missing_ok=True)
    (folder / "programs.json").write_text(json.dumps(commands))
    # In a session of its own: an interrupt from the keyboard is for pytest, and its end is the keeper's.
    with (folder / "keeper.log").open("wb") as log:
        argv = [sys.executable, "-I", keeper.__file__, str(folder)]
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    while not _answers(port, context):
        if process.poll() is not None:
            raise ApiServerError(_why_ended(version, folder, process.returncode))
        if time.monotonic() - begin > _DEADLINE_S:
            raise ApiServerError(f"Kubernetes {version} not ready within {_DEADLINE_S:.0f} s; logs: {folder}")
        time.sleep(_POLL_S)
    (folder / _ANSWERING).touch()
    cluster = Cluster(folder / f"{ADMIN}.kubeconfig")
    accounts = cluster.core.list_namespaced_service_account
    what = f"the controllers' first ServiceAccount; logs: {folder}"
    cluster.wait_for(accounts, lambda found, _: found, what, _DEADLINE_S, namespace="default")
    (folder / "ready").write_text(f"{time.monotonic() - begin:.2f}")


def _commands(
    version: str, programs: Path, audit_policy: Path | None, port: int, data: Path | None
) -> dict[str, list[str]]:
    """The argv of each program; relative paths are below the server's folder."""
    # A socket in the folder: no port that may be taken, no certificate, no one else who can open it.
    etcd = "unix://etcd.sock"
    plugins = ["NodeRestriction"]
    if tuple(map(int, version.split("."))) <= _LAST_WITH_POD_SECURITY_POLICY:
        plugins.append("PodSecurityPolicy")
    audit = [f"--audit-policy-file={audit_policy.resolve()}", "--audit-log-path=audit.log"] if audit_policy else []
    return {
        "etcd": [
            str(programs / "etcd"),
            f"--data-dir={data.resolve() if data else keeper.DATA}",
            f"--listen-client-urls={etcd}",
            # For other members, which there are not; it must be an address.
            "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=unix://peer.sock",
            "--unsafe-no-fsync",
            "--log-level=warn",
            # One member has no one to wait for.
            "--heartbeat-interval=10",
            "--election-timeout=50",
        ],
        "kube-apiserver": [
            str(programs / "kube-apiserver"),
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={port}",
            "--tls-cert-file=server.crt",
            "--tls-private-key-file=server.key",
            "--client-ca-file=ca.crt",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            "--service-account-key-file=accounts.key",
            "--service-account-signing-key-file=accounts.key",
            # Tokens die when they say so; upstream lets pods' tokens live a year longer.
            "--service-account-extend-token-expiration=false",
            "--service-cluster-ip-range=10.96.0.0/16",
            # No pod asks for the kubernetes Service, and its address may not be this one.
            "--endpoint-reconciler-type=none",
            "--authorization-mode=Node,RBAC",
            # As kubeadm has it: tokens whose groups can change.
            "--enable-bootstrap-token-auth",
            f"--enable-admission-plugins={','.join(plugins)}",
            "--allow-privileged=true",
            *audit,
        ],
        "kube-controller-manager": [
            *_AFTER_ANSWERING,
            str(programs / "kube-controller-manager"),
            f"--kubeconfig={_CONTROLLER_MANAGER}.kubeconfig",
            "--service-account-private-key-file=accounts.key",
            "--root-ca-file=ca.crt",
            "--cluster-signing-cert-file=ca.crt",
            "--cluster-signing-key-file=ca.key",
            "--leader-elect=false",
            "--secure-port=0",
            # No node is there: pods that are said to be on one would be collected as orphans.
            "--controllers=*,-podgc",
        ],
    }


def _answers(port: int, context: ssl.SSLContext) -> bool:
    try:
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/readyz", context=context, timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _why_ended(version: str, folder: Path, code_of_keeper: int) -> str:
    ended = folder / "ended"
    name, code = ended.read_text().split() if ended.exists() else ("keeper", str(code_of_keeper))
    log = folder / f"{name}.log"
    last = (log.read_text(errors="replace").strip().splitlines() or ["it wrote nothing"])[-1]
    return f"Kubernetes {version} cannot start: {name} ended with exit code {code}: {last} (log: {log})"
