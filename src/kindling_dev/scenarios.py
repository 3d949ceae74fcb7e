"""Every scenario of the repository: those of the charts, and the site's teams."""

from chartproof.scenarios import Scenario, chart_scenarios, site_scenarios
from kindling_dev.settings import ADMIN_NAMESPACE, REPO

CHARTS = REPO / "charts"
SCENARIOS: list[Scenario] = [
    *chart_scenarios(CHARTS),
    *site_scenarios(CHARTS, REPO / "values", {"spark-namespace": ADMIN_NAMESPACE}),
]
