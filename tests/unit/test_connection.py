"""From a kubeconfig to the cluster: what keeps kindling from it is one line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ephemeral_port_reserve import reserve
from kubernetes import client

from kindling.connection import answers, connect
from kindling.errors import KindlingError

Write = Callable[..., str]


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Write:
    """Writes a kubeconfig with a user's body, and more of the cluster's; its path."""

    def write(user: dict[str, Any], **cluster: Any) -> str:
        config = {
            "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:9", **cluster}}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
        return str(tmp_path / "kubeconfig")

    return write


def program(*argv: str) -> dict[str, Any]:
    """A user whose login is what a program prints."""
    api = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": api, "command": argv[0], "args": list(argv[1:]), "interactiveMode": "Never"}}


@pytest.mark.parametrize(
    ("user", "words"),
    [
        (program("/bin/false"), "no login: /bin/false, which the kubeconfig names, failed: exec: process returned 1"),
        (
            program("no-such-login"),
            "no login: no-such-login, which the kubeconfig names, failed: [Errno 2] No such file",
        ),
        (program("/bin/echo", "{}"), "no login: /bin/echo, which the kubeconfig names, failed: "),
    ],
    ids=["it fails", "it is missing", "it prints no token"],
)
def test_a_login_that_fails_is_told(
    kubeconfig: Write, capfd: pytest.CaptureFixture[str], user: dict[str, Any], words: str
) -> None:
    with pytest.raises(KindlingError) as error:
        connect(kubeconfig(user), None, None)
    assert str(error.value).startswith(words)
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("command", [["why", "pi"], ["preflight"], ["token", "ci", "--namespace=a"]])
def test_a_failed_login_ends_commands(kubeconfig: Write, command: list[str]) -> None:
    argv = [sys.executable, "-m", "kindling", *command, f"--kubeconfig={kubeconfig(program('/bin/false'))}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("kindling: no login: /bin/false")
    assert done.stderr.count("\n") == 1


def test_a_login_of_a_certificate_or_nobody_is_taken(kubeconfig: Write) -> None:
    token = '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "t"}}'
    for user in ({}, {"token": "t"}, {"username": "a", "password": "b"}, program("/bin/echo", token)):
        assert connect(kubeconfig(user), None, "team-a").namespace == "team-a"


def test_the_proxy_of_a_kubeconfig_counts_for_all_hosts(kubeconfig: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    proxy = f"http://127.0.0.1:{reserve()}"
    connection = connect(kubeconfig({"token": "t"}, **{"proxy-url": proxy}), None, None)
    with pytest.raises(KindlingError, match="proxy"), answers(connection):
        client.VersionApi(connection.api).get_code(_request_timeout=5)


@pytest.mark.filterwarnings("ignore:SOCKS support")
def test_a_socks_proxy_needs_a_package(kubeconfig: Write) -> None:
    config = kubeconfig({"token": "t"}, **{"proxy-url": "socks5://127.0.0.1:9"})
    with pytest.raises(KindlingError, match=r"to go through socks5://127\.0\.0\.1:9, run `pip install PySocks`"):
        connect(config, None, None)


@pytest.mark.parametrize(
    ("user", "cluster"),
    [
        ({"token": "t"}, {"proxy-url": "proxy:3128"}),
        ({"token": "t"}, {"proxy-url": "http://127.0.0.1:99999"}),
        ({"token": "t"}, {"proxy-url": 5}),
        ({"token": "t"}, {"server": 5}),
        ({"token": "t"}, {"server": "https://[::1"}),
        ({"exec": "x"}, {}),
        ({"exec": None}, {}),
        ({"auth-provider": {"name": "gcp"}}, {}),
        ("x", {}),
    ],
    ids=str,
)
def test_a_kubeconfig_of_another_shape_is_a_line(kubeconfig: Write, user: Any, cluster: dict[str, Any]) -> None:
    with pytest.raises(KindlingError, match=r"^no (cluster|login): .*[^ ]") as error:
        connect(kubeconfig(user, **cluster), None, None)
    assert "\n" not in str(error.value)
