"""spark-ui-proxy keeps up with a real API server: whatever that does, and however much changes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from grants import grant, service_account, wait_until_granted
from ui_proxy import PROXIES, Decider, SparkPods, account_token, bearer, running_decider

from chartproof.apiserver import ApiServer
from chartproof.apiserver.server import api_server

_STATES = ("pending", "running", "succeeded", "failed")


def may(server: ApiServer, namespace: str, *rules: Mapping[str, Any], account: str = "spark-ui-proxy") -> None:
    """Give an account of the proxies' namespace a Role."""
    grant(server.cluster, namespace, [service_account(PROXIES, account)], rules)


WATCH: dict[str, Any] = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}
VIEW: dict[str, Any] = {"apiGroups": ["kindling.local"], "resources": ["applications"], "verbs": ["get"]}


def place(server: ApiServer, *, labels: Mapping[str, str] | None = None, watched: bool = True) -> SparkPods:
    """A namespace of its own, in which `vera` views."""
    name = f"ns-{uuid4().hex[:8]}"
    core = server.cluster.core
    core.create_namespace({"metadata": {"name": name, "labels": dict(labels or {})}})
    for account in ("spark-driver", "spark-executor", "spark-history"):
        core.create_namespaced_service_account(name, {"metadata": {"name": account}})
    account_token(server, PROXIES, "vera")
    may(server, name, VIEW, account="vera")
    if watched:
        may(server, name, WATCH)
    return SparkPods(server, name)


def reason(decider: Decider, pods: SparkPods, app_id: str, token: str) -> str:
    """Of the decision about a driver's UI."""
    return decider.authz(f"/{pods.namespace}/proxy/{app_id}/", bearer(token)).reason


@pytest.fixture
def newest(apiserver: Callable[[str], ApiServer]) -> ApiServer:
    """The cluster's version of Kubernetes."""
    return apiserver("1.34")


def test_a_missing_right_in_one_namespace_keeps_no_other_waiting(newest: ApiServer, tmp_path: Path) -> None:
    good, closed = place(newest), place(newest, watched=False)
    good.driver("spark-1")
    closed.driver("spark-2")
    names = {"namespaces": {"names": [good.namespace, closed.namespace, "never-made"]}}
    with running_decider(newest, tmp_path / "d", names) as decider:
        vera = account_token(newest, PROXIES, "vera")
        assert reason(decider, good, "spark-1", vera) == "ok"
        assert reason(decider, closed, "spark-2", vera) == "stale"
        assert "forbidden" in decider.logged("spark_ui_proxy.watcher")[0]["problem"]
        assert decider.metric(f'spark_ui_proxy_watch_synced{{scope="{closed.namespace}"}}') == 0
        may(newest, closed.namespace, WATCH)
        after = decider.wait(lambda: reason(decider, closed, "spark-2", vera) == "ok", "the right is there")
        print(f"{after:.1f} s after the right is given its drivers are routed")


