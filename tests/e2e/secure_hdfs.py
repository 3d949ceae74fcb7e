"""A real HDFS with Kerberos in the cluster: examples/secure-hdfs, installed as its page says."""

from __future__ import annotations

import base64
import fcntl
import io
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO
from uuid import uuid4

import yaml
from as_written import done_as_written

from chartproof import Cluster
from kindling_dev.command import run
from kindling_dev.guides import commands
from kindling_dev.settings import REPO, Settings

EXAMPLE = REPO / "examples/secure-hdfs"
NAMESPACE = "hdfs"
REALM = "HDFS.EXAMPLE"
KDC = "kdc.hdfs.svc.cluster.local:10088"
URL = "hdfs://namenode.hdfs.svc.cluster.local:8020"
_OURS = "dev.kindling.made-by=tests"
_FOLDER = Settings.from_environment().cluster_dir


@dataclass(frozen=True)
class SecureHdfs:
    """What a client needs, a shell, and its servers to stop and start.

    Attributes:
        cluster: where it runs.
        namespace: in which.
        realm: its principals'.
    """

    cluster: Cluster
    namespace: str = NAMESPACE
    realm: str = REALM

    @property
    def url(self) -> str:
        """Where its clients find it."""
        return _moved(URL, self)

    def manifest(self, name: str) -> str:
        """A file of the example, for its namespace and realm."""
        return _moved((EXAMPLE / name).read_text(), self)

    @cached_property
    def client_configuration(self) -> dict[str, dict[str, str]]:
        """Name of each ConfigMap that a client has -> file -> content: ``hadoop-conf``, ``krb5-conf``."""
        objects = yaml.safe_load_all(self.manifest("client-configuration.yaml"))
        return {one["metadata"]["name"]: one["data"] for one in objects}

    @property
    def core_site(self) -> str:
        """The clients' core-site.xml."""
        return self.client_configuration["hadoop-conf"]["core-site.xml"]

    @property
    def hdfs_site(self) -> str:
        """The clients' hdfs-site.xml."""
        return self.client_configuration["hadoop-conf"]["hdfs-site.xml"]

    @property
    def krb5_conf(self) -> str:
        """The clients' krb5.conf."""
        return self.client_configuration["krb5-conf"]["krb5.conf"]

    def give_configuration(self, namespace: str) -> None:
        """Make both ConfigMaps in a team's namespace."""
        apply = ["apply", f"--filename={EXAMPLE / 'client-configuration.yaml'}"]
        run(["kubectl", f"--kubeconfig={self.cluster.kubeconfig}", f"--namespace={namespace}", *apply])

    def keytab(self, principal: str) -> bytes:
        """The keytab of a principal, "alice".

        Raises:
            Failure: the KDC is stopped, or does not know the principal.
        """
        return base64.b64decode(self.exec("kdc", "bash", "-o", "pipefail", "-c", f"keytab {principal} | base64"))

    def add_principals(self, *principals: str, options: str = "") -> None:
        """Let the KDC know more principals, whose keys come from the password of all, until its pod is made anew."""
        add = f'for one; do echo "add_principal -clearpolicy {options} -pw $(</etc/keys/password) $one"; done'
        argv = ["bash", "-euo", "pipefail", "-c", f"{add} | kadmin.local >&2", "-", *principals]
        self.exec("kdc", "env", "KRB5_KDC_PROFILE=/etc/kdc/kdc.conf", *argv)

    def tokens(self, principal: str) -> bytes:
        """A file with a new delegation token of a principal, who may renew it.

        Raises:
            Failure: it is told no token.
        """
        fetched = "f=$(mktemp -u); hdfs fetchdt --renewer $0 $f >&2; base64 $f; rm $f"
        return base64.b64decode(self.exec("client", "as", principal, "bash", "-euc", fetched, principal))

    def renew(self, principal: str, tokens: bytes) -> None:
        """Let the tokens of a file last a minute from now on; the file stays as it is.

        Raises:
            Failure: they have ended.
        """
        renewed = 'f=$(mktemp); base64 -d <<<"$0" >$f; hdfs fetchdt --renew $f; rm $f'
        self.exec("client", "as", principal, "bash", "-euc", renewed, base64.b64encode(tokens).decode())

    def run(self, principal: str, *argv: str) -> str:
        """Run Hadoop's shell as a principal, ``run("alice", "-ls", "/")``; what it printed.

        Raises:
            Failure: it did not exit with 0; the message has the end of what it said.
        """
        return self.exec("client", "as", principal, "hdfs", "dfs", *argv)

    def write(self, principal: str, path: str, text: str) -> None:
        """Make a file of a text as a principal.

        Raises:
            Failure: it is there already, or the principal may not write it.
        """
        self.exec("client", "as", principal, "bash", "-c", 'printf %s "$0" | hdfs dfs -put - "$1"', text, path)

    def give_files(self, principal: str, folder: str, files: Mapping[str, bytes]) -> None:
        """Make a folder with some files as a principal.

        Raises:
            Failure: the principal may not.
        """
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        put = 'cd "$(mktemp -d)" && base64 -d <<<"$1" | tar x && hdfs dfs -mkdir -p "$0" && hdfs dfs -put ./* "$0"'
        self.exec("client", "as", principal, "bash", "-euc", put, folder, base64.b64encode(packed.getvalue()).decode())

    def exec(self, deployment: str, *argv: str) -> str:
        """Run a program in the pod of a Deployment, "client" or "kdc"; what it printed.

        Raises:
            Failure: it did not exit with 0.
        """
        return self.kubectl("exec", f"deployment/{deployment}", "--", *argv)

    def stop_kdc(self) -> None:
        """Stop the KDC: from now on connections to it are refused."""
        self.kubectl("scale", "deployment/kdc", "--replicas=0")
        self.kubectl("wait", "--for=delete", "pod", "--selector=app=kdc", "--timeout=60s")
        # For a moment the node still sends them to the pod that is gone, where they would hang for minutes.
        self._wait_for_connection("refused")

    def start_kdc(self) -> None:
        """Start the KDC, with the keys that it had."""
        self.kubectl("scale", "deployment/kdc", "--replicas=1")
        self.kubectl("rollout", "status", "deployment/kdc", "--timeout=60s")
        self._wait_for_connection("accepted")

    def restart_namenode(self) -> None:
        """Make the NameNode's pod anew, and wait until it is out of safe mode."""
        self.kubectl("delete", "pod", "namenode-0")
        self.kubectl("rollout", "status", "statefulset/namenode", "--timeout=120s")

    def _wait_for_connection(self, outcome: str) -> None:
        address = KDC.replace(":", "/")
        connect = f"timeout 2 bash -c '</dev/tcp/{address} && echo accepted' 2>&1"
        tried = f"for _ in {{1..30}}; do {connect} | grep {outcome} && exit; sleep 0.5; done; exit 1"
        self.exec("client", "bash", "-c", tried)

    def kubectl(self, *argv: str) -> str:
        """Run kubectl in its namespace as the cluster's admin."""
        return run(["kubectl", f"--kubeconfig={self.cluster.kubeconfig}", f"--namespace={self.namespace}", *argv])

    @contextmanager
    def used(self, *, alone: bool = False) -> Iterator[None]:
        """Hold it for a test: what stops its servers waits for the other tests, and they for it."""
        with (_FOLDER / "secure-hdfs.tests").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield


