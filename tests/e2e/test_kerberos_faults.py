"""Faults of Kerberos and of a secure HDFS, brought about: what ``kindling why`` makes of what Spark then prints.

Most need no cluster of executors: one pod runs spark-submit once for each, as a driver's pod does.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from uuid import uuid4

import pytest
from kerberised import Kerberised, shows_tokens_to_tasks
from secure_hdfs import REALM, SecureHdfs, hdfs_of_another_realm
from team import Team
from tool import kindling, submitter_kubeconfig

from chartproof import Cluster
from kindling import driver_log
from kindling.causes import explain
from kindling.facts import Container, Finding, Pod, Run
from kindling_dev.command import run
from kindling_dev.spark_image import DEFAULT_LINE, LINES

APPLICATION = """
import sys, time
from pyspark import SparkContext
SparkContext._ensure_initialized()
jvm = SparkContext._jvm
action, name, seconds = sys.argv[1:]
if seconds != "0":
    jvm.org.apache.hadoop.security.UserGroupInformation.getLoginUser()
    time.sleep(int(seconds))
path = jvm.org.apache.hadoop.fs.Path(name)
system = path.getFileSystem(jvm.org.apache.spark.deploy.SparkHadoopUtil.get().conf())
if action == "list":
    system.listStatus(path)
elif action == "read":
    system.open(path).read()
else:
    out = system.create(path)
    out.write(1)
    out.close()
"""
"""Uses HDFS as the login of its JVM, at once or later."""
IN_POD = """
import base64, json, os, pathlib, subprocess, sys, tempfile
given = json.load(sys.stdin)
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    for file, content in given["files"].items():
        (folder / file).write_bytes(base64.b64decode(content))
        (folder / file).chmod(given["modes"].get(file, 0o600))
    java = "-XX:TieredStopAtLevel=1 -Djava.security.krb5.conf=%s/krb5.conf" % folder
    env = {key: value.replace("FOLDER", name) for key, value in given["env"].items()}
    argv = [one.replace("FOLDER", name) for one in given["argv"]]
    env = dict(os.environ, HADOOP_CONF_DIR=name, JDK_JAVA_OPTIONS=java, **env)
    submit = ["/opt/spark/bin/spark-submit", "--master=local[1]"] + argv
    done = subprocess.run(submit, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    sys.stdout.buffer.write(done.stdout)
    sys.exit(0 if done.returncode == 1 else "spark-submit ended with %d" % done.returncode)
"""
"""Runs the application with files of the test's; it must fail."""
POD = {
    "terminationGracePeriodSeconds": 0,
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,
    "containers": [
        {
            "name": "shell",
            "image": f"docker.io/apache/spark:{LINES['3.5'].version}-python3",
            "command": ["sleep", "infinity"],
            "resources": {"requests": {"cpu": "10m"}},
            "securityContext": {"runAsUser": 185},
        }
    ],
}


@dataclass(frozen=True)
class Shell:
    """A pod of Spark's image in a namespace of its own."""

    cluster: Cluster
    namespace: str

    def kubectl(self, *argv: str, stdin: str = "") -> str:
        """Run kubectl in the namespace as the cluster's admin."""
        kubectl = ["kubectl", f"--kubeconfig={self.cluster.kubeconfig}", f"--namespace={self.namespace}"]
        with TemporaryFile() as file:
            file.write(stdin.encode())
            file.seek(0)
            return run([*kubectl, *argv], stdin=file)


@dataclass
class Client:
    """What a driver has: changed by a fault before it starts.

    Attributes:
        files: their content, by name: core-site.xml, hdfs-site.xml, krb5.conf, keytab.
        modes: of files that have another mode than 0600.
        principal: whom it logs in as from the keytab, "" for nobody.
        does: "list", "read" or "write" what is at ``path``, ``later`` seconds after its login.
    """

    hdfs: SecureHdfs
    files: dict[str, bytes]
    principal: str = f"alice@{REALM}"
    does: str = "list"
    path: str = "/user/alice"
    later: int = 0
    modes: dict[str, int] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)

    def edit(self, file: str, old: str, new: str) -> None:
        """Change a file, in which the old text must be."""
        text = self.files[file].decode()
        assert old in text
        self.files[file] = text.replace(old, new).encode()

    def set(self, file: str, name: str, value: str = "") -> None:
        """Change a property of Hadoop's, or take it out."""
        text, found = self.files[file].decode(), re.compile(rf"<name>{re.escape(name)}</name>\s*<value>[^<]*</value>")
        assert found.search(text)
        new = f"<name>{name}</name><value>{value}</value>" if value else "<name>none</name><value/>"
        self.files[file] = found.sub(lambda _: new, text).encode()

    def log_in_as(self, principal: str, password: str) -> None:
        """Have a keytab of a principal whose key comes from a password."""
        self.principal = f"{principal}@{REALM}"
        entry = r'printf "add_entry -password -p %s -k 1 -e aes256-cts\n%s\nwrite_kt %s\n" "$1" "$2" "$f/k"'
        made = f'f=$(mktemp -d); {entry} | stdbuf --input=0 ktutil >&2; base64 "$f/k"; rm -r "$f"'
        keytab = self.hdfs.exec("kdc", "bash", "-c", made, "-", self.principal, password)
        self.files["keytab"] = base64.b64decode(keytab)

    def new_principal(self, *options: str) -> None:
        """Log in as a principal that the KDC has from now on."""
        name = f"fault-{uuid4().hex}"
        query = f"add_principal -pw fault {' '.join(options)} {name}"
        self.hdfs.exec("kdc", "env", "KRB5_KDC_PROFILE=/etc/kdc/kdc.conf", "kadmin.local", "-q", query)
        self.log_in_as(name, "fault")

    def have_ticket(self, life: str) -> None:
        """Have a ticket cache of alice's instead of a keytab."""
        made = 'f=$(mktemp); kinit -l "$0" -c FILE:$f alice </etc/keys/password >&2; base64 $f; rm $f'
        self._have("tickets", "KRB5CCNAME", base64.b64decode(self.hdfs.exec("client", "bash", "-c", made, life)))

    def have_token(self) -> None:
        """Have a delegation token of alice's instead of a keytab."""
        self._have("tokens", "HADOOP_TOKEN_FILE_LOCATION", self.hdfs.tokens("alice"))

    def _have(self, file: str, variable: str, content: bytes) -> None:
        self.principal, self.files[file], self.env[variable] = "", content, f"FOLDER/{file}"

    def finding(self, shell: Shell) -> Finding:
        """Run the application; what ``kindling why`` says of what it printed."""
        login = ["spark.kerberos.keytab=local://FOLDER/keytab", f"spark.kerberos.principal={self.principal}"]
        conf = [f"--conf={one}" for one in login if self.principal]
        files = {**self.files, "app.py": APPLICATION.encode()}
        given = {
            "argv": [*conf, "FOLDER/app.py", self.does, self.path, str(self.later)],
            "files": {name: base64.b64encode(content).decode() for name, content in files.items()},
            "modes": self.modes,
            "env": self.env,
        }
        argv = ["exec", "--stdin", "shell", "--", "python3", "-c", IN_POD]
        log = driver_log.plain(shell.kubectl(*argv, stdin=json.dumps(given)).splitlines())
        print("\n".join(log))
        driver = Pod("shell", "driver", "Failed", containers=(Container("driver", state="terminated", exit_code=1),))
        (finding,) = explain(Run("shell", shell.namespace, drivers=(driver,), log=tuple(log))).findings
        return finding


