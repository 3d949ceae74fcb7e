"""What an identity asked of the API server, by its audit log, and what its Role grants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from team import Team

_FORBIDDEN, _MADE = 403, 201
_OF_EVERYONE = "authorization.k8s.io"
"""The API group in which everyone may ask for his own rights: system:basic-user."""


class Pair(NamedTuple):
    """A verb on a resource, "pods/log"; API groups share no name of these."""

    verb: str
    resource: str


def granted(team: Team, account: str) -> set[Pair]:
    """What the Role of an account grants."""
    rules = team.cluster.rbac.read_namespaced_role(account, team.name).rules
    return {Pair(verb, resource) for rule in rules for resource in rule.resources for verb in rule.verbs}


def taken(event: dict[str, Any]) -> Iterator[Pair]:
    """What a request took: an apply that made its object took two verbs."""
    about = event["objectRef"]
    resource = "/".join(filter(None, (about["resource"], about.get("subresource"))))
    yield Pair(event["verb"], resource)
    if event["verb"] == "patch" and event["responseStatus"]["code"] == _MADE:
        yield Pair("create", resource)


def asked_by(user: str, events: list[dict[str, Any]]) -> set[Pair]:
    """What a user asked for; nothing of it was refused.

    Args:
        user: its name.
        events: of the audit log.
    """
    asked = [event for event in events if event["user"].get("username") == user and "objectRef" in event]
    assert [(e["verb"], e["objectRef"]) for e in asked if e["responseStatus"]["code"] == _FORBIDDEN] == []
    used = {pair for e in asked if e["objectRef"].get("apiGroup") != _OF_EVERYONE for pair in taken(e)}
    assert used, "nothing was asked: the audit log has turned over"
    return used
