"""Images by digest: what a registry has under a name, the list of a release's images, and charts that name them so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kindling_dev.command import Failure, run

_PINNED = re.compile(r"(?P<name>[\w.:-]+(?:/[\w.-]+)+:[\w.-]+)@(?P<digest>sha256:[0-9a-f]{64})")
_IMAGE_OF_A_CHART = re.compile(r"^(?P<key> +image: )(?P<name>\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class PinnedImage:
    """An image's name, and the digest of what the registry had under it.

    Attributes:
        name: registry, repository and tag, "ghcr.io/owner/spark:4.3.0-python3".
        digest: "sha256:" and 64 hexadecimal digits.
    """

    name: str
    digest: str

    @property
    def below_registry(self) -> str:
        """The name as every mirror has it, "owner/spark:4.3.0-python3"."""
        return below_registry(self.name)

    @property
    def by_digest(self) -> str:
        """The reference without the tag, as charts give it to pods, "ghcr.io/owner/spark@sha256:…"."""
        return f"{self.name.rpartition(':')[0]}@{self.digest}"

    def __str__(self) -> str:
        """The reference that docker, crane and the kubelet take."""
        return f"{self.name}@{self.digest}"


def below_registry(name: str) -> str:
    """An image's name without its registry."""
    return name.partition("/")[2]


def in_registry(name: str) -> PinnedImage:
    """Ask a registry what it has under a name; of an image for several processors, the list of them.

    Raises:
        Failure: the registry does not answer, or has no such image.
    """
    return PinnedImage(name, run(["crane", "digest", name], what=f"find the digest of {name}").strip())


def write_list(file: Path, images: Iterable[PinnedImage]) -> None:
    """Write a release's list: a reference a line, sorted."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{image}\n" for image in sorted(images, key=str)))


def read_list(file: Path) -> list[PinnedImage]:
    """Read a release's list.

    Raises:
        Failure: there is no such file, or a line is no reference with a digest.
    """
    try:
        lines = file.read_text().splitlines()
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}: name the images.txt that scripts/release --images wrote") from None
    images = []
    for line in lines:
        pinned = _PINNED.fullmatch(line)
        if not pinned:
            raise Failure(f"{file} has {line!r}: a line is REGISTRY/NAME:TAG@sha256:… of 64 hexadecimal digits")
        images.append(PinnedImage(pinned["name"], pinned["digest"]))
    return images


def images_of(chart: Path) -> list[str]:
    """The images that a chart names under ``artifacthub.io/images``, as they stand there."""
    return [found["name"] for found in _IMAGE_OF_A_CHART.finditer((chart / "Chart.yaml").read_text())]


def pin(chart: Path, images: Sequence[PinnedImage]) -> None:
    """Write the digest beside each image that a chart's Chart.yaml names: the chart's templates take it from there.

    Raises:
        Failure: of one there is no digest, or there are two.
    """

    def pinned(found: re.Match[str]) -> str:
        digests = {image.digest for image in images if image.below_registry == below_registry(found["name"])}
        if len(digests) != 1:
            known = ", ".join(sorted(image.name for image in images))
            count = "no digest" if not digests else f"{len(digests)} digests"
            raise Failure(f"{count} of {found['name']}, an image of {chart.name}; there is one each of: {known}")
        return f"{found['key']}{found['name']}@{digests.pop()}"

    file = chart / "Chart.yaml"
    file.write_text(_IMAGE_OF_A_CHART.sub(pinned, file.read_text()))
