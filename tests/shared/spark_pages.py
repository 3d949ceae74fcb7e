"""Spark's pages in Chromium, below their prefix: what a person would find wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from faults import Faults
from playwright.sync_api import Browser, Page
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


class Window:
    """Chromium's, at an application.

    Args:
        page: of the browser.
        root: URL of the application, without a "/" at its end.
        prefix: URL that no link may leave.

    Attributes:
        page, root: as given.
        faults: what went wrong, requests to elsewhere too.
    """

    def __init__(self, page: Page, root: str, prefix: str) -> None:
        self.page = page
        self.faults = Faults(page, harmless=[_OF_SPARK_ITSELF])
        self.root, self._prefix = root, prefix
        found = self.faults.found
        page.on("requestfailed", lambda request: found.append(f"{request.url}: {request.failure}"))
        page.on("request", lambda request: found.extend(self._outside([request.url])))

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
        assert self.faults.found + self._outside(links) == [], what

    def _outside(self, urls: Iterable[str]) -> list[str]:
        return [f"outside: {url}" for url in urls if not url.startswith((self._prefix, *_INSIDE_ITSELF))]


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
    try:
        yield Window(context.new_page(), base + path, f"{base}{prefix or path}/")
    finally:
        context.close()
