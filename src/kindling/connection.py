"""From kubeconfig to a client of the cluster."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from kindling.errors import KindlingError
from kindling.foreign import one_line, read_json
from kindling.impersonation import ask_as
from kindling.limits import bound_answers
from kindling.login import read_login

TIMEOUT_S = (5, 30)
"""Seconds to connect and to wait for an answer."""
_UNAUTHORIZED = 401
_UNREADABLE = (ConfigException, TypeError, AttributeError, ValueError, OSError)
"""How the official client takes a kubeconfig of another shape."""
_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True)
class Connection:
    """A cluster and the namespace that is asked about.

    Attributes:
        api: the official client's ApiClient.
        namespace: the one given, else the context's, else "default".
    """

    api: Any
    namespace: str

    @property
    def host(self) -> str:
        """The API server's address."""
        return str(self.api.configuration.host)


def connect(kubeconfig: str | None, context: str | None, namespace: str | None) -> Connection:
    """Connect as kubectl does: the given kubeconfig, else $KUBECONFIG or ~/.kube/config, else the pod's own account.

    Raises:
        KindlingError: there is no configuration, no such context, or the program that logs in fails.
    """
    settings = client.Configuration()
    settings.retries = 1
    try:
        with _logged() as said:
            config.load_kube_config(config_file=kubeconfig, context=context, client_configuration=settings)
    except _UNREADABLE as error:
        if not kubeconfig and not context and "KUBERNETES_SERVICE_HOST" in os.environ:
            return _in_cluster(settings, namespace)
        raise KindlingError(f"no cluster: {one_line(error)}; give --kubeconfig, or set KUBECONFIG") from None
    login = read_login(kubeconfig, context)
    _check_logged_in(settings, login.user, said)
    return Connection(_client(settings, login.cluster, login.user), namespace or login.namespace or "default")


def connect_to(kubeconfig: dict[str, Any], context: str, namespace: str) -> Connection:
    """Connect with a kubeconfig of one user that stands in no file.

    Raises:
        KindlingError: it is incomplete, or a file that it names is.
    """
    settings = client.Configuration()
    settings.retries = 1
    try:
        config.load_kube_config_from_dict(kubeconfig, context=context, client_configuration=settings)
    except _UNREADABLE as error:
        raise KindlingError(f"no cluster: {one_line(error)}; give --kubeconfig, or set KUBECONFIG") from None
    (cluster,), (user,) = kubeconfig["clusters"], kubeconfig["users"]
    return Connection(_client(settings, cluster["cluster"], user["user"]), namespace)


@contextmanager
def _logged() -> Iterator[list[str]]:
    """What the official client writes to the log meanwhile, which then nobody else shows."""
    said: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    handler = Handler()
    logging.getLogger().addHandler(handler)
    try:
        yield said
    finally:
        logging.getLogger().removeHandler(handler)


def _check_logged_in(settings: Any, user: Mapping[str, Any], said: list[str]) -> None:
    """The official client goes on as nobody where the program that logs in fails.

    Raises:
        KindlingError: it did.
    """
    if "exec" not in user or settings.api_key or settings.cert_file:
        return
    given = user["exec"] if isinstance(user["exec"], dict) else {}
    program, reason = one_line(given.get("command") or "exec"), one_line("; ".join(said), 300)
    raise KindlingError(f"no login: {program}, which the kubeconfig names, failed: {reason}; run it by hand")


def _client(settings: Any, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> Any:
    if cluster.get("proxy-url"):
        # As for kubectl, it counts whatever NO_PROXY says.
        settings.no_proxy = None
    try:
        api = client.ApiClient(settings)
    except (HTTPError, ValueError, AttributeError) as error:
        raise KindlingError(
            f"no cluster: the kubeconfig's server or proxy-url is no URL: {one_line(error, 200)}"
        ) from None
    except ModuleNotFoundError:
        proxy = one_line(settings.proxy)
        raise KindlingError(
            f"no cluster: to go through {proxy}, run `pip install PySocks`, or name an HTTP proxy"
        ) from None
    bound_answers(api)
    ask_as(api, user)
    return api


def _in_cluster(settings: Any, namespace: str | None) -> Connection:
    try:
        config.load_incluster_config(client_configuration=settings)
    except ConfigException as error:
        raise KindlingError(f"no cluster: {one_line(error)}; give --kubeconfig, or set KUBECONFIG") from None
    return Connection(_client(settings, {}, {}), namespace or (_SERVICE_ACCOUNT / "namespace").read_text().strip())


@contextmanager
def answers(connection: Connection) -> Iterator[None]:
    """What keeps a whole command from an answer becomes one line.

    Raises:
        KindlingError: the API server does not answer, or does not know who asks.
    """
    try:
        yield
    except ApiException as error:
        if error.status == _UNAUTHORIZED:
            raise KindlingError(f"{connection.host} does not know you: log in again, or give --context") from None
        raise KindlingError(f"{connection.host} answered {error.status} {error.reason}: {message_of(error)}") from None
    except ValueError as error:
        # Of no JSON, or JSON of another shape, as a proxy on the way may answer.
        said = one_line(error, 200)
        raise KindlingError(f"no cluster: what {connection.host} answers is not of Kubernetes: {said}") from None
    except (HTTPError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise KindlingError(f"no cluster: {connection.host} does not answer: {one_line(reason)}") from None


def server_time(connection: Connection) -> datetime:
    """What the API server's clock says, to the second."""
    version: Any = client.VersionApi(connection.api)
    _, _, headers = version.get_code_with_http_info(_request_timeout=TIMEOUT_S)
    return parsedate_to_datetime(headers["Date"])


def message_of(error: ApiException) -> str:
    """What the API server said, in one line."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return one_line(read_json(error.body or "")["message"])
    return one_line(error.body or error.reason)
