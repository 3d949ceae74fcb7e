"""What the page's tests share: the service over an index of the test's own, and Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from faults import Faults
from page_world import BASE, Open, World, serving
from playwright.sync_api import Browser, Page, expect

from spark_ui_proxy.config import Config

_DEADLINE_MS = 60_000
expect.set_options(timeout=_DEADLINE_MS)


@pytest.fixture
def world() -> Iterator[World]:
    """The service below /spark; nothing runs yet."""
    with serving(Config(base_path=BASE)) as world:
        yield world


@pytest.fixture
def open_page(chromium: Browser, world: World) -> Iterator[Open]:
    """Opens the page in a window of its own; at the end of the test no window has an error in its console."""
    opened: list[Faults] = []
    contexts = []

    def open_page(query: str = "", **settings: Any) -> Page:
        context = chromium.new_context(**{"viewport": {"width": 1360, "height": 860}, **settings})
        context.set_default_timeout(_DEADLINE_MS)
        contexts.append(context)
        page = context.new_page()
        opened.append(Faults(page, levels=("error", "warning")))
        page.goto(world.url + query)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not [fault for faults in opened for fault in faults.found]