@pytest.fixture
def cluster_wide(newest: ApiServer) -> Iterator[str]:
    """The token of an account that may watch pods and namespaces, and ask all reviews."""
    name = f"wide-{uuid4().hex[:8]}"
    rbac = newest.cluster.rbac
    rules = [{"apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": ["list", "watch"]}]
    rbac.create_cluster_role({"metadata": {"name": name}, "rules": rules})
    account = service_account(PROXIES, name)
    for role in (name, "system:auth-delegator"):
        rbac.create_cluster_role_binding(
            {
                "metadata": {"name": f"{name}-{role.rpartition(':')[2]}"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [account],
            }
        )
    wait_until_granted(newest.cluster, "", [account], "list pods", "create tokenreviews.authentication.k8s.io")
    yield account_token(newest, PROXIES, name)
    rbac.delete_cluster_role(name)


def test_namespaces_come_and_go_by_their_label(newest: ApiServer, cluster_wide: str, tmp_path: Path) -> None:
    labelled, other = place(newest, labels={"spark": "yes"}, watched=False), place(newest, watched=False)
    for pods in (labelled, other):
        pods.driver("spark-1")
    config = {"namespaces": {"selector": "spark=yes"}, "permission": {"reviews": "cluster"}}
    with running_decider(newest, tmp_path / "d", config, token=cluster_wide) as decider:
        vera = account_token(newest, PROXIES, "vera")
        assert reason(decider, labelled, "spark-1", vera) == "ok"
        assert reason(decider, other, "spark-1", vera) == "forbidden"
        core = newest.cluster.core
        core.patch_namespace(other.namespace, {"metadata": {"labels": {"spark": "yes"}}})
        decider.wait(lambda: reason(decider, other, "spark-1", vera) == "ok", "its label is there")
        core.patch_namespace(labelled.namespace, {"metadata": {"labels": {"spark": "no"}}})
        decider.wait(lambda: reason(decider, labelled, "spark-1", vera) == "forbidden", "its label is gone")


def test_all_namespaces_are_one_watch(newest: ApiServer, cluster_wide: str, tmp_path: Path) -> None:
    config = {"namespaces": {"all": True}, "permission": {"reviews": "cluster"}}
    with running_decider(newest, tmp_path / "d", config, token=cluster_wide) as decider:
        vera = account_token(newest, PROXIES, "vera")
        pods = place(newest, watched=False)
        pods.driver("spark-1", ip="127.0.0.9")
        decider.wait(lambda: reason(decider, pods, "spark-1", vera) == "ok", "a namespace that is made later")
        pods.delete("spark-1")
        decider.wait(lambda: reason(decider, pods, "spark-1", vera) == "not-found", "its driver is gone")


def start_again(stack: ExitStack, programs: Path, folder: Path, data: Path, port: int = 0) -> ApiServer:
    """An API server on the data of another that has ended."""
    folder.mkdir(parents=True, exist_ok=True)
    return stack.enter_context(api_server("1.34", programs / "1.34", folder, data=data, port=port))


def test_a_restart_new_keys_and_a_forgotten_version_are_survived(apiserver_programs: Path, tmp_path: Path) -> None:
    """The API server goes away; another changes all on its data; then the first is back, with new certificates."""
    home, away, data, port = tmp_path / "home", tmp_path / "away", tmp_path / "etcd", random.randint(20_000, 29_999)
    with ExitStack() as until_the_end:
        with ExitStack() as first_life:
            server = start_again(first_life, apiserver_programs, home, data, port)
            pods = place(server)
            for app_id in ("spark-stays", "spark-goes", "spark-moves"):
                pods.driver(app_id)
            config = {"namespaces": {"names": [pods.namespace]}}
            decider = until_the_end.enter_context(running_decider(server, tmp_path / "d", config))
            vera = account_token(server, PROXIES, "vera")
            for app_id in ("spark-stays", "spark-goes", "spark-moves"):
                assert reason(decider, pods, app_id, vera) == "ok"
        decider.wait(lambda: bool(decider.logged("spark_ui_proxy.watcher")), "it notices")
        # For a minute nothing has changed for sure, and what the API server said of vera counts.
        assert reason(decider, pods, "spark-stays", vera) == "ok"
        assert decider.operations("/readyz")[0] == 200
        assert decider.authz(f"/{pods.namespace}/proxy/spark-stays/", bearer(f"{vera}x")).reason == "unavailable"
        with ExitStack() as elsewhere:
            changing = SparkPods(start_again(elsewhere, apiserver_programs, away, data), pods.namespace)
            changing.delete("spark-goes")
            changing.set_status("spark-moves", "Running", "127.0.0.99")
            changing.driver("spark-new")
        server = start_again(until_the_end, apiserver_programs, home, data, port)
        (decider.folder / "token").write_text(account_token(server, PROXIES, "spark-ui-proxy"))
        vera = account_token(server, PROXIES, "vera")
        after = decider.wait(lambda: reason(decider, pods, "spark-new", vera) == "ok", "it follows again")
        print(f"{after:.1f} s after the API server is back it follows again")
        assert reason(decider, pods, "spark-goes", vera) == "not-found"
        moved = decider.authz(f"/{pods.namespace}/proxy/spark-moves/", bearer(vera))
        assert moved.headers["x-upstream"] == "127.0.0.99:4040"
        assert decider.metric(f'spark_ui_proxy_watch_lists_total{{scope="{pods.namespace}"}}') == 2


@pytest.mark.long
def test_after_a_minute_of_silence_nothing_is_routed(apiserver_programs: Path, tmp_path: Path) -> None:
    with ExitStack() as until_the_end:
        with ExitStack() as life:
            server = start_again(life, apiserver_programs, tmp_path / "home", tmp_path / "etcd")
            pods = place(server)
            pods.driver("spark-1")
            config = {"namespaces": {"names": [pods.namespace]}, "permission": {"allowSeconds": 3600}}
            decider = until_the_end.enter_context(running_decider(server, tmp_path / "d", config))
            vera = account_token(server, PROXIES, "vera")
            assert reason(decider, pods, "spark-1", vera) == "ok"
        decider.wait(lambda: reason(decider, pods, "spark-1", vera) == "stale", "silence", seconds=120)
        assert decider.metric(f'spark_ui_proxy_watch_age_seconds{{scope="{pods.namespace}"}}') > 60


@pytest.mark.long
def test_a_quiet_namespace_is_not_taken_for_a_silent_one(newest: ApiServer, tmp_path: Path) -> None:
    pods = place(newest)
    pods.driver("spark-1")
    with running_decider(newest, tmp_path / "d", {"namespaces": {"names": [pods.namespace]}}) as decider:
        vera = account_token(newest, PROXIES, "vera")
        age = f'spark_ui_proxy_watch_age_seconds{{scope="{pods.namespace}"}}'
        ages: list[float] = []

        def two_watches_on() -> bool:
            ages.append(decider.metric(age))
            assert reason(decider, pods, "spark-1", vera) == "ok"
            return sum(later < before for before, later in pairwise(ages)) >= 2

        decider.wait(two_watches_on, "two watches later", seconds=150)
        assert max(ages) < 60
        assert decider.metric(f'spark_ui_proxy_watch_lists_total{{scope="{pods.namespace}"}}') == 1


def test_a_thousand_drivers_come_change_and_go(newest: ApiServer, tmp_path: Path) -> None:
    pods = place(newest)
    count = 1000
    with running_decider(newest, tmp_path / "d", {"namespaces": {"names": [pods.namespace]}}) as decider:

        def known(state: str) -> float:
            return decider.metric(f'spark_ui_proxy_applications{{namespace="{pods.namespace}",state="{state}"}}')

        with ThreadPoolExecutor(8) as makers:
            list(
                makers.map(
                    lambda number: pods.driver(f"spark-{number}", ip=f"127.1.{number // 250}.{number % 250 + 1}"),
                    range(count),
                )
            )
        print(
            f"{count} drivers: known {decider.wait(lambda: known('running') == count, 'all run'):.2f} s after the last"
        )
        vera = account_token(newest, PROXIES, "vera")
        pods.driver("spark-last")
        after = decider.wait(lambda: reason(decider, pods, "spark-last", vera) == "ok", "one more")
        print(f"one more is routed {after:.2f} s after its pod runs")
        for number in (0, 251, 999):
            answer = decider.authz(f"/{pods.namespace}/proxy/spark-{number}/", bearer(vera))
            assert answer.headers["x-upstream"] == f"127.1.{number // 250}.{number % 250 + 1}:4040"
        memory = decider.metric("process_resident_memory_bytes") / 2**20
        processor = decider.metric("process_cpu_seconds_total")
        print(f"{memory:.0f} MiB, {processor:.1f} s of CPU")
        assert memory < 100
        with ThreadPoolExecutor(8) as enders:
            list(enders.map(lambda number: pods.set_status(f"spark-{number}", "Succeeded"), range(0, count, 2)))
        decider.wait(lambda: known("succeeded") == count / 2, "half have ended")
        with ThreadPoolExecutor(8) as enders:
            list(enders.map(pods.delete, ("spark-last", *(f"spark-{number}" for number in range(count)))))
        decider.wait(lambda: not any(known(state) for state in _STATES), "all are gone")
