"""A team attacks whoever asks ``kindling`` about its runs: by what a terminal obeys, and by what never ends.

All of it is kept by a real API server, and read by the real program at a real terminal (a pty), byte by byte. It must
be refused on every version: nothing here depends on what the cluster can do.
"""

from __future__ import annotations

import gzip
import json
import os
import pty
import re
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from kubernetes import client
from large_pods import make_deep_pod

from chartproof.apiserver import ApiServer

LONGEST_S = 100  # the program ends itself after 120
ATTACK = " ".join(
    (
        "\x1b[2J\x1b[H\x1b[32msucceeded\x1b[0m",
        "\x1b]52;c;cm0gLXJmIH4=\x07",
        "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\",
        "\x9b31m\x9d0;title\x9c",
        "\bfine",
        "\u202egnorw\u202c \u2066x\u2069 po\u200bd\ufeff",
        "[link=https://evil.example]l[/link] [/]",
    )
)
OWN = re.compile(r"\x1b\[(?:[0123]|(?:1;)?3[123])m")
"""What kindling itself has a terminal do: bold, dim, italic, and the colours of a state."""


@dataclass(frozen=True)
class Told:
    """What a terminal got, how the program ended, and in how many seconds."""

    screen: str
    code: int
    seconds: float

    def check(self) -> str:
        """That nothing but the program's own colours is obeyed; what is read then."""
        text = OWN.sub("", self.screen.replace("\r\n", "\n"))
        hidden = {character for character in text if not (character.isprintable() or character == "\n")}
        assert not hidden, f"the terminal obeys {hidden}"
        assert "Traceback" not in text, text[-2000:]
        assert max(map(len, text.splitlines()), default=0) < 5_000
        assert self.seconds < LONGEST_S
        return text


def at_a_terminal(server: ApiServer, *argv: str) -> Told:
    """Run the user's program at a terminal as a server's admin; standard error is the same terminal."""
    ours, programs = pty.openpty()
    command = [sys.executable, "-m", "kindling", *argv, f"--kubeconfig={server.kubeconfig}"]
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"}
    begin = time.monotonic()
    with subprocess.Popen(command, stdin=programs, stdout=programs, stderr=programs, env=env) as process:
        os.close(programs)
        late = threading.Timer(LONGEST_S, process.kill)
        late.start()
        got = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the last one has closed it
                break
            if not part:
                break
            got += part
        code = process.wait()
        late.cancel()
    os.close(ours)
    return Told(got.decode(), code, time.monotonic() - begin)


class Team:
    """A namespace, and what its members may write there."""

    def __init__(self, server: ApiServer, namespace: str) -> None:
        self.server = server
        self.namespace = namespace
        self._core = server.cluster.core

    def pod(self, name: str) -> Any:
        """A pod of a run, whose image and environment are as hostile as the rest."""
        labels = {"spark-role": "driver", "spark-app-selector": f"app-{name}"}
        env = [client.V1EnvVar(name="A", value=ATTACK)]
        containers = [client.V1Container(name="driver", image=f"x{ATTACK}x", env=env)]
        body = client.V1Pod(
            metadata=client.V1ObjectMeta(name=name, labels=labels, annotations={"a": ATTACK * 500}),
            spec=client.V1PodSpec(containers=containers),
        )
        return self._core.create_namespaced_pod(self.namespace, body)

    def job(self, name: str) -> Any:
        """A Job that makes no pod."""
        container = client.V1Container(name="driver", image="x")
        template = client.V1PodTemplateSpec(spec=client.V1PodSpec(containers=[container], restart_policy="Never"))
        body = client.V1Job(
            metadata=client.V1ObjectMeta(name=name), spec=client.V1JobSpec(parallelism=0, template=template)
        )
        return self.server.cluster.batch.create_namespaced_job(self.namespace, body)

    def status(self, name: str, **status: Any) -> None:
        """What a pod says of itself."""
        self._core.patch_namespaced_pod_status(name, self.namespace, {"status": status})

    def event(self, reason: str, message: str, *, about: Any = None, kind: str = "Pod") -> None:
        """What somebody tells of an object."""
        meta = about.metadata if about is not None else client.V1ObjectMeta(name="gone-00000000", uid="1")
        body = client.CoreV1Event(
            metadata=client.V1ObjectMeta(generate_name="evil-"),
            involved_object=client.V1ObjectReference(kind=kind, name=meta.name, namespace=self.namespace, uid=meta.uid),
            reason=reason,
            message=message,
            type="Warning",
            last_timestamp=datetime.now(UTC),
            source=client.V1EventSource(component=ATTACK),
        )
        self._core.create_namespaced_event(self.namespace, body)

    def record(self, name: str, packed: bytes) -> None:
        """What looks like one of helm's; whoever may make a ConfigMap may make it."""
        labels = {"owner": "helm", "name": name, "status": "deployed", "version": "1"}
        body = client.V1ConfigMap(
            metadata=client.V1ObjectMeta(name=f"sh.helm.release.v1.{name}.v1", labels=labels),
            data={"release": b64encode(packed).decode()},
        )
        self._core.create_namespaced_config_map(self.namespace, body)

    def why(self, name: str, *options: str) -> Told:
        """``kindling why``, asked by an admin."""
        return at_a_terminal(self.server, "why", name, "-n", self.namespace, *options)


def ended(words: str, **more: Any) -> dict[str, Any]:
    """A status of a driver that ended."""
    state = {"terminated": {"exitCode": 3, "reason": words[:200], "message": words}}
    container = {"name": "driver", "image": "x", "imageID": "", "ready": False, "restartCount": 0, "state": state}
    return {"phase": "Failed", "containerStatuses": [container], **more}


