"""`helm test` of a cluster: executors count."""

import sys

from pyspark.sql import SparkSession

context = SparkSession.builder.appName("helm test").getOrCreate().sparkContext
ones = context.parallelize(range(1000), 2).map(lambda number: (number % 10, 1))
counted = ones.reduceByKey(lambda one, other: one + other).collect()
if sorted(counted) != [(digit, 100) for digit in range(10)]:
    sys.exit(f"executors counted wrong: {counted}")
print(f"{context.applicationId} counted right")
