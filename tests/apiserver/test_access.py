"""What the identities of a team may do: what the page on access says and nothing else, as the server decides it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from grants import service_account, wait_until_granted
from reviews import may

from chartproof.apiserver import ApiServer
from kindling_dev.access_page import (
    DRIVER,
    NEVER,
    NOTHING,
    STATEFUL,
    SUBMITTER,
    SUBMITTERS,
    UI_PROXY,
    VIEWERS,
    Rights,
)


class Pair(NamedTuple):
    """A verb on a resource, as kubectl writes it."""

    verb: str
    resource: str


_ADMINS = ("--namespace=kindling-system", "--create-namespace", "--values=-")
_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
_OF_NEVER = ("get", "list", "create")
_TELLING = (
    Pair("list", "pods"),
    Pair("get", "configmaps"),
    Pair("create", "jobs.batch"),
    Pair("update", "applications.kindling.local"),
)
"""Pairs that tell submitters, viewers and all others apart."""
_OTHERS = (
    "daemonsets.apps",
    "statefulsets.apps/scale",
    "pods/eviction",
    "subjectaccessreviews.authorization.k8s.io",
    "limitranges",
)
_ESCALATIONS = (
    *(Pair("impersonate", resource) for resource in ("users", "groups", "serviceaccounts")),
    *(Pair(verb, "roles.rbac.authorization.k8s.io") for verb in ("bind", "escalate")),
)
_PEOPLE: dict[str, dict[str, list[Any]]] = {
    "submitters": {
        "users": ["CORP\\anna", "1e3", "true"],
        "groups": ["8c5d0b2e-3f1a-4e57-9a3b-0d1f2c3b4a59", "0"],
        "serviceAccounts": [{"namespace": "ci", "name": "deployer"}],
    },
    "viewers": {
        "users": ["cn=Čeněk,ou=On call"],
        "groups": ["on-call"],
        "serviceAccounts": [{"namespace": "audit", "name": "reader"}],
    },
}
_AT_ONCE = 4


@dataclass(frozen=True)
class Identity:
    """Who asks, as the server knows them after the login, and the page's columns about them."""

    user: str
    groups: tuple[str, ...]
    columns: tuple[str, ...]


class Question(NamedTuple):
    """May someone do something in a namespace ("": in all)?"""

    who: Identity
    what: Pair
    namespace: str


def account(namespace: str, name: str, *columns: str) -> Identity:
    """A service account."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return Identity(f"system:serviceaccount:{namespace}:{name}", groups, columns)


def person(user: str, *columns: str, group: str = "any") -> Identity:
    """A user, of one group."""
    return Identity(user, (group, "system:authenticated"), columns)


def one_of_each(home: str) -> Iterator[Identity]:
    """An identity for each column of the page, those that may do nothing, and someone of no team."""
    yield person("CORP\\anna", SUBMITTERS)
    yield person("cn=Čeněk,ou=On call", VIEWERS)
    yield account(home, "spark-submitter", SUBMITTER)
    yield account(home, "spark-driver", DRIVER)
    yield from (account(home, name) for name in NOTHING)
    yield account("proxies", "spark-ui-proxy", UI_PROXY)
    yield person("anna")


def by_other_names() -> Iterator[Identity]:
    """Others who are named, each in another way, and those who are called nearly so."""
    yield from (person(user, SUBMITTERS) for user in ("1e3", "true"))
    yield from (person("carla", SUBMITTERS, group=group) for group in _PEOPLE["submitters"]["groups"])
    yield account("ci", "deployer", SUBMITTERS)
    yield person("carla", VIEWERS, group="on-call")
    yield account("audit", "reader", VIEWERS)
    yield person("1e3", SUBMITTERS, VIEWERS, group="on-call")
    yield from (person(user) for user in ("1000", "True", "corp\\anna", "on-call"))
    yield from (person("carla", group=group) for group in ("true", "False", "8c5d0b2e", "reader"))
    yield account("cd", "deployer")
    yield account("ci", "reader")
    yield Identity("system:anonymous", ("system:unauthenticated",), ())


@pytest.fixture
def teams(server: ApiServer, charts: Path) -> tuple[str, str]:
    """Two teams' namespaces: one with people, and one whose drivers may make StatefulSets."""
    plain, stateful = (f"{kind}-{uuid4().hex[:8]}" for kind in ("plain", "stateful"))
    proxied = {"uiProxy": {"namespace": "proxies"}}
    # What the page tells of a namespace with the guard, also where there is none.
    guard = {"rightsWithout": ["clusterMode", "driverObjects"]}
    both: list[dict[str, Any]] = [
        {"namespace": {"name": plain}, "guard": guard, "access": _PEOPLE, "global": proxied},
        {"namespace": {"name": stateful}, "guard": guard, "driver": {"statefulSets": True}},
    ]
    for values in both:
        name = values["namespace"]["name"]
        server.helm().run(
            ["install", name, str(charts / "spark-namespace"), *_ADMINS], json.dumps(values)
        )  # PyYAML leaves 1e3 unquoted
    accounts = [service_account(stateful, name) for name in ("spark-driver", "spark-submitter")]
    wait_until_granted(server.cluster, stateful, accounts, "create pods")
    return plain, stateful


def allowed(server: ApiServer, question: Question) -> bool:
    """What the server answers."""
    who, what = question.who, question.what
    return may(server.cluster, who.user, list(who.groups), f"{what.verb} {what.resource}", question.namespace)


@pytest.mark.check(1)
def test_each_identity_may_do_what_the_page_says_and_nothing_else(server: ApiServer, teams: tuple[str, str]) -> None:
    home, other = teams
    rights = Rights.of_page()

    def granted(who: Identity) -> set[Pair]:
        """All that someone may do at home."""
        return {
            Pair(verb, resource)
            for resource, verbs in rights.verbs.items()
            for column in who.columns
            for verb in verbs.get(column, [])
        }

    never = {*(Pair(*pair) for pair in product(_OF_NEVER, (*NEVER, *_OTHERS))), *_ESCALATIONS}
    at_home = {*(Pair(*pair) for pair in product(_VERBS, rights.verbs)), *never}
    elsewhere = {*(Pair("list", resource) for resource in (*rights.verbs, *NEVER)), *_ESCALATIONS}
    stateful = account(other, "spark-driver", DRIVER, STATEFUL)
    asked: list[Question] = []
    for who, own, foreign in (*((who, home, other) for who in one_of_each(home)), (stateful, other, home)):
        asked += (Question(who, pair, own) for pair in at_home)
        asked += (Question(who, pair, place) for place in (foreign, "") for pair in elsewhere | granted(who))
    asked += (Question(who, pair, place) for who in by_other_names() for place in teams for pair in _TELLING)
    expected = {q for q in asked if q.namespace == (other if q.who is stateful else home) and q.what in granted(q.who)}
    assert len(expected) > 100
    assert len(asked) > 500
    began = time.monotonic()
    with ThreadPoolExecutor(_AT_ONCE) as askers:
        answers = list(askers.map(lambda question: allowed(server, question), asked))
    print(f"{len(asked)} reviews in {time.monotonic() - began:.1f} s")
    assert {question for question, answer in zip(asked, answers, strict=True) if answer} == expected
