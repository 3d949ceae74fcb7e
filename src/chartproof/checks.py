"""What is asked of every render: a rule looks at one and names what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chartproof.manifest import Manifest


@dataclass(frozen=True)
class Rendered:
    """A render and the question that it answers.

    Attributes:
        manifest: what helm rendered.
        chart: the chart's folder.
        release: name of the release.
        namespace: namespace of the release.
        kube: the Kubernetes version that it was rendered for, "1.34"; "": helm's own.
        values: the merged values that were given, without the chart's own defaults.
        apis: the API versions that were added to helm's own, "monitoring.coreos.com/v1".
    """

    manifest: Manifest
    chart: Path
    release: str
    namespace: str
    kube: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    apis: tuple[str, ...] = ()


@dataclass(frozen=True)
class Violation:
    """One thing that is wrong: the rule's name, the object ("Job/nightly-1a2b3c4d"), and what to change, in a line."""

    rule: str
    about: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.about}: {self.message}"


Rule = Callable[[Rendered], Iterable[Violation]]
"""Looks at a render; gives nothing where all is well. Its docstring's first line says what holds."""
