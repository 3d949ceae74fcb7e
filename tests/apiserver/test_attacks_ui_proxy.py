"""A submitter who may patch `pods/status` forges pods, for a real API server and the decider: none is ever a target."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from forging import GATED, Forger, RefusedError, bare, whole
from hostile import Hostile, listening
from large_pods import make_deep_pod, make_large_pod
from proxy_world import Team, World
from speaking import Speaking, speaking
from ui_proxy import Decider, bearer, running_decider

from chartproof.apiserver import ApiServer

PODS = "127.80.0.0/12"
"""Where the pods of these tests live; the rest of loopback is excluded, as all of it is on a site."""
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_numbers = itertools.count(1)
Speak = Callable[..., Speaking]


def address() -> str:
    """A pod's, that nothing else has."""
    number = next(_numbers)
    return f"127.{80 + _WORKER}.{number // 250}.{number % 250 + 1}"


@pytest.fixture(scope="module")
def world(apiserver: Callable[[str], ApiServer]) -> World:
    """The API server, with the rights that the service and people have."""
    return World(apiserver("1.34"))


@dataclass(frozen=True)
class Scene:
    """The forger's team and another's, whose driver and history server answer.

    Attributes:
        decider: watches all.
        forger: with the submitter's account of `own`.
        app_id: of the other team's driver.
    """

    decider: Decider
    own: Team
    other: Team
    forger: Forger
    driver: Hostile
    history: Hostile
    app_id: str

    def reason(self, path: str, token: str = "", method: str = "GET") -> str:
        """Of the decision about a path, for the forger's submitter or somebody else."""
        return self.decider.authz(path, bearer(token or self.own.submitter), method=method).reason

    def evil(self, app_id: str, rest: str = "/jobs/") -> str:
        """A path of a forged driver."""
        return f"/{self.own.name}/proxy/{app_id}{rest}"

    def honest(self) -> str:
        """How the other team's driver is seen by its own people."""
        return self.reason(f"/{self.other.name}/proxy/{self.app_id}/jobs/", self.other.submitter)

    def seen(self) -> None:
        """Wait until the watch has told of all that was written before."""
        later = f"later-{uuid4().hex[:8]}"
        self.own.pods.driver(later, phase="Pending")
        self.decider.wait(lambda: self.reason(self.evil(later)) == "not-ready", "the watch tells of what was forged")

    def listed(self, app_id: str) -> dict[str, Any]:
        """A row of the list of the forger's team."""
        answer = self.decider.request("GET", f"/-/api/v1/applications?q={app_id}", bearer(self.own.viewer))
        return next(item for item in json.loads(answer.body)["items"] if item["id"] == app_id)

    def refused(self, app_id: str) -> str:
        """See that a forged driver is none, for looking and for ending; return what the list says of it."""
        self.seen()
        for person in (self.own.submitter, self.own.viewer):
            assert self.reason(self.evil(app_id), person) == "unsupported"
        for path in ("/jobs/job/kill/?id=1", "/stages/stage/kill/?id=1", "/jobs/"):
            decided = self.decider.authz(self.evil(app_id, path), bearer(self.own.submitter), method="POST")
            assert (decided.reason, "x-upstream" in decided.headers) == ("unsupported", False)
        row = self.listed(app_id)
        assert row["links"]["ui"] is None
        assert "\n" not in row["problem"]
        return str(row["problem"])


