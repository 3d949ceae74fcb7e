"""Images of Spark with packages of Python, as each requirements.txt pins them: notebooks' and the Connect server's.

``scripts/bootstrap kindling_dev.python_image`` gives them to the cluster of scripts/up.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from kindling_dev import front_door, images, pypi
from kindling_dev.cluster import load_if_missing
from kindling_dev.command import exit_code, run
from kindling_dev.fingerprint import fingerprint
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings
from kindling_dev.spark_image import DEFAULT_LINE, SparkLine, ensure_spark_image

_FILES = {
    "spark-notebook": ("Dockerfile", "overrides.json", "requirements.txt"),
    "spark-connect": ("Dockerfile", "requirements.txt"),
}
"""Folder below images/ -> what the image is made of."""


def ensure_python_image(name: str, line: SparkLine, base: str, settings: Settings, progress: Progress) -> str:
    """Return the reference of an image on top of one of a Spark line, which the engine has; it then has this one too.

    Args:
        name: "spark-notebook" or "spark-connect".

    Raises:
        Failure: PyPI does not answer, or gives other files than requirements.txt lists.
    """
    folder = images.images_folder(name)
    files = [folder / file for file in _FILES[name]]
    reference = f"kindling/{name}:{line.version}-{fingerprint(Path(__file__), images.image_id(base), *files)}"

    def build() -> None:
        log = settings.logs / f"{name}.log"
        with progress.step(f"building {reference}"), images.scratch_folder(settings) as scratch:
            images.copy_into(scratch, *files)
            _install(folder / "requirements.txt", _python_of(base), scratch, log, settings)
            images.docker_build(scratch, reference, log, base=base)
        progress.say(f"image {reference}: {images.image_megabytes(reference)} MB")

    return images.made(reference, build, settings, progress)


def load_python_image(name: str, line: SparkLine, settings: Settings, progress: Progress) -> str:
    """Return the name that the chart gives to pods, under which the cluster has the image then."""
    image = ensure_python_image(name, line, ensure_spark_image(line, settings, progress), settings, progress)
    published = f"ghcr.io/kindling/{name}:{line.version}-python3"
    load_if_missing(published, image, settings, progress)
    return published


def _python_of(base: str) -> str:
    """The version of an image's Python, "3.13"."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    argv = ["docker", "run", "--rm", "--network=none", "--entrypoint=python3", base, "-c", ask]
    return run(argv, what=f"ask {base} for its Python").strip()


def _install(requirements: Path, python: str, context: Path, log: Path, settings: Settings) -> None:
    """Unpack the pinned wheels as below /usr/local, where Debian's Python and Jupyter look."""
    unpacked, target = context / "unpacked", context / "python"
    pypi.install(requirements, python, unpacked, log, settings)
    packages = target / f"lib/python{python}/dist-packages"
    packages.parent.mkdir(parents=True)
    for name in ("bin", "etc", "share"):
        if (unpacked / name).exists():
            (unpacked / name).rename(target / name)
    for program in (target / "bin").glob("*"):
        # It names the Python that unpacked it.
        program.write_text(re.sub(r"\A#!.*", "#!/usr/bin/env python3", program.read_text()))
        program.chmod(0o755)
    # The packages' own tests are a tenth of all.
    for folder in list(unpacked.rglob("tests")):
        shutil.rmtree(folder)
    unpacked.rename(packages)


def load_all(settings: Settings, progress: Progress) -> None:
    """See that the cluster has the images, and the one whose nginx stands before the Connect server."""
    for name in _FILES:
        load_python_image(name, DEFAULT_LINE, settings, progress)
    front_door.ensure_image(settings, progress)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: load_all(Settings.from_environment(), Progress())))
