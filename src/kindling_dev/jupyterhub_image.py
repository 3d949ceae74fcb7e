"""The image of JupyterHub: Debian's Python and configurable-http-proxy, what images/jupyterhub/requirements.txt pins.

``scripts/bootstrap kindling_dev.jupyterhub_image`` gives it, and the notebooks' image, to the cluster of scripts/up.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from kindling_dev import images, pypi
from kindling_dev.cluster import load_if_missing
from kindling_dev.command import exit_code
from kindling_dev.fingerprint import fingerprint
from kindling_dev.host import ensure_build_programs
from kindling_dev.progress import Progress
from kindling_dev.python_image import load_python_image
from kindling_dev.settings import Settings
from kindling_dev.spark_image import DEFAULT_LINE

_FOLDER = images.images_folder("jupyterhub")
_REPOSITORY = "kindling/jupyterhub"
_SUITE = "trixie"
_PYTHON = "3.13"  # that suite's
_PACKAGES = ("python3", "node-configurable-http-proxy")


def hub_version() -> str:
    """The version of JupyterHub that requirements.txt pins, "6.1.1"."""
    (version,) = re.findall(r"^jupyterhub==(\S+)", (_FOLDER / "requirements.txt").read_text(), re.MULTILINE)
    return str(version)


def name() -> str:
    """The name that the example gives to pods."""
    return f"{_REPOSITORY}:{hub_version()}"


def ensure_jupyterhub_image(settings: Settings, progress: Progress) -> str:
    """Return the reference of the image, built unless the engine has it.

    Raises:
        Failure: Debian's repository or PyPI does not answer, or gives other files than requirements.txt lists.
    """
    reference = f"{name()}-{fingerprint(Path(__file__), *images.SLIM_HOOKS, _FOLDER)}"
    return images.made(reference, lambda: _build(reference, settings, progress), settings, progress)


def load_jupyterhub_images(settings: Settings, progress: Progress) -> None:
    """See that the cluster has the images of the hub and of notebooks under the names that pods give."""
    load_if_missing(name(), ensure_jupyterhub_image(settings, progress), settings, progress)
    load_python_image("spark-notebook", DEFAULT_LINE, settings, progress)


def _build(reference: str, settings: Settings, progress: Progress) -> None:
    ensure_build_programs(settings, progress)
    with progress.step(f"making a Debian {_SUITE} root file system with {', '.join(_PACKAGES)}"):
        base = images.debian_base("jupyterhub", _SUITE, _PACKAGES, settings)
    log = settings.logs / "jupyterhub.log"
    with progress.step("assembling the image of JupyterHub"), images.scratch_folder(settings) as scratch:
        pypi.install(_FOLDER / "requirements.txt", _PYTHON, scratch / "packages", log, settings)
        images.copy_into(scratch, _FOLDER / "Dockerfile")
        images.docker_build(scratch, reference, log, base=base)
    progress.say(f"image {reference}: {images.image_megabytes(reference)} MB")


if __name__ == "__main__":
    sys.exit(exit_code(lambda: load_jupyterhub_images(Settings.from_environment(), Progress())))
