"""What a server answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any
from urllib.error import HTTPError


@dataclass(frozen=True)
class Answer:
    """An answer of HTTP.

    Attributes:
        headers: names in small letters; of several with one name, all values with ", " between.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, response: HTTPResponse | HTTPError) -> Answer:
        """Read a response to its end."""
        headers: dict[str, str] = {}
        for name, value in response.headers.items():
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        status = response.code if isinstance(response, HTTPError) else response.status
        return cls(status, headers, response.read())

    @property
    def text(self) -> str:
        """The body, read as UTF-8."""
        return self.body.decode(errors="replace")

    @property
    def json(self) -> Any:
        """The body, parsed; None if there is none."""
        return json.loads(self.body or b"null")

    @property
    def location(self) -> str:
        """Where a redirect leads; "" of any other."""
        return self.headers.get("location", "")

    @property
    def cookie(self) -> str:
        """The cookies that it sets and does not remove, as a browser sends them back in a Cookie header."""
        pairs = [cookie.partition(";")[0] for cookie in self.headers.get("set-cookie", "").split(", ")]
        return "; ".join(pair for pair in pairs if pair.partition("=")[2])

    @property
    def reason(self) -> str:
        """Of the decider's `/authz`."""
        return self.headers.get("x-reason", "")
