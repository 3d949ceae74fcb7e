"""Follows the links of pages, as far as a program sees them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

from answers import Answer

_POINTING = ("href", "src", "action", "formaction")
_REDIRECTS = (301, 302, 307)


def crawl(ask: Callable[[str], Answer], prefix: str, starts: Iterable[str], enough: int) -> set[str]:
    """Ask for pages and for what they link to, and so on, until there is no more or enough; return what was asked.

    Args:
        ask: for a path; a redirect is not followed.
        prefix: where all links must stay, "/team-a/proxy/app-1/".
        starts: paths.
        enough: so many links.

    Raises:
        AssertionError: one does not answer, or leads elsewhere.
    """
    asked: set[str] = set()
    waiting = deque(starts)
    while waiting and len(asked) < enough:
        page = waiting.popleft()
        if page in asked:
            continue
        asked.add(page)
        for link in _links_of(page, ask):
            assert link.startswith(prefix), f"{page} links to {link}, outside of {prefix}"
            # What ends a job is no page.
            if "kill" not in link.lower():
                waiting.append(link)
    return asked


def _links_of(page: str, ask: Callable[[str], Answer]) -> Iterator[str]:
    answer = ask(page)
    if answer.location == page:
        answer = ask(page)  # now the history server has loaded the application
    assert answer.status == 200 or answer.status in _REDIRECTS, f"{page}: {answer.status} {answer.text[:300]}"
    if answer.location:
        yield answer.location
    if answer.text.lstrip()[:9].lower() != "<!doctype":
        return
    parser = _Parser()
    parser.feed(answer.text)
    for link in parser.links:
        if urlsplit(link).scheme not in ("javascript", "data"):
            # As a browser asks for it.
            yield urldefrag(urljoin(page, link.strip().replace(" ", "%20"))).url


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        """Keep where it points to."""
        self.links += [value for name, value in attrs if name in _POINTING and value]
