"""A team's Spark Connect server: its release, and clients on a laptop and in a pod that stands for one."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme
import yaml
from forwarding import forwarded
from team import QUICK, Team, wait_until_pods_are_taken

from chartproof import Cluster
from kindling_dev import front_door, images
from kindling_dev.cluster import load_if_missing
from kindling_dev.command import Failure, run
from kindling_dev.fingerprint import fingerprint
from kindling_dev.progress import Progress
from kindling_dev.python_image import ensure_python_image, load_python_image
from kindling_dev.settings import Settings
from kindling_dev.spark_image import DEFAULT_LINE, SparkLine, ensure_spark_image

TOKEN = "a-token-of-tests-0123456789"
PORT = 15002
_REQUIREMENTS = Path(__file__).parent / "laptop/requirements.txt"
_SMALL: dict[str, Any] = {
    "driver": {"requestCores": "50m", "memory": "768m"},
    "executor": {"requestCores": "50m", "memory": "512m"},
}
SESSION = (
    "import sys\nfrom pyspark.sql import SparkSession\nspark = SparkSession.builder.remote(sys.argv[1]).create()\n"
)
"""A session with the server that the first argument names."""
COUNT = SESSION + "print('counted', spark.range(1000).repartition(2).count())\nspark.stop()\n"
_FOR_S = 240


def connect_image(line: SparkLine = DEFAULT_LINE) -> str:
    """The server's image on a line of Spark, which the cluster has under the name that the chart gives to pods."""
    settings, progress = Settings.from_environment(), Progress()
    name = load_python_image("spark-connect", line, settings, progress)
    front_door.ensure_image(settings, progress)
    return name


def laptops_python() -> Path:
    """A Python of this machine that has the thin client from PyPI and nothing else of Spark; made once."""
    settings = Settings.from_environment()
    folder = settings.cache / "python" / f"laptop-{fingerprint(sys.version, _REQUIREMENTS)}"
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        log = settings.logs / "laptop.log"
        run([sys.executable, "-m", "venv", folder], log=log, what="make a Python for the thin client")
        pip: list[str | Path] = [
            folder / "bin/python",
            "-m",
            "pip",
            "install",
            "--require-hashes",
            f"--requirement={_REQUIREMENTS}",
        ]
        run(pip, log=log, what="install pyspark-client")
        (folder / "done").touch()
    return folder / "bin/python"


def laptop_image() -> str:
    """An image with the Python of executors and the thin client, without Spark's own; the cluster has it."""
    settings, progress = Settings.from_environment(), Progress()
    spark = ensure_spark_image(DEFAULT_LINE, settings, progress)
    base = ensure_python_image("spark-connect", DEFAULT_LINE, spark, settings, progress)
    (client,) = laptops_python().parents[1].glob("lib/python*/site-packages/pyspark")
    name = f"kindling.test/laptop:{fingerprint(images.image_id(base), _REQUIREMENTS)}"
    if not images.in_engine(name):
        with images.scratch_folder(settings) as scratch:
            shutil.copytree(client, scratch / "pyspark", ignore=shutil.ignore_patterns("__pycache__"))
            lines = [f"FROM {base}", "USER 0", "RUN rm -rf /opt/spark/python /opt/spark/jars"]
            lines += ["COPY pyspark /usr/local/lib/laptop/pyspark", "ENV PYTHONPATH=/usr/local/lib/laptop", "USER 185"]
            (scratch / "Dockerfile").write_text("\n".join(lines) + "\n")
            images.docker_build(scratch, name, settings.logs / "laptop.log")
    load_if_missing(name, name, settings, progress)
    return name


