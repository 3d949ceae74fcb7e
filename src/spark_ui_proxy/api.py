"""The JSON API below `/-/api/v1/`; openapi.yaml beside this file is its description, and what its tests hold it to."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any

import yaml
from aiohttp import web

from spark_ui_proxy.board import Board
from spark_ui_proxy.problem import HEADERS, problem
from spark_ui_proxy.query import Query, QueryError
from spark_ui_proxy.viewing import Sight

PREFIX = "/-/api/v1"
Answer = Callable[[web.Request, Sight], Any]


class JsonApi:
    """Its handlers.

    Args:
        base_path: of the service, "" or "/spark".
    """

    def __init__(self, board: Board, base_path: str) -> None:
        self._board = board
        document = yaml.safe_load(files(__package__).joinpath("openapi.yaml").read_text())
        self._document = {**document, "servers": [{"url": base_path or "/"}]}

    def routes(self) -> list[web.RouteDef]:
        """What it serves, below the base path."""
        return [
            web.get("/-/openapi.json", self._openapi),
            web.get(f"{PREFIX}/applications", self._answer(self._applications)),
            web.get(f"{PREFIX}/applications/{{namespace}}/{{id}}", self._answer(self._application)),
            web.get(f"{PREFIX}/namespaces", self._answer(self._namespaces)),
            web.route("*", PREFIX + "/{rest:.*}", self._unknown),
        ]

    def _answer(self, find: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handler(request: web.Request) -> web.StreamResponse:
            sight = await self._board.viewing.sight(request)
            if sight is None:
                answer = problem(
                    401, "Log in", "the request has no identity: give a Kubernetes token as a bearer token"
                )
                answer.headers["WWW-Authenticate"] = "Bearer"
                return answer
            try:
                found = find(request, sight)
            except QueryError as error:
                return problem(400, "This query means nothing", str(error))
            if isinstance(found, web.StreamResponse):
                return found
            body = json.dumps(found, separators=(",", ":")).encode()
            return tagged(
                request,
                sha256(body).hexdigest()[:32],
                lambda: web.Response(body=body, content_type="application/json"),
                HEADERS,
            )

        return handler

    def _applications(self, request: web.Request, sight: Sight) -> Any:
        query = Query.parse(request.query)
        found, shown = self._board.find(query, sight)
        return {
            "items": [application.json() for application in shown],
            "total": found.total,
            "page": min(query.page, found.pages),
            "pages": found.pages,
            "limit": query.limit,
            "states": dict(sorted(found.states.items())),
        }

    def _application(self, request: web.Request, sight: Sight) -> Any:
        namespace, app_id = request.match_info["namespace"], request.match_info["id"]
        shown = self._board.get(namespace, app_id, sight)
        if not shown:
            detail = f"no application {app_id} in namespace {namespace} is known that you may see"
            return problem(404, "There is no such application", detail)
        return shown.json()

    def _namespaces(self, _: web.Request, sight: Sight) -> Any:
        return {"items": [source.json() for source in self._board.sources(sight)]}

    async def _openapi(self, _: web.Request) -> web.Response:
        return web.json_response(self._document, headers={"X-Content-Type-Options": "nosniff"})

    async def _unknown(self, request: web.Request) -> web.Response:
        if request.method not in ("GET", "HEAD"):
            return problem(405, "Nothing is changed here", f"{request.method} is not answered: use GET")
        return problem(404, "There is no such resource", f"{request.path} is not known: see /-/openapi.json")


def tagged(
    request: web.Request, tag: str, make: Callable[[], web.Response], headers: Mapping[str, str]
) -> web.StreamResponse:
    """An answer with its ETag, or 304 if who asks has it; it is made only when it is needed."""
    etag = f'W/"{tag}"'
    known = request.headers.get("If-None-Match", "")
    if etag in (part.strip() for part in known.split(",")):
        return web.Response(status=304, headers={**headers, "ETag": etag})
    answer = make()
    answer.headers.update({**headers, "ETag": etag})
    return answer
