"""Jars by Maven: what a pom.xml asks for, held against a list of their contents beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from kindling_dev.command import Failure, run
from kindling_dev.images import copy_into

SUMS = "jars.sha256"
"""The list's name beside the pom.xml."""


def copy_jars(folder: Path, context: Path, log: Path) -> None:
    """Put the jars that a folder's pom.xml asks for into jars/ of a build context.

    Args:
        folder: below images/, with pom.xml and jars.sha256.
        context: the folder that the image is built from.
        log: gets what Maven prints.

    Raises:
        Failure: Maven's repository does not answer, or gives other jars than jars.sha256 lists.
    """
    copy_into(context, folder / "pom.xml")
    resolve = ["mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies", "-DincludeScope=runtime"]
    what = f"get the jars of images/{folder.name} by Maven"
    run([*resolve, "-DoutputDirectory=jars"], cwd=context, log=log, what=what)
    check_jars(context / "jars", folder / SUMS)


def check_jars(jars: Path, sums: Path) -> None:
    """See that a folder has the jars of a list and no others: Maven's own checksums come from where the jars come from.

    Args:
        jars: the folder.
        sums: the list, as ``sha256sum *.jar`` writes it.

    Raises:
        Failure: a jar is missing, is not of the list, or has other content.
    """
    listed = {name: digest for digest, name in (line.split() for line in sums.read_text().splitlines())}
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in jars.iterdir()}
    wrong = sorted(name for name in listed.keys() | found.keys() if listed.get(name) != found.get(name))
    if wrong:
        cure = "after a change of pom.xml write the list anew with sha256sum *.jar"
        raise Failure(f"not as images/{sums.parent.name}/{sums.name} lists them: {', '.join(wrong)}; {cure}")
