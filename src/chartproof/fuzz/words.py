"""The keys that a chart's templates write: a user may give the same ones."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

_KEY = re.compile(r"""^\s*(?:- )?["']?(?P<key>[A-Za-z][\w./-]*)["']?:\s""", re.MULTILINE)


def template_keys(chart: Path) -> list[str]:
    """Keys of the templates of a chart and of the packages that it depends on, "helm.sh/chart"; sorted."""
    return sorted({match["key"] for text in _templates(chart) for match in _KEY.finditer(text)})


def _templates(chart: Path) -> Iterator[str]:
    for file in chart.rglob("templates/**/*"):
        if file.is_file():
            yield file.read_text()
    for package in chart.glob("charts/*.tgz"):
        with tarfile.open(package) as tar:
            for member in tar:
                if "/templates/" in member.name and (content := tar.extractfile(member)):
                    yield content.read().decode()
