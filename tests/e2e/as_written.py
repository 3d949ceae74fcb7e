"""Commands of a page, run as they stand there."""

from __future__ import annotations

from pathlib import Path

import yaml
from team import Team

from chartproof import Cluster
from kindling_dev.command import run
from kindling_dev.guides import manifests
from kindling_dev.settings import REPO


def done_as_written(written: str, cluster: Cluster, cwd: Path = REPO) -> str:
    """Run commands of a page; what they printed."""
    argv = ["bash", "-euo", "pipefail", "-c", written]
    return run(argv, cwd=cwd, env={"KUBECONFIG": str(cluster.kubeconfig)}, what="do what the page says")


def write_values(folder: Path, files: dict[str, str]) -> None:
    """Write files below a folder's values/, name -> text."""
    for name, text in files.items():
        (folder / "values" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "values" / name).write_text(text)


def clone_for(team: Team, page: str, folder: Path) -> None:
    """Make a folder a clone of the repository as a guide's reader has it, with a team's values in place of team-a's.

    Args:
        team: who stands for team-a, with what the guide's one manifest adds to its spark-namespace.yaml.
        page: the guide, "notebook"; its chart is spark-PAGE.
        folder: an empty one.
    """
    for name in ("charts", "examples"):
        (folder / name).symlink_to(REPO / name)
    (listed,) = (block.text for block in manifests(page))
    site = f"spark-{page}.yaml"
    write_values(
        folder,
        {
            site: (REPO / "values" / site).read_text(),
            "spark-namespace.yaml": "",
            f"{team.name}/common.yaml": "",
            f"{team.name}/spark-namespace.yaml": yaml.safe_dump({"namespace": {"name": team.name}}) + listed,
        },
    )
