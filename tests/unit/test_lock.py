"""Runs at the same time make a program or an image once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from kindling_dev.lock import one_at_a_time
from kindling_dev.progress import Progress


def test_one_run_at_a_time_makes_a_thing(tmp_path: Path) -> None:
    made, inside = tmp_path / "made", []

    def run() -> None:
        with one_at_a_time(tmp_path / "locks/made.lock", Progress()):
            inside.append("begins")
            if not made.exists():
                time.sleep(0.2)
                made.write_text(str(threading.get_ident()))
            inside.append("ends")

    runs = [threading.Thread(target=run) for _ in range(3)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert inside == ["begins", "ends"] * 3
