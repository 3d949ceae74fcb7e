"""What is in a chart's folder and in the packages that it depends on."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import yaml


def files_of(package: Path) -> dict[str, bytes]:
    """The files of a packaged chart by their names in its folder, "templates/job.yaml"."""
    with tarfile.open(package) as tar:
        return {member.name.partition("/")[2]: file.read() for member in tar if (file := tar.extractfile(member))}


def template_texts(chart: Path) -> Iterator[str]:
    """The templates of a chart and of the libraries that are packed into it: those that run with the chart's values."""
    for path in sorted((chart / "templates").rglob("*")):
        if path.is_file():
            yield path.read_text()
    for package in sorted((chart / "charts").glob("*.tgz")):
        files = files_of(package)
        if yaml.safe_load(files["Chart.yaml"]).get("type") == "library":
            yield from (text.decode() for name, text in files.items() if name.startswith("templates/"))
