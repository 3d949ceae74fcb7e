"""Release packages: every application chart as a .tgz, the same bytes for the same tree; charts and images pushed."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from chartproof.errors import HelmError
from chartproof.helm import Helm, build_dependencies
from kindling_dev import digests
from kindling_dev import images as engine
from kindling_dev.command import Failure, run
from kindling_dev.digests import PinnedImage
from kindling_dev.progress import Progress
from kindling_dev.python_image import ensure_python_image
from kindling_dev.s3_image import ensure_s3_image
from kindling_dev.sbom import image_sbom
from kindling_dev.settings import REPO, Settings
from kindling_dev.spark_image import DEFAULT_LINE, LINES, SparkLine, ensure_spark_image
from kindling_dev.ui_proxy_image import ensure_ui_proxy_image, published

PACKAGER = "helm4"
"""Helm 4 keeps the files' times where Helm 3 writes the present one."""
_EPOCH_S = 315532800
"""1980-01-01: the time of every file in a package. A constant, so that nobody needs to know the commit's."""


@dataclass(frozen=True)
class Signer:
    """Who signs packages.

    Attributes:
        key: a key of the person's GnuPG, by what its user id has ("ann@example.com").
        passphrase: the file with its passphrase; None: it has none.
    """

    key: str
    passphrase: Path | None = None


def application_charts(charts: Path) -> list[Path]:
    """The charts that are installed by themselves; a library goes into their packages."""
    found = sorted(path.parent for path in charts.glob("*/Chart.yaml"))
    return [chart for chart in found if _metadata(chart)["type"] == "application"]


def build_packages(
    charts: Path, folder: Path, signer: Signer | None = None, images: Sequence[PinnedImage] = ()
) -> list[Path]:
    """Package every application chart into a folder; return the packages. A signer's are in ``PACKAGE.prov``.

    The same files and images give the same bytes, whenever and wherever they were checked out. Only what is written by
    hand or by scripts/generate counts: caches of Python and dependencies that were vendored before are left out.

    Args:
        charts: the folder of the charts.
        folder: where the packages go.
        signer: who signs them, if anyone.
        images: what the charts' own images are; given none, packages name them by tag, as the tree does.

    Raises:
        Failure: a chart or its lock file is not fit to be packaged, in helm's words; an image of a chart is not given.
    """
    helm = Helm(PACKAGER)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "charts"
        shutil.copytree(charts, copy, ignore=_left_out)
        for chart in application_charts(copy) if images else ():
            digests.pin(chart, images)
        for path in copy.rglob("*"):
            os.utime(path, (_EPOCH_S, _EPOCH_S))
        try:
            build_dependencies(copy, helm)
            with _signing(signer) as options:
                for chart in application_charts(copy):
                    helm.run(["package", str(chart), "--destination", str(folder), *options])
        except HelmError as error:
            raise Failure(f"helm package: {error}") from None
        return [folder / _package_name(chart) for chart in application_charts(copy)]


def check_version(charts: Path, version: str) -> None:
    """See that a release's version is that of every application chart.

    Raises:
        Failure: a chart has another one.
    """
    for chart in application_charts(charts):
        if (found := _metadata(chart)["version"]) != version:
            raise Failure(f"{chart.name} has version {found}, not {version}: set it in charts/{chart.name}/Chart.yaml")


def sha256(package: Path) -> str:
    """The package's digest, 64 hexadecimal digits."""
    return hashlib.sha256(package.read_bytes()).hexdigest()


def push_packages(packages: Iterable[Path], registry: str, progress: Progress) -> None:
    """Push packages as OCI artifacts to REGISTRY/charts ("ghcr.io/owner"), with the person's own login.

    Raises:
        Failure: the registry refused one.
    """
    # As Docker does: a registry on this machine is spoken to without TLS.
    plain = ["--plain-http"] if _is_loopback(registry) else []
    for package in packages:
        try:
            with progress.step(f"pushing {package.name} to {registry}/charts"):
                Helm(PACKAGER).run(["push", str(package), f"oci://{registry}/charts", *plain])
        except HelmError as error:
            raise Failure(f"push {package.name} to {registry}/charts: {error}") from None


def push_images(registry: str, mirror: str, folder: Path, settings: Settings, progress: Progress) -> list[PinnedImage]:
    """Build our images and push them; find the others that charts name. Return all, with what the registries have.

    Args:
        registry: where ours go, with the owner ("ghcr.io/owner").
        mirror: the registry that is asked for the others, in place of their own; "": their own.
        folder: gets the bill of materials of each image that is pushed, ``image-NAME.cdx.json``.
        settings: where logs and programs are.
        progress: told what is done.

    Raises:
        Failure: one cannot be built, pushed or found.
    """
    # Asked first: what is not to be had is told before anything is built for an hour.
    images = [find_image(name, mirror) for name in others_images()]
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in own_images(settings, progress).items():
        images.append(push_image(image, f"{registry}/{name}", settings, progress))
        (folder / f"image-{name.replace(':', '-')}.cdx.json").write_text(image_sbom(f"docker:{image}"))
    return images


