"""``kindling kubeconfig``: from a login of the caller's own to a kubeconfig for a team's namespace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from kindling import kubeconfig, token_request
from kindling.certificate import forget, request_certificate
from kindling.connection import TIMEOUT_S, Connection, answers, connect_to
from kindling.errors import KindlingError
from kindling.login import Login, read_login
from kindling.tokens import TOKEN_LIFE_S, Token, subject, write_token

_CERTIFICATE_LIFE_S = 30 * 24 * 3600


@dataclass(frozen=True)
class Wish:
    """What is to be written.

    Attributes:
        namespace: the team's.
        name: of the context.
        output: the file.
        merge: whether it may be there already.
        account: a service account of the namespace; "": the caller's own login.
        first_token: file of a token of that account, which takes the place of a login; None: the login does.
        certificate: the user to have a certificate made for; "": none.
        life_s: seconds that a token or certificate lives; None: as is usual.
        wait_s: seconds to wait for an admin's approval.
    """

    namespace: str
    name: str
    output: Path
    merge: bool
    account: str
    first_token: Path | None
    certificate: str
    life_s: int | None
    wait_s: int


def log_in(wish: Wish, from_kubeconfig: str | None, context: str | None) -> None:
    """Write the kubeconfig, once the cluster has shown that it will work.

    Raises:
        KindlingError: it would not, or the file is in the way.
    """
    if wish.account and wish.certificate:
        raise KindlingError("a certificate is a user's, not an account's: give ACCOUNT or --certificate")
    if wish.first_token and not wish.account:
        raise KindlingError("--first-token is of an account: name it")
    kubeconfig.check_free(wish.output, wish.merge)
    login = read_login(from_kubeconfig, context)
    if wish.first_token:
        _check_first(wish.first_token, subject(wish.namespace, wish.account))
        login = replace(login, user={"tokenFile": str(wish.first_token.absolute())}, files=(), context="")
    connection = _connect(login, wish.namespace)
    with answers(connection):
        kubeconfig.write(_entries(wish, login, connection), wish.output)
    if wish.certificate:
        forget(_request_of(wish))


def _entries(wish: Wish, login: Login, connection: Connection) -> kubeconfig.Entries:
    if wish.account:
        return _of_account(wish, login, connection)
    _check_namespace(connection)
    if wish.certificate:
        life_s = wish.life_s or _CERTIFICATE_LIFE_S
        user = request_certificate(connection, wish.certificate, life_s, wish.wait_s, _request_of(wish))
        return kubeconfig.of_certificate(login, wish.namespace, wish.name, user)
    return kubeconfig.as_you_are(login, wish.namespace, wish.name, wish.output)


def _of_account(wish: Wish, login: Login, connection: Connection) -> kubeconfig.Entries:
    tokens = (wish.first_token or _beside(wish, "token")).absolute()
    account = kubeconfig.Account(wish.namespace, wish.account, tokens, wish.life_s or TOKEN_LIFE_S)
    entries = kubeconfig.of_account(login, account, wish.name, wish.output)
    token = token_request.ask(connection, wish.account, account.life_s)
    write_token(tokens, token)
    return entries


def _request_of(wish: Wish) -> Path:
    """Where a request for a certificate and its key are kept until there is one."""
    return _beside(wish, "request")


def _beside(wish: Wish, what: str) -> Path:
    """A file beside the kubeconfig, and named after it: two of them may have the same context in different clusters."""
    return wish.output.with_name(f"{wish.output.name}.{wish.name}.{what}".replace("/", "_"))


def _check_first(file: Path, whose: str) -> None:
    try:
        of = Token.parse(file.read_text()).subject
    except OSError as error:
        raise KindlingError(f"cannot read {file}: {error.strerror}; --first-token takes a file with a token") from None
    except ValueError as error:
        raise KindlingError(f"{file} holds {error}: ask for one with: kubectl create token") from None
    if of != whose:
        raise KindlingError(f"{file} holds a token of {of}, not of {whose}: name that account, or take another file")


def _connect(login: Login, namespace: str) -> Connection:
    """The cluster, with that login."""
    one = "login"
    lists = {"clusters": ("cluster", login.cluster), "users": ("user", login.user)}
    config: dict[str, Any] = {kind: [{"name": one, key: dict(body)}] for kind, (key, body) in lists.items()}
    config["contexts"] = [{"name": one, "context": {"cluster": one, "user": one}}]
    return connect_to(config, one, namespace)


def _check_namespace(connection: Connection) -> None:
    """Refuse a namespace that is not there; most people may not ask, and then it is theirs to know."""
    try:
        core: Any = client.CoreV1Api(connection.api)
        core.read_namespace(connection.namespace, _request_timeout=TIMEOUT_S)
    except ApiException as error:
        if error.status == 404:
            raise KindlingError(f"there is no namespace {connection.namespace}: give the team's") from None
        if error.status != 403:
            raise
