"""Short-lived tokens of a service account, and the file that keeps the last one.

Nothing of the Kubernetes client is imported here: to print a token that still lives takes no more than starting Python.
"""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kindling.errors import KindlingError
from kindling.files import read_private, write_private
from kindling.foreign import read_json

TOKEN_LIFE_S = 3600
"""How long a token lives where nothing else is asked for; the API server's least is 600."""
RENEWED_AT = 0.8
"""Part of a token's life after which it is renewed; the kubelet has the same."""


@dataclass(frozen=True)
class Token:
    """A token of a service account, as Kubernetes makes them.

    Attributes:
        text: the JSON Web Token itself.
        subject: whose it is, "system:serviceaccount:team-a:alice".
        issued, expires: seconds since the epoch.
    """

    text: str
    subject: str
    issued: float
    expires: float

    @classmethod
    def parse(cls, text: str) -> Token:
        """Read what a token says of itself; its signature is the API server's to check.

        Raises:
            ValueError: it is no such token.
        """
        try:
            part = text.strip().split(".")[1]
            claims = read_json(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            token = cls(text.strip(), str(claims["sub"]), float(claims["iat"]), float(claims["exp"]))
            datetime.fromtimestamp(token.renewal, UTC)
            return token
        except (IndexError, KeyError, TypeError, ValueError, OverflowError, OSError):
            raise ValueError("not a service account's token with an end") from None

    @property
    def renewal(self) -> float:
        """When a new one is due, in seconds since the epoch."""
        return self.issued + (self.expires - self.issued) * RENEWED_AT

    def as_exec_credential(self) -> dict[str, Any]:
        """What a client asks of an exec plugin; it asks again when a new one is due, before this one dies."""
        due = datetime.fromtimestamp(self.renewal, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "status": {"token": self.text, "expirationTimestamp": due},
        }


def subject(namespace: str, account: str) -> str:
    """A service account's name as a user."""
    return f"system:serviceaccount:{namespace}:{account}"


def kept(file: Path, whose: str) -> Token | None:
    """The token in a file, if it is of that subject and no new one is due."""
    try:
        token = Token.parse(read_private(file) or "")
    except (KindlingError, ValueError):
        return None  # what is in the way is told when a new one is written
    return token if token.subject == whose and time.time() < token.renewal else None


def write_token(file: Path, token: Token) -> None:
    """Keep a token in a file that is its owner's alone."""
    # No newline at its end: Spark makes a header of all that the file holds.
    write_private(file, token.text)