def charts_images() -> list[str]:
    """The images that charts name."""
    return sorted({name for chart in application_charts(REPO / "charts") for name in digests.images_of(chart)})


def others_images() -> list[str]:
    """Those that no release of ours makes: Spark's official one."""
    ours = published().rpartition("/")[0]
    return [name for name in charts_images() if not name.startswith(f"{ours}/")]


def find_image(name: str, mirror: str = "") -> PinnedImage:
    """Ask an image's own registry, or a mirror of it, for its digest.

    Raises:
        Failure: it is not there.
    """
    return digests.in_registry(f"{mirror}/{digests.below_registry(name)}" if mirror else name)


def own_images(settings: Settings, progress: Progress) -> dict[str, str]:
    """What is released of images/: name below the registry's owner ("spark:4.3.0-python3") -> image of the engine.

    Raises:
        Failure: one cannot be built, or the official one would stand in for ours.
    """
    spark = {line.line: own_image(line, settings, progress) for line in LINES.values()}
    ours = {f"spark:{image_tag(line)}": spark[line.line] for line in LINES.values()}
    base, tag = spark[DEFAULT_LINE.line], image_tag(DEFAULT_LINE)
    ours[f"spark-s3:{tag}"] = ensure_s3_image(base, settings, progress)
    for name in ("spark-connect", "spark-notebook"):
        ours[f"{name}:{tag}"] = ensure_python_image(name, DEFAULT_LINE, base, settings, progress)
    ours[published().rpartition("/")[2]] = ensure_ui_proxy_image(settings, progress)
    return ours


def own_image(line: SparkLine, settings: Settings, progress: Progress) -> str:
    """Reference of our image of a Spark line, built from packages unless the engine has it.

    Raises:
        Failure: the engine has the official image, which would stand in for ours.
    """
    built = ensure_spark_image(line, replace(settings, pull=False, spark_images={}), progress)
    if built == line.published:
        raise Failure(f"{built} is in the engine and would be released as ours: docker image rm {built}")
    return built


def push_image(image: str, name: str, settings: Settings, progress: Progress) -> PinnedImage:
    """Push an image of the engine under a name ("ghcr.io/owner/spark:4.3.0-python3"), with the person's own login.

    Raises:
        Failure: the registry refused it, or has something else under that name by now.
    """
    run(["docker", "tag", image, name])
    with progress.step(f"pushing {name}"):
        run(["docker", "push", name], log=settings.logs / "push.log", what=f"push {name}")
    return pushed_image(name)


def pushed_image(name: str) -> PinnedImage:
    """What a registry has of an image that the engine has pushed under a name.

    Raises:
        Failure: it has something else, which the engine never pushed.
    """
    there = digests.in_registry(name)
    if there.digest not in engine.digests_of(name):
        raise Failure(f"{name} is not what was pushed: its registry has {there.digest}; has someone else pushed?")
    return there


def image_tag(line: SparkLine) -> str:
    """Tag of our image of a Spark line: the official one's, so that values name either."""
    return line.published.rpartition(":")[2]


@contextmanager
def _signing(signer: Signer | None) -> Iterator[list[str]]:
    """Options that make helm sign; it reads keys from a file as GnuPG 1 had it, which is there meanwhile."""
    if not signer:
        yield []
        return
    passphrase = ["--passphrase-file", str(signer.passphrase or os.devnull)]
    with tempfile.TemporaryDirectory() as name:
        keyring = Path(name) / "keyring.gpg"
        export: list[str | Path] = ["gpg", "--batch", "--pinentry-mode=loopback", *passphrase, "--output", keyring]
        run([*export, "--export-secret-keys", signer.key], what=f"take the key {signer.key} from GnuPG")
        if not keyring.exists():
            raise Failure(f"GnuPG has no secret key of {signer.key!r}: gpg --list-secret-keys shows which there are")
        yield ["--sign", "--key", signer.key, "--keyring", str(keyring), *(passphrase if signer.passphrase else [])]


def _metadata(chart: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((chart / "Chart.yaml").read_text()))


def _package_name(chart: Path) -> str:
    metadata = _metadata(chart)
    return f"{metadata['name']}-{metadata['version']}.tgz"


def _left_out(_: str, names: list[str]) -> set[str]:
    """What shutil.copytree leaves out of a folder."""
    vendored = {"charts"} if "Chart.yaml" in names else set()
    return {name for name in names if name in vendored | {"__pycache__"} or name.endswith(".pyc")}


def _is_loopback(registry: str) -> bool:
    host = registry.partition("/")[0].partition(":")[0]
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
