"""What the scripts do: ``up``, ``down``, ``test``, ``generate`` and ``release``.

Each imports its own parts: tests start at once, whatever making images or bills of materials takes to import.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from kindling_dev import tools
from kindling_dev.command import Failure, succeeds
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings

if TYPE_CHECKING:
    from kindling_dev.release import Signer
    from kindling_dev.spark_image import SparkLine

IMAGES = "images.txt"
"""The list of a release's images, in its folder."""
_NEXT = """
Next, in this shell:

  export PATH={bin}:$PATH KUBECONFIG={kubeconfig}
  kubectl get jobs,pods --namespace team-a
  helm install mine charts/spark-job --namespace team-a --values values/spark-job.yaml \\
    --values values/team-a/common.yaml --set-file app.source=job.py

README.md shows a first job.py; scripts/test runs the tests; scripts/down removes the cluster.

Every application, live or finished:

  {url}   (log in with what this prints: {login})
"""


def up(*, jobs: bool) -> None:
    """Cluster, charts and the first two jobs."""
    from kindling_dev import first_jobs, front_door
    from kindling_dev.spark_image import DEFAULT_LINE

    settings, progress = Settings.from_environment(), Progress()
    _prepare(settings, progress, tools.FOR_UP, (DEFAULT_LINE,))
    with progress.phase("charts: a namespace for each of two teams, a history server, and spark-ui-proxy"):
        first_jobs.install_namespaces(settings, progress)
        front_door.install(settings, progress)
    if jobs:
        with progress.phase("SparkPi"):
            first_jobs.run_pi(settings, progress)
        with progress.phase("flights"):
            first_jobs.run_flights(settings, progress)
            first_jobs.start_live(settings, progress)
    progress.print_table()
    print(
        _NEXT.format(
            bin=settings.bin, kubeconfig=settings.kubeconfig, url=front_door.url(settings), login=front_door.LOGIN
        )
    )


def down(*, purge: bool) -> None:
    """Remove the cluster; with ``purge`` also images, engine and cache, as far as this project made them."""
    from kindling_dev import cluster, images
    from kindling_dev.host import stop_engine

    settings, progress = Settings.from_environment(), Progress()
    os.environ["PATH"] = f"{settings.bin}{os.pathsep}{os.environ['PATH']}"
    cluster.remove_cluster(settings, progress)
    if not purge:
        progress.say(f"the cache stays: {settings.cache} (scripts/down --purge removes it)")
        return
    if succeeds(["docker", "info"], timeout=20):
        with progress.step("removing the images that were built here"):
            images.remove_made_by_us()
        if stop_engine(settings):
            progress.say("stopped the Docker engine that scripts/up started; Debian's packages stay installed")
    with progress.step(f"removing {settings.cache}"):
        _remove_cache(settings.cache)


def run_tests(arguments: list[str], *, long: bool) -> NoReturn:
    """Set up what tests need and become pytest."""
    settings, progress = Settings.from_environment(), Progress()
    if _may_run("tests/e2e", arguments):
        from kindling_dev import front_door
        from kindling_dev.spark_image import LINES

        _prepare(settings, progress, tools.FOR_TESTS, tuple(LINES.values()))
        with progress.phase("spark-ui-proxy's image"):
            front_door.ensure_image(settings, progress)
    else:
        tools.ensure_tools(settings, progress, tools.FOR_TESTS)
    apiservers = []
    if _may_run("tests/proxy", arguments):
        _prepare_for_proxy(settings, progress)
    if _may_run("tests/apiserver", arguments) or _may_run("tests/proxy", arguments):
        from kindling_dev.apiservers import ensure_apiservers

        with progress.phase("API servers of their own"):
            apiservers = [f"--apiservers={ensure_apiservers(settings, progress)}"]
    progress.print_table()
    environment = {**os.environ, "KUBECONFIG": str(settings.kubeconfig)}
    # Two at a time: a run of Spark waits as much as it computes. "-n 0" among the arguments wins over this. Some tests
    # last a millisecond and some minutes: who has none left takes the other's.
    options = ["-n", "2", "--dist=worksteal", *(["--long"] if long else []), *apiservers]
    os.chdir(REPO)
    sys.stdout.flush()
    # In the place of this process: an interrupt reaches pytest alone, which then removes what its tests made.
    os.execve(sys.executable, [sys.executable, "-m", "pytest", *options, *arguments], environment)


