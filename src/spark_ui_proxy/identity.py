"""Who asks: from a bearer token, a session, or the headers of an authenticating ingress."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from spark_ui_proxy.asked import Asked
from spark_ui_proxy.config import Config, ConfigError, TrustedHeaders
from spark_ui_proxy.files import Reread
from spark_ui_proxy.kube import Api, ApiError
from spark_ui_proxy.logouts import Logouts
from spark_ui_proxy.memory import Memory
from spark_ui_proxy.paths import plain_host
from spark_ui_proxy.session import Session, Sessions

log = logging.getLogger(__name__)
AUTHENTICATED = "system:authenticated"
WhyOver = Literal[
    "logout",  # the account has logged out since
    "token",  # the API server accepts its token no longer
]
VERIFIED_HEADER = "X-Client-Verified"
"""Set by nginx alone: SUCCESS if the client has shown a certificate of the authority that is configured."""
_SHORTEST_SECRET = 16
LONGEST_TOKEN = 32_768
"""Characters; one that names 400 groups of Entra ID has 21,000."""
_TOKEN = re.compile(rf"[A-Za-z0-9._~+/=-]{{1,{LONGEST_TOKEN}}}")
_REVIEWS = "/apis/authentication.k8s.io/v1"
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404


@dataclass(frozen=True)
class Person:
    """Somebody, as the API server knows them.

    Attributes:
        user, groups: as RBAC names them.
        token: with which they ask the API server themselves (`reviews: namespace`), or "".
        via: how they are known.
        account: whose sessions end together, where `user` is not known, or "".
    """

    user: str
    groups: tuple[str, ...]
    token: str = field(default="", repr=False)
    via: Literal["bearer", "session", "header", "anonymous"] = "bearer"
    account: str = ""

    @property
    def key(self) -> str:
        """Stands for all that permission depends on, without showing it."""
        return _digest(json.dumps((self.token, self.user, sorted(self.groups))))

    @property
    def label(self) -> str:
        """Stands for the user, in limits and in the access log; "" for nobody in particular."""
        return "" if self.via == "anonymous" else _digest(self.user)[:16]


ANONYMOUS = Person("system:anonymous", ("system:unauthenticated",), via="anonymous")


class BadIdentityError(Exception):
    """Credentials that are refused whatever else the request brings; its text says why in a line."""


class TokenReader:
    """Asks the API server whose a token is.

    Args:
        api: asked.
        config: says how, and how long an answer counts.

    Attributes:
        known, of_sessions: what it answered about bearer tokens, and about those of sessions.
    """

    def __init__(self, api: Api, config: Config) -> None:
        self._api = api
        self._cluster = config.permission.reviews == "cluster"
        self._audiences = config.login.audiences
        yes, no = config.permission.allow_seconds, config.permission.deny_seconds
        review = config.login.review_seconds
        self.known: Memory[str, Person | None] = Memory("token", lambda person: yes if person else no)
        self.of_sessions: Memory[str, Person | None] = Memory("session", lambda person: review if person else no)

    async def person(self, token: str, *, of_session: bool = False) -> Person | None:
        """Whose token it is; None: nobody's.

        Raises:
            ApiError: the API server cannot be asked.
        """
        if not _TOKEN.fullmatch(token):
            return None
        known = self.of_sessions if of_session else self.known
        return await known.get(_digest(token), lambda: self._ask(token))

    async def _ask(self, token: str) -> Person | None:
        return await (self._review(token) if self._cluster else self._ask_itself(token))

    async def _review(self, token: str) -> Person | None:
        spec = {"token": token, **({"audiences": list(self._audiences)} if self._audiences else {})}
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}
        status = (await self._api.create(f"{_REVIEWS}/tokenreviews", review))["status"]
        if not status.get("authenticated"):
            return None
        # An answer without audiences means: it is a token for the API server itself.
        if self._audiences and not set(self._audiences) & set(status.get("audiences", ())):
            return None
        return Person(status["user"]["username"], tuple(status["user"].get("groups", ())))

    async def _ask_itself(self, token: str) -> Person | None:
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            user = (await self._api.create(f"{_REVIEWS}/selfsubjectreviews", review, token))["status"]["userInfo"]
        except ApiError as error:
            if error.status == _UNAUTHORIZED:
                return None
            # Rights come before existence: who may not ask what is not there is forbidden to.
            if error.status not in (_FORBIDDEN, _NOT_FOUND):
                raise
            return await self._nameless(token)
        return Person(user["username"], tuple(user.get("groups", ())), token)

    async def _nameless(self, token: str) -> Person | None:
        """Before Kubernetes 1.28 a token cannot ask whose it is; what it may do, it can."""
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"nonResourceAttributes": {"path": "/version", "verb": "get"}},
        }
        try:
            await self._api.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review, token)
        except ApiError as error:
            if error.status == _UNAUTHORIZED:
                return None
            raise
        name = f"token-{_digest(token)[:12]}"
        claimed = claims(token)
        subject = claimed.get("sub")
        return Person(name, (), token, account=f"{claimed.get('iss')} {subject}" if subject else "")


class HeaderReader:
    """Takes the word of an authenticating ingress that proves itself.

    Args:
        trusted: names of the headers, and the proof.
    """

    def __init__(self, trusted: TrustedHeaders) -> None:
        self._trusted = trusted
        self._secret = Reread(Path(trusted.secret_file), bytes.strip)

    def person(self, headers: Mapping[str, Sequence[str]]) -> Person | None:
        """Whom the headers name; None: they prove nothing, or name nobody.

        Args:
            headers: the values of each header, by name in small letters.

        Raises:
            BadIdentityError: the ingress proves itself, but lets through what nobody may claim.
        """
        if not self._proven(headers):
            return None
        user, groups = self._one(headers, self._trusted.user), self._one(headers, self._trusted.groups)
        if not user:
            return None
        names = [name.strip() for name in groups.split(self._trusted.separator)]
        return Person(
            _claimed(self._trusted.user_prefix + user),
            (*(_claimed(self._trusted.group_prefix + name) for name in names if name), AUTHENTICATED),
            via="header",
        )

    def check(self) -> None:
        """See that there is a secret, where one is the proof.

        Raises:
            OSError, ConfigError: there is none that can be used.
        """
        if self._trusted.proof == "secret" and len(self._secret.get()) < _SHORTEST_SECRET:
            raise ConfigError(
                f"the ingress's secret in {self._trusted.secret_file} has {len(self._secret.get())} bytes: "
                f"{_SHORTEST_SECRET} are needed"
            )

    def _proven(self, headers: Mapping[str, Sequence[str]]) -> bool:
        if self._trusted.proof == "mtls":
            return list(headers.get(VERIFIED_HEADER.lower(), ())) == ["SUCCESS"]
        given = headers.get(self._trusted.secret_header.lower(), ())
        secret = self._secret.get()
        return (
            len(given) == 1 and bool(secret) and hmac.compare_digest(given[0].encode(errors="surrogateescape"), secret)
        )

    @staticmethod
    def _one(headers: Mapping[str, Sequence[str]], name: str) -> str:
        values = headers.get(name.lower(), ())
        if len(values) > 1:
            raise BadIdentityError(f"{name} came {len(values)} times: the ingress must overwrite what clients send")
        return values[0] if values else ""


def _claimed(name: str) -> str:
    """A user's or group's name, which none of Kubernetes' own may be."""
    if name.startswith("system:") or not name.isprintable():
        raise BadIdentityError(f"{name!r} is no name that an ingress may give")
    return name


