"""A team's Connect server: clients with a token over TLS, several sessions, and what is left when they go."""

from __future__ import annotations

from collections.abc import Callable

from connect import COUNT, PORT, SESSION, TOKEN, ConnectServer, LaptopPod, on_the_laptop
from team import Team
from waiting import wait_until

from chartproof import Cluster

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
one.stop()
other.stop()
"""


def test_clients_count_over_tls_with_the_token(team: Team, cluster: Cluster, new_namespace: Callable[..., str]) -> None:
    server = ConnectServer(team)
    laptop = LaptopPod(cluster, new_namespace("laptop"))
    peers = {"laptops": {"namespaces": [laptop.namespace], "ports": [PORT]}}
    server.install(network={"from": peers}, executor={"dynamicAllocation": {"idleTimeout": "10s"}})
    server.test()
    laptop.start(server.authority)
    assert "sum 9900" in laptop.run(HELPER + SESSION + LET_IN, server.url)
    assert laptop.run(TWO, server.url).split("\n")[:2] == ["one 7", "other TABLE_OR_VIEW_NOT_FOUND"]
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