@pytest.fixture(scope="module")
def shell(cluster: Cluster) -> Iterator[Shell]:
    """One pod for the tests of this file."""
    made = Shell(cluster, f"faults-{uuid4().hex[:8]}")
    made.kubectl("create", "namespace", made.namespace)
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "shell"}, "spec": POD}
    made.kubectl("create", "--filename=-", stdin=json.dumps(body))
    made.kubectl("wait", "pod/shell", "--for=condition=Ready", "--timeout=60s")
    yield made
    made.kubectl("delete", "namespace", made.namespace, "--wait=false")


def client_of(hdfs: SecureHdfs) -> Client:
    """A client that is right."""
    conf = {"core-site.xml": hdfs.core_site, "hdfs-site.xml": hdfs.hdfs_site, "krb5.conf": hdfs.krb5_conf}
    return Client(hdfs, {**{name: text.encode() for name, text in conf.items()}, "keytab": hdfs.keytab("alice")})


def no_krb5_conf(client: Client) -> None:
    del client.files["krb5.conf"]


def not_in_the_keytab(client: Client) -> None:
    client.principal = f"bob@{REALM}"


def realm_typed_wrong(client: Client) -> None:
    client.principal = "alice@HDFS.EXMAPLE"


def unreadable_keytab(client: Client) -> None:
    client.modes["keytab"] = 0


def no_keytab(client: Client) -> None:
    del client.files["keytab"]


def realm_not_in_krb5_conf(client: Client) -> None:
    client.edit("krb5.conf", f"{REALM} = {{", "OTHER.EXAMPLE = {")


def stale_keytab(client: Client) -> None:
    client.log_in_as("alice", "another")


