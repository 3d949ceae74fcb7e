"""The values that a charts' repository holds: scenarios beside the charts, and what each namespace overrides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chartproof.checks import Rendered
from chartproof.helm import Helm
from chartproof.values import values_of


@dataclass(frozen=True)
class Scenario:
    """Values files to render a chart with, later ones winning.

    Attributes:
        name: unique among the scenarios of a repository, "spark-job/03-all-on" or "team-a/spark-namespace".
        chart: the chart's folder.
        files: the values files.
        namespace: namespace of the release.
    """

    name: str
    chart: Path
    files: tuple[Path, ...]
    namespace: str = "default"

    @property
    def values(self) -> dict[str, Any]:
        """The values of all files, merged as helm does it."""
        return values_of(self.files)

    def render(
        self,
        helm: Helm,
        kube: str = "",
        release: str = "release-name",
        chart: Path | None = None,
        apis: tuple[str, ...] = (),
    ) -> Rendered:
        """Render it: for a Kubernetes version with more APIs, and from another place than the chart's own.

        No rules are asked: the caller has the whole render, and asks what it wants to know.
        """
        chart = chart or self.chart
        manifest = helm.template(
            chart, release=release, namespace=self.namespace, files=self.files, kube=kube, apis=apis, checked=False
        )
        return Rendered(manifest, chart, release, self.namespace, kube, self.values, apis)


def chart_scenarios(charts: Path) -> list[Scenario]:
    """A scenario for each ``CHART/ci/NN-what-values.yaml``."""
    files = sorted(charts.glob("*/ci/*-values.yaml"))
    return [
        Scenario(f"{file.parent.parent.name}/{file.name.removesuffix('-values.yaml')}", file.parent.parent, (file,))
        for file in files
    ]


def site_scenarios(charts: Path, values: Path, installed_in: Mapping[str, str] | None = None) -> list[Scenario]:
    """A scenario for each ``values/NAMESPACE/CHART.yaml``: site defaults, the namespace's facts, its overrides.

    Args:
        charts: folder of the charts.
        values: folder of the site's values.
        installed_in: the namespace of the release, for charts that are not installed in the one they are for.
    """
    found = []
    for file in sorted(values.glob("*/*.yaml")):
        chart, folder = charts / file.stem, file.parent
        if file.name == "common.yaml" or not (chart / "Chart.yaml").exists():
            continue
        files = [values / f"{chart.name}.yaml", folder / "common.yaml", file]
        present = tuple(path for path in files if path.exists())
        namespace = (installed_in or {}).get(chart.name, folder.name)
        found.append(Scenario(f"{folder.name}/{chart.name}", chart, present, namespace))
    return found
