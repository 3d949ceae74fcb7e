"""What spark-ui-proxy reads in the manifests of pods, those of spark-job among them."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from spark_ui_proxy.catalog import Catalog
from spark_ui_proxy.config import Limits
from spark_ui_proxy.doctor import diagnosis
from spark_ui_proxy.index import Index, Target
from spark_ui_proxy.naming import only_id
from spark_ui_proxy.pods import quantity, read_pod

Pod = dict[str, Any]
LIMITS = Limits()
SUBMITTED: Pod = {
    "metadata": {
        "name": "pi-driver",
        "namespace": "team-a",
        "uid": "u-1",
        "creationTimestamp": "2026-11-21T20:00:00Z",
        "labels": {
            "spark-role": "driver",
            "spark-app-selector": "spark-1",
            "spark-app-name": "pi",
            "spark-version": "4.3.0",
        },
    },
    "spec": {
        "containers": [
            {
                "name": "spark-kubernetes-driver",
                "env": [{"name": "SPARK_USER", "value": "anna"}],
                "ports": [
                    {"name": "driver-rpc-port", "containerPort": 7078},
                    {"name": "spark-ui", "containerPort": 4040},
                ],
                "resources": {"requests": {"cpu": "1", "memory": "1408Mi"}},
            }
        ]
    },
    "status": {"phase": "Running", "podIP": "10.0.0.1"},
}
"""As spark-submit makes it."""


def changed(*path: Any, to: Any = None, pod: Pod = SUBMITTED) -> Pod:
    """A pod with one value changed; None: without it."""
    new = copy.deepcopy(pod)
    place: Any = new
    for key in path[:-1]:
        place = place[key]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return new


def catalog() -> tuple[Catalog, list[int]]:
    """An empty one, and a list that grows whenever a target goes."""
    gone: list[int] = []
    return Catalog(Index(), LIMITS, lambda: gone.append(1)), gone


def test_a_driver_of_spark_submit_is_read_whole() -> None:
    kept, _ = catalog()
    kept.put(SUBMITTED)
    (app,) = kept.index.applications.values()
    assert (app.namespace, app.app_id, app.name, app.user) == ("team-a", "spark-1", "pi", "anna")
    assert (app.state, app.spark_version, app.cpu, app.memory) == ("running", "4.3.0", 1, 1408 * 2**20)
    assert app.target == Target("u-1", "10.0.0.1", 4040)
    assert app.created == datetime(2026, 11, 21, 20, tzinfo=UTC)


def test_an_id_on_the_drivers_own_command_line_is_its_id() -> None:
    pod = changed("metadata", "labels", to={"spark-role": "driver", "app.kubernetes.io/instance": "flights"})
    container = pod["spec"]["containers"][0]
    container["env"] = [{"name": "POD_UID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}]
    container["args"] = ["driver", "--conf", "spark.app.id=spark-$(POD_UID)"]
    assert read_pod(pod, LIMITS).app_id == "spark-u-1"
    assert read_pod(pod, LIMITS).title == "flights"


@pytest.mark.parametrize("app_id", ["", "..", "a/b", "-x", "a b", "a" * 129, "a\n", "<b>"])
def test_what_is_no_id_is_none(app_id: str) -> None:
    assert read_pod(changed("metadata", "labels", "spark-app-selector", to=app_id), LIMITS).app_id == ""


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (("spec", "hostNetwork"), True, "hostNetwork"),
        (("spec", "containers", 0, "ports", 1, "containerPort"), 10250, "ports from 4040 to 4100"),
        (("spec", "containers", 0, "ports", 1, "containerPort"), 22, "ports from 4040 to 4100"),
        (("status", "podIP"), "", ""),
        (("status", "podIP"), "metadata.google.internal", ""),
        (("status", "podIP"), "10.0.0.1:80", ""),
        (("status", "phase"), "Pending", ""),
        (("status", "phase"), "Succeeded", ""),
        (("status", "phase"), "Failed", ""),
        (("status", "containerStatuses"), [{"name": "spark-kubernetes-driver", "state": {"terminated": {}}}], ""),
    ],
)
def test_what_may_be_no_target_is_none(path: tuple[Any, ...], value: Any, problem: str) -> None:
    pod = read_pod(changed(*path, to=value), LIMITS)
    assert pod.target is None
    assert problem in pod.problem


def test_a_driver_that_ends_beside_a_sidecar_has_ended() -> None:
    terminated = {"exitCode": 1, "finishedAt": "2026-11-21T03:10:00Z"}
    ended = read_pod(
        changed(
            "status", "containerStatuses", to=[{"name": "spark-kubernetes-driver", "state": {"terminated": terminated}}]
        ),
        LIMITS,
    )
    assert (ended.state, ended.ended) == ("failed", datetime(2026, 11, 21, 3, 10, tzinfo=UTC))
    other = [{"name": "sidecar", "state": {"terminated": {"exitCode": 1}}}]
    assert read_pod(changed("status", "containerStatuses", to=other), LIMITS).state == "running"


def test_a_pod_has_an_address_of_ipv6() -> None:
    target = read_pod(changed("status", "podIP", to="fd00::7"), LIMITS).target
    assert target
    assert target.address == "[fd00::7]:4040"


def test_a_target_goes_at_once_when_its_pod_ends_leaves_or_moves() -> None:
    for change in (
        changed("status", "phase", to="Succeeded"),
        changed("status", "podIP", to="10.0.0.2"),
        changed("metadata", "deletionTimestamp", to="2026-11-21T20:01:00Z"),
    ):
        kept, gone = catalog()
        kept.put(SUBMITTED)
        assert not gone
        kept.put(change)
        assert gone == [1]
    kept, gone = catalog()
    kept.put(SUBMITTED)
    kept.drop("u-1")
    assert gone == [1]
    assert not kept.index.applications


def test_of_two_drivers_with_one_id_the_newest_that_runs_counts() -> None:
    kept, _ = catalog()
    kept.put(SUBMITTED)
    newer = changed(
        "metadata", "uid", to="u-2", pod=changed("metadata", "creationTimestamp", to="2026-11-21T21:00:00Z")
    )
    kept.put(changed("status", "phase", to="Pending", pod=newer))
    app = kept.index.applications["team-a", "spark-1"]
    assert (app.pod_uid, app.disputed) == ("u-1", True)
    kept.put(newer)
    app = kept.index.applications["team-a", "spark-1"]
    assert (app.pod_uid, app.disputed) == ("u-2", True)
    kept.put(changed("status", "phase", to="Failed", pod=newer))
    app = kept.index.applications["team-a", "spark-1"]
    assert (app.pod_uid, app.disputed) == ("u-1", False)


def test_one_id_in_two_namespaces_is_two_applications() -> None:
    kept, _ = catalog()
    kept.put(SUBMITTED)
    kept.put(changed("metadata", "namespace", to="team-b", pod=changed("metadata", "uid", to="u-2")))
    assert set(kept.index.applications) == {("team-a", "spark-1"), ("team-b", "spark-1")}
    assert not any(app.disputed for app in kept.index.applications.values())


def test_executors_are_counted_with_what_they_ask_for() -> None:
    kept, _ = catalog()
    kept.put(SUBMITTED)
    executor = changed("metadata", "labels", to={"spark-role": "executor", "spark-app-selector": "spark-1"})
    for number in range(3):
        kept.put(changed("metadata", "uid", to=f"e-{number}", pod=executor))
    kept.put(changed("metadata", "uid", to="e-3", pod=changed("status", "phase", to="Pending", pod=executor)))
    app = kept.index.applications["team-a", "spark-1"]
    assert (app.executors, app.cpu, app.memory) == (3, 5, 5 * 1408 * 2**20)
    for number in range(4):
        kept.drop(f"e-{number}")
    app = kept.index.applications["team-a", "spark-1"]
    assert (app.executors, app.cpu, app.memory) == (0, 1, 1408 * 2**20)


def test_a_history_server_counts_while_it_is_ready() -> None:
    kept, gone = catalog()
    pod = changed("metadata", "labels", to={"spark-role": "history-server"})
    pod["spec"]["containers"][0]["ports"] = [{"name": "history-ui", "containerPort": 18080}]
    kept.put(pod)
    assert not kept.index.histories
    kept.put(changed("status", "conditions", to=[{"type": "Ready", "status": "True"}], pod=pod))
    assert kept.index.histories["team-a"].target == Target("u-1", "10.0.0.1", 18080)
    kept.put(pod)
    assert not kept.index.histories
    assert gone == [1]


def test_a_manifest_that_nobody_foresaw_hides_no_other() -> None:
    kept, _ = catalog()
    kept.put(SUBMITTED)
    kept.put({"metadata": {"name": "odd", "namespace": "team-a", "uid": "u-9", "labels": {"spark-role": "driver"}}})
    assert set(kept.index.applications) == {("team-a", "spark-1")}


def test_a_notebook_has_the_id_that_it_says() -> None:
    kept, gone = catalog()
    kept.put(changed("metadata", "labels", to={"spark-role": "driver"}))
    assert not kept.index.applications
    kept.name("u-1", "app-2026")
    assert kept.index.applications["team-a", "app-2026"].target
    kept.name("u-1", "app-2027")
    assert set(kept.index.applications) == {("team-a", "app-2027")}
    kept.name("u-1", "")
    assert not kept.index.applications
    assert gone == [1, 1]


HOSTILE: list[object] = [None, {}, [], [1], [{"id": 7}], [{"id": "../x"}], "x", 7]


@pytest.mark.parametrize(
    ("content", "app_id"),
    [
        ([{"id": "app-1", "name": "x"}], "app-1"),
        *((content, "") for content in HOSTILE),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_hostile_answer_is_no_id(content: object, app_id: str) -> None:
    assert only_id(content) == app_id


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("500m", 0.5), ("1408Mi", 1408 * 2**20), ("1.5G", 1.5e9), ("2e3", 2000), ("", 0), ("x", 0), ("1..2", 0)],
)
def test_quantities_are_numbers(text: str, number: float) -> None:
    assert quantity(text) == number


@pytest.mark.parametrize(
    ("root", "line"),
    [
        ("/spark/team-a/proxy/app-1", ""),
        (None, ""),
        ("/my/prefix", "spark.ui.proxyBase=/my/prefix"),
        ("/proxy/app-1", "set spark.ui.reverseProxyUrl=/spark/team-a"),
        ("", "X-Forwarded-Context"),
    ],
)
def test_a_job_that_sets_its_own_prefix_is_told_which_line_to_drop(root: str | None, line: str) -> None:
    assert line in diagnosis(root, "/spark/team-a/proxy/app-1", "app-1")
    assert bool(line) == bool(diagnosis(root, "/spark/team-a/proxy/app-1", "app-1"))
