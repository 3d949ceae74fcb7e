"""What the render tests share."""

from pathlib import Path
from typing import Any

import pytest
from refusals import RefusalOf, Values

from chartproof import Helm, HelmError, Manifest, Render


@pytest.fixture(scope="session")
def refusal_of() -> RefusalOf:
    """What a chart says of values that it must refuse."""

    def refusal_of(render: Render, values: Values) -> str:
        with pytest.raises(HelmError) as refusal:
            render(**values)
        return str(refusal.value)

    return refusal_of


@pytest.fixture(scope="session")
def render_job(helm: Helm, charts: Path) -> Render:
    """Render spark-job as release "nightly" in team-a; keyword arguments are values at the top level.

    ``checked=False``: the values ask for what rules forbid, or for objects of the user's own.
    """

    def render(*, checked: bool = True, **values: Any) -> Manifest:
        values.setdefault("app", {"file": "local:///app.py"})
        chart = charts / "spark-job"
        return helm.template(chart, release="nightly", namespace="team-a", values=values, checked=checked)

    return render


@pytest.fixture(scope="session")
def render_namespace(helm: Helm, charts: Path) -> Render:
    """Render spark-namespace for team-a from the admin namespace; keyword arguments are values at the top level."""

    def render(**values: Any) -> Manifest:
        values.setdefault("namespace", {"name": "team-a"})
        chart = charts / "spark-namespace"
        return helm.template(chart, release="team-a", namespace="kindling-system", values=values)

    return render
