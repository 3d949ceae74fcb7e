"""What the chart (or a test) configures: one YAML file, each key with the default of a small site."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from spark_ui_proxy.addresses import network_problem

RESERVED = ("proxy", "history", "shs")
"""Words that stand for themselves in a path: Spark's JavaScript parses the first two, the third is ours."""
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""A namespace's name."""


class ConfigError(ValueError):
    """A configuration that cannot be used; its text is one line: which key, what is wrong."""


@dataclass(frozen=True)
class Namespaces:
    """Which namespaces' applications are shown: those listed, those with the labels, or all.

    Attributes:
        names: watched one by one, with a Role in each.
        selector: a label selector of namespaces; needs cluster rights.
        all: every namespace; needs cluster rights.
    """

    names: tuple[str, ...] = ()
    selector: str = ""
    all: bool = False

    @property
    def cluster_wide(self) -> bool:
        """Whether one watch over the whole cluster finds the pods."""
        return self.all or bool(self.selector)


@dataclass(frozen=True)
class TrustedHeaders:
    """Identity from the headers of an authenticating ingress.

    Attributes:
        proof: how the ingress proves itself: `secret`, the content of `secret_file` in `secret_header`; `mtls`, a
            client certificate that nginx has verified.
        user, groups: names of the headers; groups are parted by `separator`.
        user_prefix, group_prefix: what the API server's own OIDC settings put before names.
    """

    proof: Literal["secret", "mtls"] = "secret"
    user: str = "X-Forwarded-User"
    groups: str = "X-Forwarded-Groups"
    separator: str = ","
    user_prefix: str = ""
    group_prefix: str = ""
    secret_header: str = "X-Spark-UI-Proxy-Secret"
    secret_file: str = "/etc/spark-ui-proxy/header-secret/secret"


@dataclass(frozen=True)
class Login:
    """Who somebody is.

    Attributes:
        mode: `token` (a page that takes a Kubernetes token), `header` (an authenticating ingress), `anonymous`. A
            bearer token in a request counts in the first two.
        session_seconds: how long a login lasts.
        review_seconds: after so long the API server is asked again whose a session's token is.
        logouts: NAMESPACE/NAME of the ConfigMap by which replicas tell each other who has logged out; mode `token`
            needs it.
        session_key_file: file with the key of the session cookie (at least 32 bytes), shared by the replicas; a file
            `previous` beside it, if there is one, opens older sessions.
        secure_cookie: the cookie is for https alone.
        audiences: of the tokens that TokenReview accepts; empty: the API server's own.
    """

    mode: Literal["token", "header", "anonymous"] = "token"
    session_seconds: int = 28_800
    review_seconds: float = 60
    logouts: str = ""
    session_key_file: str = "/etc/spark-ui-proxy/session-key/key"
    secure_cookie: bool = True
    audiences: tuple[str, ...] = ()
    header: TrustedHeaders = field(default_factory=TrustedHeaders)


@dataclass(frozen=True)
class Permission:
    """How the cluster is asked what somebody may.

    Attributes:
        resource: `applications` (group kindling.local: get = view, update = kill) or `pods/proxy` (get, create).
        reviews: `cluster`: TokenReview and SubjectAccessReview; `namespace`: with Roles alone, a person's token asks
            SelfSubjectAccessReview for itself, trusted headers ask LocalSubjectAccessReview.
        allow_seconds, deny_seconds: how long an answer of the API server counts.
    """

    resource: Literal["applications", "pods/proxy"] = "applications"
    reviews: Literal["cluster", "namespace"] = "namespace"
    allow_seconds: float = 60
    deny_seconds: float = 10


@dataclass(frozen=True)
class Hosts:
    """`path`: all namespaces under one host. `namespace`: `<namespace>.<domain>` each, a browser origin of its own."""

    mode: Literal["path", "namespace"] = "path"
    domain: str = ""


@dataclass(frozen=True)
class Limits:
    """Requests at the same time; ports (from, to) and networks that a target may have.

    One person is to leave room for others in every application, so `per_user` is the smaller. A browser has 6
    connections to a host, but an ingress with HTTP/2 sends all files of a page at once.

    Attributes:
        pod_networks: in which pods live, as CIDRs; empty: any address that a pod can have (`addresses`).
    """

    per_user: int = 64
    per_application: int = 128
    driver_ports: tuple[int, int] = (4040, 4100)
    history_ports: tuple[int, int] = (18080, 18100)
    pod_networks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tls:
    """Files (PEM) with which nginx speaks TLS; none: plain HTTP, behind an ingress that does.

    Attributes:
        certificate, key: nginx's own; read for each connection, so that a renewed one counts at once.
        client_ca: of client certificates, by which an authenticating ingress proves itself; "": none is asked for.
    """

    certificate: str = ""
    key: str = ""
    client_ca: str = ""


