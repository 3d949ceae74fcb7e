"""What spark-ui-proxy reads in the manifests of pods, those of spark-job among them."""

from __future__ import annotations

import copy
import tracemalloc
from datetime import UTC, datetime
from typing import Any

import pytest
from kubelet import NODE, NODE_ADDRESS, status_of

from spark_ui_proxy.addresses import Addresses
from spark_ui_proxy.catalog import Catalog
from spark_ui_proxy.config import Limits
from spark_ui_proxy.doctor import diagnosis
from spark_ui_proxy.index import Index, Named, Target
from spark_ui_proxy.naming_answers import only_id
from spark_ui_proxy.pods import quantity, read_pod
from spark_ui_proxy.witness import said

Pod = dict[str, Any]
LIMITS = Limits()
ANYWHERE = Addresses()
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
        ],
        "nodeName": NODE,
    },
    "status": status_of("10.0.0.1", ["spark-kubernetes-driver"], ready=False),
}
"""As spark-submit makes it, and a kubelet runs it."""


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


def at(ip: str, pod: Pod = SUBMITTED, **metadata: Any) -> Pod:
    """A pod with another address, and perhaps other metadata; each needs an uid of its own in a catalog."""
    new = changed("status", to={**pod["status"], "podIP": ip, "podIPs": [{"ip": ip}]}, pod=pod)
    new["metadata"] |= metadata
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
    assert read_pod(pod, LIMITS, ANYWHERE).app_id == "spark-u-1"
    assert read_pod(pod, LIMITS, ANYWHERE).title == "flights"


def test_an_id_of_many_variables_fills_no_memory() -> None:
    pod = changed("metadata", "labels", to={"spark-role": "driver"})
    container = pod["spec"]["containers"][0]
    container["env"] = [{"name": "A", "value": "a" * 50_000}]
    container["args"] = ["spark.app.id=" + "$(A)" * 2_000]
    tracemalloc.start()
    try:
        assert read_pod(pod, LIMITS, ANYWHERE).app_id == ""
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**20, "not the hundred megabytes that they stand for"


@pytest.mark.parametrize("app_id", ["", "..", "a/b", "-x", "a b", "a" * 129, "a\n", "<b>"])
def test_what_is_no_id_is_none(app_id: str) -> None:
    assert read_pod(changed("metadata", "labels", "spark-app-selector", to=app_id), LIMITS, ANYWHERE).app_id == ""


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (("spec", "hostNetwork"), True, "hostNetwork"),
        (("spec", "containers", 0, "ports", 1, "containerPort"), 10250, "ports from 4040 to 4100"),
        (("spec", "containers", 0, "ports", 1, "containerPort"), 22, "ports from 4040 to 4100"),
        (("status", "podIP"), "", ""),
        (("status", "podIP"), "metadata.google.internal", ""),
        (("status", "podIP"), "10.0.0.1:80", ""),
        (("status", "podIP"), "10.0.0.2", "podIPs"),
        (("spec", "nodeName"), None, "on no node"),
        (("spec", "nodeName"), "", "on no node"),
        (("status", "hostIP"), None, "hostIP"),
        (("status", "hostIP"), "node-1", "hostIP"),
        (("status", "startTime"), None, "startTime"),
        (("status", "containerStatuses"), None, "containerStatuses"),
        (("status", "containerStatuses"), [], "containerStatuses"),
        (("status", "containerStatuses", 0, "name"), "sidecar", "containerStatuses"),
        (("status", "containerStatuses", 0, "containerID"), "", "containerStatuses"),
        (("status", "containerStatuses", 0, "state"), {}, ""),
        (("status", "containerStatuses", 0, "state"), {"waiting": {"reason": "CrashLoopBackOff"}}, ""),
        (("status", "phase"), "Pending", ""),
        (("status", "phase"), "Succeeded", ""),
        (("status", "phase"), "Failed", ""),
        (("status", "containerStatuses"), [{"name": "spark-kubernetes-driver", "state": {"terminated": {}}}], ""),
    ],
)
def test_what_may_be_no_target_is_none(path: tuple[Any, ...], value: Any, problem: str) -> None:
    pod = read_pod(changed(*path, to=value), LIMITS, ANYWHERE)
    assert pod.target is None
    assert problem in pod.problem


