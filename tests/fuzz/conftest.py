"""What the tests of this tier share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chartproof import Helm, Manifest, Render
from chartproof.engine import Renderer
from chartproof.renders import Renders


@pytest.fixture
def render() -> Iterator[Render]:
    """Render and forget: no question comes twice."""
    renderer = Renderer()

    def render(chart: Path, **question: Any) -> Manifest:
        return Helm(renders=Renders(renderer)).template(chart, **question)

    yield render
    renderer.close()
