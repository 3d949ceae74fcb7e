"""Delays of the flights of 2013 by carrier, again and again: an application that lasts, to be looked at while it runs.

Usage: live.py FLIGHTS_CSV MINUTES
"""

from __future__ import annotations

import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as sql


def main(source: str, minutes: float) -> None:
    """Aggregate, one month after the other, until the time is over."""
    spark = SparkSession.builder.appName("flights-live").getOrCreate()
    flights = spark.read.option("header", value=True).option("inferSchema", value=True).csv(source).cache()
    deadline = time.monotonic() + 60 * minutes
    month = 0
    while time.monotonic() < deadline:
        month = month % 12 + 1
        spark.sparkContext.setJobDescription(f"delays of month {month}")
        of_month = flights.where(sql.col("month") == month)
        worst = of_month.groupBy("carrier").agg(sql.avg("arr_delay").alias("delay")).orderBy(sql.desc("delay")).first()
        print(f"month {month}: {worst}")
        time.sleep(5)
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
