"""A first query of a Spark Connect server: ``python first.py sc://localhost:15002``."""

import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
print(spark.range(1000).repartition(2).count(), "rows counted with Spark", spark.version)
spark.stop()
