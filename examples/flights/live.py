"""The carrier that was latest, month after month, again and again: an application to look at while it runs.

Arguments: the CSV of flights, for how many minutes.
"""

import itertools
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

flights, minutes = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
table = spark.read.csv(flights, header=True, inferSchema=True, nullValue="NA").cache()
end = time.monotonic() + 60 * float(minutes)
for month in itertools.cycle(range(1, 13)):
    if time.monotonic() > end:
        break
    spark.sparkContext.setJobDescription(f"delays of month {month}")
    delays = table.where(table.month == month).groupBy("carrier").agg(f.mean("arr_delay").alias("delay"))
    print(month, delays.orderBy(f.desc("delay")).first(), flush=True)
    time.sleep(5)
spark.stop()
