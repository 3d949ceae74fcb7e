"""The answer to a request that does not reach an application: a page for people, a line of JSON for programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import web

from spark_ui_proxy.asked import Asked
from spark_ui_proxy.config import Config
from spark_ui_proxy.decide import Decision
from spark_ui_proxy.page.rendering import Pages
from spark_ui_proxy.paths import METHODS
from spark_ui_proxy.problem import problem

_SOON_S = 3


@dataclass(frozen=True)
class Message:
    """What an answer says.

    Attributes:
        status, heading: in a word.
        lines: what is wrong and what to do, a paragraph each.
        tone: as the page's template has it.
        code: a line to copy.
        again: after so many seconds the page asks again by itself.
    """

    status: HTTPStatus
    heading: str
    lines: tuple[str, ...]
    tone: str = "plain"
    code: str = ""
    again: int = 0


class Answers:
    """Turns decisions into answers.

    Args:
        config: where the service stands, and how people log in.
        pages: renders.
    """

    def __init__(self, config: Config, pages: Pages) -> None:
        self._base = config.base_path
        self._login_page = config.login.mode == "token"
        self._pages = pages

    def of(self, asked: Asked, decision: Decision, gateway: str) -> web.Response:
        """The answer.

        Args:
            asked: the request.
            decision: about it.
            gateway: why the gateway asks, though the request may pass: `unreachable`, `closed`, `https`, `slow`.
        """
        if decision.location:
            moved = decision.reason == "moved"
            return self._redirect(HTTPStatus.MOVED_PERMANENTLY if moved else HTTPStatus.FOUND, decision.location)
        if decision.reason == "login" and self._login_page and asked.wants_html and asked.method == "GET":
            return self._redirect(HTTPStatus.FOUND, f"{self._base}/-/login?to={quote(asked.target)}")
        name: str = decision.reason
        if name == "ok":
            # It is no application: a history server that has gone down, of which the watch has not heard yet.
            down = "unreachable" if decision.application else "no-history"
            name = gateway if gateway in ("slow", "https", "closed") else down
        return self._message(asked, decision, name, _MESSAGES[name](decision))

    def _message(self, asked: Asked, decision: Decision, name: str, message: Message) -> web.Response:
        if asked.wants_html:
            answer = self._pages.response(
                "message.html",
                status=message.status,
                heading=message.heading,
                lines=message.lines,
                actions=[("All applications", f"{self._base}/")],
                tone=message.tone,
                code=message.code,
                again=message.again,
                viewer=decision.person.user if decision.person else "",
            )
        else:
            detail = " ".join((*message.lines, message.code)).strip()
            answer = problem(message.status, message.heading, detail, reason=name)
        if message.again:
            answer.headers["Retry-After"] = str(message.again)
        if name == "login":
            answer.headers["WWW-Authenticate"] = "Bearer"
        if name == "bad-method":
            answer.headers["Allow"] = ", ".join(METHODS)
        return answer

    @staticmethod
    def _redirect(status: HTTPStatus, location: str) -> web.Response:
        return web.Response(status=status, headers={"Location": location, "Cache-Control": "private, no-store"})


def _whose(decision: Decision) -> str:
    if _is_history(decision):
        return "The history server"
    return decision.application.name if decision.application else "The application"


def _is_history(decision: Decision) -> bool:
    return decision.reason == "ok" and decision.application is None


def _tls(decision: Decision) -> str:
    """The setting by which Spark's server has TLS."""
    return "spark.ssl.historyServer.enabled" if _is_history(decision) else "spark.ssl.ui.enabled"


def _labels(decision: Decision) -> str:
    """Where a chart takes labels of the pod, and which keeps a sidecar out."""
    return f'{"labels" if _is_history(decision) else "driver.labels"}: {{sidecar.istio.io/inject: "false"}}'


def _where(decision: Decision) -> str:
    return decision.route.namespace if decision.route else ""


