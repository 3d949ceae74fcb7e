"""What scripts/up prints at its end, done as it is printed."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Browser, expect

from kindling_dev.command import run
from kindling_dev.settings import REPO

_DEADLINE_S = 120


@pytest.mark.long
@pytest.mark.alone
def test_its_url_and_login_show_the_first_jobs_live_and_finished(chromium: Browser) -> None:
    printed = run([REPO / "scripts/up"])
    exports = "\n".join(re.findall(r"^ +(export .+)$", printed, re.MULTILINE))
    ((url, login),) = re.findall(r"^ +(http://\S+) +\(log in with what this prints: (.+)\)$", printed, re.MULTILINE)
    fresh = ["env", "--ignore-environment", "PATH=/usr/bin:/bin", "bash", "-euc"]
    token = run([*fresh, f"{exports}\n{login}"]).strip()
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(url)
        page.get_by_label("token").fill(token)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(url)
        for name in ("pi", "flights"):
            expect(page.get_by_role("link", name=f"History of {name}", exact=True).first).to_be_visible()
        page.get_by_role("link", name="Live UI of flights-live").first.click()
        jobs = re.compile(rf"{url}team-a/proxy/spark-[0-9a-f-]+/jobs/")
        end = time.monotonic() + _DEADLINE_S
        while not jobs.fullmatch(page.url):
            # Spark's own page says for a while that it is starting up, and does not look again by itself.
            assert time.monotonic() < end, page.content()
            page.wait_for_timeout(1000)
            page.reload()
        expect(page.get_by_role("link", name="Executors")).to_be_visible()
