"""Cases of Spark's own integration tests that no other test here has, and what the same application sees elsewhere.

docs/coverage.md lists Spark's cases by number.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from connect import connect_image
from depot import configmap
from team import EACH, QUICK, SMALL, Team, node_run

from kindling_dev.spark_image import DEFAULT_LINE, SparkLine

APP = (Path(__file__).parent / "apps/cases.py").read_text()
MODES = pytest.mark.parametrize("mode", ["client", "cluster"])
OWN_PYTHON = b'#!/bin/sh\nexport IS_CUSTOM_PYTHON=1\nexec python3 "$@"\n'
PYTHON_MEMORY = 512 * 2**20
CONF = {
    "spark.io.compression.codec": "snappy",
    "spark.driver.extraJavaOptions": "-Dspark.test.foo=spark.test.bar -XX:+UseG1GC",
    "spark.executor.extraJavaOptions": "-XX:+UseParallelGC",
    "spark.executor.pyspark.memory": "512m",
    "spark.pyspark.python": "./own/python",
    "spark.pyspark.driver.python": "python3",
}


def archive() -> bytes:
    """A Python of one's own, packed."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        entry = tarfile.TarInfo("python")
        entry.size, entry.mode = len(OWN_PYTHON), 0o755
        tar.addfile(entry, io.BytesIO(OWN_PYTHON))
    return buffer.getvalue()


@pytest.fixture
def another_tag(team: Team, line: SparkLine) -> Iterator[str]:
    """A second name of a line's image, of executors alone."""
    image, other = f"docker.io/{line.published}", f"docker.io/apache/spark:{line.version}-{team.name}"
    node_run("ctr", "--namespace=k8s.io", "image", "tag", image, other)
    yield other.rpartition(":")[2]
    node_run("ctr", "--namespace=k8s.io", "image", "remove", other)


def told(team: Team, release: str) -> dict[str, Any]:
    """What the application of a release saw; then it ends, and succeeds."""
    driver = team.running(release, "driver", 120)
    log = team.cluster.wait_for_log(team.name, driver.metadata.name, "SEEN ", 120)
    team.let_end(driver.metadata.name)
    assert team.end_of(release).succeeded
    found: dict[str, Any] = json.loads(log.removeprefix("SEEN "))
    return found


@pytest.fixture
def own_python(team: Team) -> None:
    """The archive is in the namespace before what is there is noted."""
    team.cluster.core.create_namespaced_config_map(team.name, configmap({"own.tar.gz": archive()}))


@pytest.mark.usefixtures("own_python")
@EACH
def test_options_python_and_images_of_each_role(swept: Team, another_tag: str, mode: str, line: SparkLine) -> None:
    anna = {"env": {"SPARK_USER": "anna"}}
    values: dict[str, Any] = {"submitter": anna} if mode == "cluster" else {"driver": {**SMALL["driver"], **anna}}
    swept.install(
        "cases",
        **values,
        line=line,
        mode=mode,
        app={"source": APP, "args": ["5"], "archives": ["local:///deps/own.tar.gz#own"]},
        volumes=[{"name": "deps", "mountPath": "/deps", "configMap": {"name": "dependencies"}}],
        sparkConf=CONF,
        executor={**SMALL["executor"], "image": {"tag": another_tag}},
    )
    driver, executor = swept.running("cases", "driver", 120), swept.running("cases", "executor", 120)
    images = [pod.spec.containers[0].image for pod in (driver, executor)]
    assert images == [f"docker.io/{line.published}", f"docker.io/apache/spark:{another_tag}"]
    assert executor.spec.service_account_name == "spark-executor"
    seen = told(swept, "cases")
    assert seen["words"] == [[n, 15 if n < 2 else 14] for n in range(7)]
    assert (seen["codec"], seen["args"], seen["user"]) == ("snappy", ["5"], "anna")
    assert seen["test"] == "spark.test.bar"
    assert "-XX:+UseG1GC" in seen["driver"]["options"]
    assert "-XX:+UseParallelGC" in seen["executor"]["options"]
    assert (seen["driver"]["custom"], seen["executor"]["custom"]) == ("", "1")
    assert seen["driver"]["version"] == seen["executor"]["version"]
    assert seen["executor"]["address space"] == PYTHON_MEMORY
    assert seen["executor"]["driver's address"] == driver.status.pod_ip


UID = 1000660000
"""A user as OpenShift gives it to the pods of a namespace."""


@pytest.mark.long
@EACH
def test_pods_run_as_a_user_that_no_image_knows(swept: Team, mode: str, line: SparkLine) -> None:
    given = {"podTemplate": {"spec": {"securityContext": {"runAsUser": UID, "runAsGroup": 0, "fsGroup": UID}}}}
    roles = ("driver", "executor", "submitter") if mode == "cluster" else ("driver", "executor")
    values: dict[str, Any] = {role: {**SMALL.get(role, {}), **given} for role in roles}
    values["global"] = {"ids": "platform"}
    swept.install("ids", line=line, mode=mode, app={"source": APP}, **values)
    seen = told(swept, "ids")
    assert (seen["driver"]["uid"], seen["executor"]["uid"]) == (UID, UID)


@MODES
def test_the_pi_of_sparks_examples(team: Team, mode: str) -> None:
    app = {"file": "local:///opt/spark/examples/src/main/python/pi.py", "args": ["5"]}
    team.install("pi", line=DEFAULT_LINE, mode=mode, app=app)
    end = team.end_of("pi")
    assert end.succeeded, end
    assert re.search(r"^Pi is roughly 3\.", team.log_of(end), re.MULTILINE)


OF_CONNECT = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("SESSION", type(spark).__module__, spark.range(1000).repartition(2).count())
spark.stop()
"""


@pytest.mark.long
@MODES
def test_python_may_speak_spark_connect_to_its_driver(swept: Team, mode: str) -> None:
    repository, _, tag = connect_image().rpartition(":")
    registry, _, repository = repository.partition("/")
    # With spark.api.mode in sparkConf, spark-submit of Spark 4.3 leaves out the classes that Python's session asks for.
    env = {"SPARK_API_MODE": "connect", "MASTER": "k8s://https://kubernetes.default.svc"}
    swept.install(
        "connects",
        line=DEFAULT_LINE,
        mode=mode,
        app={"source": OF_CONNECT},
        image={"registry": registry, "repository": repository, "tag": tag},
        driver={**SMALL["driver"], "env": env},
    )
    end = swept.end_of("connects")
    assert end.succeeded, end
    assert "SESSION pyspark.sql.connect.session 1000" in swept.log_of(end)


STREAM = """
import time
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
rows = spark.readStream.format("rate").option("rowsPerSecond", 50).load()
query = rows.groupBy((rows.value % 3).alias("rest")).count().writeStream.outputMode("complete").format("memory")
query = query.queryName("counted").option("checkpointLocation", "/tmp/checkpoint").start()
while not query.recentProgress or not query.recentProgress[-1].numInputRows:
    time.sleep(0.5)
print("GROUPS", spark.table("counted").count())
query.stop()
"""


@pytest.mark.long
@MODES
def test_a_structured_stream_is_counted(swept: Team, mode: str) -> None:
    conf = {**QUICK, "spark.sql.shuffle.partitions": "2"}
    swept.install("streams", line=DEFAULT_LINE, mode=mode, app={"source": STREAM}, sparkConf=conf)
    end = swept.end_of("streams")
    assert end.succeeded, end
    assert "GROUPS 3" in swept.log_of(end)
