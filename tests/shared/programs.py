"""Programs of charts as modules: what their containers run."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from kindling_dev.settings import REPO


def program(chart: str, name: str) -> ModuleType:
    """A program below a chart's files/, with the others there to import."""
    folder = REPO / "charts" / chart / "files"
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.append(str(folder))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    return module
