"""How much an API server may answer."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from urllib3 import HTTPHeaderDict, HTTPResponse

from kindling.errors import KindlingError
from kindling.foreign import shallow

MOST_BYTES = 32 * 1024 * 1024
"""Of one answer. Lists come in pages: see ``paging``."""
_OF_THE_CONNECTION = ("content-encoding", "transfer-encoding", "content-length")


class TooLargeError(KindlingError):
    """An answer has more bytes than are read."""


def bound_answers(api: Any) -> None:
    """Have a client (ApiClient) read no more than ``MOST_BYTES`` of an answer, and JSON of any depth; not of a watch.

    The client's requests then raise TooLargeError besides.
    """
    pool = api.rest_client.pool_manager
    plain = pool.request

    def request(method: str, url: str, **more: Any) -> Any:
        if "watch=" in url:
            return plain(method, url, **more)
        answer = plain(method, url, **{**more, "preload_content": False})
        body = answer.read(MOST_BYTES + 1, decode_content=True)
        if len(body) > MOST_BYTES:
            answer.close()
            raise TooLargeError(f"{api.configuration.host} answered more than {MOST_BYTES >> 20} MiB at once")
        answer.release_conn()
        kept = HTTPHeaderDict(answer.headers)
        for name in _OF_THE_CONNECTION:
            kept.discard(name)
        if "json" in kept.get("content-type", ""):
            body = shallow(body)
        return HTTPResponse(
            BytesIO(body), kept, answer.status, reason=answer.reason, request_method=method, decode_content=False
        )

    pool.request = request