class Identity:
    """Finds out who asks.

    Args:
        config: which ways there are.
        tokens: asked about tokens.
        sessions: reads cookies.
        logouts: knows which sessions are over.
    """

    def __init__(self, config: Config, tokens: TokenReader, sessions: Sessions, logouts: Logouts) -> None:
        self._mode = config.login.mode
        self._tokens = tokens
        self._sessions = sessions
        self._logouts = logouts
        self._headers = HeaderReader(config.login.header)

    def check(self) -> None:
        """See that the secrets are there that the way of logging in needs.

        Raises:
            OSError, ConfigError: one is missing, or too short.
        """
        if self._mode == "token":
            self._sessions.check()
        elif self._mode == "header":
            self._headers.check()

    async def of(self, asked: Asked) -> tuple[Person | None, float]:
        """Who asks, and until when that holds (seconds since the epoch).

        Raises:
            ApiError: the API server cannot be asked.
            BadIdentityError: headers that an ingress must not let through.
        """
        forever = float("inf")
        if self._mode == "anonymous":
            return ANONYMOUS, forever
        if self._mode == "header":
            person = self._headers.person(asked.headers)
            if person:
                return person, forever
        token = bearer(asked.header("authorization"))
        if token:
            return await self._tokens.person(token), forever
        for session in self._live(asked):
            person = await self._of_session(session)
            if person:
                return person, session.ends
        return None, 0

    async def why_over(self, asked: Asked) -> WhyOver | None:
        """Why the session that a browser has counts no longer; None: it has none, or one that counts.

        Raises:
            ApiError: the API server cannot be asked.
        """
        live = self._live(asked)
        if not live:
            return "logout" if self._of_cookies(asked) else None
        return None if any([await self._of_session(session) for session in live]) else "token"

    def _of_cookies(self, asked: Asked) -> list[Session]:
        if self._mode != "token":
            return []
        return list(self._sessions.read(asked.header("cookie"), plain_host(asked.host)))

    def _live(self, asked: Asked) -> list[Session]:
        """The sessions of a request that nobody has ended."""
        return [session for session in self._of_cookies(asked) if not self._logouts.over(session)]

    async def _of_session(self, session: Session) -> Person | None:
        person = await self._tokens.person(session.token, of_session=True)
        return replace(person, via="session") if person else None


def bearer(authorization: str) -> str:
    """The token of an Authorization header, or ""."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def claims(token: str) -> dict[str, Any]:
    """What a token of an account the API server knows says of itself; {}: nothing."""
    try:
        encoded = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (LookupError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
