"""Asking the API server for a token."""

from __future__ import annotations

from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from kindling.connection import TIMEOUT_S, Connection, message_of
from kindling.errors import KindlingError
from kindling.tokens import Token

_REFUSED = (400, 403, 404, 422)


def ask(connection: Connection, account: str, life_s: int) -> Token:
    """A new token of an account of the connection's namespace.

    Raises:
        KindlingError: there is no such account, the caller may not, or the life is not one that the API server grants.
    """
    request = client.AuthenticationV1TokenRequest(
        # For the API server's own audience, whatever that is.
        spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=life_s)
    )
    core: Any = client.CoreV1Api(connection.api)
    try:
        answer = core.create_namespaced_service_account_token(
            account, connection.namespace, request, _request_timeout=TIMEOUT_S
        )
    except ApiException as error:
        if error.status not in _REFUSED:
            raise
        raise KindlingError(_why(error, account, connection.namespace)) from None
    return Token.parse(answer.status.token)


def _why(error: ApiException, account: str, namespace: str) -> str:
    said = message_of(error)
    if error.status == 404 and said.startswith("namespaces "):
        return f"there is no namespace {namespace}: give the team's with --namespace"
    if error.status == 404:
        return f"{namespace} has no account {account}: name it in spark-namespace's values, accounts, or take another"
    if error.status == 403:
        return f"no token of {account} for you: {said}; accounts[].owners in spark-namespace's values says who may ask"
    return f"no token of {account}: {said}"
