"""Phases of a long run: what is being done now, for how long, and a table of times at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kindling.terminal import screen

_HEARTBEAT_S = 30.0


class Progress:
    """Prints one line when a step starts, one while it lasts every 30 s, and one when it ends."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or screen(markup=True)
        self._started = time.monotonic()
        self._phases: list[tuple[str, float]] = []

    def say(self, text: str) -> None:
        """Print a line under the phase that runs."""
        self.console.print(f"  {escape(text)}")

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:
        """A part of the run that the table at the end names, with its seconds."""
        begin = time.monotonic()
        self.console.print(f"[bold]▶ {escape(title)}[/bold]")
        try:
            yield
        finally:
            self._phases.append((title, time.monotonic() - begin))

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """A piece of work that may take long; steps may overlap when threads run them."""
        begin = time.monotonic()
        over = threading.Event()
        self.say(f"{text} …")

        def heartbeat() -> None:
            while not over.wait(_HEARTBEAT_S):
                self.say(f"  still: {text} ({time.monotonic() - begin:.0f} s)")

        thread = threading.Thread(target=heartbeat, daemon=True)
        thread.start()
        ended = "failed after "
        try:
            yield
            ended = ""
        finally:
            over.set()
            thread.join()
            self.say(f"{text}: {ended}{time.monotonic() - begin:.1f} s")

    def print_table(self) -> None:
        """Print the seconds of each phase, and of the whole run so far; nothing of a run without phases."""
        if not self._phases:
            return
        table = Table("phase", "seconds", title="time", title_justify="left")
        table.columns[1].justify = "right"
        for title, seconds in self._phases:
            table.add_row(title, f"{seconds:.1f}")
        table.add_row("[bold]in all[/bold]", f"[bold]{time.monotonic() - self._started:.1f}[/bold]")
        self.console.print(table)
