"""`helm test`: does the door answer, and does it keep strangers out?"""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from typing import Any

_TIMEOUT_S = 30


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """A redirect is an answer here."""


def check(url: str, host: str) -> bool:
    """Ask as somebody who has not logged in; print a line for each question.

    Args:
        url: the Service's, with the base path and "/".
        host: the name that people ask for, where it is not the Service's; or "".

    Raises:
        OSError: nothing answers.
    """
    questions = (
        ("the API's document is there", "-/openapi.json", (200,)),
        ("the list is there, or asks who it is", "", (200, 302, 401)),
        ("a driver's UI is not for strangers", "no-such-team/proxy/application/jobs/", (400, 401, 403)),
        ("a path that leads out is refused", "no-such-team/proxy/application/..%2f..%2f", (400, 401, 403)),
    )
    good = True
    for what, path, expected in questions:
        status = _status(url + path, host)
        good &= status in expected
        print("ok   " if status in expected else "WRONG", what, f"({status})")
    return good


def _status(url: str, host: str) -> int:
    # The certificate is for the name that people use, not for the Service's.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=context))
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with opener.open(request, timeout=_TIMEOUT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
