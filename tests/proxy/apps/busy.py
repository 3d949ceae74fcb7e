"""An application with something on each page of its UI: jobs, SQL, cached data, a streaming query, a job to kill."""

import threading
import time

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("busy").getOrCreate()
context = spark.sparkContext


def wait(number: int) -> int:
    """A task."""
    time.sleep(1)
    return number


def keep_a_job_running() -> None:
    """One job after the other that lasts until it is killed."""
    while True:
        try:
            context.setJobGroup("long", "a job to kill", interruptOnCancel=True)
            context.parallelize(range(1000), 1000).map(wait).count()
        except Exception as error:
            print("KILLED", str(error).splitlines()[0], flush=True)


spark.range(1000).createOrReplaceTempView("numbers")
spark.sql("CACHE TABLE kept AS SELECT id, id % 7 AS seven FROM numbers")
spark.sql("SELECT seven, count(*) FROM kept GROUP BY seven ORDER BY seven").collect()
context.parallelize(range(100), 4).map(lambda number: (number % 3, number)).reduceByKey(max).collect()
cached = context.parallelize(range(1000), 4).cache()
cached.count()
query = (
    spark.readStream.format("rate")
    .load()
    .writeStream.format("memory")
    .queryName("ticks")
    .trigger(processingTime="1 second")
).start()
while not query.recentProgress:
    time.sleep(0.2)
threading.Thread(target=keep_a_job_running, daemon=True).start()
print("READY", context.applicationId, flush=True)
query.awaitTermination()
