"""Java sources, those of examples/jvm, as a jar: Debian's Eclipse compiler, run by a Spark image's own Java."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from kindling_dev import images
from kindling_dev.command import Failure, run
from kindling_dev.fingerprint import fingerprint
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings
from kindling_dev.spark_image import SparkLine, ensure_spark_image

SOURCES = REPO / "examples/jvm/src"
MAIN_CLASS = "local.kindling.examples.DigitSums"
_PACKAGE = "libeclipse-jdt-core-java"
_JAR_IN_PACKAGE = "usr/share/java/eclipse-jdt-core.jar"
_COMPILE = """
exec java -cp /compiler.jar org.eclipse.jdt.internal.compiler.batch.Main -proc:none -nowarn -source 11 -target 11 \
  -classpath "$(echo "${SPARK_HOME:-/opt/spark}"/jars/*.jar | tr ' ' :)" -d /classes /sources
"""
"""For Java 11: the oldest that an image of a supported line has, and that the compiler runs on."""
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def ensure_jar(line: SparkLine, settings: Settings, sources: Path = SOURCES) -> Path:
    """The jar of some sources for a line of Spark, in the cache; compiled unless that was done for them and this image.

    Raises:
        Failure: the sources do not compile, or Debian's package of the compiler is not to be had.
    """
    image = ensure_spark_image(line, settings, Progress())
    key = fingerprint(Path(__file__), sources, images.image_id(image))
    jar = settings.cache / "jvm" / f"{line.line}-{key}.jar"
    if jar.exists():
        return jar
    with images.scratch_folder(settings) as scratch:
        classes = scratch / "classes"
        classes.mkdir()
        _compile(sources, classes, image, _compiler(settings))
        _pack(classes, scratch / jar.name)
        jar.parent.mkdir(parents=True, exist_ok=True)
        (scratch / jar.name).rename(jar)
    return jar


def _compiler(settings: Settings) -> Path:
    """The Eclipse compiler as this host's Debian or Ubuntu packages it; nothing is installed."""
    compiler = settings.cache / "downloads/eclipse-jdt-core.jar"
    if not compiler.exists():
        with images.scratch_folder(settings) as scratch:
            _download_package(scratch, settings)
            (package,) = scratch.glob("*.deb")
            run(["dpkg-deb", "--extract", package, scratch], what=f"unpack {package.name}")
            compiler.parent.mkdir(parents=True, exist_ok=True)
            (scratch / _JAR_IN_PACKAGE).resolve().rename(compiler)
    return compiler


def _download_package(folder: Path, settings: Settings) -> None:
    log = settings.logs / "apt.log"
    download = ["apt-get", "download", "-q", _PACKAGE]
    try:
        run(download, cwd=folder, log=log, what=f"download {_PACKAGE}")
    except Failure:
        # A fresh host has no package lists, or old ones.
        run(["apt-get", "update", "-q"], log=log, what="update the package lists")
        run(download, cwd=folder, log=log, what=f"download {_PACKAGE}")


def _compile(sources: Path, classes: Path, image: str, compiler: Path) -> None:
    mounts = [f"{compiler}:/compiler.jar:ro", f"{sources}:/sources:ro", f"{classes}:/classes"]
    argv = ["docker", "run", "--rm", "--network=none", f"--user={os.getuid()}:{os.getgid()}"]
    argv += [f"--volume={mount}" for mount in mounts]
    run([*argv, "--entrypoint=sh", image, "-c", _COMPILE], what=f"compile {sources.relative_to(REPO)} with {image}")


def _pack(classes: Path, jar: Path) -> None:
    """Put classes into a jar; the same classes give the same bytes."""
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as archive:
        manifest = f"Manifest-Version: 1.0\nMain-Class: {MAIN_CLASS}\n\n"
        archive.writestr(zipfile.ZipInfo("META-INF/MANIFEST.MF", _ZIP_EPOCH), manifest)
        for path in sorted(classes.rglob("*.class")):
            archive.writestr(zipfile.ZipInfo(path.relative_to(classes).as_posix(), _ZIP_EPOCH), path.read_bytes())
