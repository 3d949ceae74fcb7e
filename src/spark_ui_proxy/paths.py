"""What a request's raw target asks for. It is parsed once, here; what is not plainly harmless is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote_plus, unquote_to_bytes

from spark_ui_proxy.config import LABEL, RESERVED, Config
from spark_ui_proxy.pods import APP_ID

METHODS = ("GET", "HEAD", "POST")
Kind = Literal["service", "driver", "history", "shared-history"]
_LONGEST = 8192
# No ";": Jetty takes what follows it for a parameter, and "..;" for a way up.
_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,=:@/-]|%[0-9A-Fa-f]{2})*")
# Browsers leave []{}|^`\ in a query as they are.
_QUERY = re.compile(r"(?:[!$&-;=?-~]|%[0-9A-Fa-f]{2})*")
_CONTROLS = bytes([*range(0x20), 0x7F])
_NEVER_ENCODED = frozenset(_CONTROLS + b"/\\.%;")


class BadTargetError(ValueError):
    """A target that is refused; its text says why in a few words."""


@dataclass(frozen=True)
class Route:
    """What is asked for.

    Attributes:
        kind: `service`: a page of this service; else whose UI.
        namespace, app_id: of the UI, where it has them.
        context: path below which that UI stands: "/spark/team-a/proxy/app-1".
        rest: the raw path to ask there; "" where the "/" after the context is missing.
        query: the raw query without "doAs".
    """

    kind: Kind
    namespace: str = ""
    app_id: str = ""
    context: str = ""
    rest: str = ""
    query: str = ""

    @property
    def upstream_path(self) -> str:
        """Path and query to ask at the UI."""
        return self.rest + (f"?{self.query}" if self.query else "")

    @property
    def kills(self) -> bool:
        """Whether it is one of the paths by which Spark ends jobs and stages; older lines do so on GET."""
        return "kill" in unquote_to_bytes(self.rest).decode().lower()


def parse(target: str, host: str, config: Config) -> Route:
    """The route of a raw request target ("/spark/team-a/proxy/app-1/jobs/?id=1") at a host.

    Raises:
        BadTargetError: no browser that follows this service's links sends that.
    """
    if len(target) > _LONGEST:
        raise BadTargetError("the path is too long")
    path, _, query = target.partition("?")
    _check_path(path)
    query = _checked_query(query)
    if not (path + "/").startswith(config.base_path + "/"):
        raise BadTargetError(f"paths begin with {config.base_path}/")
    below = path[len(config.base_path) :]
    only = namespace_of(host, config)
    first, _, rest = below[1:].partition("/")
    if first in ("", "-"):
        return Route("service", namespace=only or "", rest=below or "/", query=query)
    if first == "shs":
        if only is not None:
            raise BadTargetError("another host serves this")
        return Route("shared-history", "", "", f"{config.base_path}/shs", below[len("/shs") :], query)
    if first in RESERVED or not LABEL.fullmatch(first):
        raise BadTargetError("no namespace has this name")
    if (config.hosts.mode == "namespace") and only != first:
        raise BadTargetError("another host serves this namespace")
    word, _, rest = rest.partition("/")
    if word == "shs":
        context = f"{config.base_path}/{first}/shs"
        return Route("history", first, "", context, path[len(context) :], query)
    if word == "proxy":
        app_id, _, _ = rest.partition("/")
        if not APP_ID.fullmatch(app_id):
            raise BadTargetError("no application has this id")
        context = f"{config.base_path}/{first}/proxy/{app_id}"
        return Route("driver", first, app_id, context, path[len(context) :], query)
    raise BadTargetError("there is nothing at this path")


def plain_host(host: str) -> str:
    """A Host header without its port, in small letters."""
    name = host.lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0].rstrip(".")


def _check_path(path: str) -> None:
    if not _PATH.fullmatch(path):
        raise BadTargetError("the path has characters that no path has")
    if "//" in path:
        raise BadTargetError("the path has an empty part")
    for escape in re.findall(r"%(..)", path):
        if int(escape, 16) in _NEVER_ENCODED:
            raise BadTargetError(f"the path hides a character (%{escape})")
    if {".", ".."} & set(path.split("/")):
        raise BadTargetError("the path leads up")
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise BadTargetError("the path is no UTF-8") from error


def _checked_query(query: str) -> str:
    """A query without "doAs", by which Spark takes somebody else for the one who asks."""
    if not _QUERY.fullmatch(query):
        raise BadTargetError("the query has characters that no query has")
    if any(byte in _CONTROLS for byte in unquote_to_bytes(query)):
        raise BadTargetError("the query hides control characters")
    if not query:
        return ""
    return "&".join(part for part in query.split("&") if unquote_plus(part.partition("=")[0]).lower() != "doas")


def namespace_of(host: str, config: Config) -> str | None:
    """In host mode, the one namespace that a host serves; None at the domain itself and in path mode.

    Raises:
        BadTargetError: in host mode, a host that serves nothing.
    """
    if config.hosts.mode == "path":
        return None
    name = plain_host(host)
    if name == config.hosts.domain:
        return None
    label, _, domain = name.partition(".")
    if domain != config.hosts.domain or not LABEL.fullmatch(label) or label in RESERVED:
        raise BadTargetError("this host serves nothing")
    return label
