"""What is in a chart's folder and in the packages that it depends on."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import yaml

_DEFINE = re.compile(r'\{\{-?\s*define\s+"([^"]+)"')
_QUOTED = re.compile(r'"([^"\s]+)"')


def files_of(package: Path) -> dict[str, bytes]:
    """The files of a packaged chart by their names in its folder, "templates/job.yaml"."""
    with tarfile.open(package) as tar:
        return {member.name.partition("/")[2]: file.read() for member in tar if (file := tar.extractfile(member))}


def template_texts(chart: Path) -> list[str]:
    """What runs with a chart's values: its templates, and the named ones that they use of packed libraries."""
    own = [path.read_text() for path in sorted((chart / "templates").rglob("*")) if path.is_file()]
    library = _named_templates(chart)
    used: dict[str, str] = {}
    waiting = list(own)
    while waiting:
        text = waiting.pop()
        found = {name for name in _QUOTED.findall(text) if name in library and name not in used}
        used |= {name: library[name] for name in found}
        waiting += [library[name] for name in found]
    return [*own, *(used[name] for name in sorted(used))]


def _named_templates(chart: Path) -> dict[str, str]:
    """The named templates of the libraries that are packed into a chart."""
    found: dict[str, str] = {}
    for package in sorted((chart / "charts").glob("*.tgz")):
        files = files_of(package)
        if yaml.safe_load(files["Chart.yaml"]).get("type") == "library":
            texts = (text.decode() for name, text in sorted(files.items()) if name.startswith("templates/"))
            for text in texts:
                _, *named = _DEFINE.split(text)
                found |= dict(zip(named[::2], named[1::2], strict=True))
    return found
