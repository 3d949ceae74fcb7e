"""Where things are and what a person may set; every setting is an environment variable listed in CONTRIBUTING.md."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
DEFAULT_CLUSTER = "kindling"
DEFAULT_IP_FAMILY = "ipv4"
ADMIN_NAMESPACE = "kindling-system"
"""Where releases of spark-namespace live: a team can neither read nor remove them there."""


@dataclass(frozen=True)
class Settings:
    """The settings of one run.

    Attributes:
        cache: the one folder that holds all that is built or downloaded (``KINDLING_CACHE``).
        cluster: name of the kind cluster (``KINDLING_CLUSTER``).
        ip_family: of the cluster's pods and Services, as kind names it: ``ipv4``, ``ipv6`` or ``dual``
            (``KINDLING_IP_FAMILY``).
        pull: whether to ask a registry for an image the engine lacks (``KINDLING_PULL=never`` turns it off).
        node_image: a node image to use as it is (``KINDLING_NODE_IMAGE``), or "".
        spark_images: by Spark line ("4.3"), an image to use as it is (``KINDLING_SPARK_IMAGE_4_3``), where set.
    """

    cache: Path
    cluster: str
    ip_family: str
    pull: bool
    node_image: str
    spark_images: dict[str, str]

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the settings of this process."""
        env = os.environ
        default_cache = Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kindling"
        prefix = "KINDLING_SPARK_IMAGE_"
        return cls(
            cache=Path(env.get("KINDLING_CACHE") or default_cache),
            cluster=env.get("KINDLING_CLUSTER") or DEFAULT_CLUSTER,
            ip_family=env.get("KINDLING_IP_FAMILY") or DEFAULT_IP_FAMILY,
            pull=env.get("KINDLING_PULL", "auto") != "never",
            node_image=env.get("KINDLING_NODE_IMAGE", ""),
            spark_images={k[len(prefix) :].replace("_", "."): v for k, v in env.items() if k.startswith(prefix) and v},
        )

    @property
    def bin(self) -> Path:
        """Folder of the pinned command-line tools, for PATH."""
        return self.cache / "bin"

    @property
    def cluster_dir(self) -> Path:
        """Folder of the cluster's own files: kubeconfig, kind configuration, audit policy."""
        return self.cache / "clusters" / self.cluster

    @property
    def kubeconfig(self) -> Path:
        """The cluster's kubeconfig; a person's own is never touched."""
        return self.cluster_dir / "kubeconfig"

    @property
    def logs(self) -> Path:
        """Folder of the full output of every long command."""
        return self.cache / "logs"
