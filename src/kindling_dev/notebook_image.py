"""The image of notebooks: images/spark-notebook, what its requirements.txt pins on top of a Spark line's image."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from kindling_dev import images, pypi
from kindling_dev.command import run
from kindling_dev.fingerprint import fingerprint
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings
from kindling_dev.spark_image import SparkLine

_FOLDER = images.images_folder("spark-notebook")
REPOSITORY = "kindling/spark-notebook"


def ensure_notebook_image(line: SparkLine, base: str, settings: Settings, progress: Progress) -> str:
    """Return the reference of the image on top of one of a Spark line, which the engine has; it then has this one too.

    Raises:
        Failure: PyPI does not answer, or gives other files than requirements.txt lists.
    """
    files = [_FOLDER / name for name in ("Dockerfile", "overrides.json", "requirements.txt")]
    reference = f"{REPOSITORY}:{line.version}-{fingerprint(Path(__file__), images.image_id(base), *files)}"
    if images.in_engine(reference):
        return reference
    log = settings.logs / "spark-notebook.log"
    with progress.step(f"building {reference}"), images.scratch_folder(settings) as scratch:
        images.copy_into(scratch, *files)
        _install(_python_of(base), scratch, log, settings)
        images.docker_build(scratch, reference, log, base=base)
    progress.say(f"image {reference}: {images.image_megabytes(reference)} MB")
    return reference


def _python_of(base: str) -> str:
    """The version of an image's Python, "3.13"."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    argv = ["docker", "run", "--rm", "--network=none", "--entrypoint=python3", base, "-c", ask]
    return run(argv, what=f"ask {base} for its Python").strip()


def _install(python: str, context: Path, log: Path, settings: Settings) -> None:
    """Unpack the pinned wheels as below /usr/local, where Debian's Python and Jupyter look."""
    unpacked, target = context / "unpacked", context / "python"
    pypi.install(_FOLDER / "requirements.txt", python, unpacked, log, settings)
    packages = target / f"lib/python{python}/dist-packages"
    packages.parent.mkdir(parents=True)
    for name in ("bin", "etc", "share"):
        if (unpacked / name).exists():
            (unpacked / name).rename(target / name)
    for program in (target / "bin").iterdir():
        # It names the Python that unpacked it.
        program.write_text(re.sub(r"\A#!.*", "#!/usr/bin/env python3", program.read_text()))
        program.chmod(0o755)
    # The packages' own tests are a tenth of all.
    for folder in list(unpacked.rglob("tests")):
        shutil.rmtree(folder)
    unpacked.rename(packages)