@dataclass(frozen=True)
class Config:
    """The whole configuration.

    Attributes:
        base_path: "" or "/spark": where all paths begin.
        kill: people with the permission may kill jobs and stages in the UI.
        shared_history: namespace of the one history server that those see who may see every namespace; "": none.
        decision_seconds: how long nginx keeps a decision.
        socket: the unix socket at which nginx asks.
        control_socket: the unix socket at which nginx takes the word that a target is gone.
        operations_port: TCP port of health and metrics.
        listen_port: nginx's.
        drain_seconds: how long it serves after SIGTERM, no longer ready.
        api_server: URL of the API server, "" in a pod.
        token_file, ca_file: of the identity that it has at the API server; read again when they change.
    """

    base_path: str = ""
    namespaces: Namespaces = field(default_factory=Namespaces)
    login: Login = field(default_factory=Login)
    permission: Permission = field(default_factory=Permission)
    hosts: Hosts = field(default_factory=Hosts)
    limits: Limits = field(default_factory=Limits)
    tls: Tls = field(default_factory=Tls)
    kill: bool = True
    shared_history: str = ""
    decision_seconds: float = 5
    socket: str = "/run/spark-ui-proxy/decider.sock"
    control_socket: str = "/run/spark-ui-proxy/control.sock"
    operations_port: int = 8081
    listen_port: int = 8080
    drain_seconds: float = 5
    api_server: str = ""
    token_file: str = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    ca_file: str = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"


def load(path: Path) -> Config:
    """Read a configuration; keys are in camelCase (`basePath`), as in the chart's values.

    Raises:
        ConfigError: a key that is not known, a value of another type, a path or namespace that Spark's pages
            would misread.
    """
    config: Config = _build(Config, yaml.safe_load(path.read_text()) or {}, "")
    for segment in [part for part in config.base_path.split("/") if part]:
        if segment in RESERVED:
            raise ConfigError(f"basePath has the segment {segment!r}, which Spark's pages misread: name it otherwise")
    if config.base_path and not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", config.base_path):
        raise ConfigError(f"basePath is {config.base_path!r}: write it as /spark, or leave it empty")
    for name in config.namespaces.names:
        if name in RESERVED or not LABEL.fullmatch(name):
            raise ConfigError(f"namespaces.names has {name!r}, which is no namespace's name that a path can hold")
    for network in config.limits.pod_networks:
        if problem := network_problem(network):
            raise ConfigError(f"limits.podNetworks has {network!r}, which {problem}")
    if config.hosts.mode == "namespace" and not config.hosts.domain:
        raise ConfigError("hosts.domain is empty: hosts.mode namespace needs the domain below which namespaces stand")
    if config.login.mode == "token" and not re.fullmatch(r"[^/]+/[^/]+", config.login.logouts):
        raise ConfigError(
            f"login.logouts is {config.login.logouts!r}: login.mode token needs a ConfigMap, as NAMESPACE/NAME"
        )
    if config.login.audiences and config.permission.reviews != "cluster":
        raise ConfigError("login.audiences is set: only TokenReview knows audiences (permission.reviews: cluster)")
    return config


def _build(kind: Any, raw: Any, where: str) -> Any:
    """A dataclass from a mapping, by its annotations."""
    if not isinstance(raw, dict):
        raise ConfigError(f"{where or 'the configuration'} is {raw!r}: a mapping is expected")
    hints = get_type_hints(kind)
    known = {_camel(item.name): item.name for item in fields(kind)}
    values = {}
    for key, value in raw.items():
        path = f"{where}.{key}".lstrip(".")
        if key not in known:
            raise ConfigError(f"{path} is not known; known are {', '.join(known)}")
        values[known[key]] = _convert(hints[known[key]], value, path)
    return kind(**values)


def _convert(kind: Any, value: Any, path: str) -> Any:
    if is_dataclass(kind):
        return _build(kind, value, path)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        if value not in arguments:
            raise ConfigError(f"{path} is {value!r}: one of {', '.join(map(str, arguments))} is expected")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{path} is {value!r}: a list is expected")
        return tuple(_convert(arguments[0], item, path) for item in value)
    if origin in (Union, UnionType):
        kind = next(item for item in arguments if item is not NoneType)
    wanted = (int, float) if kind is float else kind
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        raise ConfigError(f"{path} is {value!r}: a {kind.__name__} is expected")
    return value


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
