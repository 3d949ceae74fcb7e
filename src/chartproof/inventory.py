"""Which objects a scenario renders, as a text file that a review reads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path

from chartproof.checks import Rendered

_HASH = re.compile(r"-(?!(19|20)\d{6}$)([0-9a-f]{8}|[0-9a-f]{10}|[0-9a-f]{40}|[0-9a-f]{64})$")
"""A hash of content at a name's end: hexadecimal, as long as hashes are written, and no date."""


def lines(renders: Sequence[Rendered]) -> list[str]:
    """An inventory: a line "apiVersion kind name" for each object, sorted.

    The hash at the end of a name that follows from the object's content is written "<hash>", so that only objects that
    appear or vanish change a line. An object that not all renders have is followed by the versions that have it.

    Args:
        renders: the same scenario for one or more Kubernetes versions.
    """
    versions: dict[tuple[str, int], list[str]] = {}
    for rendered in renders:
        objects = Counter(f"{r.body['apiVersion']} {r.kind} {_HASH.sub('-<hash>', r.name)}" for r in rendered.manifest)
        for line, count in objects.items():
            for number in range(count):
                versions.setdefault((line, number), []).append(rendered.kube)
    everywhere = [rendered.kube for rendered in renders]
    return [
        line if kubes == everywhere else f"{line} (Kubernetes {', '.join(kubes)})"
        for (line, _), kubes in sorted(versions.items())
    ]


class Inventories:
    """A folder of inventories: "spark-job/03-all-on.txt" for the scenario "spark-job/03-all-on"."""

    def __init__(self, folder: Path, *, update: bool = False) -> None:
        """Take a folder; with ``update``, write what differs instead of reporting it."""
        self.folder = folder
        self._update = update
        self._seen: set[Path] = set()

    def difference(self, scenario: str, renders: Sequence[Rendered]) -> str:
        """What appeared (+) and vanished (-) against the checked-in inventory, or ""."""
        file = self.folder / f"{scenario}.txt"
        self._seen.add(file)
        now = lines(renders)
        if self._update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(f"{line}\n" for line in now))
        before = file.read_text().splitlines() if file.exists() else []
        return "\n".join(list(unified_diff(before, now, scenario, "rendered", lineterm="", n=0))[2:])

    def stale(self) -> list[str]:
        """Inventories of scenarios that were not asked about; with ``update``, they are removed."""
        found = sorted(set(self.folder.rglob("*.txt")) - self._seen)
        if self._update:
            for file in found:
                file.unlink()
            return []
        return [file.relative_to(self.folder).with_suffix("").as_posix() for file in found]
