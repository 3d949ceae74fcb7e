"""Every scenario of the repository: those of the charts, and the site's teams; what was released of a chart."""

from pathlib import Path

from chartproof.scenarios import Scenario, chart_scenarios, site_scenarios
from kindling_dev.settings import ADMIN_NAMESPACE, REPO

CHARTS = REPO / "charts"
SCENARIOS: list[Scenario] = [
    *chart_scenarios(CHARTS),
    *site_scenarios(CHARTS, REPO / "values", {"spark-namespace": ADMIN_NAMESPACE}),
]


def last_release(chart: Path) -> tuple[str, Path] | None:
    """The newest release of a chart: version and package; None before its first."""
    packages = {path.stem.removeprefix(f"{chart.name}-"): path for path in (REPO / "tests/releases").glob("*.tgz")}
    versions = [version for version in packages if version.replace(".", "").isdigit()]
    if not versions:
        return None
    version = max(versions, key=lambda version: [int(part) for part in version.split(".")])
    return version, packages[version]