def second_hdfs(first: SecureHdfs, namespace: str) -> SecureHdfs:
    """Another HDFS, in a namespace that is there: of the realm, the KDC and the passwords of the first.

    Raises:
        Failure: it did not start.
    """
    second = SecureHdfs(first.cluster, namespace)
    servers = [f"{one}.{namespace}.svc.cluster.local" for one in ("nn/namenode", "dn/datanode-0.datanode")]
    first.add_principals(*servers)
    _start(second, first.exec("client", "cat", "/etc/keys/password"), "client", "namenode", "datanode")
    return second


def hdfs_of_another_realm(cluster: Cluster, namespace: str) -> SecureHdfs:
    """An HDFS, in a namespace that is there, whose realm and KDC know nothing of the others'.

    Raises:
        Failure: it did not start.
    """
    other = SecureHdfs(cluster, namespace, "OTHER.EXAMPLE")
    _start(other, uuid4().hex, "client", "kdc", "namenode", "datanode")
    return other


def _start(hdfs: SecureHdfs, password: str, *manifests: str) -> None:
    with TemporaryDirectory() as folder:
        for name in ("client-configuration", *manifests):
            (Path(folder) / f"{name}.yaml").write_text(hdfs.manifest(f"{name}.yaml"))
        (Path(folder) / "password").write_text(password)
        hdfs.kubectl("create", "secret", "generic", "keys", f"--from-file={folder}/password")
        (Path(folder) / "password").unlink()
        hdfs.kubectl("apply", f"--filename={folder}")
    hdfs.kubectl("wait", "--for=condition=Complete", "job/directories", "--timeout=300s")


def _moved(text: str, hdfs: SecureHdfs) -> str:
    """The example's text for another namespace; of another realm, the KDC is another too."""
    of_servers = (
        r"\b(namenode|datanode)\.hdfs\.svc\b" if hdfs.realm == REALM else r"\b(namenode|datanode|kdc)\.hdfs\.svc\b"
    )
    return re.sub(of_servers, rf"\1.{hdfs.namespace}.svc", text).replace(REALM, hdfs.realm)


@contextmanager
def installed_hdfs(cluster: Cluster) -> Iterator[SecureHdfs]:
    """An HDFS that several workers share: the first installs it, and it is gone when the last has done with it.

    Raises:
        Failure: there is a namespace of its name that no test made; or it did not start.
    """
    hdfs = SecureHdfs(cluster)
    with (_FOLDER / "secure-hdfs.users").open("w") as users:
        with _one_at_a_time():
            if _is_last(users):
                _install(hdfs)
            fcntl.flock(users, fcntl.LOCK_SH)
        yield hdfs
        with _one_at_a_time():
            if _is_last(users):
                done_as_written(commands("examples/secure-hdfs", "Remove it"), cluster)


def _install(hdfs: SecureHdfs) -> None:
    # What an interrupted run left may be of other manifests. A person's own HDFS stays, and the page's commands fail.
    hdfs.kubectl("delete", "namespace", f"--selector={_OURS}")
    create = "kubectl create namespace hdfs\n"
    as_written = commands("examples/secure-hdfs", "Install it")
    assert create in as_written
    labels = f"{_OURS} pod-security.kubernetes.io/enforce=restricted"
    done_as_written(as_written.replace(create, f"{create}kubectl label namespace hdfs {labels}\n"), hdfs.cluster)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (_FOLDER / "secure-hdfs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_last(users: TextIO) -> bool:
    """Whether no other worker holds the file of users."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
