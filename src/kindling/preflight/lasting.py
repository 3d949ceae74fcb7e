"""What drivers that last need and a job does not, as values of spark-notebook or spark-connect name it.

A token's Secret; a notebook's home; a Connect server's certificate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubernetes import client

from kindling.connection import Connection
from kindling.preflight.facts import FAIL, OK, Check
from kindling.preflight.named import absent, guarded, look_for


@dataclass(frozen=True)
class Wanted:
    """What values say: names of objects; "" where they say nothing.

    Attributes:
        what: whose values they are, "notebook" or "connect".
        secret, key: where the token is.
        claim, storage_class: a notebook's home.
        certificate: the Secret of a Connect server's.
    """

    what: str
    secret: str
    key: str
    claim: str
    storage_class: str
    certificate: str = ""


def wanted(values: Mapping[str, Any]) -> Wanted:
    """What ``login``, ``home`` and ``tls`` name."""
    secret, home = (values.get("login") or {}).get("secret") or {}, values.get("home") or {}
    tls = values.get("tls") or {}
    has_claim = home.get("claim") is not False
    return Wanted(
        # Of the two charts one alone has these.
        what="connect" if tls or "listen" in values else "notebook",
        secret=str(secret.get("name") or ""),
        key=str(secret.get("key") or "token"),
        claim=str(home.get("existingClaim") or "") if has_claim else "",
        storage_class=str(home.get("storageClass") or "") if has_claim else "",
        certificate=str(tls.get("secretName") or ""),
    )


def check(connection: Connection, want: Wanted) -> list[Check]:
    """Read what the values name, as far as the caller may, and judge it."""
    checks = []
    if want.secret:
        checks.append(_token(connection, want))
        cure = f"name {want.secret} in guard.secrets of spark-namespace, or correct login.secret.name"
        checks += guarded(connection, f"guard-{want.what}-token", want.secret, cure)
    if want.certificate:
        checks.append(_certificate(connection, want.certificate))
        cure = f"name {want.certificate} in guard.secrets of spark-namespace, or correct tls.secretName"
        checks += guarded(connection, "guard-connect-tls", want.certificate, cure)
    if want.claim:
        name = f"PersistentVolumeClaim {want.claim}"
        core: Any = client.CoreV1Api(connection.api)
        found = look_for(core.read_namespaced_persistent_volume_claim, want.claim, connection.namespace)
        checks.append(_home(found, name, f"make the claim, or correct home.existingClaim: {want.claim}"))
    elif want.storage_class:
        storage: Any = client.StorageV1Api(connection.api)
        found = look_for(storage.read_storage_class, want.storage_class)
        checks.append(_home(found, f"StorageClass {want.storage_class}", "correct home.storageClass"))
    return checks


def _token(connection: Connection, want: Wanted) -> Check:
    whose = {"notebook": "notebook's", "connect": "Connect server's"}[want.what]
    make = f"kubectl create secret generic {want.secret} --from-file={want.key}=FILE -n {connection.namespace}"
    cure = "set login.secret.key to the key of the token, or make the Secret with that key"
    where = f"{whose} token: Secret {want.secret}"
    return _secret(connection, f"{want.what}-token", where, want.secret, [want.key], make, cure)


def _certificate(connection: Connection, secret: str) -> Check:
    make = f"kubectl create secret tls {secret} --cert=FILE --key=FILE -n {connection.namespace}"
    where = f"Connect server's certificate: Secret {secret}"
    return _secret(connection, "connect-tls", where, secret, ["tls.crt", "tls.key"], make, make)


def _secret(
    connection: Connection, check_id: str, where: str, secret: str, keys: list[str], make: str, cure: str
) -> Check:
    core: Any = client.CoreV1Api(connection.api)
    found = look_for(core.read_namespaced_secret, secret, connection.namespace)
    if not found:
        return absent(check_id, found, where, make)
    for key in keys:
        if not (found.data or {}).get(key):
            return Check(check_id, FAIL, f"{where} has no key {key}", cure)
    return Check(check_id, OK, f"{where} has key {', '.join(keys)}")


def _home(found: Any, name: str, cure: str) -> Check:
    what = f"notebook's home: {name}"
    return Check("notebook-home", OK, f"{what} is there") if found else absent("notebook-home", found, what, cure)
