"""The image of Spark: the official one where a registry answers, else built from PyPI's archive and Debian's Java."""

from __future__ import annotations

import fnmatch
import platform
import re
import shutil
import tarfile
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

from kindling_dev import images, java_jar
from kindling_dev.fingerprint import fingerprint
from kindling_dev.host import ensure_build_programs
from kindling_dev.progress import Progress
from kindling_dev.pypi import pinned, source_archive
from kindling_dev.settings import Settings

_FOLDER = images.images_folder("spark")
_EXAMPLES = _FOLDER / "examples"
_COMMON_PACKAGES = ("bash", "tini", "python3", "libnss-wrapper", "procps")
_NATIVE = re.compile(r"\.(so|dll|jnilib|dylib|a|exe)(\.[\w.]+)?$")
_PROCESSORS = {"x86_64": "x86_64|amd64|64", "aarch64": "aarch64|aarch_64|arm64"}


@dataclass(frozen=True)
class SparkLine:
    """A line of Spark that Kindling supports.

    Attributes:
        line: "4.3".
        suite: the Debian release that has the newest Java (and a Python) which the line supports.
        java: Debian's package of it.
        variant: what follows the version in the tag of the official image.
    """

    line: str
    suite: str
    java: str
    variant: str = "python3"

    @property
    def requirements(self) -> Path:
        """The file that pins PyPI's source archive."""
        return _FOLDER / f"requirements-{self.line}.txt"

    @property
    def version(self) -> str:
        """The pinned version, "4.3.0"."""
        return pinned(self.requirements)[1]

    @property
    def published(self) -> str:
        """The official image, which is also the name that the charts give to pods."""
        return f"apache/spark:{self.version}-{self.variant}"


LINES = {
    line.line: line
    for line in (
        SparkLine("4.3", "trixie", "openjdk-25-jre-headless"),
        SparkLine("3.5", "bookworm", "openjdk-17-jre-headless"),
    )
}
DEFAULT_LINE = LINES["4.3"]
FOR_KERBEROS = replace(DEFAULT_LINE, java="openjdk-21-jre-headless", variant="scala2.13-java21-python3-ubuntu")
"""The newest line on a Java whose threads take over who their maker is logged in as: executors need that to see their
tokens, and since Java 22 no thread does."""


def ensure_spark_image(line: SparkLine, settings: Settings, progress: Progress) -> str:
    """Return the reference of an image of a Spark line that the engine has."""
    built = f"kindling/spark:{line.version}-{_key(line)}"
    return images.choose(
        published=line.published,
        built=built,
        build=lambda: _build(line, built, settings, progress),
        setting=settings.spark_images.get(line.line, ""),
        settings=settings,
        progress=progress,
    )


def _key(line: SparkLine) -> str:
    files = [_FOLDER / name for name in ("Dockerfile", "entrypoint.sh", "decom.sh", "leave-out.txt")]
    files += [_EXAMPLES, Path(java_jar.__file__)]
    return fingerprint(
        Path(__file__), line.suite, line.java, *_COMMON_PACKAGES, *images.SLIM_HOOKS, line.requirements, *files
    )


def _build(line: SparkLine, reference: str, settings: Settings, progress: Progress) -> None:
    ensure_build_programs(settings, progress)
    log = settings.logs / f"spark-{line.line}.log"
    with progress.step(f"downloading Spark {line.version} (pyspark's source archive) into {settings.cache}"):
        archive = source_archive(line.requirements, settings)
    with progress.step(f"making a Debian {line.suite} root file system with {line.java}"):
        packages = (*_COMMON_PACKAGES, line.java)
        base = images.debian_base("spark", line.suite, packages, settings)
    with progress.step(f"assembling the image of Spark {line.version}"), images.scratch_folder(settings) as scratch:
        _unpack(archive, scratch / "spark")
        _add_examples(scratch / "spark", base, settings)
        images.copy_into(scratch, *(_FOLDER / name for name in ("Dockerfile", "entrypoint.sh", "decom.sh")))
        images.docker_build(scratch, reference, log, base=base, spark_version=line.version)
    progress.say(f"image {reference}: {images.image_megabytes(reference)} MB")


def _unpack(archive: Path, target: Path) -> None:
    """Lay the distribution out as below /opt/spark of the official image, less what leave-out.txt names."""
    unpacked = target.parent / "unpacked"
    with tarfile.open(archive) as tar:
        tar.extractall(unpacked, filter="data")
    (root,) = unpacked.iterdir()
    target.mkdir()
    for name in ("jars", "bin", "sbin", "licenses"):
        (root / "deps" / name).rename(target / name)
    (target / "python").mkdir()
    (root / "pyspark").rename(target / "python/pyspark")
    (root / "lib").rename(target / "python/lib")
    (target / "examples/src/main").mkdir(parents=True)
    (root / "deps/examples").rename(target / "examples/src/main/python")
    shutil.rmtree(unpacked)
    patterns = [line for line in (_FOLDER / "leave-out.txt").read_text().splitlines() if line and line[0] != "#"]
    for path in sorted(target.rglob("*")):
        name = path.relative_to(target).as_posix()
        if path.is_file() and any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
            path.unlink()
        else:
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    for jar in (target / "jars").rglob("*.jar"):
        _leave_out_foreign_libraries(jar)


def _add_examples(distribution: Path, base: str, settings: Settings) -> None:
    """Compile images/spark/examples to the path of the examples' jar in the official image."""
    jars = distribution / "jars"
    (core,) = jars.glob("spark-core_*.jar")
    jar = distribution / "examples/jars" / core.name.replace("spark-core_", "spark-examples_")
    java_jar.write_jar(_EXAMPLES, jar, base, settings, spark_jars=jars)
    jar.chmod(0o644)


def _leave_out_foreign_libraries(jar: Path) -> None:
    """Rewrite a jar without the native libraries of other systems and processors."""
    with zipfile.ZipFile(jar) as source:
        entries = source.infolist()
        kept = [entry for entry in entries if not is_foreign_library(f"{jar.name}/{entry.filename}")]
        if len(kept) == len(entries):
            return
        slim = jar.with_suffix(".slim")
        with zipfile.ZipFile(slim, "w") as target:
            for entry in kept:
                target.writestr(entry, source.read(entry), compresslevel=6)
    slim.rename(jar)


def is_foreign_library(name: str, machine: str = platform.machine()) -> bool:
    """Whether "JAR/ENTRY" is a native library that this system and processor cannot load."""
    if not _NATIVE.search(name):
        return False
    here = re.search(rf"linux[-_/]?({_PROCESSORS[machine]})(?!\d)", name, re.IGNORECASE)
    return not here or "musl" in name
