"""The image of HDFS with Kerberos: Debian's Java and MIT Kerberos, Hadoop's jars by Maven, images/secure-hdfs.

``scripts/bootstrap kindling_dev.hdfs_image`` gives it to the cluster of scripts/up, as examples/secure-hdfs names it.
"""

from __future__ import annotations

import shutil
import sys
import xml.etree.ElementTree as ET

from kindling_dev import images, maven
from kindling_dev.cluster import load_if_missing
from kindling_dev.command import Failure, exit_code
from kindling_dev.fingerprint import fingerprint
from kindling_dev.host import ensure_build_programs, ensure_maven
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings
from kindling_dev.spark_image import DEFAULT_LINE

_FOLDER = images.images_folder("secure-hdfs")
_REPOSITORY = "kindling/secure-hdfs"
_PACKAGES = (DEFAULT_LINE.java, "krb5-kdc", "krb5-admin-server", "krb5-user")
"""krb5-admin-server has kadmin.local."""


def hadoop_version() -> str:
    """The version of Hadoop that pom.xml names, "3.5.0"."""
    version = ET.parse(_FOLDER / "pom.xml").findtext("{*}version")
    if not version:
        raise Failure("images/secure-hdfs/pom.xml names no version; give it Hadoop's")
    return version


def name() -> str:
    """The name that the example gives to pods."""
    return f"{_REPOSITORY}:{hadoop_version()}"


def ensure_hdfs_image(settings: Settings, progress: Progress) -> str:
    """Return the reference of the image, built unless the engine has it.

    Raises:
        Failure: Debian's or Maven's repository does not answer, or gives other jars than jars.sha256 lists.
    """
    reference = f"{name()}-{fingerprint(DEFAULT_LINE.suite, *_PACKAGES, *images.SLIM_HOOKS, _FOLDER)}"
    return images.made(reference, lambda: _build(reference, settings, progress), settings, progress)


def load_hdfs_image(settings: Settings, progress: Progress) -> None:
    """See that the cluster has the image under the name that the example gives to pods."""
    load_if_missing(name(), ensure_hdfs_image(settings, progress), settings, progress)


def _build(reference: str, settings: Settings, progress: Progress) -> None:
    ensure_build_programs(settings, progress)
    ensure_maven(settings, progress)
    log = settings.logs / "secure-hdfs.log"
    with progress.step(f"making a Debian {DEFAULT_LINE.suite} root file system with {', '.join(_PACKAGES)}"):
        base = images.debian_base("secure-hdfs", DEFAULT_LINE.suite, _PACKAGES, settings)
    with progress.step("assembling the image of HDFS with Kerberos"), images.scratch_folder(settings) as scratch:
        maven.copy_jars(_FOLDER, scratch, log)
        for part in ("bin", "conf"):
            shutil.copytree(_FOLDER / part, scratch / part)
        images.copy_into(scratch, _FOLDER / "Dockerfile")
        images.docker_build(scratch, reference, log, base=base)
    progress.say(f"image {reference}: {images.image_megabytes(reference)} MB")


if __name__ == "__main__":
    sys.exit(exit_code(lambda: load_hdfs_image(Settings.from_environment(), Progress())))