def stale_keytab_without_preauth(client: Client) -> None:
    client.new_principal("-requires_preauth")
    client.log_in_as(client.principal.partition("@")[0], "another")


def unknown_principal(client: Client) -> None:
    client.log_in_as("ghost", "any")


def expired_principal(client: Client) -> None:
    client.new_principal("-expire", "2020-01-01")


def expired_password(client: Client) -> None:
    client.new_principal("-pwexpire", "2020-01-01")


def wrong_kdc_port(client: Client) -> None:
    client.edit("krb5.conf", ":10088", ":10089")


def no_ticket_and_no_token(client: Client) -> None:
    client.principal = ""


def ticket_ended(client: Client) -> None:
    client.have_ticket("15s")
    client.later = 16


def client_without_kerberos(client: Client) -> None:
    client.principal = ""
    client.set("core-site.xml", "hadoop.security.authentication", "simple")


def no_namenode_principal(client: Client) -> None:
    client.set("hdfs-site.xml", "dfs.namenode.kerberos.principal")


def other_namenode_principal(client: Client) -> None:
    client.set("hdfs-site.xml", "dfs.namenode.kerberos.principal", f"nn/other@{REALM}")


def other_rpc_protection(client: Client) -> None:
    client.set("core-site.xml", "hadoop.rpc.protection", "authentication")


def written_without_protection(client: Client) -> None:
    client.set("hdfs-site.xml", "dfs.data.transfer.protection")
    client.does, client.path = "write", f"/user/alice/{uuid4().hex}"


def read_without_protection(client: Client) -> None:
    client.set("hdfs-site.xml", "dfs.data.transfer.protection")
    client.does, client.path = "read", f"/user/alice/{uuid4().hex}"
    client.hdfs.write("alice", client.path, "hello")


def no_rule(client: Client) -> None:
    client.set("core-site.xml", "hadoop.security.auth_to_local", f"RULE:[2:$1@$0](nn@{REALM})s/.*/hdfs/")


def token_ended(client: Client) -> None:
    client.have_token()
    client.later = 70


def permission_denied(client: Client) -> None:
    client.files["keytab"], client.principal = client.hdfs.keytab("bob"), f"bob@{REALM}"


def unknown_namenode(client: Client) -> None:
    client.path = "hdfs://nowhere.hdfs.svc.cluster.local:8020/"


def namenode_does_not_listen(client: Client) -> None:
    client.path = "hdfs://datanode-0.datanode.hdfs.svc.cluster.local:8020/"


FAULTS: dict[Callable[[Client], None], tuple[str, str]] = {
    no_krb5_conf: ("kerberos-no-realm", "global.kerberos.configMap"),
    not_in_the_keytab: ("keytab-without-principal", f"bob@{REALM}"),
    unreadable_keytab: ("keytab-without-principal", "may not read"),
    no_keytab: ("keytab-not-found", "global.kerberos.keytab"),
    realm_not_in_krb5_conf: ("kerberos-no-kdc", "krb5.conf"),
    stale_keytab: ("keytab-stale", "make the keytab anew"),
    unknown_principal: ("principal-unknown", f"ghost@{REALM}"),
    expired_principal: ("principal-expired", "KDC's admin"),
    expired_password: ("password-expired", "KDC's admin"),
    no_ticket_and_no_token: ("kerberos-not-logged-in", "global.kerberos.principal"),
    client_without_kerberos: ("hdfs-client-simple", "hadoop.security.authentication"),
    no_namenode_principal: ("hdfs-server-principal", "dfs.namenode.kerberos.principal"),
    no_rule: ("kerberos-no-rule", "auth_to_local"),
    permission_denied: ("hdfs-permission", "bob have READ_EXECUTE on /user/alice"),
    unknown_namenode: ("hdfs-unreachable", "nowhere.hdfs.svc.cluster.local"),
    written_without_protection: ("hdfs-data-protection", "dfs.data.transfer.protection"),
}
SLOW_FAULTS: dict[Callable[[Client], None], tuple[str, str]] = {
    namenode_does_not_listen: (
        "hdfs-unreachable",
        "the NameNode datanode-0.datanode.hdfs.svc.cluster.local:8020 takes",
    ),
    realm_typed_wrong: ("keytab-without-principal", "alice@HDFS.EXMAPLE"),
    stale_keytab_without_preauth: ("keytab-stale", "make the keytab anew"),
    wrong_kdc_port: ("kdc-unreachable", "name and port"),
    other_namenode_principal: ("hdfs-server-principal", "the NameNode namenode.hdfs.svc.cluster.local:8020 has"),
    other_rpc_protection: ("hdfs-rpc-protection", "hadoop.rpc.protection"),
    read_without_protection: ("hdfs-data-protection", "dfs.data.transfer.protection"),
    ticket_ended: ("kerberos-ticket-ended", "ticketCache"),
    token_ended: ("token-ended", "global.kerberos.keytab"),
}
"""Those that take long, or are another way to what is above."""


