"""The image of spark-ui-proxy: Debian's nginx with Lua and Python, what requirements.txt pins, and the service."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

from kindling_dev import images, pypi
from kindling_dev.fingerprint import fingerprint
from kindling_dev.host import ensure_build_programs
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings

_FOLDER = images.images_folder("spark-ui-proxy")
_SERVICE = REPO / "src/spark_ui_proxy"
_SUITE = "trixie"
_PYTHON = "3.13"  # that suite's
_PACKAGES = ("python3", "nginx", "libnginx-mod-http-lua")
_NOT_OF_THE_SERVICE = shutil.ignore_patterns("__pycache__")


def published() -> str:
    """The name that the chart gives to pods: the chart and its image have one version."""
    return (
        f"ghcr.io/kindling/spark-ui-proxy:{tomllib.loads((REPO / 'pyproject.toml').read_text())['project']['version']}"
    )


def ensure_ui_proxy_image(settings: Settings, progress: Progress) -> str:
    """Return the reference of the image of this tree's service, built unless the engine has it."""
    reference = f"kindling/spark-ui-proxy:{_key()}"
    return images.made(reference, lambda: _build(reference, settings, progress), settings, progress)


def _key() -> str:
    service = [str(path.relative_to(REPO)) for path in _files()]
    return fingerprint(
        Path(__file__), *images.SLIM_HOOKS, _FOLDER / "Dockerfile", _FOLDER / "requirements.txt", *service, *_files()
    )


def _files() -> list[Path]:
    return sorted(path for path in _SERVICE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _build(reference: str, settings: Settings, progress: Progress) -> None:
    ensure_build_programs(settings, progress)
    log = settings.logs / "spark-ui-proxy.log"
    with progress.step(f"making a Debian {_SUITE} root file system with {', '.join(_PACKAGES)}"):
        base = images.debian_base("spark-ui-proxy", _SUITE, _PACKAGES, settings)
    with progress.step("assembling the image of spark-ui-proxy"), images.scratch_folder(settings) as scratch:
        pypi.install(_FOLDER / "requirements.txt", _PYTHON, scratch / "packages", log, settings)
        shutil.copytree(_SERVICE, scratch / "spark_ui_proxy", ignore=_NOT_OF_THE_SERVICE)
        images.copy_into(scratch, _FOLDER / "Dockerfile")
        images.docker_build(scratch, reference, log, base=base)
    progress.say(f"image {reference}: {images.image_megabytes(reference)} MB")
