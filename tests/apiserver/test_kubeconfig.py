"""``kindling kubeconfig`` gives a login in a team's namespace and nowhere else, with tokens that renew."""

from __future__ import annotations

import json
import os
import shlex
import stat
import subprocess
import sys
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from grants import bind

from chartproof.apiserver import ApiServer
from kindling.tokens import Token

_ADMINS = "kindling-system"
_LIFE_S = 600
"""The least that the API server grants."""
_CI = {"serviceAccounts": [{"namespace": "default", "name": "default"}]}
_ACCOUNTS = {
    "accounts": [
        {"name": "alice", "role": "submitter", "owners": _CI},
        {"name": "bob", "role": "viewer"},
    ]
}


@dataclass(frozen=True)
class Desk:
    """A person's folder, with a kubeconfig of the cluster's admin, of which the other logins are made.

    Attributes:
        server: the API server.
        folder: where files are written.
        team, other: two teams' namespaces.
    """

    server: ApiServer
    folder: Path
    team: str
    other: str

    def run(
        self, *argv: str, kubeconfig: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in the folder."""
        config = str(kubeconfig or self.server.kubeconfig)
        home = {"KUBECONFIG": config, "KUBECACHEDIR": str(self.folder / "cache"), "HOME": str(self.folder)}
        return subprocess.run(
            argv,
            cwd=self.folder,
            env={**os.environ, **home, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    def kindling(self, *argv: str, kubeconfig: Path | None = None) -> str:
        """Run kindling; what it printed or, where it refuses, the one line that it says of that."""
        done = self.run(sys.executable, "-m", "kindling", *argv, kubeconfig=kubeconfig)
        if done.returncode:
            assert done.returncode == 2, done.stderr
            assert done.stderr.count("\n") == 1, done.stderr
            return done.stderr
        return done.stdout

    def kubectl(self, *argv: str, kubeconfig: Path | None = None) -> str:
        """Run kubectl; what it printed or, where it refuses, what it says of that."""
        done = self.run("kubectl", *argv, kubeconfig=kubeconfig)
        return done.stderr if done.returncode else done.stdout

    def may(self, kubeconfig: Path, verb: str, resource: str, *argv: str) -> bool:
        """What kubectl says of a right, in the namespace of the kubeconfig's context unless arguments say another."""
        said = self.run("kubectl", "auth", "can-i", verb, resource, *argv, kubeconfig=kubeconfig)
        assert said.stdout in ("yes\n", "no\n"), said.stderr
        return said.stdout == "yes\n"

    def owner(self) -> Path:
        """A kubeconfig of the login that alice's owner has: a service account of another namespace."""
        path = self.folder / "owner"
        config = yaml.safe_load(self.server.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": self.kubectl("create", "token", "default").strip()}
        path.write_text(yaml.safe_dump(config))
        return path

    def cluster_alone(self) -> Path:
        """A kubeconfig without a login, as an admin hands it to anyone."""
        path = self.folder / "cluster"
        config = yaml.safe_load(self.server.kubeconfig.read_text())
        del config["users"], config["contexts"][0]["context"]["user"]
        path.write_text(yaml.safe_dump(config))
        return path

    def token(self, account: str, life_s: int = _LIFE_S) -> Path:
        """A file with a token of the team's that the admin made."""
        path = self.folder / f"{account}.token"
        path.write_text(self.kubectl("create", "token", account, f"--namespace={self.team}", f"--duration={life_s}s"))
        return path


@pytest.fixture
def desk(server: ApiServer, charts: Path, tmp_path: Path) -> Desk:
    """Two teams, the first with an account that has an owner and one that renews itself."""
    team, other = (f"team-{uuid4().hex[:8]}" for _ in range(2))
    for name, values in ((team, _ACCOUNTS), (other, {})):
        argv = ["install", name, str(charts / "spark-namespace"), f"--namespace={_ADMINS}", "--create-namespace"]
        # Policies of teams that stay make the server slow, and no pod is made here.
        given = {"namespace": {"name": name}, "guard": {"enabled": False}, **values}
        server.helm().run([*argv, "--values=-"], yaml.safe_dump(given))
    return Desk(server, tmp_path, team, other)


def mode(path: Path) -> str:
    """A file's permissions, "0o600"."""
    return oct(stat.S_IMODE(path.stat().st_mode))


@dataclass(frozen=True)
class Plugin:
    """The exec plugin of a kubeconfig's user.

    Attributes:
        argv: its command and arguments.
        env: what is set for it besides.
    """

    argv: list[str]
    env: dict[str, str]

    @classmethod
    def of(cls, kubeconfig: Path, name: str) -> Plugin:
        """That of a user."""
        (user,) = [entry["user"] for entry in read(kubeconfig)["users"] if entry["name"] == name]
        words = user["exec"]
        return cls([words["command"], *words["args"]], {pair["name"]: pair["value"] for pair in words["env"]})

    def credential(self, desk: Desk) -> dict[str, str]:
        """What it answers."""
        done = desk.run(*self.argv, env=self.env)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert (answer["kind"], answer["apiVersion"]) == ("ExecCredential", "client.authentication.k8s.io/v1")
        status: dict[str, str] = answer["status"]
        return status


def read(kubeconfig: Path) -> dict[str, Any]:
    """A kubeconfig."""
    config: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
    return config


def aged(token: str, by_s: float) -> str:
    """A token that says it is older than it is: no server makes one whose end is near."""
    head, body, signature = token.split(".")
    claims = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    claims |= {"iat": claims["iat"] - by_s, "exp": claims["exp"] - by_s}
    return ".".join((head, urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("="), signature))


def test_an_owner_works_as_an_account_in_the_teams_namespace_and_nowhere_else(desk: Desk, charts: Path) -> None:
    owner = desk.owner()
    desk.kindling("kubeconfig", "alice", f"--namespace={desk.team}", kubeconfig=owner)
    mine = desk.folder / f"{desk.team}.kubeconfig"
    tokens = desk.folder / f"{mine.name}.alice@{desk.team}.token"
    assert (mode(mine), mode(tokens)) == ("0o600", "0o600")
    assert tokens.read_text() not in mine.read_text(), "no token stands in a kubeconfig"
    for verb, resource, namespace, answer in (
        ("create", "jobs", desk.team, True),
        ("get", "pods", desk.team, True),
        ("get", "secrets", desk.team, False),
        ("create", "serviceaccounts/token", desk.team, False),
        ("create", "jobs", desk.other, False),
        ("get", "pods", desk.other, False),
    ):
        assert desk.may(mine, verb, resource, f"--namespace={namespace}") is answer, (verb, resource, namespace)

    def helm(*argv: str) -> subprocess.CompletedProcess[str]:
        return desk.run("helm", *argv, kubeconfig=mine, env={"HELM_DRIVER": "configmap"})

    install = ("install", "pi", str(charts / "spark-job"), "--set=app.file=local:///pi.py")
    done = helm(*install)
    assert done.returncode == 0, done.stderr
    assert "job.batch/pi-" in desk.kubectl("get", "jobs", "--output=name", kubeconfig=mine), (
        "in the context's namespace"
    )
    assert helm("uninstall", "pi").returncode == 0
    assert "forbidden" in helm(*install, f"--namespace={desk.other}").stderr


def test_a_token_is_kept_until_a_new_one_is_due(desk: Desk) -> None:
    owner = desk.owner()
    desk.kindling("kubeconfig", "alice", f"--namespace={desk.team}", f"--life={_LIFE_S}", kubeconfig=owner)
    mine = desk.folder / f"{desk.team}.kubeconfig"
    tokens = desk.folder / f"{mine.name}.alice@{desk.team}.token"
    plugin = Plugin.of(mine, f"alice@{desk.team}")
    first = plugin.credential(desk)
    assert plugin.credential(desk) == first
    token = Token.parse(first["token"])
    assert tokens.read_text() == token.text
    assert token.expires - token.issued == _LIFE_S
    due = datetime.fromisoformat(first["expirationTimestamp"]).timestamp()
    assert due == token.issued + 0.8 * _LIFE_S, "clients ask again before it dies"

    old = aged(token.text, 0.9 * _LIFE_S)
    tokens.write_text(old)
    renewed = plugin.credential(desk)["token"]
    assert Token.parse(renewed).expires > Token.parse(old).expires
    assert tokens.read_text() == renewed
    assert desk.may(mine, "create", "jobs")


def test_an_account_without_owners_renews_its_own_tokens_from_a_first_one(desk: Desk) -> None:
    first, cluster = desk.token("bob"), desk.cluster_alone()
    given = first.read_text()
    ask = ("kubeconfig", "bob", f"--namespace={desk.team}", f"--first-token={first}", "--output=bob")
    desk.kindling(*ask, kubeconfig=cluster)
    mine = desk.folder / "bob"
    assert first.read_text().strip() != given.strip(), "it renewed itself"
    assert mode(first) == "0o600"
    assert desk.may(mine, "get", "pods")
    assert not desk.may(mine, "create", "jobs"), "a viewer"

    first.unlink()
    desk.token("bob")  # the admin gave another, when that one had died
    assert desk.may(mine, "get", "pods")


def test_no_one_gets_the_tokens_of_another_account(desk: Desk) -> None:
    owner = desk.owner()
    forbidden = f'cannot create resource "serviceaccounts/token" in API group "" in the namespace "{desk.team}"'
    for account in ("bob", "spark-driver", "spark-submitter"):
        refusal = desk.kindling("kubeconfig", account, f"--namespace={desk.team}", kubeconfig=owner)
        assert refusal.startswith(f"kindling: no token of {account} for you: "), refusal
        assert forbidden in refusal
    assert not list(desk.folder.glob("*.kubeconfig*")), "nothing was written"

    desk.kindling("kubeconfig", "alice", f"--namespace={desk.team}", "--output=mine", kubeconfig=owner)
    desk.kindling("kubeconfig", "bob", f"--namespace={desk.team}", "--output=bob", f"--first-token={desk.token('bob')}")
    for mine, account in ((desk.folder / "mine", "bob"), (desk.folder / "bob", "alice")):
        refusal = desk.kubectl("create", "token", account, kubeconfig=mine)
        assert forbidden in refusal, "neither may the account itself"
    # Not even of its own: who has stolen a token of it gets no other.
    assert forbidden in desk.kubectl("create", "token", "alice", kubeconfig=desk.folder / "mine")


def test_ones_own_login_is_given_the_namespace_and_nothing_else(desk: Desk) -> None:
    login = desk.folder / "login"
    login.write_text(desk.server.kubeconfig.read_text())
    before = read(login)
    desk.kindling("kubeconfig", f"--namespace={desk.team}", "--merge", f"--output={login}", kubeconfig=login)
    after = read(login)
    assert after["contexts"].pop() == {
        "name": desk.team,
        "context": {"cluster": "chartproof", "user": "chartproof", "namespace": desk.team},
    }
    assert after == before
    assert mode(login) == "0o600"

    desk.kindling("kubeconfig", f"--namespace={desk.team}", "--output=alone", kubeconfig=login)
    assert read(desk.folder / "alone")["users"][0]["user"] == before["users"][0]["user"]
    assert desk.may(desk.folder / "alone", "create", "jobs")

    refusal = desk.kindling("kubeconfig", f"--namespace={desk.team}", "--output=other", kubeconfig=desk.owner())
    assert "your login is a token that stands in the kubeconfig and never renews: name an account" in refusal


def test_a_merge_leaves_what_is_there(desk: Desk) -> None:
    owner = desk.owner()
    theirs = desk.folder / "config"
    kept: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {"colors": True},
        "current-context": "elsewhere",
        "clusters": [{"name": "elsewhere", "cluster": {"server": "https://elsewhere.example.com"}}],
        "users": [{"name": "elsewhere", "user": {"tokenFile": "there"}}],
        "contexts": [{"name": "elsewhere", "context": {"cluster": "elsewhere", "user": "elsewhere"}}],
    }
    theirs.write_text(yaml.safe_dump(kept))
    ask = ("kubeconfig", "alice", f"--namespace={desk.team}", f"--output={theirs}")
    assert desk.kindling(*ask, kubeconfig=owner) == (
        f"kindling: {theirs} exists: give --merge to add to it, or another --output\n"
    )
    for _ in range(2):
        desk.kindling(*ask, "--merge", kubeconfig=owner)
    merged = read(theirs)
    name = f"alice@{desk.team}"
    for kind in ("clusters", "users", "contexts"):
        assert [entry["name"] for entry in merged[kind]] == ["elsewhere", name]
        assert merged[kind][0] == kept[kind][0]
    assert (merged["current-context"], merged["preferences"]) == ("elsewhere", {"colors": True})
    assert desk.may(theirs, "create", "jobs", f"--context={name}")

    taken = yaml.safe_dump({**kept, "users": [{"name": name, "user": {"tokenFile": "there"}}]})
    theirs.write_text(taken)
    refusal = desk.kindling(*ask, "--merge", kubeconfig=owner)
    assert refusal == f"kindling: {theirs} has another user {name}: choose a name of your own with --name\n"
    assert theirs.read_text() == taken


def test_a_client_certificate_is_made_when_an_admin_approves_it(desk: Desk) -> None:
    argv = ["kubeconfig", "--certificate=carol@example.com", f"--namespace={desk.team}", f"--life={_LIFE_S}"]
    asking = subprocess.Popen(
        [sys.executable, "-m", "kindling", *argv, "--output=carol"],
        cwd=desk.folder,
        env={**os.environ, "KUBECONFIG": str(desk.server.kubeconfig)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert asking.stderr
    approval = asking.stderr.readline().strip().removeprefix("kindling: an admin approves it with: ")
    assert "approved" in desk.kubectl(*shlex.split(approval)[1:])
    assert asking.wait(timeout=60) == 0, asking.stderr.read()
    mine = desk.folder / "carol"
    assert mode(mine) == "0o600"
    carol = {"kind": "User", "name": "carol@example.com"}
    bind(desk.server.cluster, desk.team, [carol], "Role/access-submitters", "create jobs.batch")
    assert desk.may(mine, "create", "jobs")
    assert not desk.may(mine, "create", "jobs", f"--namespace={desk.other}")
    assert "PRIVATE KEY" in b64decode(read(mine)["users"][0]["user"]["client-key-data"]).decode()
    assert list(desk.folder.glob("*.request")) == []


def test_a_late_approval_is_taken_up_with_its_key(desk: Desk) -> None:
    user = f"dora-{uuid4().hex[:8]}@example.com"
    argv = (sys.executable, "-m", "kindling", "kubeconfig", f"--certificate={user}", f"--namespace={desk.team}")
    ask = (*argv, f"--life={_LIFE_S}", "--output=dora", "--wait=1")
    late = desk.run(*ask)
    kept = desk.folder / f"dora.{user}@{desk.team}.request"
    assert (late.returncode, mode(kept)) == (2, "0o600")
    name, key = (yaml.safe_load(kept.read_text())[field] for field in ("name", "key"))
    assert late.stderr.splitlines() == [
        f"kindling: an admin approves it with: kubectl certificate approve {name}",
        f"kindling: no certificate: no one approved {name} within 1 s; run the same command again once it is approved: "
        f"{kept} keeps the request and its key",
    ]
    assert not (desk.folder / "dora").exists()

    again = desk.run(*ask)
    assert f"taking up request {name} again, whose key is in {kept}" in again.stderr
    assert "approved" in desk.kubectl("certificate", "approve", name)
    taken_up = desk.run(*ask)
    assert taken_up.returncode == 0, taken_up.stderr
    stored = read(desk.folder / "dora")["users"][0]["user"]
    assert b64decode(stored["client-key-data"]).decode() == key
    assert user in desk.kubectl("auth", "whoami", kubeconfig=desk.folder / "dora") or desk.server.version == "1.24"
    assert not kept.exists()
    own = [one for one in desk.kubectl("get", "csr", "--output=name").split() if one.endswith(name)]
    assert len(own) == 1, "it asked once"


def test_a_denied_or_foreign_request_is_not_taken_up(desk: Desk) -> None:
    argv = (sys.executable, "-m", "kindling", "kubeconfig", f"--namespace={desk.team}", "--wait=1", "--name=mine")

    def ask(user: str) -> str:
        done = desk.run(*argv, f"--certificate={user}", "--output=erin")
        assert done.returncode == 2
        return done.stderr

    kept = desk.folder / "erin.mine.request"
    ask("erin@example.com")
    first = yaml.safe_load(kept.read_text())["name"]
    assert "taking up" not in ask("another@example.com"), "it is of another user"
    second = yaml.safe_load(kept.read_text())["name"]
    assert first != second
    desk.kubectl("certificate", "deny", second)
    assert f"{second} is denied" in ask("another@example.com")
    assert not kept.exists(), "its key is of no use"
    ask("another@example.com")
    third = yaml.safe_load(kept.read_text())["name"]
    desk.kubectl("delete", "csr", third)
    assert "taking up" not in ask("another@example.com"), "the API server keeps it no more"
    assert yaml.safe_load(kept.read_text())["name"] != third
    kept.write_text("[no, request]")
    assert "holds no request of kindling's: remove it" in ask("another@example.com")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (
            ["kubeconfig", "alica"],
            "{team} has no account alica: name it in spark-namespace's values, accounts, or take ",
        ),
        (["kubeconfig", "alice", "--namespace=nowhere"], "nowhere"),
        (["kubeconfig", "--namespace=nowhere"], "there is no namespace nowhere: give the team's"),
        (["kubeconfig", "alice", "--life=60"], "may not specify a duration less than 10 minutes"),
        (["kubeconfig", "alice", "--context=none"], "the kubeconfig has no context 'none'; give --context"),
        (["kubeconfig", "alice", "--kubeconfig=gone"], "gone does not exist; give --kubeconfig, or set KUBECONFIG"),
        (
            ["kubeconfig", "alice", "--certificate=alice"],
            "a certificate is a user's, not an account's: give ACCOUNT or",
        ),
        (["kubeconfig", "alice", "--first-token=gone"], "cannot read gone: No such file or directory; --first-token"),
        (["kubeconfig", "--first-token=gone"], "--first-token is of an account: name it"),
        (["kubeconfig", "alice", "--output=/proc/none/config"], "cannot write /proc/none/config"),
        (["token", "alica"], "{team} has no account alica: "),
        (["token", "alice", "--life=60"], "may not specify a duration less than 10 minutes"),
    ],
    ids=lambda value: "-".join(value).replace("--", "") if isinstance(value, list) else "",
)
def test_what_cannot_be_is_one_line(desk: Desk, argv: list[str], says: str) -> None:
    refusal = desk.kindling(argv[0], f"--namespace={desk.team}", *argv[1:])
    assert refusal.startswith("kindling: ")
    assert says.format(team=desk.team) in refusal
    assert not list(desk.folder.glob("*.kubeconfig*"))
