"""Java sources as a jar: Debian's Eclipse compiler, run by the Java of an image."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from kindling_dev import images
from kindling_dev.command import Failure, run
from kindling_dev.settings import REPO, Settings

_PACKAGE = "libeclipse-jdt-core-java"
_JAR_IN_PACKAGE = "usr/share/java/eclipse-jdt-core.jar"
_COMPILE = """
exec java -cp /compiler.jar org.eclipse.jdt.internal.compiler.batch.Main -proc:none -nowarn -source 11 -target 11 \
  -classpath "$(echo /opt/spark/jars/*.jar | tr ' ' :)" -d /classes /sources
"""
"""For Java 11: the oldest that an image of a supported line has, and that the compiler runs on."""
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_jar(
    sources: Path, jar: Path, image: str, settings: Settings, main_class: str = "", spark_jars: Path | None = None
) -> None:
    """Compile Java sources into a jar; the same sources, compiler and image give the same bytes.

    Args:
        sources: the folder of the sources, in the repository.
        jar: written, its folder too.
        image: an image of the engine with ``java`` in its path.
        settings: where the compiler is kept.
        main_class: the class that ``java -jar`` runs, if any.
        spark_jars: a folder of this machine with Spark's jars, if the image has none in ``/opt/spark/jars``.

    Raises:
        Failure: the sources do not compile, or Debian's package of the compiler is not to be had.
    """
    with images.scratch_folder(settings) as scratch:
        classes = scratch / "classes"
        classes.mkdir()
        mounts = [f"{sources}:/sources:ro", f"{classes}:/classes", f"{_compiler(settings)}:/compiler.jar:ro"]
        if spark_jars:
            mounts.append(f"{spark_jars}:/opt/spark/jars:ro")
        argv = ["docker", "run", "--rm", "--network=none", f"--user={os.getuid()}:{os.getgid()}"]
        argv += [f"--volume={mount}" for mount in mounts]
        run([*argv, "--entrypoint=sh", image, "-c", _COMPILE], what=f"compile {sources.relative_to(REPO)}")
        _pack(classes, scratch / jar.name, main_class)
        jar.parent.mkdir(parents=True, exist_ok=True)
        (scratch / jar.name).rename(jar)


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


def _pack(classes: Path, jar: Path, main_class: str) -> None:
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as archive:
        manifest = "Manifest-Version: 1.0\n" + (f"Main-Class: {main_class}\n" if main_class else "") + "\n"
        archive.writestr(zipfile.ZipInfo("META-INF/MANIFEST.MF", _ZIP_EPOCH), manifest)
        for path in sorted(classes.rglob("*.class")):
            archive.writestr(zipfile.ZipInfo(path.relative_to(classes).as_posix(), _ZIP_EPOCH), path.read_bytes())
