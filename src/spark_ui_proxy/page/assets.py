"""Static files under URLs that hold their content's hash, so that a browser keeps each for good."""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from mimetypes import guess_type

from aiohttp import web

PREFIX = "/-/static/"


class Assets:
    """The files of `static/`, read once.

    Args:
        base_path: of the service, "" or "/spark".
    """

    def __init__(self, base_path: str) -> None:
        self._urls: dict[str, str] = {}
        self._bodies: dict[str, tuple[bytes, str]] = {}
        for file in files(__package__).joinpath("static").iterdir():
            body = file.read_bytes()
            stem, _, suffix = file.name.rpartition(".")
            hashed = f"{stem}.{sha256(body).hexdigest()[:12]}.{suffix}"
            self._urls[file.name] = f"{base_path}{PREFIX}{hashed}"
            self._bodies[hashed] = body, guess_type(file.name)[0] or "application/octet-stream"

    def url(self, name: str) -> str:
        """The URL of a file, `style.css`.

        Raises:
            KeyError: there is no such file.
        """
        return self._urls[name]

    async def serve(self, request: web.Request) -> web.Response:
        """The file whose hashed name the route's `file` is."""
        found = self._bodies.get(request.match_info["file"])
        if not found:
            raise web.HTTPNotFound(text="There is no such file: it is of another version. Load the page again.\n")
        body, kind = found
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)
