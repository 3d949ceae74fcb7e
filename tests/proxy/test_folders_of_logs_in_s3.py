"""Where event logs may be in S3: init container, driver, server and `helm test`, as charts render them.

They run in containers of this machine's network beside a real store, as a user that no image knows and a platform may
give.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from ephemeral_port_reserve import reserve
from ports import listens
from spark_ui import submission

from chartproof import Container, Helm, Manifest, Resource
from kindling_dev.golang import GoModule, build
from kindling_dev.progress import Progress
from kindling_dev.s3_image import ensure_s3_image
from kindling_dev.settings import Settings
from kindling_dev.spark_image import DEFAULT_LINE, ensure_spark_image

pytestmark = pytest.mark.long
_MODULE = GoModule("ci/object-store", {"versitygw": "github.com/versity/versitygw/cmd/versitygw"})
_BUCKETS = ("logs", "my.logs")
_REGION = "eu-1"
_KEY, _SECRET = f"access-{uuid4().hex}", f"secret-{uuid4().hex}"
_CREDENTIALS = f"[default]\naws_access_key_id = {_KEY}\naws_secret_access_key = {_SECRET}\n"
_IDS = "1000650000:0"
"""User and group that OpenShift gives: nobody whom the image knows, and root's group."""
_DEADLINE_S = 240
_COUNT = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.appName("counted").getOrCreate()
assert spark.range(1000).count() == 1000
print("APPLICATION", spark.sparkContext.applicationId)
spark.stop()
"""


@dataclass(frozen=True)
class Store:
    """An object store that listens on this machine."""

    port: int
    folder: Path

    def objects(self, bucket: str) -> list[str]:
        """The paths of what a bucket holds."""
        root = self.folder / "data" / bucket
        return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def image() -> str:
    """Spark that speaks S3."""
    settings, progress = Settings.from_environment(), Progress()
    return ensure_s3_image(ensure_spark_image(DEFAULT_LINE, settings, progress), settings, progress)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """One with empty buckets."""
    program = build(_MODULE, Settings.from_environment(), Progress()) / "versitygw"
    folder, port = tmp_path / "store", reserve()
    for name in (*(f"data/{bucket}" for bucket in _BUCKETS), "meta"):
        (folder / name).mkdir(parents=True)
    argv = [str(program), "--port", f"127.0.0.1:{port}", "--region", _REGION, "--quiet"]
    env = {**os.environ, "ROOT_ACCESS_KEY": _KEY, "ROOT_SECRET_KEY": _SECRET}
    with subprocess.Popen(
        [*argv, "posix", "--sidecar", str(folder / "meta"), str(folder / "data")], env=env
    ) as process:
        try:
            _wait(lambda: listens(port), "the object store")
            yield Store(port, folder)
        finally:
            process.terminate()


@pytest.mark.parametrize("identity", ["secret", "its own"])
@pytest.mark.parametrize(
    ("url", "bucket", "below"),
    [
        ("s3a://logs", "logs", ""),
        ("s3a://logs/team-a/", "logs", "team-a/"),
        ("s3a://my.logs/a/b", "my.logs", "a/b/"),
        ("s3a://my.logs//", "my.logs", ""),
    ],
)
def test_a_folder_is_made_written_and_shown(
    helm: Helm,
    charts: Path,
    store: Store,
    image: str,
    tmp_path: Path,
    address: Callable[[], str],
    url: str,
    bucket: str,
    below: str,
    identity: str,
) -> None:
    log = {
        "store": "s3",
        "url": url,
        "secret": {"name": "event-log-store", "key": "aws"} if identity == "secret" else {},
        # Of a bucket with a dot the chart itself sets the style.
        "s3": {"endpoint": f"http://127.0.0.1:{store.port}", "region": _REGION, "pathStyle": bucket == "logs"},
    }
    own = {"AWS_ACCESS_KEY_ID": _KEY, "AWS_SECRET_ACCESS_KEY": _SECRET} if identity != "secret" else {}
    facts = {"global": {"ids": "platform", "eventLog": log}}
    values = {**facts, "env": own, "updateInterval": "1s", "state": {"size": "512Mi"}, "memory": "1g"}
    chart = charts / "spark-history-server"
    manifest = helm.template(chart, release="history", namespace="team-a", values=values, checked=False)
    machine = Machine(manifest, image, tmp_path)
    deployment = manifest.one("Deployment")

    machine.runs(deployment, deployment.container("log-folder"))
    application = machine.counts(_defaults(helm, charts, facts), own)
    assert store.objects(bucket)[-1].startswith(f"{below}eventlog_v2_{application}/")

    ip = address()
    with machine.serves(deployment, deployment.container("history-server"), ip):
        _wait(lambda: application in _applications(ip), "the application in the history")
        pod = manifest.one("Pod")
        machine.runs(pod, pod.container("test"), {"http://history:18080": f"http://{ip}:18080"})
    # The test has left nothing behind.
    assert not [name for name in store.objects(bucket) if "helm-test" in name]


@dataclass(frozen=True)
class Machine:
    """Runs containers of a render as a pod would.

    Attributes:
        manifest: the render.
        image: of Spark.
        folder: holds their volumes.
    """

    manifest: Manifest
    image: str
    folder: Path

    def runs(self, owner: Resource, container: Container, changed: dict[str, str] | None = None) -> None:
        """Run one to its end, which must be a good one; some of its arguments are others."""
        args = [(changed or {}).get(word, word) for word in container.args]
        done = subprocess.run(
            ["docker", "run", "--rm", *self._options(owner, container), self.image, *args],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @contextmanager
    def serves(self, owner: Resource, container: Container, ip: str) -> Iterator[None]:
        """Run one at an address of this machine until the context ends."""
        name = f"kindling-test-{uuid4().hex[:12]}"
        options = [f"--name={name}", f"--env=SPARK_LOCAL_IP={ip}", *self._options(owner, container)]
        subprocess.run(
            ["docker", "run", "--detach", *options, self.image, *container.args], check=True, capture_output=True
        )
        try:
            yield
        except AssertionError as error:
            said = subprocess.run(["docker", "logs", name], capture_output=True, text=True, check=False)
            raise AssertionError(f"{error}: {(said.stdout + said.stderr)[-3000:]}") from error
        finally:
            subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)

    def counts(self, conf: dict[str, str], env: dict[str, str]) -> str:
        """Run an application with some of Spark's configuration; its id."""
        test = self.folder / "test"
        test.mkdir()
        test.chmod(0o777)
        (test / "count.py").write_text(_COUNT)
        (test / "aws").write_text(_CREDENTIALS)
        whole = {**conf, "spark.ui.enabled": "false"}
        variables = env or {"AWS_SHARED_CREDENTIALS_FILE": "/test/aws"}
        command = submission("count.py", cores=1, conf=whole)
        options = ["--network=host", f"--user={_IDS}", f"--volume={test}:/test", "--workdir=/tmp"]
        options += [f"--env={name}={value}" for name, value in variables.items()]
        options += ["--env=SPARK_LOCAL_IP=127.0.0.1"]
        done = subprocess.run(
            ["docker", "run", "--rm", *options, self.image, *map(str, command)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        (told,) = [line for line in done.stdout.splitlines() if line.startswith("APPLICATION ")]
        return told.split()[1]

    def _options(self, owner: Resource, container: Container) -> list[str]:
        volumes = {volume["name"]: volume for volume in owner.pod["spec"]["volumes"]}
        found = ["--network=host", f"--user={_IDS}", "--read-only", "--cap-drop=ALL"]
        found += [f"--env={name}={value}" for name, value in container.env.items()]
        for path, name in container.mounts.items():
            found.append(f"--volume={self._volume(owner, volumes[name])}:{path}")
        return found

    def _volume(self, owner: Resource, volume: dict[str, Any]) -> Path:
        folder = self.folder / owner.kind / str(volume["name"])
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(0o777)
            files = self.manifest.one("ConfigMap").body["data"] if "configMap" in volume else {}
            if "secret" in volume:
                files = {"aws": _CREDENTIALS}
            for name, text in files.items():
                (folder / name).write_text(text)
        return folder


def _defaults(helm: Helm, charts: Path, facts: dict[str, Any]) -> dict[str, str]:
    """What the namespace's spark-defaults says of event logs and their store."""
    values = {**facts, "namespace": {"name": "team-a"}}
    manifest = helm.template(charts / "spark-namespace", namespace="kindling-system", values=values, checked=False)
    lines = manifest.one("ConfigMap", "spark-defaults").body["data"]["spark-defaults.conf"].splitlines()
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    return {key: value for key, value in found.items() if key.startswith(("spark.eventLog.", "spark.hadoop."))}


def _applications(ip: str) -> list[str]:
    try:
        with urllib.request.urlopen(f"http://{ip}:18080/api/v1/applications", timeout=10) as answer:
            return [one["id"] for one in json.load(answer)]
    except (OSError, ValueError):
        return []


def _wait(ask: Callable[[], object], what: str) -> None:
    end = time.monotonic() + _DEADLINE_S
    while not ask():
        assert time.monotonic() < end, f"{what} did not come within {_DEADLINE_S} s"
        time.sleep(0.5)
