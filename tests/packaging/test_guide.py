"""The page "Test your own chart with chartproof", done as it is written; pip is uv's, which keeps what it downloads."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from itertools import pairwise
from pathlib import Path

from chartproof.engine import RENDERER
from kindling_dev.golang import go_environment
from kindling_dev.settings import REPO, Settings

PAGE = (REPO / "docs/guides/test-your-chart.md").read_text()
WHEEL = REPO / "packaging/chartproof"
BLOCK = re.compile(r"```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)
FAILING = re.compile(r"^ERROR | failed$", re.MULTILINE)
NAMED = re.compile(r"(#|//) (?P<name>\S+)\n")
SETTINGS = Settings.from_environment()
# That scripts/bootstrap installed the suite's own packages by.
UV = str(next(SETTINGS.cache.glob("python/uv-*/bin/uv")))


def environment(folder: Path) -> dict[str, str]:
    """A virtual environment's: nothing of this suite is in it, neither its source nor its options."""
    keep = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "PYTHON", "KUBECONFIG"))}
    venv = folder / "venv"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, venv], check=True)
    # helm alone of this suite's tools: the page builds the renderer.
    (venv / "bin/helm").symlink_to(shutil.which("helm") or "helm")
    path = [entry for entry in keep["PATH"].split(os.pathsep) if not (Path(entry) / RENDERER).exists()]
    pip = venv / "bin/pip"
    pip.write_text(f'#!/bin/sh\nexec {UV} pip "$@"\n')
    pip.chmod(0o755)
    return {
        **keep,
        **go_environment(SETTINGS),
        "GOFLAGS": "-buildvcs=false -trimpath",  # as this suite's own programs are built, of which Go keeps the parts
        "PATH": os.pathsep.join([str(venv / "bin"), *path]),
        "UV_CACHE_DIR": str(SETTINGS.cache / "python/uv-cache"),
        "UV_CONSTRAINT": str(REPO / "requirements.lock"),  # no version is newer than this suite's
        "VIRTUAL_ENV": str(venv),
    }


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (tmp_path / "kindling").symlink_to(REPO)
    env = environment(tmp_path)
    blocks = [(block["language"], block["text"]) for block in BLOCK.finditer(PAGE)]
    for (language, text), (next_language, next_text) in pairwise([*blocks, ("", "")]):
        if language == "bash":
            expected = next_text if next_language == "text" else ""
            argv = ["bash", "-euo", "pipefail", "-c", text]
            done = subprocess.run(argv, cwd=mine, env=env, capture_output=True, text=True, check=False)
            said = f"{text}{done.stdout}{done.stderr}"
            assert not [line for line in expected.splitlines() if line not in done.stdout], said
            assert bool(done.returncode) == bool(FAILING.search(expected)), said
        elif named := NAMED.match(text):
            file = mine / named["name"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text[named.end() :])


def test_the_wheel_holds_chartproof_alone(tmp_path: Path) -> None:
    subprocess.run([UV, "build", "--quiet", "--wheel", "--out-dir", tmp_path, WHEEL], check=True)
    (built,) = tmp_path.glob("chartproof-*.whl")
    folders = {name.partition("/")[0] for name in zipfile.ZipFile(built).namelist()}
    assert folders == {"chartproof", f"{'-'.join(built.name.split('-')[:2])}.dist-info"}
