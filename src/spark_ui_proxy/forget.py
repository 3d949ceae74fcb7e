"""Tells nginx that a target or a session is gone, so that it keeps no decision about it."""

from __future__ import annotations

import asyncio
import logging

import aiohttp

log = logging.getLogger(__name__)
_TIMEOUT = aiohttp.ClientTimeout(total=2.0)
_PAUSE_S = 0.5
_TRIES = 5


class Forgetting:
    """Speaks to nginx's control socket; words that come together are said once.

    Args:
        socket: its path.
    """

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._gone = asyncio.Event()

    def decisions(self) -> None:
        """An address is another's from now on, or a session is over."""
        self._gone.set()

    async def run(self) -> None:
        """Speak until cancelled. What nginx never hears counts for as long as it keeps a decision: seconds."""
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(self._socket), timeout=_TIMEOUT) as session:
            while True:
                await self._gone.wait()
                self._gone.clear()
                for _ in range(_TRIES):
                    if await self._say(session):
                        break
                    await asyncio.sleep(_PAUSE_S)

    async def _say(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.post("http://gateway/forget") as answer:
                return answer.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("gateway does not listen", extra={"problem": type(error).__name__})
            return False
