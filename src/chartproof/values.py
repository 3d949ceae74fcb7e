"""Values as the text of a values file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml


class _Quoting(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Quotes each text: helm reads the words ``y``, ``1e3`` and ``0o7`` as no text, other parsers of YAML do."""


_Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def values_text(values: Mapping[str, Any]) -> str:
    """A values file that helm reads as just these values: keys keep their order."""
    return yaml.dump(dict(values), Dumper=_Quoting, sort_keys=False, width=1000) if values else ""
