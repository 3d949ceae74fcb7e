"""The values that a charts' repository holds: scenarios beside the charts, and what each namespace overrides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
    namespace: str = "team-a"


def chart_scenarios(charts: Path) -> list[Scenario]:
    """A scenario for each ``CHART/ci/NN-what-values.yaml``."""
    files = sorted(charts.glob("*/ci/*-values.yaml"))
    return [
        Scenario(f"{file.parent.parent.name}/{file.name.removesuffix('-values.yaml')}", file.parent.parent, (file,))
        for file in files
    ]


def site_scenarios(charts: Path, values: Path) -> list[Scenario]:
    """A scenario for each ``values/NAMESPACE/CHART.yaml``: the site's defaults, the namespace's facts, its overrides."""
    found = []
    for file in sorted(values.glob("*/*.yaml")):
        chart, folder = charts / file.stem, file.parent
        if file.name == "common.yaml" or not (chart / "Chart.yaml").exists():
            continue
        files = [values / f"{chart.name}.yaml", folder / "common.yaml", file]
        present = tuple(path for path in files if path.exists())
        found.append(Scenario(f"{folder.name}/{chart.name}", chart, present, folder.name))
    return found
