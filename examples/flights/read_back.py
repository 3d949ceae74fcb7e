"""Print what by_carrier.py wrote, a line a carrier and month. Argument: its output folder."""

import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
for row in spark.read.parquet(sys.argv[1]).orderBy("carrier", "month").collect():
    print(f"carrier={row.carrier} month={row.month} flights={row.flights} mean-arrival-delay={row.delay!r}")
spark.stop()
