"""Spark's pages in Chromium, below their prefix: what a person would find wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, Response
from proxy_world import Door

_LINKS = """elements => elements.flatMap(
    element => ["href", "src", "action"]
        .map(name => element.getAttribute(name))
        .filter(link => link)
        .map(link => new URL(link, document.baseURI).href)
)"""
_OF_SPARK_ITSELF = "onClickTimeline is not defined"
"""Spark 4.3's page of DStreams says so without a proxy too: its module sets a name that it does not declare."""
_INSIDE_ITSELF = ("data:", "blob:", "javascript:")
PAGES = {
    "jobs/": "Spark Jobs",
    "stages/": "Stages for All Jobs",
    "stages/stage/?id=0&attempt=0": "Details for Stage 0",
    "storage/": "Storage",
    "environment/": "Environment",
    "executors/": "Executors",
    "SQL/": "SQL",
    "StreamingQuery/": "Streaming Query",
}
"""Of any application, and what each says."""
LIVE = {
    "executors/threadDump/?executorId=driver": "Thread dump",
    "executors/heapHistogram/?executorId=driver": "Heap Histogram",
    "streaming/": "Streaming Statistics",
}
"""Of one that runs."""
BATCHES = ("streaming/", "a[href*='batch?id=']")
"""A page with links to details, and which they are: of Spark's older streaming, which no history has."""
_DETAILS = (
    ("jobs/", "a[href*='/jobs/job/?id=']"),
    ("SQL/", "a[href*='/SQL/execution/?id=']"),
    ("storage/", "a[href*='/storage/rdd/?id=']"),
    ("StreamingQuery/", "a[href*='/StreamingQuery/statistics']"),
)
_SESSIONS = ("connect/", "a[href*='/connect/session/']")


@dataclass
class Window:
    """Chromium's, at an application.

    Attributes:
        root: URL of the application, without a "/" at its end.
        prefix: URL that no link may leave.
        wrong: errors of the console, requests that failed, and links to elsewhere.
    """

    page: Page
    root: str
    prefix: str
    wrong: list[str] = field(default_factory=list)

    def walks(self, line: str, pages: Mapping[str, str], *details: tuple[str, str]) -> None:
        """All pages of an application of tests/proxy/apps/busy.py show something.

        Args:
            line: of Spark; the driver of 4.3 is a Spark Connect server.
            pages: more than those of any application.
            details: more pages with links to details, and which these are.
        """
        connect = {} if line == "3.5" else {"connect/": "Spark Connect"}
        for path, text in {**PAGES, **connect, **pages}.items():
            self.shows(path, text)
        for start, link in (*_DETAILS, *([_SESSIONS] if connect else []), *details):
            self.follows(start, link)
        self.shows("executors/", "Executors")
        self.page.locator("#active-executors-table td", has_text="driver").first.wait_for()

    def shows(self, path: str, text: str) -> None:
        """A page says something, and nothing is wrong with it."""
        self.page.goto(f"{self.root}/{path}", wait_until="networkidle")
        assert text.lower() in self.page.inner_text("body").lower(), f"{path} does not say {text!r}"
        self._is_well(path)

    def follows(self, start: str, link: str) -> None:
        """The last of some links of a page leads to another one, and nothing is wrong with that."""
        self.page.goto(f"{self.root}/{start}", wait_until="networkidle")
        here = self.page.url
        self.page.locator(link).last.click()
        self.page.wait_for_url(lambda url: url != here, wait_until="networkidle")
        self._is_well(f"{start} {link}")

    def _is_well(self, what: str) -> None:
        links: list[str] = self.page.locator("[href], [src], [action]").evaluate_all(_LINKS)
        assert links, f"{what} has no links"
        self.wrong += [f"link: {link}" for link in links if self._leaves(link)]
        assert not self.wrong, f"{what}: {self.wrong}"

    def watch(self) -> None:
        """From now on whatever goes wrong is kept."""
        self.page.on("console", self._console)
        self.page.on("pageerror", self._error)
        self.page.on("requestfailed", lambda request: self.wrong.append(f"{request.url}: {request.failure}"))
        self.page.on("response", self._response)
        self.page.on("request", self._request)

    def _leaves(self, url: str) -> bool:
        return not url.startswith((self.prefix, *_INSIDE_ITSELF))

    def _console(self, line: ConsoleMessage) -> None:
        if line.type == "error":
            self.wrong.append(f"console: {line.text}")

    def _error(self, error: Error) -> None:
        if str(error) != _OF_SPARK_ITSELF:
            self.wrong.append(f"script: {error}")

    def _response(self, answer: Response) -> None:
        if answer.status >= 400:
            self.wrong.append(f"{answer.url}: {answer.status}")

    def _request(self, request: Request) -> None:
        if self._leaves(request.url):
            self.wrong.append(f"outside: {request.url}")


@contextmanager
def window(chromium: Browser, door: Door, path: str, token: str, prefix: str = "") -> Iterator[Window]:
    """A window of somebody who has logged in.

    Args:
        door: the service.
        path: of the application, below the base, without a "/" at its end.
        token: of who looks.
        prefix: below the base, that no link may leave; that of the application unless given.
    """
    context = chromium.new_context()
    context.set_default_timeout(120_000)
    base = f"http://{door.host}{door.base}"
    name, _, value = door.session(token).partition("=")
    context.add_cookies([{"name": name, "value": value, "url": base}])
    opened = Window(context.new_page(), base + path, f"{base}{prefix or path}/")
    opened.watch()
    try:
        yield opened
    finally:
        context.close()
