"""Answers that count for a while: bounded, each asked for once at a time."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_MOST = 20_000
_AT_ONCE = 32
"""Questions under way; the others wait: who sends many tokens takes the API server from nobody else."""


class Memory(Generic[K, V]):
    """Remembers answers.

    Args:
        name: of what it remembers, in metrics.
        seconds: how long an answer counts.

    Attributes:
        hits, misses: how often an answer was there, and was not.
    """

    def __init__(self, name: str, seconds: Callable[[V], float]) -> None:
        self.name = name
        self.hits = 0
        self.misses = 0
        self._seconds = seconds
        self._answers: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._asked: dict[K, asyncio.Task[V]] = {}
        self._room = asyncio.Semaphore(_AT_ONCE)

    def last(self, key: K) -> tuple[float, V] | None:
        """The last answer, and until when it counts or counted (`time.monotonic`); None: there is none."""
        return self._answers.get(key)

    async def get(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        """The answer to a question; it is asked if none is there that counts. A failure is not remembered."""
        until, answer = self._answers.get(key, (0.0, None))
        if time.monotonic() < until:
            self.hits += 1
            return answer  # type: ignore[return-value] # None only if it is the answer
        self.misses += 1
        task = self._asked.get(key)
        if task is None:
            # A task of its own: who asked first may go away while others wait.
            task = self._asked[key] = asyncio.ensure_future(self._learn(key, ask))
            task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    async def _learn(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        async with self._room:
            answer = await ask()
        self._answers[key] = (time.monotonic() + self._seconds(answer), answer)
        self._answers.move_to_end(key)
        while len(self._answers) > _MOST:
            self._answers.popitem(last=False)
        return answer

    def _forget(self, key: K, done: asyncio.Task[V]) -> None:
        self._asked.pop(key, None)
        if not done.cancelled():
            done.exception()  # told to those who wait; nobody may wait any more
