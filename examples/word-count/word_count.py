"""Counts words in files of a volume that the driver and all workers mount, and writes the counts there.

Arguments: the folder with the words, which is made if it is not there; the folder for the counts, which must not be.
"""

import pathlib
import sys

from pyspark.sql import SparkSession

words, counts = sys.argv[1:]
context = SparkSession.builder.appName("word count").getOrCreate().sparkContext
if not pathlib.Path(words).exists():
    context.parallelize(["to be or not", "to be"], 2).saveAsTextFile(f"file:{words}")
counted = (
    context.textFile(f"file:{words}")
    .flatMap(str.split)
    .map(lambda word: (word, 1))
    .reduceByKey(lambda one, other: one + other)
    .sortByKey()
)
counted.saveAsTextFile(f"file:{counts}")
for part in sorted(pathlib.Path(counts).glob("part-*")):
    print(part.read_text(), end="")
