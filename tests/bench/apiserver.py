"""Seconds until a real API server with its controllers is ready. Run: scripts/bootstrap tests.bench.apiserver [N]"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from chartproof.apiserver.server import api_server
from kindling_dev.apiservers import ensure_apiservers
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings


def main(rounds: int) -> None:
    """Start each version in turn, as often as asked; print median and spread."""
    programs = ensure_apiservers(Settings.from_environment(), Progress())
    for version in sorted(path.name for path in programs.iterdir()):
        seconds = []
        for _ in range(rounds):
            with (
                tempfile.TemporaryDirectory() as folder,
                api_server(version, programs / version, Path(folder) / "server") as server,
            ):
                seconds.append(server.ready_s)
        print(f"Kubernetes {version}: {statistics.median(seconds):.1f} s ({min(seconds):.1f}-{max(seconds):.1f})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
