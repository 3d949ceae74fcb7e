"""Moves a text between executors that no one but them has, tells what it knows of secrets, and waits for /tmp/go."""

import hashlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pyspark.sql import SparkSession

SEED, SECRETS = sys.argv[1], Path("/secrets")


def rows(number: int) -> Iterator[tuple[int, str]]:
    """Made on an executor: what the text is stands nowhere else."""
    time.sleep(2)  # so that each executor has its part
    text = hashlib.sha256(SEED.encode()).hexdigest()[:32]
    for key in range(400):
        yield key, f"{number} " + text * 16


Path("/tmp/events").mkdir()
builder = SparkSession.builder
if SECRETS.exists():
    for path in SECRETS.glob("spark.*"):
        builder = builder.config(path.name, path.read_text())
spark = builder.getOrCreate()
context = spark.sparkContext
moved = context.parallelize(range(4), 4).flatMap(rows).groupByKey(4).mapValues(len)
print("KEYS", moved.count(), "ON", context._jsc.sc().getExecutorMemoryStatus().size() - 1, flush=True)
if SECRETS.exists():
    url = "jdbc:postgresql://db/flights?password=" + (SECRETS / "jdbc").read_text()
    # Its plan goes to the log, with what is redacted in it.
    spark.range(1).selectExpr(f"'{url}' AS url").explain()
print("WAITING", flush=True)
deadline = time.monotonic() + 180
while not Path("/tmp/go").exists() and time.monotonic() < deadline:
    time.sleep(0.2)
