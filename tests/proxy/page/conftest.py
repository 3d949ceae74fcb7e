"""What the page's tests share: the service over an index of the test's own, and Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from page_world import BASE, Open, World, serving
from playwright.sync_api import Browser, Page, sync_playwright

from spark_ui_proxy.config import Config


@pytest.fixture
def world() -> Iterator[World]:
    """The service below /spark; nothing runs yet."""
    with serving(Config(base_path=BASE)) as world:
        yield world


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's, headless."""
    program = shutil.which("chromium")
    assert program, "chromium is not installed: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, world: World) -> Iterator[Open]:
    """Opens the page in a window of its own; at the end of the test no window has an error in its console."""
    errors: list[str] = []
    contexts = []

    def open_page(query: str = "", **settings: Any) -> Page:
        context = chromium.new_context(**{"viewport": {"width": 1360, "height": 860}, **settings})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda line: errors.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(world.url + query)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors
