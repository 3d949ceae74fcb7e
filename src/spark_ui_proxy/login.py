"""Logging in with a token, and out: plain forms, for which no other site can be the sender."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from aiohttp import web

from spark_ui_proxy.asked import Asked
from spark_ui_proxy.authz import asked_of
from spark_ui_proxy.config import Config
from spark_ui_proxy.identity import LONGEST_TOKEN, Identity, Person, TokenReader, WhyOver, claims
from spark_ui_proxy.kube import ApiError
from spark_ui_proxy.logouts import Logouts
from spark_ui_proxy.page.rendering import Pages
from spark_ui_proxy.paths import BadTargetError, parse, plain_host
from spark_ui_proxy.session import Session, SessionError, Sessions

log = logging.getLogger(__name__)
_WHY_OVER: dict[WhyOver, str] = {
    "logout": "This session is over: its account has logged out.",
    "token": "This session is over: the cluster no longer accepts the token that it began with.",
}
_TOO_LONG = (
    f"This token has {{:,}} characters, and {LONGEST_TOKEN:,} is the most that is taken here: log in with one that "
    "names fewer groups, such as a service account's."
)


class Login:
    """The handlers of `/-/login` and `/-/logout`.

    Args:
        config: where the service stands, how long a session lasts.
        tokens: asked whose a token is.
        sessions: makes cookies.
        identity: knows why a session counts no longer.
        logouts: ends sessions.
        pages: renders.
    """

    def __init__(
        self,
        config: Config,
        tokens: TokenReader,
        sessions: Sessions,
        identity: Identity,
        logouts: Logouts,
        pages: Pages,
    ) -> None:
        self._config = config
        self._tokens = tokens
        self._sessions = sessions
        self._identity = identity
        self._logouts = logouts
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
        """The form; to a browser whose session is over, why it is."""
        asked = asked_of(request)
        to = self._page_after(request.query.get("to", ""), asked)
        try:
            why = await self._identity.why_over(asked)
        except ApiError:
            why = None
        answer = self._form(to, said=_WHY_OVER[why] if why else "")
        if why:
            _set(answer, self._sessions.end())
        return answer

    async def log_in(self, request: web.Request) -> web.Response:
        """Take the form: a session for a token that the API server knows."""
        asked = asked_of(request)
        if not asked.same_origin:
            return self._form("", "The form was sent by another site. Log in here.", HTTPStatus.FORBIDDEN)
        fields = await request.post()
        to = self._page_after(str(fields.get("to", "")), asked)
        token = "".join(str(fields.get("token", "")).split())
        if len(token) > LONGEST_TOKEN:
            return self._form(to, _TOO_LONG.format(len(token)), HTTPStatus.BAD_REQUEST)
        try:
            person = await self._tokens.person(token)
            if person is None:
                log.info("login refused")
                return self._form(
                    to, "The cluster does not accept this token: it may have expired.", HTTPStatus.UNAUTHORIZED
                )
            cookies = self._cookies(person, token, plain_host(asked.host))
        except SessionError as error:
            return self._form(to, str(error), HTTPStatus.BAD_REQUEST)
        except ApiError:
            return self._form(to, "The cluster does not answer: try again in a moment.", HTTPStatus.SERVICE_UNAVAILABLE)
        log.info("login", extra={"user": person.user})
        return _see_other(to, cookies)

    async def log_out(self, request: web.Request) -> web.Response:
        """End all sessions of the account, and remove the cookie of this one."""
        asked = asked_of(request)
        if not asked.same_origin:
            raise web.HTTPForbidden(text="Another site has asked for this: log out on the page itself.\n")
        sessions = list(self._sessions.read(asked.header("cookie"), plain_host(asked.host)))
        told = await self._logouts.end(sessions)
        for session in sessions:
            log.info("logout", extra={"user": session.user, "told": told})
        if told:
            return _see_other(f"{self._config.base_path}/-/login", self._sessions.end())
        last = datetime.fromtimestamp(max(session.ends for session in sessions), UTC)
        answer = self._form(
            f"{self._config.base_path}/",
            "You are logged out in this browser. Other replicas of this service cannot be told at the moment: a copy "
            f"of your session may count there until they can, at most until {last:%H:%M} UTC.",
            HTTPStatus.SERVICE_UNAVAILABLE,
        )
        _set(answer, self._sessions.end())
        return answer

    def _form(self, to: str, problem: str = "", status: HTTPStatus = HTTPStatus.OK, *, said: str = "") -> web.Response:
        login = self._config.login
        return self._pages.response(
            "login.html",
            status=status,
            to=to,
            problem=problem,
            said=said,
            longest=timedelta(seconds=login.session_seconds),
            review=timedelta(seconds=login.review_seconds),
        )

    def _page_after(self, to: str, asked: Asked) -> str:
        """Where to go after the login: a path of this service, or its page."""
        home = f"{self._config.base_path}/"
        try:
            return to if parse(to, asked.host, self._config).kind else home
        except BadTargetError:
            return home

    def _cookies(self, person: Person, token: str, host: str) -> list[str]:
        """A session's Set-Cookie headers.

        Raises:
            SessionError: no cookies can hold it.
            ApiError: it cannot be known which sessions are over.
        """
        ends = min(time.time() + self._config.login.session_seconds, _expiry(token))
        user = person.account or person.user
        return self._sessions.headers(Session(user, token, self._logouts.first_moment(user), int(ends)), host)


def _expiry(token: str) -> float:
    """When a token that the API server accepted says that it ends; never, if it does not say."""
    try:
        return float(claims(token)["exp"])
    except (LookupError, ValueError, TypeError):
        return float("inf")


def _see_other(location: str, cookies: list[str]) -> web.Response:
    answer = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": location, "Cache-Control": "no-store"})
    _set(answer, cookies)
    return answer


def _set(answer: web.Response, cookies: list[str]) -> None:
    for cookie in cookies:
        answer.headers.add("Set-Cookie", cookie)
