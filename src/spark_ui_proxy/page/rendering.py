"""Templates to HTML, and the headers that go with each page."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from spark_ui_proxy.board import iso
from spark_ui_proxy.page import words
from spark_ui_proxy.page.assets import Assets

HEADERS = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cache-Control": "private, no-cache",
        "Vary": "Cookie, Authorization",
    }
)
"""Of every page: nothing from elsewhere runs in it, nobody frames it, no cache gives it to another person."""


class Pages:
    """Renders the templates of this package; all that is put into one is escaped.

    Args:
        base_path: of the service, "" or "/spark".
    """

    def __init__(self, base_path: str) -> None:
        self.assets = Assets(base_path)
        self._environment = Environment(
            loader=PackageLoader("spark_ui_proxy.page"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            base=base_path, static=self.assets.url, viewer="", may_log_out=False, by_ingress=False
        )
        self._environment.filters.update(
            duration=words.duration, amount=words.amount, memory=words.memory, clock=words.clock, iso=iso
        )

    def html(self, template: str, **context: Any) -> str:
        """The text of a page.

        Args:
            template: file of `templates/`.
            context: what the template names in its first lines; every page also takes `viewer` (the name of who looks,
                or ""), `may_log_out` and `by_ingress`.
        """
        return self._environment.get_template(template).render(context)

    def response(self, template: str, status: int = 200, **context: Any) -> web.Response:
        """A page as an answer, with the headers of every page."""
        text = self.html(template, **context)
        return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)
