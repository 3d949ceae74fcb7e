"""Tables of a Hive metastore: hive-site.xml stands beside the rest of Hadoop's configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from team import EACH, QUICK, Team, served

from chartproof import Cluster
from kindling_dev.spark_image import LINES, SparkLine

WAREHOUSE = "/warehouse"
METASTORE = {
    "javax.jdo.option.ConnectionURL": "jdbc:derby:;databaseName=/tmp/metastore;create=true",
    "datanucleus.schema.autoCreateAll": "true",
    "hive.metastore.schema.verification": "false",
    "hive.metastore.warehouse.dir": WAREHOUSE,
    # Spark's jars have no library for the other way.
    "hive.async.log.enabled": "false",
}
TABLES = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.enableHiveSupport().getOrCreate()
if sys.argv[1] == "write":
    spark.sql("CREATE TABLE days USING parquet AS SELECT id, id % 7 AS day FROM range(100)")
print("ROWS", spark.table("days").where("day = 3").count())
"""


@pytest.fixture
def metastore(cluster: Cluster, new_namespace: Callable[..., str]) -> str:
    """Address of Hive's metastore, Derby under it, out of the jars that Spark carries: in no team's namespace."""
    namespace = new_namespace("metastore")
    properties = "".join(f"<property><name>{key}</name><value>{METASTORE[key]}</value></property>" for key in METASTORE)
    site = {"hive-site.xml": f"<configuration>{properties}</configuration>"}
    cluster.core.create_namespaced_config_map(namespace, {"metadata": {"name": "site"}, "data": site})
    container = {
        "name": "metastore",
        "image": f"docker.io/{LINES['3.5'].published}",
        "command": ["/opt/spark/bin/spark-class", "org.apache.hadoop.hive.metastore.HiveMetaStore", "-p", "9083"],
        "workingDir": "/tmp",
        "env": [{"name": "HADOOP_CONF_DIR", "value": "/site"}, {"name": "SPARK_DRIVER_MEMORY", "value": "256m"}],
        "volumeMounts": [{"name": "site", "mountPath": "/site"}, {"name": "warehouse", "mountPath": WAREHOUSE}],
    }
    volumes = [{"name": "site", "configMap": {"name": "site"}}, {"name": "warehouse", "emptyDir": {}}]
    return f"thrift://{served(cluster, namespace, container, volumes, 9083)}"


@EACH
def test_a_table_outlives_the_run_that_made_it(team: Team, metastore: str, mode: str, line: SparkLine) -> None:
    site = {"hive.metastore.uris": metastore, "hive.metastore.warehouse.dir": WAREHOUSE}
    facts = {"hadoop": {"files": {"hive-site.xml": site}}}
    team.set_namespace(**{"global": facts})
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "16Mi"}}}
    core = team.cluster.core
    core.create_namespaced_persistent_volume_claim(team.name, {"metadata": {"name": "warehouse"}, "spec": claim})
    volume = {"name": "warehouse", "mountPath": WAREHOUSE, "persistentVolumeClaim": {"claimName": "warehouse"}}
    conf = {**QUICK, "spark.sql.warehouse.dir": WAREHOUSE}
    for release in ("write", "read"):
        values: dict[str, Any] = {"global": facts, "volumes": [volume], "log": {"level": "WARN"}, "sparkConf": conf}
        team.install(release, line=line, mode=mode, app={"source": TABLES, "args": [release]}, **values)
        end = team.end_of(release)
        assert end.succeeded, team.log_of(end)
        assert "ROWS 14" in team.log_of(end)
