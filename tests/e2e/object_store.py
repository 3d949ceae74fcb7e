"""A real S3-compatible object store in the cluster: versitygw, with TLS and one account."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import trustme
import yaml
from depot import configmap
from program_image import load_program
from team import wait_until_pods_are_taken

from chartproof import Cluster
from kindling_dev.golang import GoModule
from kindling_dev.spark_image import DEFAULT_LINE

_MODULE = GoModule("ci/object-store", {"versitygw": "github.com/versity/versitygw/cmd/versitygw"})
_IMAGE = "kindling/object-store:test"
BUCKET = "logs"
FOLDER = "dependencies"
PORT = 7070
REGION = "eu-1"


@dataclass(frozen=True)
class ObjectStore:
    """Where it is, and how to get in.

    Attributes:
        endpoint: its URL.
        ca: the certificate of the CA that signed its own, PEM.
        access_key, secret_key: its account's.
    """

    endpoint: str
    ca: str
    access_key: str
    secret_key: str

    @property
    def credentials_file(self) -> str:
        """As AWS's programs read it."""
        return f"[default]\naws_access_key_id = {self.access_key}\naws_secret_access_key = {self.secret_key}\n"


def object_store(cluster: Cluster, namespace: str, files: Mapping[str, bytes] | None = None) -> ObjectStore:
    """Start one in a namespace, with a bucket, which has some files in FOLDER; it goes with the namespace."""
    load_program(_MODULE, _IMAGE)
    host = f"store.{namespace}.svc"
    authority = trustme.CA()
    certificate = authority.issue_cert(host)
    store = ObjectStore(
        f"https://{host}:{PORT}", authority.cert_pem.bytes().decode(), f"access-{uuid4().hex}", f"secret-{uuid4().hex}"
    )
    data = {
        "tls.crt": b"".join(blob.bytes() for blob in certificate.cert_chain_pems),
        "tls.key": certificate.private_key_pem.bytes(),
        "access": store.access_key.encode(),
        "secret": store.secret_key.encode(),
    }
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    cluster.core.create_namespaced_secret(namespace, {"metadata": {"name": "store"}, "data": encoded})
    cluster.core.create_namespaced_service(
        namespace, {"metadata": {"name": "store"}, "spec": {"selector": {"app": "store"}, "ports": [{"port": PORT}]}}
    )
    cluster.core.create_namespaced_config_map(namespace, configmap(files or {}, "files"))
    wait_until_pods_are_taken(cluster, namespace)
    cluster.core.create_namespaced_pod(namespace, _pod())

    def ready(pod: Any, _: str) -> bool | None:
        conditions = pod.status.conditions or []
        return True if [c for c in conditions if c.type == "Ready" and c.status == "True"] else None

    where = {"namespace": namespace, "field_selector": "metadata.name=store"}
    cluster.wait_for(cluster.core.list_namespaced_pod, ready, "the object store", 60, **where)
    return store


def _pod() -> dict[str, Any]:
    pod: dict[str, Any] = yaml.safe_load(f"""
        metadata: {{name: store, labels: {{app: store}}}}
        spec:
          automountServiceAccountToken: false
          terminationGracePeriodSeconds: 0
          securityContext:
            {{runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000, seccompProfile: {{type: RuntimeDefault}}}}
          initContainers:
            # Objects as the store itself would have put them: it keeps the tag of each beside it.
            - name: files
              image: docker.io/{DEFAULT_LINE.published}
              command: [bash, -euc]
              args:
                - |
                  mkdir -p /data/{FOLDER}
                  for file in $(ls /files); do
                    cp /files/$file /data/{FOLDER}/$file
                    mkdir -p /meta/{BUCKET}/{FOLDER}/$file/meta
                    md5sum </files/$file | cut -d' ' -f1 | tr -d '\\n' >/meta/{BUCKET}/{FOLDER}/$file/meta/etag
                  done
              securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}
              volumeMounts:
                - {{name: files, mountPath: /files}}
                - {{name: meta, mountPath: /meta}}
                - {{name: bucket, mountPath: /data}}
          containers:
            - name: store
              image: docker.io/{_IMAGE}
              imagePullPolicy: Never
              args: [--port, ":{PORT}", --cert, /tls/tls.crt, --key, /tls/tls.key, --region, {REGION}, --quiet,
                     posix, --sidecar, /meta, /data]
              env:
                - {{name: ROOT_ACCESS_KEY, valueFrom: {{secretKeyRef: {{name: store, key: access}}}}}}
                - {{name: ROOT_SECRET_KEY, valueFrom: {{secretKeyRef: {{name: store, key: secret}}}}}}
              resources: {{requests: {{cpu: 20m, memory: 32Mi}}, limits: {{memory: 256Mi}}}}
              securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}
              readinessProbe: {{tcpSocket: {{port: {PORT}}}, periodSeconds: 1}}
              volumeMounts:
                - {{name: tls, mountPath: /tls}}
                - {{name: meta, mountPath: /meta}}
                - {{name: data, mountPath: /data}}
                # A folder at the top is a bucket.
                - {{name: bucket, mountPath: /data/{BUCKET}}}
          volumes:
            - {{name: tls, secret: {{secretName: store}}}}
            - {{name: meta, emptyDir: {{}}}}
            - {{name: data, emptyDir: {{}}}}
            - {{name: bucket, emptyDir: {{}}}}
            - {{name: files, configMap: {{name: files}}}}""")
    return pod