@pytest.mark.parametrize("ip", ["127.0.0.1", "169.254.169.254", "::1", "224.0.0.1", "::ffff:127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("role", ["driver", "history-server"])
def test_no_address_but_a_pods_own_is_a_target(ip: str, role: str) -> None:
    kept, _ = catalog()
    pod = at(ip)
    pod["metadata"]["labels"]["spark-role"] = role
    pod["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    kept.put(pod)
    assert not kept.index.histories
    assert not any(app.target for app in kept.index.applications.values())
    said = [*kept.index.history_problems.values(), *(app.problem for app in kept.index.applications.values())]
    assert "which no pod has" in said[0]


def test_of_two_pods_with_one_address_neither_is_a_target() -> None:
    kept, gone = catalog()
    kept.put(SUBMITTED)
    kept.put(at("10.0.0.1", uid="u-2", namespace="team-b"))
    assert gone == [1]
    apps = kept.index.applications.values()
    assert [app.target for app in apps] == [None, None]
    assert all("another running pod" in app.problem for app in apps)
    # A third changes nothing; that one of three goes neither.
    kept.put(at("10.0.0.1", uid="u-3", namespace="team-c"))
    kept.drop("u-3")
    assert [app.target for app in apps] == [None, None]
    kept.put(changed("status", "phase", to="Succeeded", pod=at("10.0.0.1", uid="u-2", namespace="team-b")))
    assert kept.index.applications["team-a", "spark-1"].target == Target("u-1", "10.0.0.1", 4040)


@pytest.mark.parametrize(
    "change",
    [
        (("status", "phase"), "Succeeded"),
        (("status", "phase"), "Failed"),
        (("status", "phase"), "Pending"),
        (("metadata", "deletionTimestamp"), "2026-11-21T20:01:00Z"),
        (("spec", "nodeName"), None),
        (("status", "startTime"), None),
        (("spec", "hostNetwork"), True),
    ],
    ids=str,
)
def test_only_a_running_pod_that_is_believed_claims(change: tuple[tuple[Any, ...], Any]) -> None:
    kept, _ = catalog()
    path, to = change
    kept.put(SUBMITTED)
    kept.put(changed(*path, to=to, pod=at("10.0.0.1", uid="u-2", namespace="team-b")))
    assert kept.index.applications["team-a", "spark-1"].target


def test_one_address_in_two_spellings_is_one() -> None:
    kept, _ = catalog()
    kept.put(at("fd00::7"))
    kept.put(at("FD00:0:0::0007", uid="u-2", namespace="team-b"))
    assert not any(app.target for app in kept.index.applications.values())


def test_a_history_server_and_a_driver_with_one_address_are_none() -> None:
    kept, _ = catalog()
    history = at("10.0.0.1", uid="u-2", labels={"spark-role": "history-server"})
    history["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    kept.put(history)
    assert kept.index.histories
    kept.put(SUBMITTED)
    assert not kept.index.histories
    assert "another running pod" in kept.index.history_problems["team-a"]
    kept.drop("u-1")
    assert kept.index.histories
    assert not kept.index.history_problems


def test_who_answers_at_an_address_has_it() -> None:
    kept, _ = catalog()
    honest, forged = SUBMITTED, at("10.0.0.1", uid="u-2", namespace="team-b")
    kept.put(forged)
    kept.put(honest)
    asked = kept.claims.claimants("10.0.0.1")
    kept.put(at("10.0.0.1", uid="u-3", namespace="team-c"))
    kept.settle("10.0.0.1", "team-a", "pi-driver", among=asked)
    apps = kept.index.applications
    assert apps["team-a", "spark-1"].target
    assert "says that it is another pod" in apps["team-b", "spark-1"].problem
    # It came after the question: the next answer tells of it.
    assert "another running pod" in apps["team-c", "spark-1"].problem
    assert kept.claims.disputed == {"10.0.0.1"}
    kept.settle("10.0.0.1", "team-a", "pi-driver", among=kept.claims.claimants("10.0.0.1"))
    assert not kept.claims.disputed
    kept.drop("u-1")
    assert not any(app.target for app in apps.values())
    # Who ends and runs again is asked again.
    kept.put(changed("status", "phase", to="Pending", pod=forged))
    kept.put(forged)
    assert apps["team-b", "spark-1"].target


def test_who_answers_as_a_pod_elsewhere_refutes_all() -> None:
    kept, gone = catalog()
    kept.put(SUBMITTED)
    kept.settle("10.0.0.1", "team-b", "pi-driver", among=kept.claims.claimants("10.0.0.1"))
    assert gone == [1]
    assert "says that it is another pod" in kept.index.applications["team-a", "spark-1"].problem


def test_a_nodes_address_is_no_pods() -> None:
    kept, _ = catalog()
    kept.put(at("10.0.0.9", uid="u-2", namespace="team-b"))
    kept.put(at(NODE_ADDRESS))
    assert "that of a node" in kept.index.applications["team-a", "spark-1"].problem
    kept.drop("u-2")
    # Of a pod alone on its node, both may have one address.
    assert kept.index.applications["team-a", "spark-1"].target


def test_a_forged_node_displaces_no_pod_that_answered() -> None:
    kept, _ = catalog()
    kept.put(SUBMITTED)
    kept.settle("10.0.0.1", "team-a", "pi-driver", among=kept.claims.claimants("10.0.0.1"))
    kept.put(changed("status", "hostIP", to="10.0.0.1", pod=at("10.0.0.9", uid="u-2", namespace="team-b")))
    assert kept.index.applications["team-a", "spark-1"].target


def test_a_pod_that_is_not_believed_displaces_none_of_its_id() -> None:
    kept, _ = catalog()
    kept.put(SUBMITTED)
    newer = at("10.0.0.2", uid="u-2", creationTimestamp="2026-11-21T21:00:00Z")
    kept.put(changed("spec", "nodeName", to=None, pod=newer))
    assert kept.index.applications["team-a", "spark-1"].pod_uid == "u-1"


def test_many_claims_of_one_address_cost_little_each() -> None:
    kept, _ = catalog()
    kept.put(SUBMITTED)
    rebuilt = kept.index.version
    for number in range(2000):
        kept.put(
            at("10.0.0.1", uid=f"f-{number}", labels={"spark-role": "driver", "spark-app-selector": f"f-{number}"})
        )
    # One for each, and one for the first that lost its target.
    assert kept.index.version - rebuilt == 2001


@pytest.mark.parametrize(
    "environment",
    [
        *(None, [], {}, "x", {"sparkProperties": None}, {"sparkProperties": [["a"]]}, {"sparkProperties": [[1, 2]]}),
        {"sparkProperties": [["spark.kubernetes.namespace", "team-a"]]},
        {"sparkProperties": [["spark.kubernetes.namespace", 7], ["spark.kubernetes.driver.pod.name", {}]]},
        {"sparkProperties": [[[], "x"]]},
    ],
    ids=str,
)
def test_a_driver_that_does_not_say_says_nothing(environment: object) -> None:
    assert said(environment) is None


def test_a_driver_says_which_pod_it_is() -> None:
    properties = [["spark.kubernetes.namespace", "a"], ["x", "y"], ["spark.kubernetes.driver.pod.name", "b"]]
    assert said({"sparkProperties": properties}) == ("a", "b")


def test_a_driver_that_ends_beside_a_sidecar_has_ended() -> None:
    terminated = {"exitCode": 1, "finishedAt": "2026-11-21T03:10:00Z"}
    ended = read_pod(
        changed(
            "status", "containerStatuses", to=[{"name": "spark-kubernetes-driver", "state": {"terminated": terminated}}]
        ),
        LIMITS,
        ANYWHERE,
    )
    assert (ended.state, ended.ended) == ("failed", datetime(2026, 11, 21, 3, 10, tzinfo=UTC))
    other = [{"name": "sidecar", "state": {"terminated": {"exitCode": 1}}}]
    assert read_pod(changed("status", "containerStatuses", to=other), LIMITS, ANYWHERE).state == "running"


def test_a_pod_has_an_address_of_ipv6() -> None:
    target = read_pod(at("fd00::7"), LIMITS, ANYWHERE).target
    assert target
    assert target.address == "[fd00::7]:4040"


def test_a_target_goes_at_once_when_its_pod_ends_leaves_or_moves() -> None:
    for change in (
        changed("status", "phase", to="Succeeded"),
        at("10.0.0.2"),
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
    place = Target("u-1", "10.0.0.1", 4040)
    kept.name(place, [Named("app-2026", 4040)])
    assert kept.index.applications["team-a", "app-2026"].target == place
    kept.name(place, [Named("app-2027", 4040)])
    assert set(kept.index.applications) == {("team-a", "app-2027")}
    kept.name(place, [])
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
