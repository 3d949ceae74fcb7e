"""Images with one Go program in them, for tests that need its server in the cluster."""

from __future__ import annotations

import fcntl

from kindling_dev import images
from kindling_dev.cluster import load_if_missing
from kindling_dev.golang import GoModule, build
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings


def load_program(module: GoModule, reference: str) -> None:
    """Build a module's one program and its image, and give it to the cluster's node; the first of several workers does.

    Args:
        module: has one program.
        reference: the image's name.
    """
    settings = Settings.from_environment()
    (program,) = module.programs
    with (settings.cluster_dir / f"{program}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = build(module, settings, Progress()) / program
        with images.scratch_folder(settings) as scratch:
            images.copy_into(scratch, built)
            (scratch / "Dockerfile").write_text(f'FROM scratch\nCOPY {program} /\nENTRYPOINT ["/{program}"]\n')
            images.docker_build(scratch, reference, settings.logs / f"{program}.log")
        load(reference)


def load(reference: str) -> None:
    """Give the cluster's node an image of the engine, under its own name, unless it has it."""
    load_if_missing(reference, reference, Settings.from_environment(), Progress())
