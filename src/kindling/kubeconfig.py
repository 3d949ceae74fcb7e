"""Kubeconfigs of people and CI systems: what stands in them, and adding to one that is there.

None holds a token: it names the program that asks for a short-lived one, or the file of one that something renews.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kindling.errors import KindlingError
from kindling.files import read_private, write_private
from kindling.login import Login, parse_kubeconfig

_BODY = {"clusters": "cluster", "users": "user", "contexts": "context"}
_LITERALS = ("token", "password")


@dataclass(frozen=True)
class Account:
    """A service account, and how its tokens are kept.

    Attributes:
        namespace, name: which it is.
        tokens: the file of the last token.
        life_s: seconds that a token lives.
    """

    namespace: str
    name: str
    tokens: Path
    life_s: int


@dataclass(frozen=True)
class Entries:
    """What is added to a kubeconfig.

    Attributes:
        context: name of the context that is made.
        clusters, users, contexts: name -> body.
    """

    context: str
    clusters: Mapping[str, Mapping[str, Any]]
    users: Mapping[str, Mapping[str, Any]]
    contexts: Mapping[str, Mapping[str, Any]]

    def _lists(self) -> dict[str, list[dict[str, Any]]]:
        of = {"clusters": self.clusters, "users": self.users, "contexts": self.contexts}
        return {
            kind: [{"name": name, key: dict(body)} for name, body in of[kind].items()] for kind, key in _BODY.items()
        }

    def added_to(self, config: Mapping[str, Any], file: Path) -> dict[str, Any]:
        """A kubeconfig with these entries besides its own; those of an earlier call for the same cluster are replaced.

        Raises:
            KindlingError: it has another entry of one of the names.
        """
        merged = dict(config)
        same_cluster = self._is_of_same_cluster(config)
        for kind, entries in self._lists().items():
            theirs = list(config.get(kind) or [])
            for entry in entries:
                there = next((one for one in theirs if one.get("name") == entry["name"]), None)
                if there == entry:
                    continue
                if there and not same_cluster:
                    raise KindlingError(
                        f"{file} has another {_BODY[kind]} {entry['name']}: choose a name of your own with --name"
                    )
                theirs = [one for one in theirs if one is not there] + [entry]
            merged[kind] = theirs
        return {"apiVersion": "v1", "kind": "Config", "current-context": self.context, **merged}

    def _is_of_same_cluster(self, config: Mapping[str, Any]) -> bool:
        """Whether our context is there and its cluster is ours: then all three entries are of an earlier call."""
        servers = {entry["name"]: (entry.get("cluster") or {}).get("server") for entry in config.get("clusters") or []}
        there = dict(_bodies(config, "contexts")).get(self.context, {})
        ours = self.contexts[self.context]
        cluster = ours["cluster"]
        return (there.get("cluster"), there.get("user")) == (cluster, ours["user"]) and servers.get(cluster) == (
            self.clusters.get(cluster) or {}
        ).get("server")


def _bodies(config: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for entry in config.get(kind) or []:
        yield entry["name"], entry.get(_BODY[kind]) or {}


def as_you_are(login: Login, namespace: str, name: str, output: Path) -> Entries:
    """A context of your own login; added to the kubeconfig that has the login, it is all that is added.

    Raises:
        KindlingError: the login is a literal token or password.
    """
    literal = next((key for key in _LITERALS if key in login.user), "")
    if literal:
        raise KindlingError(
            f"your login is a {literal} that stands in the kubeconfig and never renews: name an account"
        )
    if not login.user:
        raise KindlingError("the kubeconfig's context has no user: name an account and give --first-token")
    there = output in login.files
    cluster, user = login.names if there else (name, name)
    context = {name: {"cluster": cluster, "user": user, "namespace": namespace}}
    return Entries(name, {} if there else {name: login.cluster}, {} if there else {name: login.user}, context)


def of_account(login: Login, account: Account, name: str, output: Path) -> Entries:
    """A context of a service account. ``kindling token`` asks for its tokens, with the caller's own login.

    A login that stands in no kubeconfig (a pod's token, or a first token of the account's own) gets a context beside.

    Raises:
        KindlingError: the login is what would be replaced.
    """
    clusters, users, contexts = {name: login.cluster}, {}, {}
    kubeconfig, with_login = login.kubeconfig, login.context
    if not login.context:
        kubeconfig, with_login = str(output), f"{name}:login"
        users[with_login] = login.user
        contexts[with_login] = {"cluster": name, "user": with_login, "namespace": account.namespace}
    elif login.context == name and output in login.files:
        raise KindlingError(f"context {name} is the account's own already: give --context of your own login")
    words = (
        "token",
        account.name,
        f"--namespace={account.namespace}",
        f"--kubeconfig={kubeconfig}",
        f"--context={with_login}",
        f"--file={account.tokens}",
        f"--life={account.life_s}",
    )
    users[name] = {"exec": _exec(*words)}
    contexts[name] = {"cluster": name, "user": name, "namespace": account.namespace}
    return Entries(name, clusters, users, contexts)


def of_certificate(login: Login, namespace: str, name: str, user: Mapping[str, Any]) -> Entries:
    """A context of a person with a client certificate."""
    context = {"cluster": name, "user": name, "namespace": namespace}
    return Entries(name, {name: login.cluster}, {name: user}, {name: context})


def check_free(output: Path, merge: bool) -> None:
    """Refuse to write over a file, before anything is asked of a cluster.

    Raises:
        KindlingError: it is there, and is not to be added to.
    """
    if os.path.lexists(output) and not merge:
        raise KindlingError(f"{output} exists: give --merge to add to it, or another --output")


def write(entries: Entries, output: Path) -> None:
    """Write a kubeconfig, or add to the one that is there.

    Raises:
        KindlingError: what is there has other entries of those names, or the file cannot be read or written.
    """
    text = read_private(output)
    there = parse_kubeconfig(text, output) if text else {}
    write_private(output, yaml.safe_dump(entries.added_to(there, output), sort_keys=False))


def _exec(*words: str) -> dict[str, Any]:
    """This very program as an exec plugin, wherever it is called from."""
    program = Path(sys.argv[0]).absolute()
    command: dict[str, Any] = {"command": str(program), "args": [*words]}
    if program.suffix == ".py":
        # python -m kindling: not a program of its own, and perhaps found by PYTHONPATH alone.
        folders = [str(Path(__file__).parents[1]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        path = os.pathsep.join(dict.fromkeys(filter(None, folders)))
        command = {
            "command": sys.executable,
            "args": ["-m", "kindling", *words],
            "env": [{"name": "PYTHONPATH", "value": path}],
        }
    return {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", **command}
