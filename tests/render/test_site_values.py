"""The site's values, for what a team installs as its guide says and has no values file of its own for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chartproof import Helm
from kindling_dev.settings import REPO

LOGIN = {"login": {"secret": {"name": "a-token"}}}
INSTALLED: dict[str, dict[str, Any]] = {
    "spark-notebook": LOGIN,
    "spark-connect": {**LOGIN, "tls": {"secretName": "a-certificate"}},
}
"""Chart -> what the guide's command sets."""


@pytest.mark.parametrize("chart", INSTALLED)
def test_drivers_that_last_ask_for_little_on_two_cores(helm: Helm, charts: Path, chart: str) -> None:
    files = [REPO / f"values/{chart}.yaml", REPO / "values/team-a/common.yaml"]
    rendered = helm.template(
        charts / chart, release="it", namespace="team-a", files=files, values=INSTALLED[chart], checked=False
    )
    containers: list[Any] = rendered.one("StatefulSet").pod["spec"]["containers"]
    (driver,) = [one for one in containers if one["name"] == "driver"]
    assert driver["resources"]["requests"]["cpu"] == "200m"
