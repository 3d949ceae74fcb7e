"""Logging in with a token, and out: plain forms, for which no other site can be the sender."""

from __future__ import annotations

import base64
import json
import logging
import time
from http import HTTPStatus

from aiohttp import web

from spark_ui_proxy.asked import Asked
from spark_ui_proxy.authz import asked_of
from spark_ui_proxy.config import Config
from spark_ui_proxy.identity import Person, TokenReader
from spark_ui_proxy.kube import ApiError
from spark_ui_proxy.page.rendering import Pages
from spark_ui_proxy.paths import BadTargetError, parse, plain_host
from spark_ui_proxy.session import Session, SessionError, Sessions

log = logging.getLogger(__name__)


class Login:
    """The handlers of `/-/login` and `/-/logout`.

    Args:
        config: where the service stands, how long a session lasts.
        tokens: asked whose a token is.
        sessions: makes cookies.
        pages: renders.
    """

    def __init__(self, config: Config, tokens: TokenReader, sessions: Sessions, pages: Pages) -> None:
        self._config = config
        self._tokens = tokens
        self._sessions = sessions
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        """They stand below the base path."""
        base = self._config.base_path
        return [
            web.get(f"{base}/-/login", self.show),
            web.post(f"{base}/-/login", self.log_in),
            web.post(f"{base}/-/logout", self.log_out),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """The form."""
        return self._form(self._page_after(request.query.get("to", ""), asked_of(request)))

    async def log_in(self, request: web.Request) -> web.Response:
        """Take the form: a session for a token that the API server knows."""
        asked = asked_of(request)
        if not asked.same_origin:
            return self._form("", "The form was sent by another site. Log in here.", HTTPStatus.FORBIDDEN)
        fields = await request.post()
        to = self._page_after(str(fields.get("to", "")), asked)
        token = "".join(str(fields.get("token", "")).split())
        try:
            person = await self._tokens.person(token)
            if person is None:
                log.info("login refused")
                return self._form(
                    to, "The cluster does not accept this token: it may have expired.", HTTPStatus.UNAUTHORIZED
                )
            cookie = self._sessions.header(self._session(person, token), plain_host(asked.host))
        except SessionError as error:
            return self._form(to, str(error), HTTPStatus.BAD_REQUEST)
        except ApiError:
            return self._form(to, "The cluster does not answer: try again in a moment.", HTTPStatus.SERVICE_UNAVAILABLE)
        log.info("login", extra={"user": person.user})
        return _see_other(to, cookie)

    async def log_out(self, request: web.Request) -> web.Response:
        """Remove the session."""
        if not asked_of(request).same_origin:
            raise web.HTTPForbidden(text="Another site has asked for this: log out on the page itself.\n")
        return _see_other(f"{self._config.base_path}/-/login", self._sessions.end())

    def _form(self, to: str, problem: str = "", status: HTTPStatus = HTTPStatus.OK) -> web.Response:
        return self._pages.response("login.html", status=status, to=to, problem=problem)

    def _page_after(self, to: str, asked: Asked) -> str:
        """Where to go after the login: a path of this service, or its page."""
        home = f"{self._config.base_path}/"
        try:
            return to if parse(to, asked.host, self._config).kind else home
        except BadTargetError:
            return home

    def _session(self, person: Person, token: str) -> Session:
        ends = min(time.time() + self._config.login.session_seconds, _expiry(token))
        if person.token:
            return Session("", (), token, int(ends))
        return Session(person.user, person.groups, "", int(ends))


def _expiry(token: str) -> float:
    """When a token that the API server accepted says that it ends; never, if it does not say."""
    try:
        claims = token.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"])
    except (LookupError, ValueError, TypeError):
        return float("inf")


def _see_other(location: str, cookie: str) -> web.Response:
    headers = {"Location": location, "Set-Cookie": cookie, "Cache-Control": "no-store"}
    return web.Response(status=HTTPStatus.SEE_OTHER, headers=headers)
