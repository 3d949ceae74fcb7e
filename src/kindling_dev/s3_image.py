"""The image of Spark that reaches S3: images/spark-s3 on top of a line's own, its jars by Maven."""

from __future__ import annotations

from kindling_dev import images, maven
from kindling_dev.fingerprint import fingerprint
from kindling_dev.host import ensure_maven
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings
from kindling_dev.spark_image import DEFAULT_LINE

_FOLDER = images.images_folder("spark-s3")
REPOSITORY = "kindling/spark-s3"


def ensure_s3_image(base: str, settings: Settings, progress: Progress) -> str:
    """Return the reference of the image on top of one of Spark 4.3, which the engine has; it then has this one too.

    Raises:
        Failure: Maven's repository does not answer, or gives other jars than jars.sha256 lists.
    """
    ensure_maven(settings, progress)
    files = [_FOLDER / name for name in ("Dockerfile", "pom.xml", maven.SUMS)]
    reference = f"{REPOSITORY}:{DEFAULT_LINE.version}-{fingerprint(images.image_id(base), *files)}"

    def build() -> None:
        log = settings.logs / "spark-s3.log"
        with progress.step(f"building {reference}"), images.scratch_folder(settings) as scratch:
            images.copy_into(scratch, *files)
            maven.copy_jars(_FOLDER, scratch, log)
            images.docker_build(scratch, reference, log, base=base)

    return images.made(reference, build, settings, progress)
