"""The page at `/`, and all the routes of what people and scripts read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote

from aiohttp import web

from spark_ui_proxy.api import JsonApi, tagged
from spark_ui_proxy.board import Board, Source
from spark_ui_proxy.config import Config
from spark_ui_proxy.listing import Found
from spark_ui_proxy.page.assets import PREFIX
from spark_ui_proxy.page.rendering import HEADERS, Pages
from spark_ui_proxy.query import FINISHED, LIVE, Query, QueryError

COLUMNS = (
    ("state", "State", False),
    ("name", "Application", False),
    ("namespace", "Namespace", False),
    ("user", "User", False),
    ("started", "Started (UTC)", True),
    ("duration", "Duration", True),
    ("executors", "Executors", True),
    ("cpu", "CPU", True),
    ("memory", "Memory", True),
)
"""Columns that sort: key, heading, whether the first click shows the largest first."""
_TABS = (("", "All"), ("live", "Live"), ("pending", "Pending"), ("failed", "Failed"), ("finished", "Finished"))


@dataclass(frozen=True)
class Tab:
    """A link that shows one group of states, and how many there are."""

    state: str
    label: str
    count: int


class Site:
    """The page.

    Args:
        pages: renders it.
    """

    def __init__(self, board: Board, pages: Pages, config: Config) -> None:
        self._board = board
        self._pages = pages
        self._config = config
        self._script = pages.assets.url("page.js")

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The list, as the query asks; a query that means nothing shows all and says so."""
        sight = await self._board.viewing.sight(request)
        if sight is None:
            return self._who_are_you(request)
        wrong = ""
        try:
            query = Query.parse({key: value for key, value in request.query.items() if value})
        except QueryError as error:
            query, wrong = Query(), str(error)
        found, shown = self._board.find(query, sight)
        sources = self._board.sources(sight)
        tabs = _tabs(found)
        content = [
            *(self._script, sight.viewer, wrong, request.query_string, found.total, found.users),
            *([row.json() for row in shown], [source.json() for source in sources], [tab.count for tab in tabs]),
        ]
        tag = sha256(json.dumps(content).encode()).hexdigest()[:32]

        def make() -> web.Response:
            return self._pages.response(
                "page.html",
                viewer=sight.viewer,
                may_log_out=sight.may_log_out,
                by_ingress=sight.by_ingress,
                query=query,
                wrong=wrong,
                found=found,
                shown=shown,
                sources=sources,
                notices=_notices(sources),
                tabs=tabs,
                columns=COLUMNS,
                live_states=LIVE,
                now=datetime.now(UTC),
            )

        return tagged(request, tag, make, HEADERS)

    def _who_are_you(self, request: web.Request) -> web.Response:
        if self._config.login.mode == "token":
            raise web.HTTPFound(f"{self._config.base_path}/-/login?to={quote(request.path_qs)}")
        return self._pages.response(
            "message.html",
            status=401,
            heading="Who are you?",
            lines=["The ingress in front of this page has to say who you are, and did not. Its admin can mend that."],
            actions=[],
            code="",
            tone="error",
            again=0,
        )


def routes(board: Board, pages: Pages, config: Config) -> list[web.RouteDef]:
    """Page, API and static files, each below the base path."""
    own = [
        web.get("/", Site(board, pages, config).page),
        web.get(PREFIX + "{file}", pages.assets.serve),
        *JsonApi(board, config.base_path).routes(),
    ]
    return [web.route(route.method, config.base_path + route.path, route.handler) for route in own]


def _tabs(found: Found) -> list[Tab]:
    groups = {"": (*LIVE, *FINISHED), "live": LIVE, "finished": FINISHED}
    return [Tab(key, label, sum(found.states[state] for state in groups.get(key, (key,)))) for key, label in _TABS]


def _notices(sources: list[Source]) -> list[str]:
    """What is in trouble, a line each."""
    lines = [f"{source.name}: {source.problem}" for source in sources if source.problem]
    for source in sources:
        if source.history_problem:
            as_of = f"as of {source.as_of:%H:%M} UTC" if source.as_of else "not shown"
            name = "the shared history server" if source.name == "shs" else f"{source.name}: its history server"
            lines.append(f"{name} {source.history_problem}: finished applications are {as_of}")
    return lines
