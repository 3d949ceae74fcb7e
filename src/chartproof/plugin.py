"""chartproof in pytest: options, renders and what a run of them amounts to. In ``addopts``: ``-p chartproof.plugin``.

It loads chartproof's other plugins. All of them start light: a run of renders imports no client of a cluster.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from chartproof.checks import Rule
from chartproof.engine import RENDERER, Program, Renderer
from chartproof.helm import Helm, Render, build_dependencies
from chartproof.manifest import Manifest
from chartproof.renders import Renders, Store
from chartproof.run import RenderRun

pytest_plugins = [
    "chartproof.apiserver_plugin",
    "chartproof.cluster_plugin",
    "chartproof.inventory_plugin",
    "chartproof.tiers_plugin",
]

_RUN: pytest.StashKey[RenderRun] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the command line."""
    group = parser.getgroup("chartproof")
    group.addoption("--long", action="store_true", help="run the tests marked 'long' too")
    parser.addini("charts", "folder of the charts under test", default="charts")
    parser.addini("values", "folder of what each namespace overrides: NAMESPACE/CHART.yaml", default="values")
    parser.addini(
        "render_tests", "folder of tests that together must render all there is; empty: none must", default=""
    )
    parser.addini("exceptions", "YAML file of what may stay uncovered, with reasons", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Markers; and, once for all workers, the charts' dependencies."""
    config.addinivalue_line("markers", "long: takes longer than the normal run allows; needs --long")
    run = config.stash[_RUN] = RenderRun(config, charts_folder(config))
    config.pluginmanager.register(run, "chartproof-run")
    if not hasattr(config, "workerinput"):
        build_dependencies(charts_folder(config), Helm())
        _store(config).forget_old()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long tests out unless they are asked for: deselected, and counted so in the last line."""
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def charts_folder(config: pytest.Config) -> Path:
    """The folder of the charts under test."""
    return Path(config.rootpath / config.getini("charts"))


@pytest.fixture(scope="session")
def charts(pytestconfig: pytest.Config) -> Path:
    """The folder of the charts under test."""
    return charts_folder(pytestconfig)


def _store(config: pytest.Config) -> Store:
    cache = getattr(config, "cache", None)  # -p no:cacheprovider: there is none
    return Store(cache.mkdir("chartproof") if cache else None)


@pytest.fixture(scope="session")
def rules() -> Sequence[Rule]:
    """What is asked of every render that ``helm`` and ``render`` make: a conftest.py gives its own."""
    return ()


@pytest.fixture(scope="session")
def helm(pytestconfig: pytest.Config, rules: Sequence[Rule]) -> Iterator[Helm]:
    """helm without a cluster: it renders, once for each question, and asks the rules."""
    conftests = [Path(file) for plugin in pytestconfig.pluginmanager.get_plugins() if (file := _conftest(plugin))]
    renderer = Renderer()
    engine = renderer if shutil.which(RENDERER) else Program()
    yield Helm(renders=Renders(engine, _store(pytestconfig), rules, conftests, pytestconfig.stash[_RUN].tally))
    renderer.close()


def _conftest(plugin: object) -> str:
    file = str(getattr(plugin, "__file__", ""))
    return file if file.endswith("conftest.py") else ""


@pytest.fixture(scope="session")
def render(helm: Helm, charts: Path) -> Render:
    """Render a chart by its name: ``render("spark-job", values={…}, kube="1.34")``; see ``Helm.template``."""

    def render(chart: str, **question: Any) -> Manifest:
        __tracebackhide__ = True
        return helm.template(charts / chart, **question)

    return render
