"""Uses a dependency of each kind, on the driver and on an executor: what came of each, one line of JSON."""

import json
import sys
import urllib.request
from pathlib import Path

from pyspark import SparkFiles
from pyspark.sql import SparkSession


def seen() -> dict[str, str]:
    """What this process, on a driver or an executor, has."""
    import lib  # type: ignore[import-not-found]
    import single  # type: ignore[import-not-found]

    return {
        "zip": lib.WORD,
        "module": single.WORD,
        "file": Path(SparkFiles.get("words.txt")).read_text().strip(),
        "archive": Path(SparkFiles.get("unpacked"), "inside.txt").read_text().strip(),
    }


def fetched(address: str) -> str:
    """The text at an address, as Python's own library gets it."""
    with urllib.request.urlopen(address, timeout=30) as answer:
        return str(answer.read().decode().strip())


spark = SparkSession.builder.getOrCreate()
context = spark.sparkContext
on_executor = context.parallelize([0], 1).map(lambda _: seen()).first()
print("SEEN", json.dumps({"driver": seen(), "executor": on_executor}), flush=True)
for address in sys.argv[2:]:
    # Python trusts the CAs that Java does, and goes through the same proxy.
    print("ASKED", fetched(address), context.parallelize([address], 1).map(fetched).first(), flush=True)
if "package" in sys.argv:
    loader = spark._jvm.Thread.currentThread().getContextClassLoader()
    print("PACKAGE", "found" if loader.getResource("packaged.txt") else "missing", flush=True)
# Its class is called by the executors, too, and it stops the context.
arguments = context._gateway.new_array(spark._jvm.String, 1)
arguments[0] = "1000"
spark._jvm.local.kindling.examples.DigitSums.main(arguments)