@pytest.fixture
def team(apiserver: Callable[[str], ApiServer], namespace_of: Callable[[ApiServer], str]) -> Team:
    server = apiserver("1.34")
    return Team(server, namespace_of(server))


def test_a_pods_last_words_are_shown_and_not_obeyed(team: Team) -> None:
    team.pod("evil")
    team.status("evil", **ended(ATTACK))
    text = team.why("evil").check()
    assert "failed, driver evil failed" in text
    assert "\\x1b[2J\\x1b[H\\x1b[32msucceeded" in text
    assert "\\x9b31m" in text
    assert "\\u202egnorw" in text
    assert "[link=https://evil.example]l[/link] [/]" in text


def test_why_a_pod_was_ended_is_shown_and_not_obeyed(team: Team) -> None:
    team.pod("evil")
    team.status("evil", **ended("x", reason=f"Evicted{ATTACK}", message=f"{ATTACK}\n{ATTACK}"))
    assert "the cluster ended the driver pod: Evicted\\x1b[2J" in team.why("evil").check()


def test_what_a_waiting_pod_says_is_shown_and_not_obeyed(team: Team) -> None:
    pod = team.pod("evil")
    state = {"waiting": {"reason": "ImagePullBackOff", "message": ATTACK}}
    container = {"name": "driver", "image": "x", "imageID": "", "ready": False, "restartCount": 0, "state": state}
    team.status("evil", phase="Pending", containerStatuses=[container])
    team.event("Failed", f"pull {pod.spec.containers[0].image}: {ATTACK}", about=pod)
    assert "cannot have image x\\x1b[2J" in team.why("evil").check()
    team.status("evil", containerStatuses=None)
    scheduled = {"type": "PodScheduled", "status": "False", "reason": ATTACK, "message": ATTACK}
    team.status("evil", conditions=[scheduled])
    assert "finds no node: \\x1b[2J" in team.why("evil").check()


def test_what_events_tell_is_shown_and_not_obeyed(team: Team) -> None:
    for _ in range(3):
        team.event(f"Failed{ATTACK}"[:100], ATTACK * 200, kind="Job")
    text = team.why("gone").check()
    assert "the last that Kubernetes tells of it: \\x1b[2J" in text


def test_json_is_one_document_of_plain_characters(team: Team) -> None:
    team.pod("evil")
    team.status("evil", **ended(ATTACK))
    told = team.why("evil", "--json")
    assert told.screen.isascii()
    assert "\x1b" not in told.screen
    (finding,) = json.loads(told.screen)["findings"]
    assert "\x1b[2J\x1b[H" in finding["evidence"][0]["message"], "a program gets what was said"


def test_words_again_and_again_are_read_in_seconds(team: Team) -> None:
    # An event holds a megabyte, of which a pattern looked at each part once for each other part: minutes.
    message = f'pods "x" is forbidden: exceeded quota: a{", requested: , used: " * 50_000}'
    job = team.job("evil")
    team.event("FailedCreate", f"Error creating: {message}", about=job, kind="Job")
    assert "waiting, no pod\n" in team.why("evil").check()


def test_a_pod_of_nine_thousand_levels_hides_no_other(team: Team) -> None:
    make_deep_pod(team.server, team.namespace, "deep", {"spark-role": "driver", "spark-app-selector": "app-evil"})
    team.pod("evil")
    team.status("evil", **ended("ValueError"))
    assert "failed" in team.why("app-evil").check()


def test_many_large_pods_and_events_are_read_in_pages(team: Team) -> None:
    for number in range(60):
        labels = {"spark-role": "executor", "spark-app-selector": "app-evil"}
        large = {"x": ATTACK, "y": "y" * 250_000}
        body = client.V1Pod(
            metadata=client.V1ObjectMeta(name=f"large-{number}", annotations=large, labels=labels),
            spec=client.V1PodSpec(containers=[client.V1Container(name="driver", image="x" * 500_000)]),
        )
        team.server.cluster.core.create_namespaced_pod(team.namespace, body)
    team.pod("evil")
    team.status("evil", **ended("ValueError"))
    assert "failed, driver evil failed" in team.why("evil").check()


RECORDS = {
    "bomb": gzip.compress(b"\0" * (700 * 1024 * 1024), compresslevel=9),
    "deep": gzip.compress(b"[" * 1_000_000),
    "garbage": b"\x1b]52;c;AAAA\x07",
    "laughs": gzip.compress(
        json.dumps(
            {
                "name": f"laughs{ATTACK}",
                "version": 1,
                "info": {"status": ATTACK},
                "manifest": "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)),
            }
        ).encode()
    ),
}


def test_records_that_are_none_are_told_in_a_line_each(team: Team) -> None:
    for name, packed in RECORDS.items():
        team.record(name, packed)
    for name in RECORDS:
        told = at_a_terminal(team.server, "mend", name, "-n", team.namespace)
        assert told.code == 2
        text = told.check()
        assert f"configmap sh.helm.release.v1.{name}.v1 in {team.namespace} is no record of helm's" in text
        assert text.count("\n") == 1
    text = at_a_terminal(team.server, "preflight", "-n", team.namespace).check()
    assert text.count("is no record of helm's that can be read") == len(RECORDS)


def test_an_error_of_the_api_server_is_shown_and_not_obeyed(team: Team) -> None:
    told = at_a_terminal(team.server, "recover", f"x{ATTACK}", "-n", team.namespace)
    assert told.code == 2
    assert "\\x1b[2J" in told.check()
    told = at_a_terminal(team.server, "why", ATTACK, "-n", ATTACK)
    assert told.code == 2
    told.check()
