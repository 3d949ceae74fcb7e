"""Says what Spark's own integration cases ask of driver and executors, as one line of JSON, and waits for /tmp/go."""

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession


def options() -> list[str]:
    """Options of the JVM in this pod."""
    for folder in Path("/proc").glob("[0-9]*"):
        words = (folder / "cmdline").read_text(errors="replace").split("\0")
        if words[0].endswith("java"):
            return words
    return []


def seen() -> dict[str, Any]:
    """What this process, on a driver or an executor, has."""
    return {
        "custom": os.environ.get("IS_CUSTOM_PYTHON", ""),
        "version": list(sys.version_info[:2]),
        "uid": os.getuid(),
        "address space": resource.getrlimit(resource.RLIMIT_AS)[0],
        "driver's address": os.environ.get("SPARK_DRIVER_POD_IP", ""),
        "options": [word for word in options() if word.startswith(("-XX:+Use", "-Dspark.test"))],
    }


spark = SparkSession.builder.getOrCreate()
context = spark.sparkContext
words = context.parallelize(range(100), 4).map(lambda n: (n % 7, 1)).reduceByKey(lambda a, b: a + b).collect()
system = context._jvm.java.lang.System
told = {
    "driver": seen(),
    "executor": context.parallelize([0], 1).map(lambda _: seen()).first(),
    "words": sorted(words),
    "codec": context.getConf().get("spark.io.compression.codec"),
    "test": system.getProperty("spark.test.foo"),
    "python": [context.pythonExec, os.environ.get("PYSPARK_DRIVER_PYTHON", "")],
    "args": sys.argv[1:],
    "user": context.sparkUser(),
}
print("SEEN", json.dumps(told), flush=True)
deadline = time.monotonic() + 120
while not Path("/tmp/go").exists() and time.monotonic() < deadline:
    time.sleep(0.2)
