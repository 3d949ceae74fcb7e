"""A team whose data is in the HDFS with Kerberos: its facts, as values, and the Secrets with its keytabs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from secure_hdfs import REALM, SecureHdfs
from team import QUICK, Team

from chartproof import JobEnd
from kindling_dev.cluster import load_if_missing
from kindling_dev.command import run
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings
from kindling_dev.spark_image import DEFAULT_LINE, FOR_KERBEROS, SparkLine, ensure_spark_image

ROUND_TRIP = """
import os, sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
folder = sys.argv[1]
spark.range(1000).selectExpr("id", "id % 7 AS day").repartition(4).write.partitionBy("day").parquet(folder)
assert spark.read.parquet(folder).where("day = 3").count() == 143
has = os.path.exists
look = lambda _: [(os.uname().nodename, has("/etc/spark-kerberos"), has(os.environ["KRB5_CONFIG"]))]
for host, keytab, krb5 in spark.sparkContext.parallelize(range(8), 8).mapPartitions(look).distinct().collect():
    print("EXECUTOR", host, "keytab" if keytab else "no keytab", "krb5.conf" if krb5 else "no krb5.conf")
print("APPLICATION", spark.sparkContext.applicationId)
"""
"""Writes Parquet to a folder, reads it back, and tells which files executors have."""
ROUNDS = """
import sys, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
folder, seconds = sys.argv[1], int(sys.argv[2])
end, number, again = time.time() + seconds, 0, 0
while time.time() < end:
    began = time.time()
    try:
        spark.range(1000).repartition(2).write.mode("overwrite").parquet(f"{folder}/{number}")
        assert spark.read.parquet(f"{folder}/{number}").distinct().count() == 1000
        number += 1
        print("ROUND", number, flush=True)
    except Exception as error:
        again += 1
        print("AGAIN", again, str(error).partition(chr(10))[0], flush=True)
    time.sleep(max(0, began + 10 - time.time()))
assert spark.read.parquet(f"{folder}/*").count() == 1000 * number
print("RIGHT", number, "AGAIN", again)
"""
"""Writes and reads a folder every ten seconds, and tries again what failed."""
NO_OLD_CONNECTION = {"spark.hadoop.ipc.client.connection.maxidletime": "1000"}
"""Hadoop closes what has been idle for a second, not ten: a connection outlives the ticket or token that opened it, and
with it a run whose rounds keep it open."""


@dataclass(frozen=True)
class Kerberised:
    """A team of the HDFS with Kerberos.

    Attributes:
        team: whose namespace has the clients' configuration and the keytabs.
        hdfs: the file system.
    """

    team: Team
    hdfs: SecureHdfs

    def facts(self, principal: str = "alice", **kerberos: Any) -> dict[str, Any]:
        """What stands under `global` in the team's common values."""
        login = {"principal": f"{principal}@{REALM}", "keytab": {"name": f"{principal}-keytab", "key": "its.keytab"}}
        return {"hadoop": {"configMap": "hadoop-conf"}, "kerberos": {"configMap": "krb5-conf", **login, **kerberos}}

    def prepare(self, *principals: str) -> None:
        """Give the namespace the clients' configuration and principals' keytabs, whose Secrets its guard then lists."""
        self.hdfs.give_configuration(self.team.name)
        for principal in principals:
            self.give_secret(f"{principal}-keytab", "its.keytab", self.hdfs.keytab(principal))
        guard = {"secrets": [f"{one}-keytab" for one in principals]}
        self.team.set_namespace(**{"global": self.facts(principals[0])}, guard=guard)

    def give_secret(self, name: str, key: str, content: bytes) -> None:
        """Make a Secret with one file."""
        with TemporaryDirectory() as folder:
            (Path(folder) / key).write_bytes(content)
            self.team.kubectl("create", "secret", "generic", name, f"--from-file={folder}/{key}")

    def folder(self) -> str:
        """A new one of alice's, which is not there yet."""
        return f"/user/alice/{uuid4().hex}"

    def run(
        self, release: str, *arguments: str, source: str = ROUND_TRIP, line: SparkLine = DEFAULT_LINE, **values: Any
    ) -> tuple[JobEnd, str]:
        """Run an application to its end: that, and what it printed; keyword arguments are values at the top level."""
        self.start(release, *arguments, source=source, line=line, **values)
        end = self.team.end_of(release)
        return end, self.team.log_of(end)

    def start(
        self, release: str, *arguments: str, source: str = ROUND_TRIP, line: SparkLine = DEFAULT_LINE, **values: Any
    ) -> None:
        """The same, without waiting for its end."""
        app = {"source": source, "args": list(arguments)}
        merged = {"global": self.facts(), "image": image(line), "app": app, "sparkConf": QUICK, **values}
        self.team.install(release, line=line, **merged)


def image(line: SparkLine) -> dict[str, str]:
    """The value `image` of a line's image whose executors see their tokens; the cluster has it."""
    if line != DEFAULT_LINE:
        return {"tag": f"{line.version}-python3"}
    settings, progress = Settings.from_environment(), Progress()
    reference = ensure_spark_image(FOR_KERBEROS, settings, progress)
    load_if_missing(reference, reference, settings, progress)
    repository, _, tag = reference.rpartition(":")
    return {"repository": repository, "tag": tag}


def shows_tokens_to_tasks(line: SparkLine) -> bool:
    """Whether executors see their tokens on the Java of a line's image: not in ours of 4.3; the official may differ."""
    image = ensure_spark_image(line, Settings.from_environment(), Progress())
    ask = "java -XshowSettings:properties -version 2>&1"
    told = run(["docker", "run", "--rm", "--network=none", "--entrypoint=sh", image, "-c", ask])
    found = re.search(r"java\.specification\.version = (\d+)", told)
    assert found, told
    return int(found[1]) <= 21
