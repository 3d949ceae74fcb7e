"""What is made of the errors of Kerberos and of a secure HDFS, as Spark 3.5.9 and 4.3.0 printed them.

``kerberos_logs`` has what drivers printed with each fault, without stack frames;
``tests/e2e/test_kerberos_faults.py`` brings most of the faults about.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from failed_pods import finding, message

from kindling.causes.kerberos_faults import FAULTS, LOST_TOKEN, NO_DATA_PROTECTION, NO_TOKEN, UNREACHED

LOGS = Path(__file__).parent / "kerberos_logs"
FOUND = {
    "no-krb5-conf": ("kerberos-no-realm", "global.kerberos.configMap"),
    "not-in-keytab": ("keytab-without-principal", "bob@HDFS.EXAMPLE"),
    "realm-typo": ("keytab-without-principal", "alice@HDFS.EXMAPLE"),
    "unreadable": ("keytab-without-principal", "may not read"),
    "missing-path": ("keytab-not-found", "global.kerberos.keytab"),
    "realm-not-in-krb5": ("kerberos-no-kdc", "krb5.conf"),
    "stale": ("keytab-stale", "make the keytab anew"),
    "nopre-stale": ("keytab-stale", "nopre@HDFS.EXAMPLE"),
    "unknown-principal": ("principal-unknown", "ghost@HDFS.EXAMPLE"),
    "expired": ("principal-expired", "expired@HDFS.EXAMPLE"),
    "pwexpired": ("password-expired", "pwexpired@HDFS.EXAMPLE"),
    "skew": ("clock-skew", "five minutes"),
    "kdc-port": ("kdc-unreachable", "network.egress"),
    "kdc-name": ("kdc-unreachable", "name and port"),
    "udp": ("kdc-unreachable", "krb5.conf"),
    "ccache-kdc-down": ("kdc-unreachable", "krb5.conf"),
    "no-ticket": ("kerberos-not-logged-in", "global.kerberos.principal"),
    "tgt-ended": ("kerberos-ticket-ended", "ticketCache"),
    "simple": ("hdfs-client-simple", "hadoop.security.authentication"),
    "no-nn-principal": ("hdfs-server-principal", "dfs.namenode.kerberos.principal"),
    "wrong-nn-principal": ("hdfs-server-principal", "the NameNode namenode.hdfs.svc.cluster.local:8020 has another"),
    "rules": ("kerberos-no-rule", "auth_to_local"),
    "other-default-realm": ("kerberos-no-rule", "default_realm"),
    "rpc": ("hdfs-rpc-protection", "hadoop.rpc.protection"),
    "block": ("hdfs-data-protection", "dfs.data.transfer.protection"),
    "write-block": ("hdfs-data-protection", "dfs.data.transfer.protection"),
    "data-protection-differs": ("hdfs-data-protection", "dfs.data.transfer.protection"),
    "token-expired": ("token-ended", "global.kerberos.keytab"),
    "namenode-unknown": ("hdfs-unreachable", "knows the NameNode nowhere.hdfs.svc.cluster.local"),
    "namenode-down": ("hdfs-unreachable", "datanode-0.datanode.hdfs.svc.cluster.local:8020 takes no connection"),
    "other-realm": ("hdfs-realm", "a ticket for the NameNode namenode.hdfs-"),
    "denied": ("hdfs-permission", "bob have READ_EXECUTE on /user/alice"),
}
"""Name of a log -> id of the finding, and words of its cause or cure."""
OF_EXECUTORS = "executor-java-25"
"""A log of Spark 4.3 on Java 25; all others are of Spark 3.5."""
ONLY_IN_THE_LOG = ("block", "write-block", "data-protection-differs")
"""What the exception alone does not tell."""


def log(name: str) -> list[str]:
    """The lines of a captured log."""
    return (LOGS / f"{name}.log").read_text().splitlines()


def test_each_captured_log_is_of_a_fault() -> None:
    assert {path.stem for path in LOGS.glob("*.log")} == {*FOUND, OF_EXECUTORS}
    known = {fault.id for fault in (*FAULTS, *UNREACHED, LOST_TOKEN, NO_DATA_PROTECTION, NO_TOKEN)}
    told = {*(name for name, _ in FOUND.values()), LOST_TOKEN.id, NO_TOKEN.id}
    assert known - told == {"kerberos-login"}


@pytest.mark.parametrize("name", FOUND)
def test_why_names_cause_and_cure_of_a_fault(name: str) -> None:
    id_, words = FOUND[name]
    found = finding(log(name))
    assert found.id == id_
    assert words in f"{found.cause}; {found.cure}"
    assert found.evidence[0].message in (line.strip() for line in log(name))
    assert "{" not in found.cause + found.cure


@pytest.mark.parametrize("name", [name for name in FOUND if name not in ONLY_IN_THE_LOG])
def test_a_termination_message_begins_with_the_cause(name: str) -> None:
    found = finding(log(name))
    assert message(log(name)).startswith(f"{found.cause}; {found.cure}: ")


def test_executors_without_tokens_are_told_apart() -> None:
    lost = log(OF_EXECUTORS)
    found = finding(lost)
    assert found.id == LOST_TOKEN.id
    assert "on Java 25 " in found.cause
    assert "17 or 21" in found.cure
    older = [line.replace("Java version 25", "Java version 21") for line in lost]
    unfetched = [line for line in lost if "Created token for" not in line]
    for other in (older, unfetched):
        assert finding(other).id == NO_TOKEN.id
        assert "global.hadoop.accessFileSystems" in finding(other).cure
    assert message(lost).startswith("executors have no delegation token")


@pytest.mark.parametrize(
    ("name", "id_"), [("namenode-unknown", "hdfs-unreachable"), ("other-realm", "hdfs-realm")], ids=lambda one: one
)
def test_tokens_that_were_not_fetched_tell_why(name: str, id_: str) -> None:
    thrown = log(name)[next(number for number, line in enumerate(log(name)) if line.startswith(": ")) :]
    warning = "26/11/29 00:00:00 WARN HadoopFSDelegationTokenProvider: Failed to get token from service hadoopfs"
    without = [line for line in log(OF_EXECUTORS) if "Created token for" not in line]
    told = finding([warning, *(line.removeprefix(": ") for line in thrown), *without])
    assert told.id == id_
    assert told.cause == finding(log(name)).cause


def test_tokens_of_one_hdfs_tell_why_by_its_address() -> None:
    head = "26/11/29 00:00:00 ERROR Utils: Uncaught exception in thread Thread-5"
    without = [line for line in log(OF_EXECUTORS) if "Created token for" not in line]
    thrown = [line.removeprefix(": ") for line in log("namenode-down") if line.startswith((": ", "Caused by"))]
    assert finding([head, *thrown, *without]).id == NO_TOKEN.id, "it is another that gave none"
    of_this = [line.replace("datanode-0.datanode.hdfs", "namenode.hdfs") for line in thrown]
    told = finding([head, *of_this, *without])
    assert told.id == "hdfs-unreachable"
    assert "the NameNode namenode.hdfs.svc.cluster.local:8020 takes" in told.cause


def test_a_login_that_fails_otherwise_is_told() -> None:
    login = "failure to login: for principal: a@R from keytab /k javax.security.auth.login.LoginException: KDC policy"
    found = finding([f'Exception in thread "main" org.apache.hadoop.security.KerberosAuthException: {login}'])
    assert (found.id, found.cause) == ("kerberos-login", "the login of a@R at the KDC failed")


def test_a_lost_block_is_no_fault_of_the_client() -> None:
    lost = [line for line in log("block") if "Connection reset" not in line]
    assert finding(lost).id == "python-exception"


def test_a_fault_that_was_overcome_is_not_told() -> None:
    later = [*log("denied"), "Traceback (most recent call last):", '  File "app.py", line 1', "KeyError: 'x'"]
    assert finding(later).id == "python-exception"
    assert message(later) == "KeyError: 'x'"
    printed = ["SIMPLE authentication is not enabled", "26/11/29 00:00:00 ERROR App: gave up"]
    assert message(printed) == "App: gave up"


def test_a_program_s_own_exit_code_is_its_own() -> None:
    assert finding(log("denied"), exit_code=3).id == "exit-code"
