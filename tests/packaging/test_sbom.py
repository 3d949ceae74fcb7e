"""Bills of materials: true, valid by CycloneDX's own schema, the same bytes for the same content."""

import json
import os
from pathlib import Path

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from kindling_dev.command import Failure
from kindling_dev.release import build_packages, sha256
from kindling_dev.sbom import chart_sbom, image_sbom
from kindling_dev.settings import REPO

DPKG = """\
Package: tini
Status: install ok installed
Version: 0.19.0-3
Architecture: amd64
Maintainer: Debian
Description: an init

"""


def error_in(sbom: str) -> object:
    """What CycloneDX's schema says against a bill of materials, or None."""
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom)


@pytest.mark.check(30)
def test_a_packages_sbom_names_its_charts_and_images(tmp_path: Path) -> None:
    version = yaml.safe_load((REPO / "charts/spark-job/Chart.yaml").read_text())["version"]
    (package,) = [one for one in build_packages(REPO / "charts", tmp_path) if one.name.startswith("spark-job-")]
    text = chart_sbom(package)
    assert error_in(text) is None
    sbom = json.loads(text)
    subject = sbom["metadata"]["component"]
    assert (subject["name"], subject["version"]) == ("spark-job", version)
    assert subject["hashes"] == [{"alg": "SHA-256", "content": sha256(package)}]
    parts = {part["purl"]: part["type"] for part in sbom["components"]}
    assert parts[f"pkg:helm/spark-common@{version}"] == "library"
    assert "container" in parts.values()
    (depends_on,) = [entry["dependsOn"] for entry in sbom["dependencies"] if entry["ref"] == subject["bom-ref"]]
    assert set(depends_on) == set(parts)


def test_the_same_package_has_the_same_sbom_and_another_one_another(tmp_path: Path) -> None:
    one, another, *_ = build_packages(REPO / "charts", tmp_path)
    assert chart_sbom(one) == chart_sbom(one) != chart_sbom(another)


def test_an_images_sbom_names_its_packages_in_the_same_bytes_each_time(tmp_path: Path) -> None:
    status = tmp_path / "root/var/lib/dpkg/status"
    status.parent.mkdir(parents=True)
    status.write_text(DPKG)
    text = image_sbom(f"dir:{tmp_path / 'root'}")
    assert error_in(text) is None
    assert [(part["name"], part["version"]) for part in json.loads(text)["components"]] == [("tini", "0.19.0-3")]
    os.utime(status, (0, 0))
    assert image_sbom(f"dir:{tmp_path / 'root'}") == text


def test_an_image_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="could not look into dir:"):
        image_sbom(f"dir:{tmp_path / 'none'}")


def test_the_schema_finds_what_is_wrong() -> None:
    assert error_in(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": "one"}))
