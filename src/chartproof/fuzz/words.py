"""The keys that a chart's templates write: a user may give the same ones."""

from __future__ import annotations

import re
from pathlib import Path

from chartproof.packages import template_texts

_KEY = re.compile(r"""^\s*(?:- )?["']?(?P<key>[A-Za-z][\w./-]*)["']?:\s""", re.MULTILINE)


def template_keys(chart: Path) -> list[str]:
    """Keys of the templates of a chart and of its libraries, "helm.sh/chart"; sorted."""
    return sorted({match["key"] for text in template_texts(chart) for match in _KEY.finditer(text)})
