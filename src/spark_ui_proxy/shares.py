"""Places for what the service asks of pods: slow pods of one namespace delay no other's."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class Shares:
    """A share of places for each namespace.

    Args:
        each: questions that one namespace's pods may leave open at the same time; others of that namespace wait.
    """

    def __init__(self, each: int) -> None:
        self._each = each
        self._rooms: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def of(self, namespace: str) -> asyncio.Semaphore:
        """A namespace's, for `async with`; kept for as long as somebody is in it, or waits."""
        room = self._rooms.get(namespace)
        if room is None:
            room = self._rooms[namespace] = asyncio.Semaphore(self._each)
        return room
