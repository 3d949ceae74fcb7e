"""What the render tests share."""

from pathlib import Path
from typing import Any

import pytest

from chartproof import Helm, Manifest, Render


@pytest.fixture(scope="session")
def render_job(helm: Helm, charts: Path) -> Render:
    """Render spark-job as release "nightly" in team-a; keyword arguments are values at the top level."""

    def render(**values: Any) -> Manifest:
        values.setdefault("app", {"file": "local:///app.py"})
        return helm.template(charts / "spark-job", release="nightly", namespace="team-a", values=values)

    return render


@pytest.fixture(scope="session")
def render_namespace(helm: Helm, charts: Path) -> Render:
    """Render spark-namespace for team-a from the admin namespace; keyword arguments are values at the top level."""

    def render(**values: Any) -> Manifest:
        values.setdefault("namespace", {"name": "team-a"})
        chart = charts / "spark-namespace"
        return helm.template(chart, release="team-a", namespace="kindling-system", values=values)

    return render
