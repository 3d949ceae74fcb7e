"""Drivers of an HDFS with Kerberos that log in otherwise than by a keytab, and jobs of two such HDFS."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from kerberised import NO_OLD_CONNECTION, ROUNDS, Kerberised
from secure_hdfs import REALM, SecureHdfs, second_hdfs
from team import QUICK, SMALL, Team
from tool import kindling, submitter_kubeconfig

from kindling_dev.guides import manifests

TOKENS = "fetched-tokens"
NOWHERE = "hdfs://nowhere.hdfs.svc.cluster.local:8020"
LONGER_THAN_A_TICKET_S = 210
"""A ticket lasts two minutes, and the last token that it fetched another."""
LATE = """
import sys, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
for pause in (70, 0):
    spark.range(1000).write.parquet(f"{sys.argv[1]}/{pause}")
    print("WRITTEN", flush=True)
    time.sleep(pause)
"""
"""Writes at once, and when tokens have ended; by then its connections are closed, which else would go on."""
MODES = pytest.mark.parametrize(
    "mode", ["client", pytest.param("cluster", marks=pytest.mark.long)], ids=["client", "cluster"]
)


def secrets_of(pod: Any) -> set[str]:
    """The Secrets that a pod has as volumes."""
    return {volume.secret.secret_name for volume in pod.spec.volumes if volume.secret}


def start_with_tokens(kerberised: Kerberised, release: str, *arguments: str, **more: Any) -> Any:
    """Start an application whose driver has alice's tokens and no keytab: its executor, a minute before they end."""
    team = kerberised.team
    kerberised.hdfs.give_configuration(team.name)
    tokens = {"name": TOKENS, "key": "alice.tokens"}
    facts = {"hadoop": {"configMap": "hadoop-conf"}, "kerberos": {"configMap": "krb5-conf", "tokens": tokens}}
    values: dict[str, Any] = {"global": facts}
    team.set_namespace(**values)
    kerberised.start(release, *arguments, **values, **more)
    # The driver waits for them, not they for a place on the node.
    team.pod(release, "driver", lambda pod: pod.spec.node_name)
    fetched = kerberised.hdfs.tokens("alice")
    kerberised.give_secret(TOKENS, "alice.tokens", fetched)
    executor = team.running(release, "executor")
    kerberised.hdfs.renew("alice", fetched)
    return executor


@MODES
def test_fetched_tokens_are_all_that_a_job_has(team: Team, secure_hdfs: SecureHdfs, mode: str) -> None:
    kerberised = Kerberised(team, secure_hdfs)
    folder = kerberised.folder()
    executor = start_with_tokens(kerberised, "fetched", folder, mode=mode)
    assert secrets_of(team.pod("fetched", "driver")) == {TOKENS}
    assert not secrets_of(executor)
    end = team.end_of("fetched")
    log = team.log_of(end)
    assert end.succeeded, log
    assert re.search(r"^EXECUTOR \S+ no keytab krb5\.conf$", log, re.MULTILINE)
    assert secure_hdfs.run("alice", "-ls", folder).count("alice analysts") == 8


@pytest.mark.long
def test_a_run_ends_with_its_tokens(team: Team, secure_hdfs: SecureHdfs, tmp_path: Path) -> None:
    kerberised = Kerberised(team, secure_hdfs)
    start_with_tokens(kerberised, "late", kerberised.folder(), source=LATE)
    end = team.end_of("late")
    log = team.log_of(end)
    assert not end.succeeded, log
    assert log.count("WRITTEN") == 1, log
    printed = kindling(submitter_kubeconfig(team, tmp_path), "why", "late", "--json")
    (found,) = json.loads(printed.stdout)["findings"]
    assert found["id"] == "token-ended", log
    assert "global.kerberos.keytab instead of tokens" in found["cure"]


