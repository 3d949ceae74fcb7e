"""The application of examples/jvm, and tests' own Java, as jars in the cache: compiled once for an image of Spark."""

from __future__ import annotations

from pathlib import Path

from kindling_dev import images, java_jar
from kindling_dev.fingerprint import fingerprint
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings
from kindling_dev.spark_image import SparkLine, ensure_spark_image

SOURCES = REPO / "examples/jvm/src"
MAIN_CLASS = "local.kindling.examples.DigitSums"


def ensure_jar(line: SparkLine, settings: Settings, sources: Path = SOURCES) -> Path:
    """The jar of some sources for a line of Spark, in the cache; compiled unless that was done for them and this image.

    Raises:
        Failure: the sources do not compile, or Debian's package of the compiler is not to be had.
    """
    image = ensure_spark_image(line, settings, Progress())
    key = fingerprint(Path(__file__), Path(java_jar.__file__), sources, images.image_id(image))
    jar = settings.cache / "jvm" / f"{line.line}-{key}.jar"
    if not jar.exists():
        java_jar.write_jar(sources, jar, image, settings, MAIN_CLASS)
    return jar