@pytest.mark.parametrize(
    "fault",
    [*FAULTS, *(pytest.param(fault, marks=pytest.mark.long) for fault in SLOW_FAULTS)],
    ids=lambda fault: fault.__name__.replace("_", "-"),
)
def test_a_fault_is_explained(shell: Shell, secure_hdfs: SecureHdfs, fault: Callable[[Client], None]) -> None:
    client = client_of(secure_hdfs)
    fault(client)
    found = client.finding(shell)
    id_, words = {**FAULTS, **SLOW_FAULTS}[fault]
    assert found.id == id_, found
    assert words in f"{found.cause}; {found.cure}"


@pytest.mark.long
def test_an_hdfs_of_another_realm_is_explained(
    shell: Shell, secure_hdfs: SecureHdfs, new_namespace: Callable[..., str]
) -> None:
    other = hdfs_of_another_realm(shell.cluster, new_namespace("hdfs"))
    client = client_of(secure_hdfs)
    client.path = f"{other.url}/user"
    found = client.finding(shell)
    address = other.url.removeprefix("hdfs://")
    assert (found.id, address in found.cause) == ("hdfs-server-principal", True), found
    pattern = "<property><name>dfs.namenode.kerberos.principal.pattern</name><value>*</value></property>"
    client.edit("hdfs-site.xml", "</configuration>", f"{pattern}</configuration>")
    found = client.finding(shell)
    assert (found.id, address in found.cause) == ("hdfs-realm", True), found


@pytest.mark.long
def test_a_kdc_that_is_down_is_explained(shell: Shell, own_hdfs: SecureHdfs) -> None:
    client = client_of(own_hdfs)
    own_hdfs.stop_kdc()
    assert client.finding(shell).id == "kdc-unreachable"


def test_a_person_reads_why_a_job_did_not_log_in(team: Team, secure_hdfs: SecureHdfs, tmp_path: Path) -> None:
    kerberised = Kerberised(team, secure_hdfs)
    kerberised.prepare("alice")
    facts = kerberised.facts()
    facts["kerberos"]["principal"] = f"bob@{REALM}"
    values: dict[str, Any] = {"global": facts}
    end, log = kerberised.run("job", "/user/bob", line=LINES["3.5"], **values)
    assert not end.succeeded, log
    printed = kindling(submitter_kubeconfig(team, tmp_path), "why", "job")
    assert printed.returncode == 0, printed.stderr
    _, cause, cure, *_ = printed.stdout.splitlines()
    assert cause == f"  cause  the keytab has no key of bob@{REALM}, or the driver may not read the keytab"
    assert cure.startswith("  cure   make global.kerberos.principal, realm included, one that klist -k shows")
    (pod,) = team.cluster.job_pods(team.name, end.name)
    message = pod.status.container_statuses[0].state.terminated.message
    assert message.startswith(cause.removeprefix("  cause  ")), "the termination message says it too"


@pytest.mark.long
@pytest.mark.parametrize(
    ("line", "changed", "finding"),
    [
        (LINES["3.5"], {"fs.defaultFS": "file:///"}, "kerberos-no-token"),
        (DEFAULT_LINE, {}, "kerberos-java"),
    ],
    ids=["no-token", "java-25"],
)
def test_executors_without_tokens_are_explained(
    team: Team, secure_hdfs: SecureHdfs, tmp_path: Path, line: Any, changed: dict[str, str], finding: str
) -> None:
    kerberised = Kerberised(team, secure_hdfs)
    kerberised.prepare("alice")
    client = client_of(secure_hdfs)
    for name, value in changed.items():
        client.set("core-site.xml", name, value)
    data = {file: client.files[file].decode() for file in ("core-site.xml", "hdfs-site.xml")}
    team.kubectl("patch", "configmap", "hadoop-conf", f"--patch={json.dumps({'data': data})}")
    url = f"hdfs://namenode.hdfs.svc.cluster.local:8020{kerberised.folder()}"
    end, log = kerberised.run("job", url, line=line, image={"tag": f"{line.version}-python3"})
    if finding == "kerberos-java" and shows_tokens_to_tasks(line):
        assert end.succeeded, log
        return
    assert not end.succeeded, log
    report = json.loads(kindling(submitter_kubeconfig(team, tmp_path), "why", "job", "--json").stdout)
    assert [one["id"] for one in report["findings"]] == [finding], log