@pytest.fixture(scope="module")
def stage(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The other team's pods are routed to."""
    config = {"namespaces": {"all": True}, "permission": {"reviews": "cluster"}, "limits": {"podNetworks": [PODS]}}
    own, other = world.team(), world.team()
    with (
        listening(address()) as driver,
        listening(address(), 18080) as history,
        running_decider(world.server, tmp_path_factory.mktemp("d"), config, token=world.token) as decider,
    ):
        app_id = other.driver(driver.address, port=driver.port)
        other.pods.history_server(ip=history.address)
        scene = Scene(decider, own, other, Forger.of(world.server, own.name), driver, history, app_id)
        decider.wait(lambda: scene.honest() == "ok", "the other team's driver")
        at = f"/{other.name}/shs/"
        decider.wait(lambda: scene.reason(at, other.viewer) == "ok", "the other team's history")
        yield scene


@pytest.fixture
def scene(stage: Scene) -> Iterator[Scene]:
    """Each test begins and ends with the other team's driver as it was."""
    yield stage
    for pod in stage.own.pods.names():
        stage.own.pods.delete(pod)
    stage.decider.wait(lambda: stage.honest() == "ok", "the other team's driver is shown again")


@pytest.fixture
def speak() -> Iterator[Speak]:
    """Starts drivers that say which pod they are."""
    with ExitStack() as until_the_end:

        def speak(namespace: str, pod: str, **given: Any) -> Speaking:
            return until_the_end.enter_context(speaking(address(), namespace, pod, **given))

        yield speak


_NO_KUBELETS: dict[str, tuple[Mapping[str, Any], Callable[[str], Mapping[str, Any]], str]] = {
    "a gate": (GATED, bare, "on no node"),
    "a gate, all forged": (GATED, whole, "on no node"),
    "a node that is not there": ({}, bare, "which node"),
    "no start": ({}, lambda ip: whole(ip, startTime=None), "since when"),
    "no container": ({}, lambda ip: whole(ip, containerStatuses=[]), "containerStatuses"),
    "another container": ({}, lambda ip: whole(ip, "sidecar"), "containerStatuses"),
    "no node's address": ({}, lambda ip: whole(ip, hostIP=None), "which node"),
}


@pytest.mark.parametrize(("spec", "status", "problem"), _NO_KUBELETS.values(), ids=_NO_KUBELETS)
def test_a_status_that_no_kubelet_wrote_is_not_believed(
    scene: Scene, spec: Mapping[str, Any], status: Callable[[str], Mapping[str, Any]], problem: str
) -> None:
    with listening(address()) as nobody:
        evil = scene.forger.pod(status(nobody.address), spec=spec)
        assert problem in scene.refused(evil)
    assert nobody.connections == 0
    # Nor does it take anything from who has the address.
    evil = scene.forger.pod(status(scene.driver.address), spec=spec)
    assert problem in scene.refused(evil)
    assert scene.honest() == "ok"


_NO_PODS = {
    "loopback": ("127.0.0.1", "a loopback address"),
    "loopback, of IPv6": ("::1", "a loopback address"),
    "loopback, mapped": ("::ffff:127.0.0.1", "in the form of an IPv6 one"),
    "a driver's, mapped": ("::ffff:{driver}", "in the form of an IPv6 one"),
    "unspecified": ("0.0.0.0", "an unspecified address"),
    "unspecified, of IPv6": ("::", "an unspecified address"),
    "loopback, outside of the pods' network": ("127.127.0.1", "a loopback address"),
}
"""Such that reach nothing but this machine if they are connected to; the others are in tests/unit."""


@pytest.mark.parametrize(("ip", "problem"), _NO_PODS.values(), ids=_NO_PODS)
def test_an_address_that_no_pod_has_is_not_connected_to(scene: Scene, ip: str, problem: str) -> None:
    port, before = 4060 + _WORKER, scene.driver.connections
    container = {"ports": [{"name": "spark-ui", "containerPort": port}]}
    with ExitStack() as until_the_end:
        listeners = [until_the_end.enter_context(listening(at, port)) for at in ("127.0.0.1", "127.127.0.1", "::1")]
        try:
            evil = scene.forger.pod(whole(ip.format(driver=scene.driver.address)), container=container)
        except RefusedError:
            # An API server need not take each spelling.
            return
        assert problem in scene.refused(evil)
    assert [listener.connections for listener in listeners] == [0, 0, 0]
    assert scene.driver.connections == before


def test_another_drivers_address_shows_neither_until_one_is_gone(scene: Scene) -> None:
    scene.driver.seen.clear()
    evil = scene.forger.pod(whole(scene.driver.address), name="thief")
    assert "another running pod says that it has the same address" in scene.refused(evil)
    assert scene.honest() == "unsupported"
    scene.forger.delete("thief")
    scene.decider.wait(lambda: scene.honest() == "ok", "the honest driver is shown again")
    assert scene.reason(scene.evil(evil)) == "not-found"
    own = (b"GET /jobs/ ", b"GET /api/v1/applications", b"HEAD /logs/ ")
    assert [seen for seen in scene.driver.seen if not seen.startswith(own)] == []
    assert not any(scene.own.name.encode() in seen for seen in scene.driver.seen)


@pytest.mark.parametrize("first", [False, True], ids=["later", "beforehand"])
@pytest.mark.parametrize("same_names", [False, True], ids=["of another name", "of the same name and id"])
def test_a_driver_that_answers_takes_its_address_back(
    scene: Scene, speak: Speak, first: bool, same_names: bool
) -> None:
    honest = f"honest-{uuid4().hex[:8]}"
    driver = speak(scene.other.name, honest)
    forged: dict[str, Any] = {"name": honest, "app_id": honest} if same_names else {}
    if first:
        evil = scene.forger.pod(whole(driver.address), **forged)
        scene.seen()
    scene.other.pods.driver(honest, ip=driver.address, port=driver.port)
    path = f"/{scene.other.name}/proxy/{honest}/jobs/"
    if not first:
        scene.decider.wait(lambda: scene.reason(path, scene.other.viewer) == "ok", "it is shown")
        evil = scene.forger.pod(whole(driver.address), **forged)
    after = scene.decider.wait(lambda: scene.reason(path, scene.other.viewer) == "ok", "it is shown again", 10)
    print(f"a driver whose address was claimed is shown again after {after:.1f} s")
    scene.decider.wait(
        lambda: "says that it is another pod" in scene.listed(evil)["problem"], "the forger is found out"
    )
    assert scene.reason(path, scene.other.viewer) == "ok"
    scene.refused(evil)
    # It is not forgotten when the honest one ends.
    scene.other.pods.delete(honest)
    assert "says that it is another pod" in scene.refused(evil)
    assert {request for request in driver.asked if "kill" in request} == set()


def test_a_driver_that_is_not_watched_says_that_it_is_another(scene: Scene, speak: Speak) -> None:
    driver = speak("team-elsewhere", "pi-driver")
    evil = scene.forger.pod(whole(driver.address), app_id="spark-pi", container={"name": "driver"})
    scene.seen()
    kill = scene.decider.authz(scene.evil(evil, "/jobs/job/kill/?id=1"), bearer(scene.own.submitter), method="POST")
    assert (kill.reason, "x-upstream" in kill.headers) == ("unsupported", False)
    assert "says that it is another pod" in scene.refused(evil)


def test_a_history_server_is_not_taken_from_another_team(scene: Scene) -> None:
    own, theirs = f"/{scene.own.name}/shs/", f"/{scene.other.name}/shs/"
    for spec, status in ((GATED, bare), ({}, bare)):
        scene.forger.pod(status(scene.history.address), role="history-server", spec=spec)
    scene.seen()
    assert scene.reason(own) == "no-history"
    assert scene.reason(theirs, scene.other.viewer) == "ok"
    scene.forger.pod(whole(scene.history.address, "history-server"), role="history-server", name="thief")
    scene.seen()
    assert scene.reason(own) == "no-history"
    said = scene.decider.answer(own, bearer(scene.own.viewer))
    assert "the same address" in said.text or "on no node" in said.text or "which node" in said.text
    # Nothing tells the two apart.
    assert scene.reason(theirs, scene.other.viewer) == "no-history"
    scene.forger.delete("thief")
    scene.decider.wait(lambda: scene.reason(theirs, scene.other.viewer) == "ok", "theirs is back")


def test_a_driver_is_no_history_server_and_the_reverse(scene: Scene) -> None:
    scene.forger.pod(whole(scene.driver.address, "history-server"), role="history-server")
    evil = scene.forger.pod(whole(scene.history.address), container={"ports": []})
    scene.seen()
    assert scene.reason(f"/{scene.own.name}/shs/") == "no-history"
    scene.refused(evil)


def test_an_executors_address_is_not_a_drivers(scene: Scene) -> None:
    with listening(address()) as executor:
        scene.other.pods.make(f"exec-{uuid4().hex[:6]}", role="executor", ip=executor.address)
        evil = scene.forger.pod(whole(executor.address))
        assert "the same address" in scene.refused(evil)
        # The dispute is asked about where the forger says that a UI is; nobody sees the answer.
        assert not any(b"kill" in seen for seen in executor.seen)


def test_a_nodes_address_is_no_target(scene: Scene) -> None:
    with listening(address()) as node:
        scene.other.pods.make(f"exec-{uuid4().hex[:6]}", role="executor")
        scene.other.pods.driver(f"on-node-{uuid4().hex[:6]}", phase="Running", host=node.address)
        evil = scene.forger.pod(whole(node.address))
        twice = scene.forger.pod(whole(node.address))
        for one in (evil, twice):
            assert "that of a node" in scene.refused(one)
    assert node.connections == 0


def test_a_forged_node_displaces_no_driver_that_answers(scene: Scene, speak: Speak) -> None:
    honest = f"honest-{uuid4().hex[:8]}"
    driver = speak(scene.other.name, honest)
    scene.other.pods.driver(honest, ip=driver.address, port=driver.port)
    path = f"/{scene.other.name}/proxy/{honest}/jobs/"
    scene.decider.wait(lambda: scene.reason(path, scene.other.viewer) == "ok", "it is shown")
    scene.forger.pod(whole(address(), hostIP=driver.address, hostIPs=[{"ip": driver.address}]))
    scene.seen()
    assert scene.reason(path, scene.other.viewer) == "ok"


@pytest.mark.parametrize(("make", "pods"), [(make_deep_pod, 1), (make_large_pod, 40)], ids=["deep", "large"])
def test_pods_that_are_hard_to_read_hide_no_others(
    scene: Scene, world: World, tmp_path: Path, make: Callable[..., None], pods: int
) -> None:
    app_id = f"evil-{uuid4().hex[:8]}"
    labels = {"spark-role": "driver", "spark-app-selector": app_id}
    names = [f"{app_id}-{number}" for number in range(pods)]
    for name in names:
        make(world.server, scene.own.name, name, labels)
    scene.seen()
    assert scene.reason(scene.evil(app_id)) == "not-ready"
    # One that starts finds them all in its first list.
    config = {"namespaces": {"names": [scene.own.name]}, "permission": {"reviews": "cluster"}}
    with running_decider(world.server, tmp_path, config, token=world.token) as decider:
        assert decider.authz(scene.evil(app_id), bearer(scene.own.viewer)).reason == "not-ready"
        kilobytes = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{decider.process.pid}/status").read_text())
        assert kilobytes
        assert int(kilobytes[1]) < 200 * 1024, "of the 256 MiB that the container has"
    for name in names:
        scene.forger.delete(name)


_ODD: dict[str, dict[str, Any]] = {
    "a port of the kubelet": {"container": {"ports": [{"name": "spark-ui", "containerPort": 10250}]}},
    "a port of a web server": {"container": {"ports": [{"name": "spark-ui", "containerPort": 80}]}},
    "the node's network": {"spec": {"hostNetwork": True}, "container": {"ports": []}},
    "an app id that is a path": {"labels": {"spark-app-selector": ".."}, "app_id": ".."},
    "an executor": {"labels": {"spark-role": "executor"}},
    "a role that is none": {"labels": {"spark-role": "Driver"}},
}


@pytest.mark.parametrize("given", _ODD.values(), ids=_ODD)
def test_an_odd_manifest_reaches_nobody(scene: Scene, given: dict[str, Any]) -> None:
    with listening(address()) as nobody, listening(nobody.address, 18080) as history:
        try:
            evil = scene.forger.pod(whole(nobody.address), **given)
        except RefusedError:
            return
        scene.seen()
        assert scene.reason(scene.evil(evil)) in ("unsupported", "not-found", "bad-request")
    assert nobody.connections + history.connections == 0


def test_anothers_id_in_ones_own_namespace_changes_nothing_there(scene: Scene) -> None:
    with listening(address()) as mine:
        scene.own.pods.make("mine", labels={"spark-app-selector": scene.app_id}, ip=mine.address, port=mine.port)
        path = scene.evil(scene.app_id)
        scene.decider.wait(lambda: scene.reason(path) == "ok", "one's own")
        assert scene.decider.authz(path, bearer(scene.own.viewer)).headers["x-upstream"].startswith(mine.address)
        theirs = f"/{scene.other.name}/proxy/{scene.app_id}/jobs/"
        decided = scene.decider.authz(theirs, bearer(scene.other.viewer))
        assert decided.headers["x-upstream"] == f"{scene.driver.address}:{scene.driver.port}"
        assert scene.reason(theirs) == "forbidden"
        # A forged one with the id of a driver of one's own team does not take its place.
        scene.forger.pod(bare(scene.driver.address), app_id=scene.app_id, spec=GATED)
        scene.seen()
        assert scene.decider.authz(path, bearer(scene.own.viewer)).headers["x-upstream"].startswith(mine.address)


def test_very_long_values_make_no_long_lines(scene: Scene) -> None:
    container = {"env": [{"name": "SPARK_USER", "value": "x" * 100_000}]}
    long = whole(scene.driver.address, message="m" * 50_000, reason="r" * 50_000, nominatedNodeName="n" * 253)
    evil = scene.forger.pod(long, spec=GATED, container=container)
    assert len(scene.refused(evil)) < 200
    assert len(json.dumps(scene.listed(evil))) < 2000


def test_strangers_and_other_viewers_learn_of_no_forged_pod(scene: Scene) -> None:
    evil = scene.forger.pod(whole(scene.driver.address), spec=GATED)
    scene.seen()
    assert scene.decider.authz(scene.evil(evil)).status == 401
    assert scene.reason(scene.evil(evil), scene.other.submitter) == "forbidden"
    answer = scene.decider.request("GET", "/-/api/v1/applications", bearer(scene.other.viewer))
    assert evil not in answer.text


def test_many_claims_of_one_address_load_nobody(scene: Scene) -> None:
    for _ in range(60):
        scene.forger.pod(whole(scene.driver.address))
    began = scene.decider.metric("process_cpu_seconds_total")
    scene.seen()
    assert scene.honest() == "unsupported"
    print(f"{scene.decider.metric('process_cpu_seconds_total') - began:.1f} s of processor time")
    assert len([seen for seen in scene.driver.seen if seen.startswith(b"GET /api/v1/")]) < 200
