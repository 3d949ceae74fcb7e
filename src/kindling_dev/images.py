"""Container images: used if the engine has them, else pulled where a registry answers, else built from packages."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kindling_dev.command import Failure, run, succeeds
from kindling_dev.fingerprint import fingerprint
from kindling_dev.lock import one_at_a_time
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings

MADE_LABEL = "dev.kindling.made-by=kindling"
"""On every image that we build, so that ``scripts/down --purge`` removes those and no other."""
_PULL_TIMEOUT_S = 600
SLIM_HOOKS = (
    # Java's package needs the folder of manuals while it is installed; nobody reads them afterwards, and
    # apt's lists and archives are of no use in an image that nobody installs into.
    "find $1/usr/share/doc -type f ! -name copyright -delete",
    "rm -rf $1/usr/share/man/* $1/usr/share/info $1/usr/share/locale/*",
    "rm -rf $1/var/lib/apt/lists/* $1/var/cache/* $1/var/log/*",
    # Java's class archives for compact object headers, which are off unless asked for.
    "rm -f $1/usr/lib/jvm/*/lib/server/*_coh.jsa",
)
"""What is removed from a root file system after its packages are installed; $1 is its folder."""


def in_engine(reference: str) -> bool:
    """Whether the engine has an image."""
    return succeeds(["docker", "image", "inspect", reference])


def image_id(reference: str) -> str:
    """The image's content address, "sha256:…"."""
    return run(["docker", "image", "inspect", "--format", "{{.Id}}", reference], what=f"find image {reference}").strip()


def digests_of(name: str) -> set[str]:
    """The digests, "sha256:…", under which an image of the engine was pushed to its name's repository, or pulled."""
    listing = ["docker", "image", "inspect", "--format", "{{range .RepoDigests}}{{println .}}{{end}}", name]
    pairs = [line.partition("@") for line in run(listing, what=f"find image {name}").split()]
    return {digest for repository, _, digest in pairs if repository == name.rpartition(":")[0]}


def image_megabytes(reference: str) -> int:
    """Size of all the image's layers in the engine, in 10^6 bytes."""
    size = run(["docker", "image", "inspect", "--format", "{{.Size}}", reference], what=f"find image {reference}")
    return round(int(size) / 1e6)


def choose(
    published: str, built: str, build: Callable[[], None], setting: str, settings: Settings, progress: Progress
) -> str:
    """Return the reference of an image that the engine now has.

    Args:
        published: the public image that does the same work.
        built: the name, content address included, of what ``build`` makes.
        build: makes ``built`` from packages.
        setting: an image named by the person, used as it is and never built; or "".
        settings: whether to ask a registry.
        progress: told what is done.
    """
    if setting:
        if in_engine(setting) or _pull(setting, progress):
            return setting
        raise Failure(f"image {setting} is not in the engine and could not be pulled; name another, or none")
    for reference in (published, built):
        if in_engine(reference):
            return reference
    if settings.pull and _pull(published, progress):
        return published
    progress.say(f"{published} is not to be had from a registry: building from packages")
    return made(built, build, settings, progress)


def made(reference: str, build: Callable[[], None], settings: Settings, progress: Progress) -> str:
    """Return the reference of an image of ours, built unless the engine has it; two runs at once build it once."""
    if not in_engine(reference):
        with one_at_a_time(settings.cache / "images" / f"{reference.replace('/', '-')}.lock", progress):
            if not in_engine(reference):
                build()
    return reference


def remove_made_by_us() -> None:
    """Remove from the engine all images that this project built, and no other."""
    listing = ["docker", "images", "--all", "--quiet", "--filter", f"label={MADE_LABEL}"]
    while made := set(run(listing).split()):
        # One image's removal takes its unnamed parents with it, which are then not there to be removed.
        removed = [image for image in sorted(made) if succeeds(["docker", "image", "rm", "--force", image])]
        if not removed:
            raise Failure(
                f"{len(made)} images that were built here are in use: remove their containers, then try again"
            )


def docker_build(context: Path, tag: str, log: Path, dockerfile: Path | None = None, **arguments: str) -> None:
    """Build an image from a folder."""
    argv: list[str | Path] = ["docker", "build", "--label", MADE_LABEL, "--tag", tag]
    if dockerfile:
        argv += ["--file", dockerfile]
    for name, value in arguments.items():
        argv += ["--build-arg", f"{name.upper()}={value}"]
    run([*argv, context], log=log, what=f"build image {tag}")


def debian_base(folder: str, suite: str, packages: tuple[str, ...], settings: Settings) -> str:
    """Make a Debian root file system with some packages and import it as an image; return its reference.

    Args:
        folder: the folder below images/ that it is for, as part of its name.
        suite: Debian's release ("bookworm").
        packages: what to install beside what Debian calls essential.
        settings: where logs and temporary files go.
    """
    reference = f"kindling/{folder}-base:{suite}-{fingerprint(*packages, *SLIM_HOOKS)}"
    if in_engine(reference):
        return reference
    log = settings.logs / f"{folder}-{suite}-base.log"
    with scratch_folder(settings) as scratch:
        archive = scratch / "root.tar"
        run(
            [
                "mmdebstrap",
                "--variant=minbase",
                f"--include={','.join(packages)}",
                *(f"--customize-hook={hook}" for hook in SLIM_HOOKS),
                suite,
                archive,
            ],
            log=log,
            what=f"make a Debian {suite} root file system",
        )
        run(["docker", "import", "--change", f"LABEL {MADE_LABEL}", archive, reference], what=f"import {reference}")
    return reference


@contextmanager
def scratch_folder(settings: Settings) -> Iterator[Path]:
    """A temporary folder in the cache, readable by mmdebstrap's and the engine's processes."""
    parent = settings.cache / "tmp"
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def copy_into(context: Path, *sources: Path) -> None:
    """Copy files into a build context."""
    context.mkdir(parents=True, exist_ok=True)
    for source in sources:
        shutil.copy2(source, context / source.name)


def images_folder(name: str) -> Path:
    """A folder below images/."""
    return REPO / "images" / name


def _pull(reference: str, progress: Progress) -> bool:
    with progress.step(f"asking a registry for {reference}"):
        return succeeds(["docker", "pull", "--quiet", reference], timeout=_PULL_TIMEOUT_S)
