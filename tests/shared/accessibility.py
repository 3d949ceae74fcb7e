"""What axe-core finds on a page."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> str:
    """What breaks the rules of WCAG 2.2, level AA, and axe's own good practice; "": nothing."""
    results = Axe().run(page, options={"runOnly": _RULES})
    return str(results.generate_report()) if results.violations_count else ""
