"""Lists of the API server, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kindling.connection import TIMEOUT_S
from kindling.errors import KindlingError
from kindling.limits import TooLargeError

PAGE = 500
"""Objects of a page; those of a megabyte come in smaller ones."""


class TooManyError(KindlingError):
    """There are more objects than are read."""


def items(listing: Callable[..., Any], *where: str, most: int, page: int = PAGE, **selectors: Any) -> Iterator[Any]:
    """The objects of a list.

    Args:
        listing: a method of the client.
        where: the namespace, if the method takes one.
        most: objects that are read.
        page: objects that are asked for at once.

    Raises:
        TooManyError: there are more; those before have been given.
        ApiException: what the API server says.
        ValueError: it is no list.
    """
    position, taken = "", 0
    while True:
        more = {"_continue": position} if position else {}
        try:
            found = listing(*where, limit=page, _request_timeout=TIMEOUT_S, **selectors, **more)
        except TooLargeError:
            if page == 1:
                raise
            page = max(1, page // 10)
            continue
        if found.metadata is None or found.items is None:
            raise ValueError("no list")
        yield from found.items
        taken += len(found.items)
        position = found.metadata._continue or ""
        if not position:
            return
        if taken >= most:
            raise TooManyError(f"there are more than {most}")