@dataclass(frozen=True)
class ConnectServer:
    """A release of spark-connect.

    Attributes:
        team: whose namespace it is in.
        release: its name.
        authority: who signs its certificate.
    """

    team: Team
    release: str = "connect"
    authority: trustme.CA = field(default_factory=trustme.CA)

    @property
    def host(self) -> str:
        """Its name in the cluster."""
        return f"{self.release}.{self.team.name}.svc"

    @property
    def url(self) -> str:
        """Where pods connect to, with the token."""
        return f"sc://{self.host}:{PORT}/;use_ssl=true;token={TOKEN}"

    def install(self, action: str = "install", line: SparkLine = DEFAULT_LINE, **values: Any) -> None:
        """Install it with a token and a certificate, and wait until it answers; keywords are values."""
        tag = connect_image(line).rpartition(":")[2]
        if "Secret/connect-token" not in self.team.objects():
            self.team.kubectl("create", "secret", "generic", "connect-token", f"--from-literal=token={TOKEN}")
            self.make_certificate()
            self.team.set_namespace(guard={"secrets": ["connect-token", "connect-tls"]})
        merged = {
            **_SMALL,
            "login": {"secret": {"name": "connect-token"}},
            "tls": {"secretName": "connect-tls"},
            "sparkConf": QUICK,
            "image": {"tag": tag},
            **values,
        }
        merged["executor"] = {**_SMALL["executor"], **values.get("executor", {})}
        chart = str(self.team.charts / "spark-connect")
        argv = [action, self.release, chart, f"--namespace={self.team.name}", "--wait", "--timeout=240s", "--values=-"]
        self.team.helm.run(argv, yaml.safe_dump(merged))

    def make_certificate(self) -> str:
        """Give the server a new certificate, in place of the one it has; what clients are to be shown, PEM."""
        made = self.authority.issue_cert(self.host)
        chain, key = b"".join(blob.bytes() for blob in made.cert_chain_pems), made.private_key_pem.bytes()
        data = {"tls.crt": chain.decode(), "tls.key": key.decode()}
        secret = {"metadata": {"name": "connect-tls"}, "type": "kubernetes.io/tls", "stringData": data}
        core = self.team.cluster.core
        if "Secret/connect-tls" in self.team.objects():
            core.patch_namespaced_secret("connect-tls", self.team.name, {"stringData": data})
        else:
            core.create_namespaced_secret(self.team.name, secret)
        return chain.decode()

    def test(self) -> None:
        """Run "helm test"."""
        self.team.helm.run(["test", self.release, f"--namespace={self.team.name}", "--timeout=240s"])

    def pod(self) -> str:
        """The name of its pod."""
        return f"{self.release}-0"

    def pods(self) -> list[Any]:
        """Its own pod, if it is there."""
        return self.team.pods(self.release, "driver")

    def executors(self) -> list[Any]:
        """Its executors' pods that are there, whatever their state."""
        return self.team.pods(self.release, "executor")

    @contextmanager
    def forwarded(self) -> Iterator[str]:
        """Where this machine connects to, by a forwarded port, while the context lasts: "localhost:40123"."""
        with forwarded(self.team.cluster, self.team.name, f"service/{self.release}", PORT) as port:
            yield f"localhost:{port}"


def on_the_laptop(code: str, *argv: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a client on this machine; what it printed and how it ended."""
    # Of a program without a file the client thinks that it is one of its own tests.
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(code)
        file.flush()
        command = [str(laptops_python()), file.name, *argv]
        return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=_FOR_S, check=False)


@dataclass(frozen=True)
class LaptopPod:
    """A pod with the thin client, in a namespace that has nothing to do with Spark.

    Attributes:
        cluster: where it is.
        namespace: where it is.
    """

    cluster: Cluster
    namespace: str

    def start(self, authority: trustme.CA, labels: Mapping[str, str] | None = None) -> None:
        """Make it, trusting an authority, and wait until it runs."""
        wait_until_pods_are_taken(self.cluster, self.namespace)
        data = {"ca.crt": authority.cert_pem.bytes().decode()}
        self.cluster.core.create_namespaced_config_map(self.namespace, {"metadata": {"name": "trusted"}, "data": data})
        restricted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        container = {
            "name": "laptop",
            "image": laptop_image(),
            "command": ["sleep", "infinity"],
            "env": [{"name": "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "value": "/trusted/ca.crt"}],
            "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}},
            "securityContext": restricted,
            "volumeMounts": [{"name": "trusted", "mountPath": "/trusted"}],
        }
        spec = {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 185, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
            "volumes": [{"name": "trusted", "configMap": {"name": "trusted"}}],
        }
        pod = {"metadata": {"name": "laptop", "labels": labels}, "spec": spec}
        self.cluster.core.create_namespaced_pod(self.namespace, pod)
        self._kubectl("wait", "pod/laptop", "--for=condition=Ready", "--timeout=90s")

    def run(self, code: str, *argv: str) -> str:
        """Run a client; what it printed.

        Raises:
            Failure: it did not end well; in its words.
        """
        program = 'printf %s "$0" > /tmp/client.py && exec python3 /tmp/client.py "$@"'
        return self._kubectl("exec", "laptop", "--", "sh", "-c", program, code, *argv)

    def refused(self, code: str, *argv: str) -> str:
        """Run a client that is to fail; what it said."""
        try:
            said = self.run(code, *argv)
        except Failure as failure:
            return str(failure)
        raise AssertionError(f"it was let in, and says {said!r}")

    def _kubectl(self, *argv: str) -> str:
        return run(["kubectl", f"--kubeconfig={self.cluster.kubeconfig}", f"--namespace={self.namespace}", *argv])
