"""A driver that may be alone: says what it runs on, as one line of JSON, and waits for /tmp/go."""

import json
import os
import time
from pathlib import Path

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
context = spark.sparkContext
mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
folders = os.environ.get("SPARK_LOCAL_DIRS", "").split(",")
log = context.getConf().get("spark.eventLog.dir", "")
seen = {
    "master": context.master,
    "id": context.applicationId,
    "count": spark.range(1000).repartition(4).count(),
    "processes": context._jsc.sc().getExecutorMemoryStatus().size(),
    "disks": {path: kind for _, path, kind, *_ in mounts},
    "scratch": folders,
    "writable": [path for path in ("/memory", "/disk", "/claim", *folders) if os.access(path, os.W_OK)],
    "logs": sorted(path.name for path in Path(log.removeprefix("file:")).iterdir()),
}
print("SEEN", json.dumps(seen), flush=True)
deadline = time.monotonic() + 180
while not Path("/tmp/go").exists() and time.monotonic() < deadline:
    time.sleep(0.2)