def _may_run(folder: str, arguments: list[str]) -> bool:
    """Whether pytest's arguments ask for tests of a folder: they name it, or nothing below tests/."""
    paths = [argument for argument in arguments if argument.startswith("tests/")]
    return not paths or any(path.startswith(folder) or folder.startswith(path) for path in paths)


def write_generated() -> None:
    """Write the charts' schemas and READMEs and the pages of the reference again."""
    from kindling_dev.generate import generate

    settings, progress = Settings.from_environment(), Progress()
    tools.ensure_tools(settings, progress, tools.FOR_GENERATE)
    for path in generate():
        progress.say(f"wrote {path.relative_to(REPO)}")


@dataclass(frozen=True)
class Release:
    """What scripts/release is asked for.

    Attributes:
        folder: where packages, bills of materials and the list of images go.
        version: refuse charts of another one; "": any.
        images_to: push our images to this registry, with the owner ("ghcr.io/owner"); "": push none.
        mirror: ask this registry for the images that are not ours; "": their own.
        digests: the list that an earlier run with ``images_to`` wrote.
        push: push the packages to this registry; "": do not.
        signer: who signs the packages.
    """

    folder: Path
    version: str = ""
    images_to: str = ""
    mirror: str = ""
    digests: Path | None = None
    push: str = ""
    signer: Signer | None = None


def write_release(asked: Release) -> None:
    """Build the charts' packages, each with its bill of materials, and print their digests; push what is asked for.

    Raises:
        Failure: what would be pushed names images by tag; a step of a release is not possible.
    """
    from kindling_dev import digests, release, sbom
    from kindling_dev.generate import CHARTS
    from kindling_dev.host import Host, ensure_engine, ensure_gpg

    if asked.push and not (asked.images_to or asked.digests):
        raise Failure("packages that are pushed name images by digest: give --digests FILE, or --images to make one")
    settings, progress = Settings.from_environment(), Progress()
    images = digests.read_list(asked.digests) if asked.digests else []
    tools.ensure_tools(settings, progress, tools.FOR_RELEASE)
    if asked.version:
        release.check_version(CHARTS, asked.version)
    if asked.signer:
        ensure_gpg(settings, progress)
    if asked.images_to:
        ensure_engine(settings, Host.detect(), progress)
        images = list(release.push_images(asked.images_to, asked.mirror, asked.folder, settings, progress))
        digests.write_list(asked.folder / IMAGES, images)
    packages = release.build_packages(CHARTS, asked.folder, asked.signer, images)
    for package in packages:
        package.with_name(f"{package.name}.cdx.json").write_text(sbom.chart_sbom(package))
        print(f"{release.sha256(package)}  {package}")
    if asked.push:
        release.push_packages(packages, asked.push, progress)


def _prepare(settings: Settings, progress: Progress, names: tuple[str, ...], lines: tuple[SparkLine, ...]) -> None:
    from kindling_dev import cluster
    from kindling_dev.host import Host, ensure_engine

    host = Host.detect()
    with progress.phase(f"tools: {', '.join(names)}, kubectl"):
        tools.ensure_tools(settings, progress, names)
    with progress.phase("Docker engine"):
        ensure_engine(settings, host, progress)
    with progress.phase("images and cluster"):
        cluster.ensure_cluster(settings, host, progress, lines)


def _prepare_for_proxy(settings: Settings, progress: Progress) -> None:
    """What the tests of spark-ui-proxy run beside an API server: nginx on this machine, and Spark's images."""
    from kindling_dev.host import Host, ensure_engine, ensure_nginx
    from kindling_dev.spark_image import LINES, ensure_spark_image

    ensure_nginx(settings, progress)
    with progress.phase("Docker engine and images of spark-ui-proxy's tests"):
        ensure_engine(settings, Host.detect(), progress)
        for line in LINES.values():
            ensure_spark_image(line, settings, progress)


def _remove_cache(cache: Path) -> None:
    if not cache.exists():
        return
    marker = cache / "python"
    if not marker.is_dir():
        raise Failure(f"{cache} does not look like Kindling's cache: remove it by hand if you are sure")
    # Go keeps downloaded modules read-only.
    for folder, _, _ in os.walk(cache / "go/mod"):
        Path(folder).chmod(0o755)
    shutil.rmtree(cache)
