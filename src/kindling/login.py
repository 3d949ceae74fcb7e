"""The login that the caller has already: the cluster and the user of a kubeconfig's context, or a pod's account."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kindling.errors import KindlingError

_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_FILES = ("client-certificate", "client-key", "tokenFile")
"""Fields of a user that name a file, which may be given relative to the kubeconfig's folder."""


@dataclass(frozen=True)
class Login:
    """Where the caller's own rights come from.

    Attributes:
        cluster: body of the kubeconfig's entry; the certificate of its authority is in it, not beside it.
        user: body of the kubeconfig's entry; paths in it are absolute.
        files: the kubeconfigs it was found in; none in a pod.
        context: name of its context; "" where it stands in no kubeconfig.
        names: names of its cluster and of its user.
        namespace: of the context, "" where that has none.
    """

    cluster: Mapping[str, Any]
    user: Mapping[str, Any]
    files: tuple[Path, ...]
    context: str
    names: tuple[str, str]
    namespace: str

    @property
    def kubeconfig(self) -> str:
        """Those files as --kubeconfig and $KUBECONFIG name them."""
        return os.pathsep.join(map(str, self.files))


def read_login(kubeconfig: str | None, context: str | None) -> Login:
    """The login that kubectl would take: of the given kubeconfig, else $KUBECONFIG or ~/.kube/config, else the pod's.

    Raises:
        KindlingError: there is none, or it is no kubeconfig.
    """
    named = kubeconfig or os.environ.get("KUBECONFIG") or str(Path.home() / ".kube/config")
    files = tuple(Path(name).expanduser().absolute() for name in named.split(os.pathsep) if name)
    found = tuple(file for file in files if file.exists())
    if not found:
        if not kubeconfig and not context and "KUBERNETES_SERVICE_HOST" in os.environ:
            return _of_pod()
        raise KindlingError(f"no cluster: {named} does not exist; give --kubeconfig, or set KUBECONFIG")
    configs = [(read_kubeconfig(file), file.parent) for file in found]
    chosen = context or next((c["current-context"] for c, _ in configs if c.get("current-context")), "")
    if not chosen:
        raise KindlingError(f"no cluster: {named} has no current context; give --context")
    of_context, _ = _entry(configs, "contexts", "context", chosen)
    cluster, beside = _entry(configs, "clusters", "cluster", of_context.get("cluster", ""))
    names = (str(of_context["cluster"]), str(of_context.get("user", "")))
    # Who has no login yet was given the cluster alone.
    user, home = _entry(configs, "users", "user", names[1]) if names[1] else ({}, beside)
    user = {key: str(home / value) if key in _FILES else value for key, value in user.items()}
    namespace = str(of_context.get("namespace", ""))
    return Login(_embedded(cluster, beside), user, found, chosen, names, namespace)


def read_kubeconfig(file: Path) -> dict[str, Any]:
    """A kubeconfig as it stands in a file.

    Raises:
        KindlingError: it cannot be read, or is none.
    """
    try:
        text = file.read_text()
    except OSError as error:
        raise KindlingError(f"cannot read {file}: {error.strerror}; give another with --kubeconfig") from None
    except UnicodeDecodeError:
        raise KindlingError(f"{file} is no kubeconfig: it is not YAML; give another") from None
    return parse_kubeconfig(text, file)


def parse_kubeconfig(text: str, file: Path) -> dict[str, Any]:
    """A kubeconfig of a file's text.

    Raises:
        KindlingError: it is none.
    """
    try:
        config = yaml.safe_load(text) or {}
    except (yaml.YAMLError, RecursionError):
        raise KindlingError(f"{file} is no kubeconfig: it is not YAML; give another") from None
    if not isinstance(config, dict) or not all(
        isinstance(config.get(kind) or [], list) for kind in ("clusters", "users", "contexts")
    ):
        raise KindlingError(f"{file} is no kubeconfig: it has no lists of clusters, users and contexts; give another")
    return config


def _entry(
    configs: list[tuple[dict[str, Any], Path]], kind: str, key: str, name: str
) -> tuple[Mapping[str, Any], Path]:
    for config, folder in configs:
        for entry in config.get(kind) or []:
            if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get(key) or {}, dict):
                return entry.get(key) or {}, folder
    raise KindlingError(
        f"no cluster: the kubeconfig has no {key} {name!r}; give --context, or another with --kubeconfig"
    )


def _embedded(cluster: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    body = {key: value for key, value in cluster.items() if key != "certificate-authority"}
    if "certificate-authority" in cluster and "certificate-authority-data" not in cluster:
        file = folder / cluster["certificate-authority"]
        try:
            body["certificate-authority-data"] = b64encode(file.read_bytes()).decode()
        except OSError as error:
            raise KindlingError(f"cannot read {file}, the cluster's certificate: {error.strerror}") from None
    return body


def _of_pod() -> Login:
    cluster = _embedded({"server": "https://kubernetes.default.svc", "certificate-authority": "ca.crt"}, _POD)
    namespace = (_POD / "namespace").read_text().strip()
    return Login(cluster, {"tokenFile": str(_POD / "token")}, (), "", ("", ""), namespace)
