"""A company's artifact store, and the HTTP proxy before it: servers in the cluster, what they have and who asked."""

from __future__ import annotations

import base64
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from uuid import uuid4

import trustme
from team import served

from chartproof import Cluster
from kindling_dev.spark_image import DEFAULT_LINE

_IMAGE = f"docker.io/{DEFAULT_LINE.published}"
_PORT = 8443
_PROXY_PORT = 8899
POM = (
    "<project><modelVersion>4.0.0</modelVersion>"
    "<groupId>local.kindling</groupId><artifactId>packaged</artifactId><version>1.0</version></project>"
)


def zipped(**files: str) -> bytes:
    """A zip of some files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_", "."), text)
    return buffer.getvalue()


def tarred(name: str, text: str) -> bytes:
    """A .tar.gz of one file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


DEPENDENCIES = {
    "lib.zip": zipped(lib_py="WORD = 'imported'\n"),
    "single.py": b"WORD = 'alone'\n",
    "words.txt": b"distributed\n",
    "env.tar.gz": tarred("inside.txt", "unpacked\n"),
    "lib.jar": zipped(lib_txt="a jar"),
    "packaged.jar": zipped(packaged_txt="a package"),
    "packaged.pom": POM.encode(),
}
"""Files of each kind, by their names."""


def configmap(files: Mapping[str, bytes], name: str = "dependencies") -> dict[str, Any]:
    """A ConfigMap of files."""
    binary = {key: base64.b64encode(data).decode() for key, data in files.items()}
    return {"metadata": {"name": name}, "binaryData": binary}


@dataclass(frozen=True)
class Depot:
    """An HTTPS server that runs. All may read below `/files/`. Below `/maven/` and `/private/`, which has the
    same files, those who have the password may.

    Attributes:
        cluster, namespace: where.
        url: by its name in the cluster.
        outside: by its address, as if it were no server of the cluster.
        ca: the certificate of the CA that signed its own, PEM.
        user, password: those of `/maven/` and `/private/`.
    """

    cluster: Cluster
    namespace: str
    url: str
    outside: str
    ca: str
    user: str
    password: str

    def asked(self) -> list[dict[str, str]]:
        """Each request: "client" (its address), "path" and "status"."""
        log = self.cluster.core.read_namespaced_pod_log("depot", self.namespace)
        return [json.loads(line) for line in log.splitlines() if line.startswith("{")]

    def ivy_settings(self, url: str) -> str:
        """Of its Maven repository alone, by one of its URLs, with the credentials."""
        host = url.removeprefix("https://").partition(":")[0]
        return f"""
            <ivysettings>
              <settings defaultResolver="depot"/>
              <credentials host="{host}" realm="depot" username="{self.user}" passwd="{self.password}"/>
              <resolvers><ibiblio name="depot" m2compatible="true" root="{url}/maven/"/></resolvers>
            </ivysettings>"""


def depot(cluster: Cluster, namespace: str, files: Mapping[str, bytes]) -> Depot:
    """Start one in a namespace, which has some files and, as a Maven repository, the package of DEPENDENCIES."""
    ports = {"selector": {"app": "depot"}, "ports": [{"port": _PORT}]}
    service = cluster.core.create_namespaced_service(namespace, {"metadata": {"name": "depot"}, "spec": ports})
    host, address = f"depot.{namespace}.svc", service.spec.cluster_ip
    authority = trustme.CA()
    certificate = authority.issue_cert(host, address)
    user, password = "robot", f"password-{uuid4().hex}"
    secret = {
        "server.pem": certificate.private_key_and_cert_chain_pem.bytes().decode(),
        "login": f"{user}:{password}",
        "server.py": (Path(__file__).parent / "apps/serve_files.py").read_text(),
    }
    cluster.core.create_namespaced_secret(namespace, {"metadata": {"name": "depot"}, "stringData": secret})
    cluster.core.create_namespaced_config_map(namespace, configmap({**files, **DEPENDENCIES}, "depot"))
    maven = [{"key": f"packaged.{end}", "path": f"local/kindling/packaged/1.0/packaged-1.0.{end}"} for end in _ENDS]
    container = {
        "name": "depot",
        "image": _IMAGE,
        "command": ["python3", "/depot/server.py", str(_PORT), "/depot"],
        "volumeMounts": [
            {"name": "depot", "mountPath": "/depot"},
            {"name": "files", "mountPath": "/depot/files"},
            {"name": "files", "mountPath": "/depot/private"},
            {"name": "maven", "mountPath": "/depot/maven"},
        ],
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}},
    }
    volumes: list[Any] = [
        {"name": "depot", "secret": {"secretName": "depot"}},
        {"name": "files", "configMap": {"name": "depot"}},
        {"name": "maven", "configMap": {"name": "depot", "items": maven}},
    ]
    served(cluster, namespace, container, volumes, _PORT, {"app": "depot"})
    ca = authority.cert_pem.bytes().decode()
    return Depot(cluster, namespace, f"https://{host}:{_PORT}", f"https://{address}:{_PORT}", ca, user, password)


_ENDS = ("jar", "pom")


@dataclass(frozen=True)
class HttpProxy:
    """A forward proxy that runs; url: its own."""

    cluster: Cluster
    namespace: str
    url: str

    def asked(self) -> str:
        """Its log: a line a connection, with the host that was asked for."""
        return str(self.cluster.core.read_namespaced_pod_log("proxy", self.namespace))


def http_proxy(cluster: Cluster, namespace: str) -> HttpProxy:
    """Start one in a namespace: proxy.py, out of its wheel."""
    cluster.core.create_namespaced_config_map(namespace, configmap({"proxy.zip": _packed("proxy.py")}, "proxy"))
    listen = ["--hostname", "0.0.0.0", "--port", str(_PROXY_PORT), "--num-workers", "1", "--num-acceptors", "1"]
    container = {
        "name": "proxy",
        "image": _IMAGE,
        "command": ["python3", "-m", "proxy", *listen],
        "env": [{"name": "PYTHONPATH", "value": "/proxy/proxy.zip"}, {"name": "HOME", "value": "/tmp"}],
        "volumeMounts": [{"name": "proxy", "mountPath": "/proxy"}],
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}},
    }
    volumes: list[Any] = [{"name": "proxy", "configMap": {"name": "proxy"}}]
    return HttpProxy(cluster, namespace, f"http://{served(cluster, namespace, container, volumes, _PROXY_PORT)}")


def _packed(name: str) -> bytes:
    """An installed Python package as a zip, from which Python imports."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in distribution(name).files or []:
            if file.parts[0] != ".." and file.suffix == ".py":
                archive.write(Path(str(file.locate())), str(file))
    return buffer.getvalue()
