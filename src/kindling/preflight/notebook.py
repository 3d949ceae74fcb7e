"""What a notebook needs that a job does not, as the values of spark-notebook name it: a token's Secret, and a home."""

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
    """What a notebook's values say: names of objects; "" where they say nothing."""

    secret: str
    key: str
    claim: str
    storage_class: str


def wanted(values: Mapping[str, Any]) -> Wanted:
    """What ``login`` and ``home`` name."""
    secret, home = (values.get("login") or {}).get("secret") or {}, values.get("home") or {}
    has_claim = home.get("claim") is not False
    return Wanted(
        secret=str(secret.get("name") or ""),
        key=str(secret.get("key") or "token"),
        claim=str(home.get("existingClaim") or "") if has_claim else "",
        storage_class=str(home.get("storageClass") or "") if has_claim else "",
    )


def check(connection: Connection, want: Wanted) -> list[Check]:
    """Read what the values name, as far as the caller may, and judge it."""
    checks = []
    if want.secret:
        checks.append(_token(connection, want))
        cure = f"name {want.secret} in guard.secrets of spark-namespace, or correct login.secret.name"
        checks += guarded(connection, "guard-notebook-token", want.secret, cure)
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
    core: Any = client.CoreV1Api(connection.api)
    name = f"notebook's token: Secret {want.secret}"
    make = f"kubectl create secret generic {want.secret} --from-file={want.key}=FILE -n {connection.namespace}"
    found = look_for(core.read_namespaced_secret, want.secret, connection.namespace)
    if not found:
        return absent("notebook-token", found, name, make)
    if not (found.data or {}).get(want.key):
        cure = "set login.secret.key to the key of the token, or make the Secret with that key"
        return Check("notebook-token", FAIL, f"{name} has no key {want.key}", cure)
    return Check("notebook-token", OK, f"{name} has key {want.key}")


def _home(found: Any, name: str, cure: str) -> Check:
    what = f"notebook's home: {name}"
    return Check("notebook-home", OK, f"{what} is there") if found else absent("notebook-home", found, what, cure)
