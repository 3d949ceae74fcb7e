"""What the page and its API ask of the rest of the service: who looks, and how the watches do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web


@dataclass(frozen=True)
class Sight:
    """What somebody may see.

    Attributes:
        viewer: who it is, as the page shows it; "" where nobody needs to log in.
        may_log_out: a session of ours ends by logging out.
        namespaces: of the applications that they may see.
        everything: they may see every namespace, and so the shared history.
        by_ingress: the ingress in front says who it is, and has their session.
    """

    viewer: str
    may_log_out: bool
    namespaces: frozenset[str]
    everything: bool = False
    by_ingress: bool = False


class Viewing(Protocol):
    """The two questions."""

    async def sight(self, request: web.Request) -> Sight | None:
        """What the one who asks may see; None: they have to log in."""

    def problems(self) -> Mapping[str, str]:
        """Namespace -> why its watch is in trouble, in a line."""
