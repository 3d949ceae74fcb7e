"""Asks a store of event logs for a folder: how far its client comes where nothing answers."""

import contextlib
import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
jvm = spark._jvm
folder = jvm.org.apache.hadoop.fs.Path(sys.argv[1])
try:
    folder.getFileSystem(spark._jsc.hadoopConfiguration()).exists(folder)
except Exception as error:
    print("ASKED", error, flush=True)
# Threads of a client keep the JVM for minutes.
with contextlib.suppress(Exception):
    jvm.java.lang.Runtime.getRuntime().halt(0)
