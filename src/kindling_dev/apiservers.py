"""The programs of the API servers that tests ask: etcd, kube-apiserver and kube-controller-manager of each version."""

from __future__ import annotations

from pathlib import Path

from kindling_dev.fingerprint import fingerprint
from kindling_dev.golang import build
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings
from kindling_dev.tools import ETCD, KUBERNETES, kubernetes, link

_PROGRAMS = ("kube-apiserver", "kube-controller-manager")
# Without the clouds' own code, which needs half of the time to build and none of which a test asks.
_MODULES = {
    "1.24": kubernetes("ci/kubernetes-1.24", *_PROGRAMS, tags="providerless"),
    "1.34": KUBERNETES,
}
"""The oldest Kubernetes that the charts support, the last with PodSecurityPolicy; and the cluster's."""


def ensure_apiservers(settings: Settings, progress: Progress) -> Path:
    """Build what is missing; return the folder that chartproof takes: ``1.34/kube-apiserver`` and so on."""
    built = {version: build(module, settings, progress, _PROGRAMS) for version, module in _MODULES.items()}
    etcd = build(ETCD, settings, progress)
    folder = settings.cache / "apiservers" / fingerprint(str(etcd), *(str(path) for path in built.values()))
    for version, programs in built.items():
        link(programs, _PROGRAMS, folder / version)
        link(etcd, ETCD.programs, folder / version)
    return folder
