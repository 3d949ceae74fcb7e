"""What is generated from other files of the tree: schemas, READMEs and lock files of charts, pages of the reference."""

from __future__ import annotations

from pathlib import Path

from chartproof.helm import Helm, build_dependencies
from kindling_dev import access_page, api_page, checks_page
from kindling_dev.command import run
from kindling_dev.settings import REPO
from kindling_dev.values_schema import write_schema

CHARTS = REPO / "charts"


def generate() -> list[Path]:
    """Write every generated file again; return their paths."""
    charts = sorted(path.parent for path in CHARTS.glob("*/values.yaml"))
    for chart in charts:
        write_schema(chart)
    helm = Helm()
    build_dependencies(CHARTS, helm)
    run(
        ["helm-docs", "--chart-search-root", CHARTS, "--template-files", REPO / "ci/chart-readme.gotmpl"],
        cwd=REPO,
        what="write the charts' READMEs",
    )
    of_charts = [chart / name for chart in charts for name in ("values.schema.json", "README.md")]
    return [*of_charts, access_page.write_page(helm), api_page.write_page(), checks_page.write_page()]
