"""What a team's values say, and how what they name is looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from kindling.connection import TIMEOUT_S, Connection
from kindling.errors import KindlingError
from kindling.foreign import one_line
from kindling.preflight.facts import FAIL, OK, WARN, Check

ASK = "ask an admin to run this"
UNREADABLE = (OSError, yaml.YAMLError, AttributeError, UnicodeDecodeError, RecursionError)
"""What reading values fails with where they are none."""
_FORBIDDEN, _NOT_FOUND = 403, 404


def read_values(files: Sequence[Path]) -> dict[str, Any]:
    """The values of files, of which a later one wins, as with helm.

    Raises:
        KindlingError: there is no such file, or it holds no values.
    """
    values: dict[str, Any] = {}
    for file in files:
        try:
            values = _merged(values, yaml.safe_load(file.read_text(encoding="utf-8")))
        except UNREADABLE as error:
            raise no_values(file, error) from None
    return values


def no_values(file: object, error: object) -> KindlingError:
    """The error that a file holds no values of ours."""
    return KindlingError(f"{file} holds no values: {one_line(error, 200)}; give the team's common.yaml")


def _merged(values: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    both = {name: _merged(values[name], value) for name, value in more.items() if _maps(values.get(name), value)}
    return {**values, **more, **both}


def _maps(*values: object) -> bool:
    return all(isinstance(value, dict) for value in values)


def look_for(call: Any, *arguments: Any) -> Any:
    """The object; False: there is none; None: the caller may not read it."""
    try:
        return call(*arguments, _request_timeout=TIMEOUT_S)
    except ApiException as error:
        if error.status not in (_FORBIDDEN, _NOT_FOUND):
            raise
        return None if error.status == _FORBIDDEN else False


def absent(id_: str, found: Any, name: str, cure: str) -> Check:
    """The check of an object that ``look_for`` did not find."""
    if found is None:
        return Check(id_, WARN, f"{name}: not checked, you may not read it", ASK)
    return Check(id_, FAIL, f"{name} does not exist", cure)


def guarded(connection: Connection, id_: str, secret: str, cure: str) -> list[Check]:
    """Whether the namespace's guard lets pods use a Secret; nothing where there is no guard."""
    admission: Any = client.AdmissionregistrationV1Api(connection.api)
    policy = look_for(admission.read_validating_admission_policy, f"kindling-guard-{connection.namespace}")
    if policy is None:
        return [Check(id_, WARN, "guard: not checked, you may not read its policies", ASK)]
    if not policy:
        return []
    # CEL of spark-namespace: the Secrets' names stand there as JSON.
    listed = next((one.expression for one in policy.spec.variables or [] if one.name == "secrets"), "")
    if f'"{secret}"' in listed:
        return [Check(id_, OK, f"guard: pods may use Secret {secret}")]
    return [Check(id_, FAIL, f"guard: pods may not use Secret {secret}", cure)]
