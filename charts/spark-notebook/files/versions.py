"""Spark's and Python's versions of an image: writes those of its own into a file, or compares them with a file's."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path


def main() -> None:
    """``versions.py FILE`` writes; ``versions.py --compare FILE`` ends with 1 where they differ, and says how."""
    if sys.argv[1] != "--compare":
        Path(sys.argv[1]).write_text(json.dumps(own()))
        return
    executors = json.loads(Path(sys.argv[2]).read_text())
    differing = {name: version for name, version in own().items() if executors[name] != version}
    if differing:
        image = json.loads(Path("/opt/kindling/notebook.json").read_text())["executorImage"]
        has = ", ".join(f"{name} {executors[name]}" for name in differing)
        here = ", ".join(f"{name} {version}" for name, version in differing.items())
        sys.exit(
            f"kindling: executors' image {image} has {has}, and the notebook has {here}: "
            "set executor.image to one with the same, or leave it empty"
        )


def own() -> dict[str, str]:
    """Of the image that this runs in."""
    jars = Path(os.environ.get("SPARK_HOME", "/opt/spark"), "jars")
    found = [re.search(r"spark-core_[\d.]+-(.+)\.jar$", path.name) for path in jars.glob("spark-core_*.jar")]
    spark = next((match[1] for match in found if match), "none")
    return {"Spark": spark, "Python": f"{sys.version_info.major}.{sys.version_info.minor}"}


if __name__ == "__main__":
    main()
