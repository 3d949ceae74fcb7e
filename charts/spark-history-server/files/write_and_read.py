"""What "helm test" does: writes an event log into the store, and reads it back from the history server.

Where an authenticating proxy stands before the server, it sees that nobody comes in without a login.
"""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

DEADLINE_S = 120


def event_log(application: str, when_ms: int) -> bytes:
    """The shortest event log: an application that started and ended."""
    start = {"App Name": "helm test", "App ID": application, "Timestamp": when_ms, "User": "helm"}
    events = [
        {"Event": "SparkListenerLogStart", "Spark Version": "4.3.0"},
        {"Event": "SparkListenerApplicationStart", **start},
        {"Event": "SparkListenerApplicationEnd", "Timestamp": when_ms + 1},
    ]
    # Without spaces: the server tells events apart by the first letters of their lines.
    return b"".join(json.dumps(event, separators=(",", ":")).encode() + b"\n" for event in events)


def token(key: Path) -> str:
    """A JSON Web Signature (HS256) of nothing in particular, by a key in Base64 for URLs."""

    def encoded(part: bytes) -> str:
        return base64.urlsafe_b64encode(part).decode().rstrip("=")

    text = key.read_text().strip()
    secret = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    head = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "HS256"}, {"sub": "helm test"}))
    return f"{head}.{encoded(hmac.digest(secret, head.encode(), hashlib.sha256))}"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer."""

    def redirect_request(self, *_: object) -> None:
        """Follow none."""


def status_and_answer(url: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """The server's answer; 0 while there is none."""
    opener = urllib.request.build_opener(NoRedirect)
    try:
        with opener.open(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""
    except OSError as error:
        return 0, str(error).encode()


def see_that_nobody_comes_in(address: str) -> None:
    """Exit with the reason where the proxy lets in who brings nothing, or does not answer."""
    end = time.time() + DEADLINE_S
    while (status := status_and_answer(f"{address}/api/v1/applications", {})[0]) not in (302, 303, 307, 401, 403):
        if status == 200 or time.time() > end:
            sys.exit(f"{address} answers {status} to who brings no login")
        time.sleep(1)
    print(f"{address} answers {status} to who brings no login")


def main(address: str, folder: str, command: list[str]) -> None:
    """Write, read, remove; exit with the reason where that does not work."""
    now = time.time()
    application = f"helm-test-{int(now * 1000)}"
    key = Path(os.environ.get("JWS_KEY", ""))
    headers = {"Authorization": f"Bearer {token(key)}"} if key.is_file() else {}
    # The root of a store ends with a slash.
    path = f"{folder.rstrip('/')}/{application}"
    subprocess.run([*command, "-put", "-d", "-", path], input=event_log(application, int(now * 1000)), check=True)
    try:
        while True:
            status, answer = status_and_answer(f"{address}/api/v1/applications/{application}", headers)
            if status == 200:
                print(f"{json.loads(answer)['name']}: {path} was written, and read back from {address}")
                return
            if time.time() > now + DEADLINE_S:
                sys.exit(f"{address} does not show {path} after {DEADLINE_S} s: last answer {status} {answer[:200]!r}")
            time.sleep(1)
    finally:
        subprocess.run([*command, "-rm", "-skipTrash", path], check=True)


if __name__ == "__main__":
    if os.environ.get("AUTH") == "proxy":
        see_that_nobody_comes_in(sys.argv[1])
    else:
        main(sys.argv[1], sys.argv[2], sys.argv[3:])
