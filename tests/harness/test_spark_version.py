"""Another version of Spark is named everywhere by one command."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from chartproof import Helm
from chartproof.helm import build_dependencies
from kindling_dev.command import Failure
from kindling_dev.settings import REPO, Settings
from kindling_dev.spark_image import DEFAULT_LINE, LINES
from kindling_dev.spark_version import OF_THEIR_TIME, line_of, main, move, pin


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A clone of this tree, as it is committed."""
    subprocess.run(["git", "clone", "--quiet", str(REPO), str(tmp_path / "tree")], check=True)
    return tmp_path / "tree"


def test_a_version_is_named_everywhere(tree: Path) -> None:
    old, new = DEFAULT_LINE.version, f"{DEFAULT_LINE.line}.99"
    assert len(move(tree, old, new)) > 20
    kept = [f":!{pattern}" for pattern in OF_THEIR_TIME]
    left = subprocess.run(["git", "grep", "-wF", old, "--", ".", *kept], cwd=tree, capture_output=True, text=True)
    assert left.stdout == ""
    build_dependencies(tree / "charts", Helm())
    values = {"app": {"file": "local:///app.py"}}
    job = Helm().template(tree / "charts/spark-job", values=values).one("Job")
    assert [c["image"] for c in job.pod["spec"]["containers"]] == [f"docker.io/apache/spark:{new}-python3"]


def test_the_archive_is_pinned_by_its_hash(tmp_path: Path) -> None:
    line = LINES["3.5"]
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# A comment.\npyspark==3.5.0 --hash=sha256:0\n")
    pin(requirements, line.version, Settings.from_environment())
    assert requirements.read_text().splitlines()[1:] == line.requirements.read_text().splitlines()[1:]


@pytest.mark.parametrize("version", ["4.3", "9.9.9", "4.3.x", ""])
def test_a_version_of_no_supported_line_is_refused(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Failure, match=r"of a line that is supported: 4\.3\.N, 3\.5\.N"):
        line_of(version)
    assert main([version]) == 1
    assert capsys.readouterr().err.startswith("kindling: ")
