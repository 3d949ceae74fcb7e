"""A team's Connect server: clients with a token over TLS, several sessions, and what is left when they go."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from as_written import clone_for, done_as_written
from connect import COUNT, PORT, SESSION, TOKEN, ConnectServer, LaptopPod, connect_image, on_the_laptop
from door import new_door
from team import EACH_ALLOCATOR, QUICK, Team, made_by
from waiting import wait_until

from chartproof import Cluster
from kindling_dev.guides import GUIDES, commands
from kindling_dev.settings import ADMIN_NAMESPACE, REPO

LET_IN = """
from pyspark.sql.functions import udf
spark.addArtifact("/tmp/helper.py", pyfile=True)

@udf("long")
def twice(number):
    import helper
    return helper.twice(number)

print("sum", spark.range(100).repartition(2).select(twice("id").alias("n")).agg({"n": "sum"}).collect()[0][0])
"""
HELPER = "open('/tmp/helper.py', 'w').write('def twice(number): return 2 * number')\n"
TWO = """
import sys
from pyspark.sql import SparkSession
one, other = (SparkSession.builder.remote(sys.argv[1]).create() for _ in range(2))
one.range(7).createOrReplaceTempView("mine")
print("one", one.sql("SELECT count(*) FROM mine").collect()[0][0])
try:
    other.sql("SELECT count(*) FROM mine").collect()
except Exception as error:
    print("other", error.getCondition())
try:
    one.sql("SELECT `" + "n" * 6000 + "`").collect()
except Exception as error:
    print("long", len(str(error)) > 6000)
one.stop()
other.stop()
"""


def test_clients_count_over_tls_with_the_token(team: Team, cluster: Cluster, new_namespace: Callable[..., str]) -> None:
    server = ConnectServer(team)
    laptop = LaptopPod(cluster, new_namespace("laptop"))
    peers = {"laptops": {"namespaces": [laptop.namespace], "ports": [PORT]}}
    server.install(
        network={"from": peers},
        executor={"dynamicAllocation": {"idleTimeout": "10s"}},
        sparkConf={**QUICK, "spark.cleaner.periodicGC.interval": "10s"},
    )
    server.test()
    laptop.start(server.authority)
    assert "sum 9900" in laptop.run(HELPER + SESSION + LET_IN, server.url)
    assert laptop.run(TWO, server.url).split("\n")[:3] == ["one 7", "other TABLE_OR_VIEW_NOT_FOUND", "long True"]
    for wrong, said in (
        (server.url.replace(TOKEN, "another"), "UNAUTHENTICATED"),
        (server.url.replace(f";token={TOKEN}", ""), "UNAUTHENTICATED"),
    ):
        assert said in laptop.refused(COUNT, wrong)
    with server.forwarded() as place:
        told = on_the_laptop(COUNT, f"sc://{place}", SPARK_CONNECT_AUTHENTICATE_TOKEN=TOKEN)
        assert "counted 1000" in told.stdout, told
        assert "UNAUTHENTICATED" in on_the_laptop(COUNT, f"sc://{place}").stderr
    assert server.executors()
    wait_until(lambda: not server.executors(), "idle executors are gone", 90)
    team.uninstall(server.release)
    wait_until(lambda: not server.pods() and not server.executors(), "all pods are gone", 90)


PEER = """
import socket, ssl, sys
context = ssl.create_default_context(cafile="/trusted/ca.crt")
with socket.create_connection((sys.argv[1], 15002), 10) as plain:
    with context.wrap_socket(plain, server_hostname=sys.argv[1]) as connection:
        print(ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True)))
