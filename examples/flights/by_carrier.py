"""Mean arrival delay by carrier and month, from a CSV of flights to Parquet. Arguments: the CSV, the output folder."""

import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

flights, output = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
table = spark.read.csv(flights, header=True, inferSchema=True, nullValue="NA")
means = table.groupBy("carrier", "month").agg(f.count("arr_delay").alias("flights"), f.mean("arr_delay").alias("delay"))
means.coalesce(1).write.mode("overwrite").parquet(output)
print(f"{table.count()} flights read, mean delays written to {output}")
spark.stop()
