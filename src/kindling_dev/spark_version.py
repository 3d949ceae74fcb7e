"""Another version of Spark, everywhere: ``scripts/bootstrap kindling_dev.spark_version 4.3.1``.

A line of Spark stays (4.3, 3.5); its patch version changes in every file of the tree that names it, and the pinned
archive with it. What follows by hand is printed at the end.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from kindling_dev.command import Failure, run
from kindling_dev.images import scratch_folder
from kindling_dev.settings import REPO, Settings
from kindling_dev.spark_image import LINES, SparkLine

OF_THEIR_TIME = (
    *("CHANGELOG.md", "docs/decisions/*", "tests/releases/*", "*go.mod", "*go.sum", "requirements.lock"),
    "src/kindling_dev/spark_properties.json",
)
"""Files that say what was, or name other packages' versions."""
_NEXT = """
Then: the versions of Hadoop and of its stores in images/spark-s3/pom.xml, with jars.sha256; that of Hadoop in
images/secure-hdfs/pom.xml and the manifests of examples/secure-hdfs; scripts/bootstrap
kindling_dev.spark_properties, which says what this Spark knows otherwise; scripts/generate;
scripts/test; a line in CHANGELOG.md.
"""


def move(tree: Path, old: str, new: str) -> list[Path]:
    """Name another version in every file of a git tree; return those that changed."""
    version = re.compile(rf"(?<![\d.]){re.escape(old)}(?![\d]|\.\d)")
    changed = []
    for file, before in _texts(tree):
        after = version.sub(new, before)
        if after != before:
            file.write_text(after)
            changed.append(file)
    return changed


def line_of(version: str) -> SparkLine:
    """The supported line that a version is of."""
    found = re.fullmatch(r"(\d+\.\d+)\.\d+", version)
    if not found or found[1] not in LINES:
        raise Failure(
            f"{version!r} is no version of a line that is supported: {', '.join(f'{name}.N' for name in LINES)}"
        )
    return LINES[found[1]]


def pin(requirements: Path, version: str, settings: Settings) -> None:
    """Pin a version's source archive by its hash, which takes its download."""
    with scratch_folder(settings) as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary=:all:", "--no-cache-dir"]
        run([*pip, "--dest", scratch, f"pyspark=={version}"], what=f"download pyspark {version}")
        (archive,) = scratch.glob("pyspark-*.tar.gz")
        with archive.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    pinned = re.sub(
        r"^pyspark==.*$", f"pyspark=={version} --hash=sha256:{digest}", requirements.read_text(), flags=re.M
    )
    requirements.write_text(pinned)


def _texts(tree: Path) -> Iterator[tuple[Path, str]]:
    """The files of a git tree that name today's version, if any, with what they hold; pictures apart."""
    for name in run(["git", "ls-files", "-z"], cwd=tree).split("\0"):
        file = tree / name
        if not name or file.is_symlink() or any(fnmatch(name, pattern) for pattern in OF_THEIR_TIME):
            continue
        with contextlib.suppress(UnicodeDecodeError):
            yield file, file.read_text()


def main(argv: list[str]) -> int:
    """Move the tree to the version that is given."""
    try:
        if len(argv) != 1:
            raise Failure("give the new version: scripts/bootstrap kindling_dev.spark_version 4.3.1")
        line = line_of(argv[0])
        old = line.version
        pin(line.requirements, argv[0], Settings.from_environment())
        changed = move(REPO, old, argv[0])
    except Failure as failure:
        print(f"kindling: {failure}", file=sys.stderr)
        return 1
    print(f"Spark {old} is {argv[0]} in {len(changed)} files.{_NEXT}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
