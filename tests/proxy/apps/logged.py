"""An application that writes an event log: queries of ten tasks, with some ballast; it ends when /test/end exists."""

import base64
import os
import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession

queries, ballast = map(int, sys.argv[1:])
spark = SparkSession.builder.appName("logged").getOrCreate()
for _ in range(queries):
    # In the events of each job and stage, and in the UI. No compression makes chance smaller.
    spark.sparkContext.setJobDescription(base64.b64encode(os.urandom(ballast)).decode())
    assert spark.range(0, 1000, 1, 10).count() == 1000
print("DONE", flush=True)
while not Path("/test/end").exists():
    time.sleep(0.2)
spark.stop()
