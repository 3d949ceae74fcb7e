"""What is generated from other files of the tree: parts of values, schemas, READMEs and lock files of charts, pages."""

from __future__ import annotations

from pathlib import Path

from chartproof.engine import Renderer
from chartproof.helm import Helm, build_dependencies
from chartproof.renders import Renders
from kindling_dev import access_page, api_page, checks_page, properties_page
from kindling_dev.command import run
from kindling_dev.settings import REPO
from kindling_dev.shared_values import write_shared_values
from kindling_dev.values_schema import write_schema

CHARTS = REPO / "charts"
KERBEROS_FAULTS = REPO / "src/kindling/causes/kerberos_faults.py", CHARTS / "spark-job/files/kerberos_faults.py"
"""What the chart's programs share with the published package: from where, to where."""


def generate() -> list[Path]:
    """Write every generated file again; return their paths."""
    source, copy = KERBEROS_FAULTS
    copy.write_bytes(source.read_bytes())
    charts = sorted(path.parent for path in CHARTS.glob("*/values.yaml"))
    for chart in charts:
        write_shared_values(chart)
        write_schema(chart)
    renderer = Renderer()
    helm = Helm(renders=Renders(renderer))
    build_dependencies(CHARTS, helm)
    run(
        ["helm-docs", "--chart-search-root", CHARTS, "--template-files", REPO / "ci/chart-readme.gotmpl"],
        cwd=REPO,
        what="write the charts' READMEs",
    )
    of_charts = [chart / name for chart in charts for name in ("values.yaml", "values.schema.json", "README.md")]
    of_renders = [access_page.write_page(helm), properties_page.write_page(helm)]
    renderer.close()
    return [copy, *of_charts, *of_renders, api_page.write_page(), checks_page.write_page()]
