"""JSON Web Signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any


def signed(key: bytes, payload: dict[str, Any], algorithm: str = "HS256") -> str:
    """One by a key, whatever its head says."""
    parts = ({"alg": algorithm}, payload)
    head = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    return b".".join((head, base64.urlsafe_b64encode(hmac.digest(key, head, hashlib.sha256)).rstrip(b"="))).decode()
