"""Bills of materials, CycloneDX 1.6: what is in a package, what is in an image. Same content, same bytes."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import yaml
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from kindling_dev.command import run

_INDENT = 1


def chart_sbom(package: Path) -> str:
    """A chart's package: the charts in it, and the images that its ``artifacthub.io/images`` names."""
    chart, *libraries = _metadata_in(package)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    subject = _chart(chart, ComponentType.APPLICATION)
    subject.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=digest))
    images = yaml.safe_load(chart.get("annotations", {}).get("artifacthub.io/images", "[]"))
    parts = [_chart(library, ComponentType.LIBRARY) for library in libraries]
    parts += [_image(entry["image"]) for entry in images]
    bom = Bom(components=parts, serial_number=uuid5(NAMESPACE_URL, digest))
    bom.metadata.component = subject
    bom.metadata.timestamp = None  # type: ignore[assignment]  # optional in the standard; it would change the bytes
    bom.register_dependency(subject, parts)
    return JsonV1Dot6(bom).output_as_string(indent=_INDENT) + "\n"


def image_sbom(source: str) -> str:
    """All that syft finds in an image.

    Args:
        source: as syft names it, "docker:apache/spark:4.3.0", "dir:/root-file-system".

    Raises:
        Failure: syft cannot read it.
    """
    scan = ["syft", "scan", source, "--output", "cyclonedx-json", "--quiet"]
    found = json.loads(run(scan, env={"SYFT_CHECK_FOR_APP_UPDATE": "false"}, what=f"look into {source}"))
    # What differs from run to run; the standard asks for neither.
    del found["serialNumber"], found["metadata"]["timestamp"]
    return json.dumps(found, indent=_INDENT, sort_keys=True) + "\n"


def _metadata_in(package: Path) -> list[dict[str, Any]]:
    """Every Chart.yaml of a package, the chart's own first."""
    with tarfile.open(package) as tar:
        names = sorted((name for name in tar.getnames() if name.endswith("/Chart.yaml")), key=lambda n: (len(n), n))
        return [yaml.safe_load(tar.extractfile(name)) for name in names]  # type: ignore[arg-type]


def _chart(metadata: dict[str, Any], kind: ComponentType) -> Component:
    name, version = metadata["name"], metadata["version"]
    purl = PackageURL("helm", name=name, version=version)
    return Component(
        type=kind,
        name=name,
        version=version,
        description=metadata["description"],
        purl=purl,
        bom_ref=purl.to_string(),
    )


def _image(reference: str) -> Component:
    """An image, by its digest where the package has one: that is also the SHA-256 of the image's manifest."""
    name, _, digest = reference.partition("@")
    repository, _, tag = name.rpartition(":")
    namespace, _, last = repository.rpartition("/")
    if digest:
        qualifiers = {"repository_url": repository, "tag": tag}
        purl = PackageURL("oci", name=last, version=digest, qualifiers=qualifiers)
        hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest.removeprefix("sha256:"))]
    else:
        purl, hashes = PackageURL("docker", namespace=namespace, name=last, version=tag), []
    return Component(
        type=ComponentType.CONTAINER,
        name=repository,
        version=digest or tag,
        purl=purl,
        bom_ref=purl.to_string(),
        hashes=hashes,
    )