@pytest.mark.long
@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_a_sidecar_renews_a_ticket_cache(team: Team, secure_hdfs: SecureHdfs, mode: str) -> None:
    # Java renews a ticket in memory, for minutes after its end; one that is not renewable ends when it says.
    principal = f"user-{uuid4().hex[:8]}"
    secure_hdfs.add_principals(principal, options="+requires_preauth -allow_renewable")
    secure_hdfs.run("hdfs", "-mkdir", f"/user/{principal}")
    secure_hdfs.run("hdfs", "-chown", principal, f"/user/{principal}")
    kerberised = Kerberised(team, secure_hdfs)
    (text,) = [block.text for block in manifests("secure-hdfs") if "ticketCache:" in block.text]
    values = yaml.safe_load(text.replace("alice", principal))
    secure_hdfs.give_configuration(team.name)
    kerberised.give_secret(f"{principal}-keytab", f"{principal}.keytab", secure_hdfs.keytab(principal))
    team.set_namespace(**{"global": values["global"]}, guard={"secrets": [f"{principal}-keytab"]})
    folder, seconds = f"/user/{principal}/rounds", LONGER_THAN_A_TICKET_S
    values["driver"] |= SMALL["driver"]
    values["sparkConf"] = {**QUICK, **NO_OLD_CONNECTION}
    kerberised.start("cached", folder, str(seconds), source=ROUNDS, mode=mode, **values)
    driver = team.running("cached", "driver")
    (container,) = driver.spec.containers
    mounted = {mount.name for mount in container.volume_mounts}
    assert not {volume.name for volume in driver.spec.volumes if volume.secret} & mounted, "Spark has no keytab"
    assert not secrets_of(team.pod("cached", "executor"))
    end = team.end_of("cached", seconds + 180)
    log = team.log_of(end)
    assert end.succeeded, log
    right, again = map(int, re.findall(r"^RIGHT (\d+) AGAIN (\d+)$", log, re.MULTILINE)[0])
    print(f"{right} rounds were right, {again} tried again")
    assert right >= 3
    assert again == 0, log


@pytest.mark.long
def test_a_job_has_its_event_log_in_another_hdfs(
    team: Team, secure_hdfs: SecureHdfs, new_namespace: Callable[..., str]
) -> None:
    other = second_hdfs(secure_hdfs, new_namespace("hdfs"))
    kerberised = Kerberised(team, secure_hdfs)
    kerberised.prepare("alice")
    pattern = {"name": "dfs.namenode.kerberos.principal.pattern", "value": f"nn/*@{REALM}"}
    added = f"<property><name>{pattern['name']}</name><value>{pattern['value']}</value></property></configuration>"
    site = {"hdfs-site.xml": secure_hdfs.hdfs_site.replace("</configuration>", added)}
    team.kubectl("patch", "configmap", "hadoop-conf", f"--patch={json.dumps({'data': site})}")
    for data, log in ((secure_hdfs, other), (other, secure_hdfs)):
        facts = kerberised.facts()
        facts["eventLog"] = {"store": "hdfs", "url": f"{log.url}/spark-events"}
        if data is other:
            facts["hadoop"]["accessFileSystems"] = [other.url]
        release, folder = f"log-in-{log.namespace}", kerberised.folder()
        values: dict[str, Any] = {"global": facts}
        end, said = kerberised.run(release, f"{data.url}{folder}", **values)
        assert end.succeeded, said
        assert data.run("alice", "-ls", folder).count("alice analysts") == 8
        (application,) = re.findall(r"^APPLICATION (\S+)$", said, re.MULTILINE)
        # The history server's own principal reads it.
        files = log.run("spark", "-ls", "-C", f"/spark-events/eventlog_v2_{application}").split()
        assert any("/events_1_" in file for file in files), files


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"eventLog": {"store": "hdfs", "url": f"{NOWHERE}/spark-events"}}, id="event-log"),
        pytest.param({"hadoop": {"configMap": "hadoop-conf", "accessFileSystems": [NOWHERE]}}, id="tokens"),
    ],
)
def test_an_hdfs_that_is_nowhere_is_explained(
    team: Team, secure_hdfs: SecureHdfs, tmp_path: Path, facts: dict[str, Any]
) -> None:
    kerberised = Kerberised(team, secure_hdfs)
    kerberised.prepare("alice")
    values: dict[str, Any] = {"global": {**kerberised.facts(), **facts}}
    end, log = kerberised.run("job", kerberised.folder(), **values)
    assert not end.succeeded, log
    (found,) = json.loads(kindling(submitter_kubeconfig(team, tmp_path), "why", "job", "--json").stdout)["findings"]
    assert found["id"] == "hdfs-unreachable", log
    assert NOWHERE.removeprefix("hdfs://").partition(":")[0] in found["cause"]
    assert "correct the address" in found["cure"]
