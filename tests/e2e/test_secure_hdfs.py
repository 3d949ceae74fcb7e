"""HDFS with Kerberos, which others' tests read and write: it refuses whom it should, and comes back with its files."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from as_written import done_as_written
from secure_hdfs import KDC, REALM, SecureHdfs
from team import Team

from kindling_dev.command import Failure
from kindling_dev.guides import commands

_KEYTAB_MAGIC = b"\x05\x02"


@pytest.fixture
def path() -> str:
    """Of a file of the test's own, in alice's directory."""
    return f"/user/alice/{uuid4().hex}"


def test_alice_reads_what_she_wrote_and_bob_may_not(secure_hdfs: SecureHdfs, path: str) -> None:
    secure_hdfs.write("alice", path, "of alice")
    assert secure_hdfs.run("alice", "-cat", path) == "of alice"
    with pytest.raises(Failure, match=r"Permission denied: user=bob, access=EXECUTE"):
        secure_hdfs.run("bob", "-cat", path)


def test_secure_hdfs_refuses_who_has_no_ticket(secure_hdfs: SecureHdfs) -> None:
    with pytest.raises(Failure, match=r"Client cannot authenticate via:\[TOKEN, KERBEROS\]"):
        secure_hdfs.exec("client", "hdfs", "dfs", "-ls", "/")


def test_a_ticket_lasts_two_minutes_at_most(secure_hdfs: SecureHdfs) -> None:
    # All that is asked for; the KDC gives less.
    asked = "kinit -l 1d alice </etc/keys/password >/dev/null && klist"
    listed = secure_hdfs.exec("client", "env", "LC_ALL=C", "as", "alice", "bash", "-c", asked)
    start, end = (
        datetime.strptime(time, "%m/%d/%y %H:%M:%S")
        for time in re.findall(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d", listed)[:2]
    )
    assert timedelta(0) < end - start <= timedelta(minutes=2)


def test_a_delegation_token_lasts_two_minutes_at_most(secure_hdfs: SecureHdfs) -> None:
    fetch = "hdfs fetchdt --renewer alice /tmp/$$ >&2 && hdfs fetchdt --print --verbose /tmp/$$; rm /tmp/$$"
    token = secure_hdfs.exec("client", "as", "alice", "bash", "-c", fetch)
    times = re.search(r"owner=alice@HDFS\.EXAMPLE, .* issueDate=(\d+), maxDate=(\d+)", token)
    assert times, token
    assert int(times[2]) - int(times[1]) == 120_000


def test_event_logs_are_for_the_history_servers_group(secure_hdfs: SecureHdfs) -> None:
    log = f"/spark-events/{uuid4().hex}"
    # As Spark makes them.
    secure_hdfs.run("alice", "-D", "fs.permissions.umask-mode=007", "-mkdir", log)
    secure_hdfs.run("spark", "-ls", log)
    with pytest.raises(Failure, match="Permission denied: user=bob"):
        secure_hdfs.run("bob", "-ls", log)


def test_a_team_gets_hdfs_as_the_page_says(secure_hdfs: SecureHdfs, team: Team, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(Path(__file__).parents[2] / "examples")
    given = commands("examples/secure-hdfs", "Give a team what it needs").replace("team-a", team.name)
    done_as_written(given, team.cluster, tmp_path)
    core = team.cluster.core
    maps = {one.metadata.name: one.data for one in core.list_namespaced_config_map(team.name).items}
    for name, data in secure_hdfs.client_configuration.items():
        assert maps[name] == data
    assert secure_hdfs.keytab("alice").startswith(_KEYTAB_MAGIC)
    listed = done_as_written(commands("examples/secure-hdfs", "List a directory"), team.cluster)
    assert re.search(r"alice analysts .* /user/alice$", listed, re.MULTILINE)


def test_secure_hdfs_keeps_its_password_to_itself(secure_hdfs: SecureHdfs) -> None:
    password = secure_hdfs.exec("client", "cat", "/etc/keys/password").strip()
    assert len(password) > 20
    described = secure_hdfs.kubectl("get", "pods,configmaps", "--output=yaml")
    said = secure_hdfs.kubectl("logs", "--selector=app", "--all-containers", "--tail=-1")
    assert REALM in described
    assert "krb5kdc: starting" in said
    assert password not in described + said


def test_a_keytab_is_good_when_the_kdc_has_come_back(own_hdfs: SecureHdfs, path: str) -> None:
    login = (
        "keytab alice >/tmp/alice.keytab && export KRB5CCNAME=/tmp/alice.cache && kinit -k -t /tmp/alice.keytab alice"
    )
    own_hdfs.exec("client", "bash", "-c", login)
    own_hdfs.stop_kdc()
    with pytest.raises(Failure, match="Connection refused"):
        own_hdfs.exec("client", "bash", "-c", f"</dev/tcp/{KDC.replace(':', '/')}")
    own_hdfs.start_kdc()
    # The ticket of before and the keytab of before.
    ticket = ["env", "KRB5CCNAME=/tmp/alice.cache"]
    own_hdfs.exec("client", *ticket, "hdfs", "dfs", "-touch", path)
    own_hdfs.exec("client", *ticket, "kinit", "-k", "-t", "/tmp/alice.keytab", "alice")
    assert path in own_hdfs.exec("client", *ticket, "hdfs", "dfs", "-ls", "/user/alice")


def test_files_are_there_when_the_namenode_has_come_back(own_hdfs: SecureHdfs, path: str) -> None:
    own_hdfs.write("alice", path, "still there")
    before = own_hdfs.kubectl("get", "pod", "namenode-0", "--output=jsonpath={.metadata.uid}")
    own_hdfs.restart_namenode()
    assert own_hdfs.kubectl("get", "pod", "namenode-0", "--output=jsonpath={.metadata.uid}") != before
    assert own_hdfs.exec("client", "as", "hdfs", "hdfs", "dfsadmin", "-safemode", "get") == "Safe mode is OFF\n"
    assert own_hdfs.run("alice", "-cat", path) == "still there"
