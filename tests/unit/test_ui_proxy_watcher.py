"""A list that fails half-way, which no API server does when it is asked to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import coroutines
import pytest
import trustme
from aiohttp import web

from spark_ui_proxy.kube import Api, ApiError
from spark_ui_proxy.watcher import list_all


class Kept:
    """The uids that a watch has put and not dropped."""

    def __init__(self) -> None:
        self.uids: set[str] = set()

    def put(self, raw: dict[str, Any]) -> None:
        """An object is new or has changed."""
        self.uids.add(raw["metadata"]["uid"])

    def drop(self, uid: str) -> None:
        """An object is gone."""
        self.uids.remove(uid)


def page(*uids: str, following: str = "") -> web.Response:
    """A part of a list."""
    items = [{"metadata": {"uid": uid}} for uid in uids]
    return web.json_response({"metadata": {"resourceVersion": "1", "continue": following}, "items": items})


def test_what_is_deleted_after_half_a_list_is_dropped_by_the_next(tmp_path: Path) -> None:
    answers = [page("a", "b", following="more"), web.Response(status=500), page("b", "c")]
    (tmp_path / "token").write_text("token")
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.crt")

    async def answer(_: web.Request) -> web.Response:
        return answers.pop(0)

    async def scenario() -> set[str]:
        app = web.Application()
        app.router.add_get("/pods", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            port = runner.addresses[0][1]
            store, known = Kept(), set[str]()
            async with Api(f"http://127.0.0.1:{port}", tmp_path / "token", tmp_path / "ca.crt") as api:
                with pytest.raises(ApiError):
                    await list_all(api, "/pods", {}, store, known)
                await list_all(api, "/pods", {}, store, known)
            return store.uids
        finally:
            await runner.cleanup()

    assert coroutines.run(scenario()) == {"b", "c"}
