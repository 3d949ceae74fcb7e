"""What is generated from other files of the tree: parts of values, schemas, READMEs and lock files of charts, pages."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from chartproof.engine import Renderer
from chartproof.helm import Helm, build_dependencies
from chartproof.renders import Renders
from kindling_dev import access_page, api_page, checks_page, properties_page
from kindling_dev.command import run
from kindling_dev.settings import REPO
from kindling_dev.shared_values import write_shared_values
from kindling_dev.values_schema import write_schemas

CHARTS = REPO / "charts"
_CAUSES = REPO / "src/kindling/causes"
SHARED_PROGRAMS = {
    **{
        f"spark-job/files/{name}": _CAUSES / name
        for name in ("fetch_faults.py", "kerberos_faults.py", "known_faults.py")
    },
    "spark-job/files/api_answers.py": _CAUSES.parent / "api_answers.py",
    "spark-notebook/files/kube.py": CHARTS / "spark-job/files/kube.py",
    "spark-connect/files/kube.py": CHARTS / "spark-job/files/kube.py",
    **{f"spark-connect/files/{name}": CHARTS / "spark-notebook/files" / name for name in ("lasting.py", "sweep.py")},
}
"""File below charts/ -> the file that it is a copy of."""


def generate() -> list[Path]:
    """Write every generated file again; return their paths."""
    copies = [CHARTS / name for name in SHARED_PROGRAMS]
    for name in SHARED_PROGRAMS:
        (CHARTS / name).write_text(shared_program(name))
    zones = CHARTS / "spark-job/files/time-zones.txt"
    # From the pinned package: this machine's own may differ from another's.
    zones.write_text("".join(f"{zone}\n" for zone in sorted((resources.files("tzdata") / "zones").read_text().split())))
    charts = sorted(path.parent for path in CHARTS.glob("*/values.yaml"))
    schemas: list[Path] = []
    for chart in charts:
        write_shared_values(chart)
        schemas += write_schemas(chart)
    renderer = Renderer()
    helm = Helm(renders=Renders(renderer))
    build_dependencies(CHARTS, helm)
    run(
        ["helm-docs", "--chart-search-root", CHARTS, "--template-files", REPO / "ci/chart-readme.gotmpl"],
        cwd=REPO,
        what="write the charts' READMEs",
    )
    of_charts = [chart / name for chart in charts for name in ("values.yaml", "README.md")]
    of_renders = [access_page.write_page(helm), properties_page.write_page(helm)]
    renderer.close()
    return [*copies, zones, *schemas, *of_charts, *of_renders, api_page.write_page(), checks_page.write_page()]


def shared_program(name: str) -> str:
    """A copy as the chart's programs have it: there, modules are in no package."""
    text = SHARED_PROGRAMS[name].read_text()
    return text.replace("\nfrom kindling.causes.", "\nfrom ")
