"""Images for stores of event logs, made as the guide says: each has all that its client is made of."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from spark_ui import submission

from chartproof import Helm
from kindling_dev import guides
from kindling_dev.command import run
from kindling_dev.guides import commands
from kindling_dev.host import ensure_maven
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings
from kindling_dev.spark_image import LINES, ensure_spark_image

pytestmark = pytest.mark.long
_APP = Path(__file__).parent / "apps/store.py"
_ROW = re.compile(r"^\| (Google|Azure) \| `(.*)` \| `(.*)` \|$", re.MULTILINE)
_STORES = {
    "Google": ("gcs", "gs://logs/team-a", "oauth2.googleapis.com", {}),
    "Azure": (
        "abfs",
        "abfss://logs@account.dfs.core.windows.net/team-a",
        "account.dfs.core.windows.net",
        {
            "spark.hadoop.fs.azure.account.key.account.dfs.core.windows.net": "c2VjcmV0",
            "spark.hadoop.fs.azure.io.retry.max.retries": "0",
        },
    ),
}
"""Row of the guide -> store, folder, the host that is asked first, and configuration that makes it quick."""


def layers() -> list[tuple[str, str, str]]:
    """Store, Spark line and coordinates, as the guide's table has them."""
    found = _ROW.findall((guides.GUIDES / "history.md").read_text())
    return [(store, line, jar) for store, *jars in found for line, jar in zip(("4.3", "3.5"), jars, strict=True)]


def account_file() -> str:
    """The key file of a service account that nobody knows."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    known = {"client_email": "a@p.iam.gserviceaccount.com", "client_id": "1", "private_key_id": "k", "project_id": "p"}
    uri = "https://oauth2.googleapis.com/token"
    return json.dumps({"type": "service_account", "private_key": pem, "token_uri": uri, **known})


@pytest.fixture
def name() -> str:
    """Of an image; it goes with the test."""
    return f"kindling/of-a-test:{uuid4().hex[:12]}"


@pytest.mark.parametrize(("store", "line", "jar"), layers())
def test_an_image_of_the_guide_reaches_for_its_store(
    store: str, line: str, jar: str, name: str, tmp_path: Path
) -> None:
    settings, progress = Settings.from_environment(), Progress()
    ensure_maven(settings, progress)
    shutil.copytree(REPO / "images/spark-s3", tmp_path / "images/spark-s3")
    base = ensure_spark_image(LINES[line], settings, progress)
    steps = commands("history", "An image for a store")
    for ours, theirs in (
        ("org.apache.hadoop:hadoop-gcp:3.5.0", jar),
        ("docker.io/apache/spark:4.3.0-python3", base),
        ("registry.example.com/data/spark-store:4.3.0", name),
    ):
        assert steps.count(ours) == 1
        steps = steps.replace(ours, theirs)
    run(["sh", "-euc", steps], cwd=tmp_path)
    try:
        kind, url, host, quick = _STORES[store]
        folder = tmp_path / "test"
        folder.mkdir()
        shutil.copy(_APP, folder)
        (folder / "account.json").write_text(account_file())
        for path in (folder, *folder.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)
        command = submission(
            "store.py", url, cores=1, conf={**rendered(kind, url), **quick, "spark.ui.enabled": "false"}
        )
        mounts = [f"--volume={folder}:/test", f"--volume={folder}:/etc/spark-event-log"]
        options = ["--rm", "--network=none", "--env=SPARK_LOCAL_IP=127.0.0.1", "--entrypoint=", *mounts]
        done = subprocess.run(
            ["docker", "run", *options, name, *map(str, command)], capture_output=True, text=True, check=False
        )
        told = done.stdout.partition("ASKED")[2]
        assert host in told, done.stdout + done.stderr
        assert not re.search("ClassNotFound|NoClassDefFound|NoSuchMethod|No FileSystem", done.stdout + done.stderr)
    finally:
        run(["docker", "image", "rm", name])


def rendered(store: str, url: str) -> dict[str, str]:
    """What spark-defaults has for a namespace whose logs are in a store."""
    secret = {"name": "event-log-store", "key": "account.json"} if store == "gcs" else {"name": ""}
    values = {"namespace": {"name": "team-a"}, "global": {"eventLog": {"store": store, "url": url, "secret": secret}}}
    manifest = Helm().template(REPO / "charts/spark-namespace", values=values)
    (defaults,) = [one for one in manifest.all("ConfigMap") if one.name == "spark-defaults"]
    lines = defaults.body["data"]["spark-defaults.conf"].splitlines()
    return dict(line.split("=", 1) for line in lines if line.startswith("spark.hadoop.fs."))
