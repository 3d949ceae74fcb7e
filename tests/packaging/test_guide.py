"""The page "Test your own chart with chartproof", done as it is written."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from kindling_dev.settings import REPO

PAGE = (REPO / "docs/guides/test-your-chart.md").read_text()
WHEEL = REPO / "packaging/chartproof"


def pins(folder: Path) -> Path:
    """A file of the versions that this suite runs with: none is newer elsewhere."""
    file = folder / "constraints.txt"
    freeze = [sys.executable, "-m", "pip", "freeze", "--all"]
    file.write_text(subprocess.run(freeze, capture_output=True, text=True, check=True).stdout)
    return file


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (tmp_path / "kindling").symlink_to(REPO)
    script = ["set -euo pipefail"]
    for language, block in re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL):
        if language == "bash":
            script.append(block)
        else:
            name, text = re.fullmatch(r"# (\S+)\n(.*)", block, re.DOTALL).groups()  # type: ignore[union-attr]
            script.append(f"mkdir -p $(dirname {name})\ncat > {name} <<'END'\n{text}END")
    # Nothing of this suite: neither its source nor its options.
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "PYTHON", "KUBECONFIG"))}
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=mine,
        env=env | {"PIP_CONSTRAINT": str(pins(tmp_path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^=* 6 passed in ", done.stdout, re.MULTILINE), done.stdout


def test_the_wheel_holds_chartproof_alone(tmp_path: Path) -> None:
    wheel: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        tmp_path,
        WHEEL,
    ]
    subprocess.run(wheel, check=True)
    (built,) = tmp_path.glob("chartproof-*.whl")
    folders = {name.partition("/")[0] for name in zipfile.ZipFile(built).namelist()}
    assert folders == {"chartproof", f"{'-'.join(built.name.split('-')[:2])}.dist-info"}
