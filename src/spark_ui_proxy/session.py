"""The session cookie: who somebody is, encrypted, for one host and for some hours."""

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
_LARGEST_CONTENT = 2**16
_PURPOSE = b"spark-ui-proxy session cookie, 2"
"""Another number for another content: what an older version has sealed is then no cookie at all."""


class SessionError(ValueError):
    """A session that cannot be made; its text is one line for the person who logs in."""


@dataclass(frozen=True)
class Session:
    """What a cookie says.

    Attributes:
        user: whose it is: all sessions of a user end together.
        groups: theirs, where no token is asked about, or ().
        token: theirs, about which the API server is asked, or "".
        issued, ends: in seconds since the epoch.
    """

    user: str
    groups: tuple[str, ...]
    token: str = field(repr=False)
    issued: int
    ends: int


class Sessions:
    """Makes and reads cookies.

    Args:
        config: the key's file, how long a session lasts, where its cookie is sent.

    Attributes:
        cookie: the cookie's name.
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

    def header(self, session: Session, host: str) -> str:
        """The Set-Cookie header of a session.

        Raises:
            SessionError: it does not fit into a cookie.
        """
        content = json.dumps(
            [session.user, session.groups, session.token, session.issued, session.ends], separators=(",", ":")
        )
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._key.get().encrypt(nonce, zlib.compress(content.encode(), 9), self._bound_to(host))
        value = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
        if len(self.cookie) + 1 + len(value) > _LONGEST_COOKIE:
            what = "token is" if session.token else "list of groups is"
            raise SessionError(
                f"Your {what} too long for a cookie ({len(value)} characters, {_LONGEST_COOKIE} is the most): "
                "send the token as a bearer token instead."
            )
        return self._set(value, max(0, session.ends - int(time.time())))

    def end(self) -> str:
        """The Set-Cookie header that removes the cookie."""
        return self._set("", 0)

    def read(self, cookies: str, host: str) -> Iterator[Session]:
        """The sessions of a Cookie header at a host whose time is not over; another path's may stand before ours."""
        for value in _values(cookies, self.cookie):
            try:
                sealed = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
            except (binascii.Error, ValueError):
                continue
            content = self._open(sealed, host)
            if content is not None:
                user, groups, token, issued, ends = json.loads(content)
                if ends > time.time():
                    yield Session(user, tuple(groups), token, issued, ends)

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

    def _set(self, value: str, seconds: int) -> str:
        secure = "; Secure" if self._config.login.secure_cookie else ""
        return f"{self.cookie}={value}; Path={self._path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _values(cookies: str, name: str) -> list[str]:
    """All values of a cookie: who set one of a longer path may have put another before ours."""
    parts = (part.strip().partition("=") for part in cookies.split(";"))
    return [value for key, _, value in parts if key == name]


def _cipher(secret: bytes) -> AESGCM:
    if len(secret) < _SHORTEST_KEY:
        raise ConfigError(f"the session key has {len(secret)} bytes: {_SHORTEST_KEY} random ones are needed")
    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret))
