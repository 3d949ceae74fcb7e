"""The option and the fixture of inventories; loaded by ``chartproof.plugin``."""

from __future__ import annotations

import pytest

from chartproof.inventory import Inventories


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the command line."""
    group = parser.getgroup("chartproof")
    group.addoption("--update-inventory", action="store_true", help="write the inventories of what is rendered now")
    parser.addini("inventories", "folder of the inventories", default="tests/inventories")


@pytest.fixture
def inventories(pytestconfig: pytest.Config) -> Inventories:
    """The checked-in inventories."""
    folder = pytestconfig.rootpath / pytestconfig.getini("inventories")
    return Inventories(folder, update=pytestconfig.getoption("--update-inventory"))
