"""A client's request, as the gateway tells of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Asked:
    """A request.

    Attributes:
        method, target, host: as the client sent them; the target raw.
        headers: the values of each header, by name in small letters.
    """

    method: str
    target: str
    host: str
    headers: Mapping[str, Sequence[str]] = field(repr=False)

    def header(self, name: str) -> str:
        """The one value of a header, or ""."""
        values = self.headers.get(name, ())
        return values[0] if len(values) == 1 else ""

    @property
    def same_origin(self) -> bool:
        """Whether a page of this very host sends it, by what browsers let no script change."""
        site = self.header("sec-fetch-site")
        if site:
            return site == "same-origin"
        try:
            source = urlsplit(self.header("origin") or self.header("referer"))
        except ValueError:
            return False
        if source.scheme not in _DEFAULT_PORTS:
            return False
        default = f":{_DEFAULT_PORTS[source.scheme]}"
        return source.netloc.lower().removesuffix(default) == self.host.lower().removesuffix(default)

    @property
    def wants_html(self) -> bool:
        """Whether a person reads the answer."""
        return "text/html" in self.header("accept")