"""
PLAIN = """
import socket, sys
with socket.create_connection((sys.argv[1], 15002), 10) as connection:
    connection.sendall(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
    got = connection.recv(4)
print("settings" if got[3:4] == b"\\x04" else "no settings")
"""
DRIVERS_TOKEN = """
from pyspark.sql.datasource import DataSource, DataSourceReader

class Told(DataSource):
    def schema(self):
        folder = "/var/run/secrets/kubernetes.io/serviceaccount/"
        assert open(folder + "token").read()
        return "`" + open(folder + "namespace").read() + "` string"

    @classmethod
    def name(cls):
        return "told"

    def reader(self, schema):
        return DataSourceReader()

spark.dataSource.register(Told)
print("namespace", spark.read.format("told").load().columns)
spark.stop()
"""
TAKE_OVER = """
import sys
from pyspark.sql import SparkSession
anna = SparkSession.builder.remote(sys.argv[1] + ";user_id=anna").create()
anna.range(7).createOrReplaceTempView("mine")
for user in ("otto", "anna"):
    session = SparkSession.builder.remote(f"{sys.argv[1]};user_id={user};session_id={anna.session_id}").create()
    try:
        print(user, session.sql("SELECT count(*) FROM mine").collect()[0][0])
    except Exception as error:
        print(user, error.getCondition())
        session.stop()
anna.stop()
"""
"""Whoever knows another's name and session number has the session: docs/guides/connect.md says so."""


@pytest.mark.long
def test_strangers_are_kept_out_and_clients_are_the_driver(
    team: Team, cluster: Cluster, new_namespace: Callable[..., str]
) -> None:
    server = ConnectServer(team)
    laptop, stranger = (LaptopPod(cluster, new_namespace(name)) for name in ("laptop", "stranger"))
    server.install(network={"from": {"laptops": {"namespaces": [laptop.namespace], "ports": [PORT]}}})
    for pod in (laptop, stranger):
        pod.start(server.authority)
    (driver,) = server.pods()
    assert "timed out" in stranger.refused(PEER, driver.status.pod_ip)
    assert laptop.run(PLAIN, driver.status.pod_ip) == "no settings\n"
    # A client runs Python on the driver: that is why one server is one team.
    assert laptop.run(SESSION + DRIVERS_TOKEN, server.url) == f"namespace ['{team.name}']\n"
    assert laptop.run(TAKE_OVER, server.url) == "otto TABLE_OR_VIEW_NOT_FOUND\nanna 7\n"
    # The token is in no object, no log and no page.
    seen = team.kubectl("get", "pods,configmaps,statefulsets", "--output=yaml")
    seen += team.kubectl("logs", server.pod(), "--all-containers")
    ask = f"import urllib.request as u; print(u.urlopen('http://{driver.status.pod_ip}:4040/environment/').read())"
    seen += team.kubectl("exec", server.pod(), "--container=driver", "--", "python3", "-c", ask)
    assert "spark.connect.grpc.binding.address" in seen
    assert TOKEN not in seen


@pytest.mark.long
def test_a_renewed_certificate_needs_no_restart(
    team: Team, cluster: Cluster, new_namespace: Callable[..., str]
) -> None:
    server = ConnectServer(team)
    laptop = LaptopPod(cluster, new_namespace("laptop"))
    server.install(network={"from": {"laptops": {"namespaces": [laptop.namespace], "ports": [PORT]}}})
    laptop.start(server.authority)
    (before,) = server.pods()
    shown = laptop.run(PEER, server.host)
    renewed = server.make_certificate()
    assert shown.strip() not in renewed
    wait_until(lambda: laptop.run(PEER, server.host).strip() in renewed, "the renewed certificate is shown", 150)
    assert "counted 1000" in laptop.run(COUNT, server.url)
    (after,) = server.pods()
    assert after.metadata.uid == before.metadata.uid
    assert [status.restart_count for status in after.status.container_statuses] == [0, 0]


@pytest.mark.long
@EACH_ALLOCATOR
def test_a_killed_server_comes_back_without_old_executors(team: Team, allocator: str) -> None:
    server = ConnectServer(team)
    server.install(executor=made_by(team, allocator))
    server.test()
    old = {pod.metadata.uid for pod in server.executors()}
    assert old
    (pod,) = server.pods()
    team.kill(pod, "driver")
    gone = "executors of the killed one are gone"
    wait_until(lambda: not old & {executor.metadata.uid for executor in server.executors()}, gone, 120)
    team.kubectl("wait", f"pod/{server.pod()}", "--for=condition=Ready", "--timeout=120s")
    server.test()
    (after,) = server.pods()
    assert after.metadata.uid == pod.metadata.uid


@pytest.mark.long
def test_an_idle_server_stops_itself(team: Team) -> None:
    server = ConnectServer(team)
    server.install(idle={"sessions": "20s", "server": "45s"})
    with server.forwarded() as place:
        # One that does not say good-bye: its session ends by the clock.
        left = COUNT.replace("spark.stop()", "import os; sys.stdout.flush(); os._exit(0)")
        told = on_the_laptop(left, f"sc://{place}", SPARK_CONNECT_AUTHENTICATE_TOKEN=TOKEN)
        assert "counted 1000" in told.stdout, told
    wait_until(lambda: not server.pods() and not server.executors(), "the idle server is gone", 180)
    stateful_set = json.loads(team.kubectl("get", "statefulset", server.release, "--output=json"))
    assert stateful_set["spec"]["replicas"] == 0
    team.kubectl("scale", f"statefulset/{server.release}", "--replicas=1")
    team.kubectl("rollout", "status", f"statefulset/{server.release}", "--timeout=120s")


@pytest.mark.long
def test_the_servers_sessions_are_at_the_door(team: Team) -> None:
    server = ConnectServer(team)
    with new_door(team) as door:
        door.install()
        door.let_in(team, door.viewer)
        values: dict[str, Any] = {"global": {"uiProxy": {"namespace": ADMIN_NAMESPACE}}}
        server.install(**values)
        with server.forwarded() as place:
            told = on_the_laptop(COUNT, f"sc://{place}/;user_id=anna", SPARK_CONNECT_AUTHENTICATE_TOKEN=TOKEN)
            assert "counted 1000" in told.stdout, told

        def listed() -> list[str]:
            items = json.loads(door.ask(f"/-/api/v1/applications?namespace={team.name}").text)["items"]
            return [one["id"] for one in items if one["name"] == server.release]

        wait_until(lambda: len(listed()) == 1, "the server is listed", 60)
        (app,) = listed()
        page = f"/{team.name}/proxy/{app}/connect/"
        wait_until(lambda: door.ask(page).status == 200, "its page is open", 30)
        sessions = door.ask(page).text
        assert "anna" in sessions
        (link,) = set(re.findall(r'href="([^"]*connect/session/[^"]*)"', sessions))
        assert link.startswith(f"/{team.name}/proxy/{app}/connect/session/")
        assert door.ask(link.replace("&amp;", "&")).status == 200
        assert door.ask(page, "default").status == 403


@pytest.mark.long
def test_the_connect_guide_leads_to_a_query(team: Team, tmp_path: Path) -> None:
    connect_image()
    clone_for(team, "connect", tmp_path)
    written = commands("connect", "").replace("team-a", team.name).replace("kindling-system", ADMIN_NAMESPACE)
    done_as_written(written, team.cluster, tmp_path)
    said = done_as_written(commands("connect", "From a laptop").replace("team-a", team.name), team.cluster, tmp_path)
    assert "1000 rows counted with Spark 4.3" in said
    (shown,) = re.findall(r"```python\n(.*?)```", (GUIDES / "connect.md").read_text(), re.DOTALL)
    assert (REPO / "examples/connect/first.py").read_text().endswith(f"\n\n{shown}")
