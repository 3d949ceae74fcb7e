"""The session cookie: who somebody is, encrypted, for one host and for some hours.

A browser holds 4,096 bytes of a cookie, and a token that names many groups is longer. The session is sealed as a whole
and then cut into parts, each a cookie of its own: `spark-ui` says how many there are, and `spark-ui-1` and so on
begin with what the whole begins with, so that parts of two sessions are never put together.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from spark_ui_proxy.config import Config, ConfigError
from spark_ui_proxy.files import Reread

_SHORTEST_KEY = 32
_NONCE = 12
_LONGEST_COOKIE = 4096
"""Browsers drop a cookie whose name and value are longer."""
_LONGEST_WHOLE = 14_000
"""nginx takes a header's line of 16 KiB, in which other cookies of the host stand too."""
_MOST_PARTS = 4
_KIN = 8
"""So many characters of the whole, its nonce's, stand before each further part."""
_NUMBERS = {str(number) for number in range(1, _MOST_PARTS + 1)}
_LARGEST_CONTENT = 2**18
_PURPOSE = b"spark-ui-proxy session cookie, 3"
"""Another number for another content: what an older version has sealed is then no cookie at all."""


class SessionError(ValueError):
    """A session that cannot be made; its text is one line for the person who logs in."""


@dataclass(frozen=True)
class Session:
    """What a cookie says.

    Attributes:
        user: whose it is: all sessions of a user end together.
        token: theirs, about which the API server is asked again and again.
        issued, ends: in seconds since the epoch.
    """

    user: str
    token: str = field(repr=False)
    issued: int
    ends: int


class Sessions:
    """Makes and reads cookies.

    Args:
        config: the key's file, how long a session lasts, where its cookie is sent.

    Attributes:
        cookie: the name of the first cookie.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        file = Path(config.login.session_key_file)
        self._key = Reread(file, _cipher)
        self._previous_file = file.with_name("previous")
        self._previous = Reread(self._previous_file, _cipher)
        secure = config.login.secure_cookie
        # A browser lets no other host, not even one of the same domain, set a __Host- cookie; it must be for all paths.
        whole_host = config.hosts.mode == "namespace" or not config.base_path
        self._path = "/" if whole_host else f"{config.base_path}/"
        self.cookie = ("__Host-" if whole_host else "__Secure-") * secure + "spark-ui"

    def check(self) -> None:
        """See that there is a key.

        Raises:
            OSError, ConfigError: there is none that can be used.
        """
        self._key.get()

    def headers(self, session: Session, host: str) -> list[str]:
        """The Set-Cookie headers of a session; they also remove what an earlier one has left.

        Raises:
            SessionError: it does not fit into the cookies.
        """
        facts = json.dumps([session.user, session.issued, session.ends])
        content = "\n".join([facts, *_apart(session.token)]).encode()
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._key.get().encrypt(nonce, zlib.compress(content, 9), self._bound_to(host))
        whole = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
        room = _LONGEST_COOKIE - len(self._name(1)) - len("=") - _KIN - len(".")
        values = [whole[start : start + room] for start in range(0, len(whole), room)]
        if len(whole) > _LONGEST_WHOLE or len(content) > _LARGEST_CONTENT:
            raise SessionError(
                f"This token is too long for a session ({len(whole):,} characters when sealed; {_LONGEST_WHOLE:,} is "
                "the most): log in with one that names fewer groups, such as a service account's."
            )
        first, *more = values
        pairs = [f"{len(values)}.{first}", *(f"{whole[:_KIN]}.{value}" for value in more)]
        seconds = max(0, session.ends - int(time.time()))
        return [
            *(self._set(self._name(part), value, seconds) for part, value in enumerate(pairs)),
            *(self._set(self._name(part), "", 0) for part in range(len(pairs), _MOST_PARTS)),
        ]

    def end(self) -> list[str]:
        """The Set-Cookie headers that remove all cookies."""
        return [self._set(self._name(part), "", 0) for part in range(_MOST_PARTS)]

    def read(self, cookies: str, host: str) -> Iterator[Session]:
        """The sessions of a Cookie header at a host whose time is not over; another path's may stand before ours."""
        for whole in self._wholes(cookies):
            try:
                sealed = base64.b64decode(whole + "=" * (-len(whole) % 4), altchars=b"-_", validate=True)
            except (binascii.Error, ValueError):
                continue
            content = self._open(sealed, host)
            if content is not None:
                facts, *parts = content.decode().split("\n")
                user, issued, ends = json.loads(facts)
                if ends > time.time():
                    yield Session(user, _together(parts), issued, ends)

    def _wholes(self, cookies: str) -> Iterator[str]:
        """What may be sealed sessions: each first cookie with the parts that it says it has."""
        values = [_values(cookies, self._name(part)) for part in range(_MOST_PARTS)]
        for first in values[0]:
            number, _, whole = first.partition(".")
            if number not in _NUMBERS:
                continue
            kin = f"{whole[:_KIN]}."
            more = [
                next((value.removeprefix(kin) for value in values[part] if value.startswith(kin)), "")
                for part in range(1, int(number))
            ]
            if all(more):
                yield "".join([whole, *more])

    def _name(self, part: int) -> str:
        return f"{self.cookie}-{part}" if part else self.cookie

    def _open(self, sealed: bytes, host: str) -> bytes | None:
        ciphers = [self._key.get(), *([self._previous.get()] if self._previous_file.exists() else [])]
        for cipher in ciphers:
            try:
                packed = cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._bound_to(host))
            except (InvalidTag, ValueError):
                continue
            return zlib.decompressobj().decompress(packed, _LARGEST_CONTENT)
        return None

    def _bound_to(self, host: str) -> bytes:
        return f"spark-ui-proxy session of {host}".encode(errors="surrogateescape")

    def _set(self, name: str, value: str, seconds: int) -> str:
        secure = "; Secure" if self._config.login.secure_cookie else ""
        return f"{name}={value}; Path={self._path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _values(cookies: str, name: str) -> list[str]:
    """All values of a cookie: who set one of a longer path may have put another before ours."""
    parts = (part.strip().partition("=") for part in cookies.split(";"))
    return [value for key, _, value in parts if key == name]


def _apart(token: str) -> list[str]:
    """A token's parts: of a JSON Web Token the first two as JSON, of which compression leaves little."""
    try:
        header, claims, signature = token.split(".")
        opened = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode() for part in (header, claims)]
    except ValueError:
        return [token]
    parts = [*opened, signature]
    # Nothing is opened that would not be the same when it is closed again.
    return parts if "\n" not in "".join(parts) and _together(parts) == token else [token]


def _together(parts: list[str]) -> str:
    """The token whose parts these are."""
    *opened, signature = parts
    return ".".join([*(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in opened), signature])


def _cipher(secret: bytes) -> AESGCM:
    if len(secret) < _SHORTEST_KEY:
        raise ConfigError(f"the session key has {len(secret)} bytes: {_SHORTEST_KEY} random ones are needed")
    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret))
