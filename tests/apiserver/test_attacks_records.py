"""Attacks by records of helm's: a team writes ConfigMaps, and who recovers a release must not believe them."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from chartproof.apiserver import ApiServer

Kindling = Callable[..., "subprocess.CompletedProcess[str]"]
_ANOTHERS = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: team-b\n"


def forged(release: str, version: int, manifest: str) -> dict[str, object]:
    """A ConfigMap that looks like helm's record of a release."""
    info = {"status": "failed", "first_deployed": "2026-01-01T00:00:00Z", "last_deployed": "2026-01-01T00:00:00Z"}
    content = {"name": release, "version": version, "namespace": "x", "info": info, "manifest": manifest, "config": {}}
    text = base64.b64encode(gzip.compress(json.dumps(content).encode())).decode()
    labels = {"owner": "helm", "name": release, "version": str(version), "status": "failed"}
    name = f"sh.helm.release.v1.{release}.v{version}"
    return {"metadata": {"name": name, "labels": labels}, "data": {"release": text}}


@pytest.fixture
def namespace(apiserver: Callable[[str], ApiServer], namespace_of: Callable[[ApiServer], str]) -> tuple[ApiServer, str]:
    """A namespace in which an admin has a release, whose upgrade was interrupted."""
    server = apiserver("1.34")
    return server, namespace_of(server)


def test_a_teams_record_adds_nothing_to_an_admins(
    namespace: tuple[ApiServer, str], kindling: Kindling, tmp_path: Path
) -> None:
    server, name = namespace
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: adm\nversion: 1.0.0\n")
    (tmp_path / "templates/own.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n")
    server.helm().run(["install", "adm", str(tmp_path), f"--namespace={name}"])
    core = server.cluster.core
    core.create_namespaced_config_map(name, forged("adm", 2, _ANOTHERS))
    record = core.read_namespaced_secret("sh.helm.release.v1.adm.v1", name)
    content = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(record.data["release"]))))
    content["info"]["status"] = "pending-upgrade"
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(content).encode()))).decode()
    labels = {"status": "pending-upgrade"}
    core.patch_namespaced_secret(
        record.metadata.name, name, {"metadata": {"labels": labels}, "data": {"release": packed}}
    )
    done = kindling(server, "recover", "adm", "-n", name, "--idle=0")
    assert done.returncode == 0, done.stderr
    assert "revision 1 of adm" in done.stdout
    record = core.read_namespaced_secret("sh.helm.release.v1.adm.v1", name)
    manifest = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(record.data["release"]))))["manifest"]
    assert "team-b" not in manifest
    assert "name: own" in manifest
