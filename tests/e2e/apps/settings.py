"""Says what driver and executors see of their settings, as one line of JSON, and waits for /tmp/go."""

import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

from pyspark import SparkFiles
from pyspark.sql import SparkSession


def seen() -> dict[str, Any]:
    """What this process, on a driver or an executor, has."""
    import lib  # type: ignore[import-not-found]

    folders = os.environ.get("SPARK_LOCAL_DIRS", "").split(",")
    return {
        "host": socket.gethostname(),
        "env": {name: os.environ.get(name) for name in ("STAGE", "PASSWORD", "COLOUR", "MORE")},
        "lib": lib.WORD,
        "words": Path(SparkFiles.get("words.txt")).read_text().strip(),
        "of a volume": Path(SparkFiles.get("packaged.pom")).exists(),
        "archive": Path(SparkFiles.get("unpacked"), "inside.txt").read_text().strip(),
        "settings": Path("/settings/COLOUR").read_text(),
        "conf": Path("/opt/spark/conf/colours.properties").read_text().strip(),
        "secret": Path("/secret/password").read_text(),
        "local": [folder for folder in folders if os.access(folder, os.W_OK)],
        "scratch": os.access("/scratch", os.W_OK),
        "claim": os.access("/claim", os.W_OK),
    }


spark = SparkSession.builder.getOrCreate()
context = spark.sparkContext
on_executor = context.parallelize([0], 1).map(lambda _: seen()).first()
jars = [context._jsc.sc().listJars().apply(n) for n in range(context._jsc.sc().listJars().size())]
loader = context._jvm.java.lang.Thread.currentThread().getContextClassLoader()
conf = [name for name in ("log4j2.properties", "colours.properties") if loader.getResource(name)]
both = {"driver": seen(), "executor": on_executor}
told = {**both, "args": sys.argv[1:], "app": context.appName, "jars": jars, "conf": conf}
print("SEEN", json.dumps(told), flush=True)
deadline = time.monotonic() + 120
while not Path("/tmp/go").exists() and time.monotonic() < deadline:
    time.sleep(0.2)
