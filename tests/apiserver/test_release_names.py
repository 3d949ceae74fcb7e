"""A release of any name that helm takes is made, its pods and their executors too, or it is refused in one line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from kubernetes import client
from least_values import LEAST

from chartproof import HelmError
from chartproof.apiserver import ApiServer

Kubectl = Callable[..., str]
NAMES = ("spark.pi", "1st", "1.0", "0", "a" * 53, "0" * 53, "a" * 26 + "." + "b" * 26, "a" * 50 + "--b")
HOST_NAME = 63
"""Characters of a host's name."""
JOBS: dict[str, dict[str, Any]] = {
    "client": {},
    "cluster": {"mode": "cluster"},
    "schedule": {"schedule": {"cron": "@yearly"}},
}


def install(server: ApiServer, chart: Path, release: str, namespace: str, values: dict[str, Any]) -> str:
    """Install a release; return what helm refuses it with, or nothing."""
    given = {**LEAST[chart.name], **values}
    try:
        server.helm().run(
            ["install", release, str(chart), f"--namespace={namespace}", "--values=-"], yaml.safe_dump(given)
        )
    except HelmError as error:
        return str(error)
    return ""


def make_accounts(server: ApiServer, namespace: str) -> None:
    """Make the service accounts that spark-namespace would."""
    for account in ("spark-driver", "spark-submitter", "spark-executor", "spark-history"):
        body = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name=account))
        server.cluster.core.create_namespaced_service_account(namespace, body)


def pods_of(server: ApiServer, namespace: str, count: int) -> list[Any]:
    """The pods that controllers make in a namespace, when there are so many."""
    seen: dict[str, Any] = {}

    def is_last(pod: Any, _: str) -> bool:
        seen[pod.metadata.name] = pod
        return len(seen) >= count

    listing = server.cluster.core.list_namespaced_pod
    server.cluster.wait_for(listing, is_last, f"{count} pods", 60, namespace=namespace)
    return list(seen.values())


def host_name(pod: str) -> str:
    """The host's name that Spark gives an executor, after its pod's: BasicExecutorFeatureStep."""
    return re.sub(r"[^\w-]+", "_", re.sub(r"^\W+", "", pod[-HOST_NAME:], flags=re.ASCII), flags=re.ASCII)


def make_executor(server: ApiServer, namespace: str, driver: str) -> None:
    """Make an executor as Spark does for a driver's pod; the server says whether its names are right."""
    name = f"{driver}-exec-1"
    pod = client.V1Pod(
        metadata=client.V1ObjectMeta(name=name, labels={"spark-role": "executor"}),
        spec=client.V1PodSpec(
            hostname=host_name(name),
            containers=[client.V1Container(name="executor", image="registry.example.com/spark")],
        ),
    )
    server.cluster.core.create_namespaced_pod(namespace, pod)


@pytest.mark.parametrize("release", NAMES)
@pytest.mark.parametrize("kind", JOBS)
def test_a_job_of_any_name_has_its_executors(
    newest_namespace: tuple[ApiServer, str],
    kubectl: Kubectl,
    charts: Path,
    release: str,
    kind: str,
) -> None:
    server, namespace = newest_namespace
    make_accounts(server, namespace)
    assert install(server, charts / "spark-job", release, namespace, JOBS[kind]) == ""
    if kind == "schedule":
        (cron,) = server.cluster.batch.list_namespaced_cron_job(namespace).items
        kubectl(server, "create", "job", "by-hand", f"--from=cronjob/{cron.metadata.name}", f"--namespace={namespace}")
    (pod,) = pods_of(server, namespace, 1)
    job = server.cluster.batch.list_namespaced_job(namespace).items[0].metadata
    driver = f"{job.name}-{job.uid[:8]}-0" if kind == "cluster" else pod.metadata.name
    make_executor(server, namespace, driver)


def test_two_releases_that_differ_in_a_dot_have_their_own_runs(
    newest_namespace: tuple[ApiServer, str], charts: Path
) -> None:
    server, namespace = newest_namespace
    for release in ("a.b", "a-b", "a" * 52 + "b", "a" * 52 + "c"):
        values = {"schedule": {"cron": "@yearly"}, "run": {"now": True}}
        assert install(server, charts / "spark-job", release, namespace, values) == ""
    assert len(server.cluster.batch.list_namespaced_cron_job(namespace).items) == 4
    assert len(server.cluster.batch.list_namespaced_job(namespace).items) == 4


@pytest.mark.parametrize("release", NAMES)
@pytest.mark.parametrize("chart", sorted(LEAST.keys() - {"spark-job"}))
def test_a_release_of_any_name_is_made_or_refused_in_a_line(
    newest_namespace: tuple[ApiServer, str],
    charts: Path,
    chart: str,
    release: str,
) -> None:
    server, namespace = newest_namespace
    make_accounts(server, namespace)
    values = {"namespace": {"name": f"team-{uuid4().hex[:8]}"}} if chart == "spark-namespace" else {}
    said = install(server, charts / chart, release, namespace, values)
    refused = re.search(r'the release is named "(.*)", and no Service\'s name .*, as in (\S+)$', said, re.MULTILINE)
    if said:
        assert refused, said
        assert refused[1] == release
        assert chart != "spark-namespace"
        assert install(server, charts / chart, refused[2], namespace, values) == "", "the name that it tells is right"
    if chart != "spark-namespace":
        apps = server.cluster.apps
        sets = apps.list_namespaced_stateful_set(namespace).items + apps.list_namespaced_deployment(namespace).items
        assert sets
        pods_of(server, namespace, len(sets))
    server.helm().run(["uninstall", refused[2] if refused else release, f"--namespace={namespace}"])


def test_each_way_of_a_name_is_among_those_that_are_tried() -> None:
    helms = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
    assert all(helms.fullmatch(name) and len(name) <= 53 for name in NAMES)
    assert {bool(re.search(r"\.", name)) for name in NAMES if len(name) == 53} == {True, False}
    assert host_name("spark.pi-exec-1") == "spark_pi-exec-1", "which no server takes"
