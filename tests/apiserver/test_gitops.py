"""What GitOps does to releases, on a real API server: other labels, and objects that were there before."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from least_values import LEAST

from chartproof import Helm
from chartproof.apiserver import ApiServer

Kindling = Callable[..., "subprocess.CompletedProcess[str]"]
Kubectl = Callable[..., str]
NewNamespace = Callable[[ApiServer], str]
LABELLED = "app.kubernetes.io/instance=an-application"
"""What Argo CD's label tracking writes onto each object of an Application, whatever the release is called."""


@pytest.fixture
def applied(
    apiserver: Callable[[str], ApiServer], namespace_of: NewNamespace, kubectl: Kubectl, helm: Helm, charts: Path
) -> Callable[..., tuple[ApiServer, str]]:
    """Applies a chart as release "nightly", as Argo CD does with label tracking."""

    def applied(chart: str, **values: object) -> tuple[ApiServer, str]:
        server = apiserver("1.34")
        namespace = namespace_of(server)
        manifest = helm.template(
            charts / chart, release="nightly", namespace=namespace, values={**LEAST[chart], **values}, checked=False
        )
        kubectl(
            server, "apply", "--server-side", "--filename=-", stdin=yaml.safe_dump_all(one.body for one in manifest)
        )
        kinds = "jobs,cronjobs,statefulsets,configmaps,services"
        kubectl(server, "label", "--overwrite", kinds, "--all", f"--namespace={namespace}", LABELLED)
        return server, namespace

    return applied


def found(kindling: Kindling, server: ApiServer, name: str, namespace: str) -> dict[str, str]:
    """What ``kindling why`` finds of a name."""
    done = kindling(server, "why", name, f"--namespace={namespace}", "--json")
    assert done.stdout, done.stderr
    report: dict[str, str] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize("mode", ["client", "cluster"])
@pytest.mark.parametrize("name", ["nightly", "an-application"])
def test_why_finds_a_job_that_argo_cd_has_labelled(
    applied: Callable[..., tuple[ApiServer, str]], kindling: Kindling, mode: str, name: str
) -> None:
    server, namespace = applied("spark-job", mode=mode)
    report = found(kindling, server, name, namespace)
    assert (report["status"], report["release"]) == ("waiting", "nightly")


def test_why_finds_a_schedule_that_argo_cd_has_labelled(
    applied: Callable[..., tuple[ApiServer, str]], kindling: Kindling, kubectl: Kubectl
) -> None:
    server, namespace = applied("spark-job", schedule={"cron": "0 3 * * *"})
    assert found(kindling, server, "nightly", namespace)["status"] == "scheduled"
    kubectl(server, "create", "job", "by-hand", "--from=cronjob/nightly", f"--namespace={namespace}")
    assert found(kindling, server, "nightly", namespace)["status"] == "waiting"


@pytest.mark.parametrize("chart", ["spark-notebook", "spark-connect"])
def test_why_finds_a_driver_that_lasts_that_argo_cd_has_labelled(
    applied: Callable[..., tuple[ApiServer, str]], kindling: Kindling, chart: str
) -> None:
    server, namespace = applied(chart)
    assert found(kindling, server, "nightly", namespace)["release"] == "nightly"


def test_a_release_is_not_taken_for_an_application_of_its_name(
    applied: Callable[..., tuple[ApiServer, str]], kindling: Kindling, kubectl: Kubectl
) -> None:
    """Another release, which Argo CD calls nightly, is not the answer to its name."""
    server, namespace = applied("spark-job")
    other = kubectl(server, "get", "jobs", f"--namespace={namespace}", "--output=json")
    body = json.loads(other)["items"][0]
    copy = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "other-1",
            "namespace": namespace,
            "labels": {**body["metadata"]["labels"], "app.kubernetes.io/instance": "nightly"},
        },
        "spec": {
            "template": {
                **body["spec"]["template"],
                "metadata": {
                    "labels": {"app.kubernetes.io/name": "spark-job", "app.kubernetes.io/instance": "other"},
                },
            }
        },
    }
    kubectl(server, "apply", "--server-side", "--filename=-", stdin=json.dumps(copy))
    assert found(kindling, server, "nightly", namespace)["release"] == "nightly"
    assert found(kindling, server, "other", namespace)["release"] == "other"
