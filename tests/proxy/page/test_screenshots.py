"""The pictures of docs/images, taken of real drivers; written with `--screenshots`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from page_world import Open, World, application, finished
from playwright.sync_api import expect
from spark_ui import Driver, driver

from kindling_dev.settings import REPO
from spark_ui_proxy.finished import FinishedApplication

pytestmark = pytest.mark.long
RUNNING = {
    "orders-hourly": ("4.3", 120, 87),
    "clickstream-sessions": ("4.3", 64, 11),
    "features-daily": ("3.5", 40, 33),
}
"""Name -> line of Spark, tasks of its job, how many of them are done."""


@pytest.fixture(scope="module")
def drivers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Driver]]:
    """A driver for each name."""
    with ExitStack() as stack:
        made = {}
        for name, (line, tasks, done) in RUNNING.items():
            folder = tmp_path_factory.mktemp(name)
            made[name] = stack.enter_context(driver(line, folder, name=name, tasks=tasks))
            made[name].go(done)
        yield made


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where the pictures go."""
    return REPO / "docs/images" if request.config.getoption("--screenshots") else tmp_path


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("light", {"color_scheme": "light"}),
        ("dark", {"color_scheme": "dark"}),
        ("phone", {"color_scheme": "light", "viewport": {"width": 390, "height": 844}}),
    ],
)
def test_the_page_of_a_busy_evening(
    world: World, open_page: Open, drivers: dict[str, Driver], folder: Path, name: str, settings: dict[str, object]
) -> None:
    _fill(world, drivers)
    page = open_page(**{"viewport": {"width": 1360, "height": 800}, "device_scale_factor": 1.5, **settings})
    for title, (_, tasks, done) in RUNNING.items():
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name=title, exact=True)).first
        expect(row).to_contain_text(f"{done}/{tasks} tasks")
    page.screenshot(path=folder / f"ui-proxy-{name}.png", animations="disabled")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ends = "element => Math.floor(element.getBoundingClientRect().right)"
    edge = page.locator(".scroller").evaluate(ends)
    assert page.locator(".applications tbody tr > *").evaluate_all(f"cells => Math.max(...cells.map({ends}))") <= edge


def _fill(world: World, drivers: dict[str, Driver]) -> None:
    now = datetime.now(UTC)
    world.person.namespaces = {"team-a", "team-b", "research"}
    shape = {
        "orders-hourly": ("team-a", "ada", 12, 25.0, 100, 12),
        "clickstream-sessions": ("team-b", "grace", 40, 81.0, 328, 96),
        "features-daily": ("research", "linus", 8, 33.0, 260, 245),
    }
    for name, (namespace, user, executors, cpu, memory, minutes) in shape.items():
        real = drivers[name]
        version = "4.3.0" if RUNNING[name][0] == "4.3" else "3.5.9"
        world.put(
            application(
                name,
                app_id=real.app_id,
                target=real.target,
                namespace=namespace,
                user=user,
                executors=executors,
                cpu=cpu,
                memory=memory * 2**30,
                created=now - timedelta(minutes=minutes),
                spark_version=version,
            )
        )
    pending = {"state": "pending", "target": None, "executors": 0, "cpu": 1.0, "memory": 2 * 2**30}
    world.put(
        application("backfill-2025", namespace="team-b", user="grace", created=now - timedelta(minutes=7), **pending)
    )
    failed = {"state": "failed", "target": None, "ended": now - timedelta(minutes=18)}
    world.put(application("invoices", user="ada", created=now - timedelta(minutes=21), **failed))
    past: dict[str, dict[str, FinishedApplication]] = {"team-a": {}, "team-b": {}, "research": {}}
    for hours in range(1, 1200):
        past["team-a"] |= finished("orders-hourly", ended=now - timedelta(hours=hours, minutes=16))
        if hours % 3 == 2:
            past["team-b"] |= finished(
                "clickstream-sessions", user="grace", ended=now - timedelta(hours=hours, minutes=40)
            )
        if hours % 24 == 3:
            past["research"] |= finished("features-daily", user="linus", ended=now - timedelta(hours=hours))
    for namespace, applications in past.items():
        world.finish(namespace, applications)
