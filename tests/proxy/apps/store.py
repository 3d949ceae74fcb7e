"""Asks a store of event logs for a folder: the class that speaks to it, and how far it came where nothing answers."""

import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
folder = spark._jvm.org.apache.hadoop.fs.Path(sys.argv[1])
try:
    folder.getFileSystem(spark._jsc.hadoopConfiguration()).exists(folder)
except Exception as error:
    print("ASKED", error)
