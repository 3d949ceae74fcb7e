"""nginx's control socket: it is told that a target is gone, and tells how many requests it has served."""

from __future__ import annotations

import asyncio
import logging

import aiohttp

log = logging.getLogger(__name__)
_TIMEOUT = aiohttp.ClientTimeout(total=2.0)
_PAUSE_S = 0.5
_TRIES = 5


class Control:
    """Speaks to the socket; words that come together are said once.

    Args:
        socket: its path.
    """

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._gone = asyncio.Event()

    def target_gone(self) -> None:
        """An address is another's from now on: no decision about it may be kept."""
        self._gone.set()

    async def run(self) -> None:
        """Speak until cancelled. What nginx never hears counts for as long as it keeps a decision: seconds."""
        while True:
            await self._gone.wait()
            self._gone.clear()
            for _ in range(_TRIES):
                if await self._ask("POST", "/forget") is not None:
                    break
                await asyncio.sleep(_PAUSE_S)

    async def counts(self) -> str:
        """What it has counted, a line each; "": it does not listen."""
        return await self._ask("GET", "/counts") or ""

    async def _ask(self, method: str, path: str) -> str | None:
        connector = aiohttp.UnixConnector(self._socket)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session,
                session.request(method, f"http://gateway{path}", raise_for_status=True) as answer,
            ):
                return await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("gateway does not listen", extra={"problem": type(error).__name__})
            return None
