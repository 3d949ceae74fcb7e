"""What GitOps does to releases, on a real API server: other labels, and objects that were there before."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from least_values import LEAST

from chartproof import Helm
from chartproof.apiserver import ApiServer
from chartproof.apiserver.server import api_server
from kindling_dev.command import Failure, run
from kindling_dev.guides import commands
from kindling_dev.settings import REPO

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


@pytest.fixture(scope="module")
def of_the_guide(
    apiserver_programs: Path, tmp_path_factory: pytest.TempPathFactory, kubectl: Kubectl
) -> Iterator[ApiServer]:
    """A server of its own, on which the guide's names are free."""
    with api_server("1.34", apiserver_programs / "1.34", tmp_path_factory.mktemp("guide") / "server") as server:
        kubectl(server, "create", "namespace", "team-a")
        yield server


def written(script: str, server: ApiServer, folder: Path) -> str:
    """What commands of the guide print in a clone."""
    for name in ("charts", "values", "examples"):
        (folder / name).symlink_to(REPO / name)
    environment = {"KUBECONFIG": str(server.kubeconfig), "KUBECACHEDIR": str(server.folder / "cache")}
    return run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment, what="do what the guide says")


def test_a_rendered_release_is_applied_once(of_the_guide: ApiServer, tmp_path: Path) -> None:
    said = written(commands("gitops", "Before you hand a release over"), of_the_guide, tmp_path)
    assert all(line.endswith("serverside-applied") for line in said.splitlines()), "kubectl diff prints nothing"


def test_runs_are_started_by_hand(of_the_guide: ApiServer, tmp_path: Path) -> None:
    said = written(commands("gitops", "A run that runs once"), of_the_guide, tmp_path)
    assert said.splitlines()[-1] == "job.batch/by-hand-1 created"
    job = of_the_guide.cluster.batch.read_namespaced_job("by-hand-1", "team-a")
    assert [owner.kind for owner in job.metadata.owner_references] == ["CronJob"]
    assert job.spec.ttl_seconds_after_finished == 3600


def test_what_is_there_is_adopted(of_the_guide: ApiServer, tmp_path: Path) -> None:
    script = commands("gitops", "What is there already")
    (tmp_path / "adopted").mkdir()
    assert "STATUS: deployed" in written(script, of_the_guide, tmp_path / "adopted")
    releases = of_the_guide.helm().run(["list", "--all-namespaces", "--short"]).split()
    assert sorted(releases) == ["history", "other-name"]
    without = "".join(line for line in script.splitlines(keepends=True) if "other-name" not in line)
    for chart, name in ("spark-namespace", "Namespace"), ("spark-history-server", "PersistentVolumeClaim"):
        (tmp_path / chart).mkdir()
        install = next(line for line in without.splitlines() if f"charts/{chart} " in line)
        with pytest.raises(Failure, match=f"{name} .* cannot be imported into the current release"):
            written(install.replace("first-", "another-"), of_the_guide, tmp_path / chart)
