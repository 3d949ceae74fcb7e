"""What goes wrong in a page of a browser."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from playwright.sync_api import ConsoleMessage, Error, Page, Response


class Faults:
    """Errors of a page's console and scripts, and answers that are errors; other failed requests are in the console.

    Args:
        page: from now on.
        levels: of the console, that count.
        harmless: errors of scripts that count for nothing.

    Attributes:
        found: a line each.
    """

    def __init__(self, page: Page, levels: Collection[str] = ("error",), harmless: Collection[str] = ()) -> None:
        self.found: list[str] = []
        self._levels, self._harmless = levels, harmless
        self._expected = 0
        self._page = page
        page.on("console", self._console)
        page.on("pageerror", self._script)
        page.on("response", self._response)

    @contextmanager
    def expecting(self, status: int) -> Iterator[None]:
        """Meanwhile an answer of that status is none, nor what the console says of it."""
        self._expected = status
        yield
        self._expected = 0

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in self._levels and not self._expected:
            self.found.append(f"{self._page.url}: {message.text}")

    def _script(self, error: Error) -> None:
        if str(error) not in self._harmless:
            self.found.append(str(error))

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status != self._expected:
            self.found.append(f"{response.status} {response.url}")