_MESSAGES: dict[str, Callable[[Decision], Message]] = {
    "login": lambda _: Message(
        HTTPStatus.UNAUTHORIZED,
        "Who are you?",
        ("Log in, or send a bearer token that the cluster accepts.",),
    ),
    "bad-identity": lambda d: Message(
        HTTPStatus.BAD_REQUEST,
        "The ingress says who you are in a way that is not accepted",
        (f"{d.detail}.", "An admin of the ingress can mend that."),
        tone="error",
    ),
    "bad-request": lambda d: Message(
        HTTPStatus.BAD_REQUEST, "This address is not served", (f"{d.detail[:1].upper()}{d.detail[1:]}.",), tone="error"
    ),
    "bad-method": lambda d: Message(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "This is not served",
        (f"{d.detail[:1].upper()}{d.detail[1:]}.",),
        tone="error",
    ),
    "forbidden": lambda _: Message(
        HTTPStatus.FORBIDDEN,
        "There is nothing here that you may see",
        ("The namespace is not shown, or you may not see its applications.", "Its viewers may: ask its admins."),
        tone="error",
    ),
    "kill-forbidden": lambda d: Message(
        HTTPStatus.FORBIDDEN,
        "You may look, but not end jobs",
        (f"Submitters of {_where(d)} may: ask its admins.",),
        tone="error",
    ),
    "kill-disabled": lambda _: Message(
        HTTPStatus.FORBIDDEN,
        "Nothing is ended from here",
        ("This site has switched that off. Who may delete the Job can end it with kubectl or helm.",),
        tone="error",
    ),
    "cross-site": lambda _: Message(
        HTTPStatus.FORBIDDEN,
        "Another site has asked for this",
        ("Jobs and stages are ended from their own page: open it, and choose there.",),
        tone="error",
    ),
    "not-found": lambda _: Message(
        HTTPStatus.NOT_FOUND,
        "There is no such application",
        ("No driver with this id runs, and the namespace has no history server, or none that is ready now, to ask.",),
    ),
    "ended": lambda d: Message(
        HTTPStatus.NOT_FOUND,
        f"{_whose(d)} has ended",
        ("The namespace has no history server, or none that is ready now, to show its pages.",),
    ),
    "not-ready": lambda d: Message(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"{_whose(d)} is starting",
        ("Its driver's pod does not run yet. This page looks again by itself.",),
        tone="wait",
        again=_SOON_S,
    ),
    "unsupported": lambda d: Message(
        HTTPStatus.BAD_GATEWAY,
        f"{_whose(d)} cannot be shown",
        (f"{d.detail[:1].upper()}{d.detail[1:]}.",),
        tone="error",
    ),
    "misconfigured": lambda d: Message(
        HTTPStatus.BAD_GATEWAY,
        f"{_whose(d)} sets the prefix of its UI itself",
        (f"None of its links would work here: {d.detail}.",),
        tone="error",
    ),
    "no-history": lambda d: Message(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The history server is away",
        (
            *((f"Its pod is there, but {d.detail}.",) if d.detail else ()),
            "Running applications are not touched by that. This page looks again by itself.",
        ),
        tone="wait",
        again=_SOON_S,
    ),
    "stale": lambda _: Message(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "What runs is not known at the moment",
        ("The cluster has been silent for a minute, or refuses this service. This page looks again by itself.",),
        tone="wait",
        again=_SOON_S,
    ),
    "unavailable": lambda _: Message(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The cluster does not answer",
        ("What you may see cannot be asked at the moment. This page looks again by itself.",),
        tone="wait",
        again=_SOON_S,
    ),
    "unreachable": lambda d: Message(
        HTTPStatus.BAD_GATEWAY,
        f"{_whose(d)} does not answer",
        (
            "Its pod runs, but takes no connection: Spark has not opened its UI yet, it is switched off "
            "(spark.ui.enabled=false), or a NetworkPolicy forbids it. This page looks again by itself.",
        ),
        tone="wait",
        again=_SOON_S,
    ),
    "closed": lambda d: Message(
        HTTPStatus.BAD_GATEWAY,
        f"{_whose(d)} ends the connection",
        (
            "Its pod accepts a connection, and ends it without an answer. If a service mesh asks for mutual TLS, let "
            "it accept plain connections at this port (Istio: portLevelMtls of a PeerAuthentication), or keep its "
            f"sidecar out of the pod ({_labels(d)}). If the UI speaks https, set {_tls(d)}=false. This page looks "
            "again by itself.",
        ),
        tone="wait",
        again=_SOON_S,
    ),
    "https": lambda d: Message(
        HTTPStatus.BAD_GATEWAY,
        f"{_whose(d)} shows its UI by https alone",
        (
            "This service reads the UI by http within the cluster, and the UI redirects to an https address of its "
            "own. Set the property below, and run the application again. Your browser's connection does not change: "
            "it is as this page's address says.",
        ),
        tone="error",
        code=f"{_tls(d)}=false",
    ),
    "slow": lambda d: Message(
        HTTPStatus.GATEWAY_TIMEOUT,
        f"{_whose(d)} takes too long",
        ("It has taken the request, and has not answered for a minute: it may be busy, or short of memory.",),
        tone="error",
    ),
}
