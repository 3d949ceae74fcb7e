"""Argo CD's engine and what Flux applies with, on a real API server: a run runs once, and nothing differs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubelet import NODE
from places import place_of
from reconcilers import Application, Flux
from waiting import wait_until

from chartproof import Helm
from chartproof.apiserver import ApiServer
from chartproof.scenarios import Scenario
from kindling_dev import gitops
from kindling_dev.guides import manifests
from kindling_dev.scenarios import SCENARIOS

Kubectl = Callable[..., str]
Values = dict[str, Any]
NewNamespace = Callable[[ApiServer], str]
pytestmark = pytest.mark.long
"""The programs are built when the first of these tests runs, in minutes."""
ONCE: Values = {"app": {"file": "local:///app.py"}}
REMOVED: Values = {**ONCE, "ttlSecondsAfterFinished": 0}
BY_HAND: Values = {**REMOVED, "schedule": {"cron": "@yearly", "suspend": True}}


class Release:
    """A release "nightly" of spark-job, as a reconciler has it, in a namespace where pods run as they are told."""

    def __init__(self, server: ApiServer, namespace: str, file: Path, without_tests: Path, kubectl: Kubectl) -> None:
        self.server, self.namespace, self.file, self._kubectl = server, namespace, file, kubectl
        self.flux = Flux(server, without_tests)

    def kubectl(self, *argv: str) -> str:
        """What kubectl says in the namespace."""
        return self._kubectl(self.server, *argv, f"--namespace={self.namespace}")

    def jobs(self) -> dict[str, str]:
        """Name -> uid of the Jobs."""
        items = json.loads(self.kubectl("get", "jobs", "--output=json"))["items"]
        return {item["metadata"]["name"]: item["metadata"]["uid"] for item in items}

    def finish(self) -> None:
        """Have the pod of the one Job succeed, as a kubelet says it, and wait until the Job is complete, or gone."""
        core = self.server.cluster.core
        wait_until(lambda: core.list_namespaced_pod(self.namespace).items, "the run's pod")
        (pod,) = core.list_namespaced_pod(self.namespace).items
        ended = {"exitCode": 0, "reason": "Completed", "finishedAt": "2026-11-21T20:00:02Z"}
        container = {"name": "driver", "image": "spark", "imageID": "", "ready": False, "restartCount": 0}
        status = {"phase": "Succeeded", "containerStatuses": [{**container, "state": {"terminated": ended}}]}
        target = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod.metadata.name}}
        body = {**target, "target": {"apiVersion": "v1", "kind": "Node", "name": NODE}}
        core.create_namespaced_pod_binding(pod.metadata.name, self.namespace, body, _preload_content=False)
        core.patch_namespaced_pod_status(pod.metadata.name, self.namespace, {"status": status})

        def over() -> bool:
            items = json.loads(self.kubectl("get", "jobs", "--output=json"))["items"]
            return all(item["status"].get("succeeded") for item in items)

        wait_until(over, lambda: self.kubectl("get", "jobs,pods", "--output=yaml"))


@pytest.fixture
def release(
    apiserver: Callable[[str], ApiServer],
    namespace_of: NewNamespace,
    kubectl: Kubectl,
    helm: Helm,
    charts: Path,
    tmp_path: Path,
) -> Callable[[Values], Release]:
    """Renders spark-job as Argo CD does, with test hooks and for the cluster's version, and nothing of it is there."""

    def release(values: Values) -> Release:
        server = apiserver("1.34")
        namespace = namespace_of(server)
        for account in ("spark-driver", "spark-submitter", "spark-executor"):
            kubectl(server, "create", "serviceaccount", account, f"--namespace={namespace}")
        chart = charts / "spark-job"
        rendered = helm.template(chart, release="nightly", namespace=namespace, values=values, kube="1.34.0")
        file, without_tests = tmp_path / "nightly.yaml", tmp_path / "without-tests.yaml"
        file.write_text(yaml.safe_dump_all(one.body for one in rendered))
        objects = [one.body for one in rendered if "helm.sh/hook" not in one.metadata.get("annotations", {})]
        without_tests.write_text(yaml.safe_dump_all(objects))
        return Release(server, namespace, file, without_tests, kubectl)

    return release


def application(release: Release, tracking: str = "annotation", name: str = "an-application") -> Application:
    """The release as an Application of Argo CD."""
    return Application(release.server, name, release.namespace, release.file, tracking)


@pytest.mark.parametrize("tracking", ["annotation", "label"])
def test_argo_cd_runs_a_job_once(release: Callable[[Values], Release], tracking: str) -> None:
    job = release(ONCE)
    synced = application(job, tracking)
    assert set(synced.sync().values()) == {"missing"}
    made = job.jobs()
    job.finish()
    assert [synced.sync() for _ in range(3)] == [{}, {}, {}]
    assert job.jobs() == made
    assert len(made) == 1


def test_argo_cd_runs_a_job_again_that_a_ttl_removed(release: Callable[[Values], Release]) -> None:
    """What the guide warns of: the Job is wanted, and not there."""
    job = release(REMOVED)
    synced = application(job)
    synced.sync()
    (first,) = job.jobs().items()
    job.finish()
    wait_until(lambda: not job.jobs(), "the Job's removal by its TTL")
    assert synced.sync() == {f"Job/{job.namespace}/{first[0]}": "missing"}
    (second,) = job.jobs().items()
    assert (second[0], second[1] != first[1]) == (first[0], True)


@pytest.mark.parametrize("tracking", ["annotation", "label"])
def test_argo_cd_leaves_runs_of_a_schedule_to_their_ttl(release: Callable[[Values], Release], tracking: str) -> None:
    """With a name for the Application that is the release's: runs have it in their labels."""
    job = release(BY_HAND)
    synced = application(job, tracking, "nightly")
    synced.sync()
    job.kubectl("create", "job", "by-hand", "--from=cronjob/nightly")
    assert synced.sync() == {}, "a run is no object too many"
    assert [*job.jobs()] == ["by-hand"]
    job.finish()
    wait_until(lambda: not job.jobs(), "the run's removal by its TTL")
    assert synced.sync() == {}
    assert not job.jobs()


@pytest.mark.parametrize(("tracking", "left"), [("annotation", True), ("label", False)])
def test_argo_cd_prunes_pods_by_their_label(release: Callable[[Values], Release], tracking: str, *, left: bool) -> None:
    """A hub's notebook has a release's labels and no owner: an Application of that name, tracked by label, ends it."""
    job = release(BY_HAND)
    synced = application(job, tracking, "nightly")
    synced.sync()
    labels = "app.kubernetes.io/name=spark-notebook,app.kubernetes.io/instance=nightly"
    job.kubectl("run", "jupyter-anna", "--image=spark", f"--labels={labels}")
    assert bool(synced.sync()) != left
    pods = job.kubectl("get", "pods", "--output=name", "--field-selector=metadata.name=jupyter-anna").split()
    assert bool(pods) == left or "deletionTimestamp" in job.kubectl("get", "pod", "jupyter-anna", "--output=yaml")


@pytest.mark.parametrize("asked", [False, True])
def test_a_job_that_a_queue_let_start_is_left_alone(release: Callable[[Values], Release], *, asked: bool) -> None:
    """But for one whose manifest says `suspend: true`, as the guide warns."""
    job = release({**ONCE, "job": {"suspend": asked}})
    synced, kept = application(job), job.flux
    synced.sync()
    ((name, uid),) = job.jobs().items()
    for suspend in ("true", "false"):
        job.kubectl("patch", "job", name, "--type=merge", f'--patch={{"spec": {{"suspend": {suspend}}}}}')
    assert bool(synced.differs()) == asked
    assert bool(kept.drift()) == asked
    synced.sync()
    assert job.kubectl("get", "job", name, "--output=jsonpath={.spec.suspend}") == str(asked).lower()
    assert job.jobs() == {name: uid}


def test_argo_cd_takes_over_what_helm_installed(release: Callable[[Values], Release], charts: Path) -> None:
    job = release(ONCE)
    argv = ["nightly", str(charts / "spark-job"), f"--namespace={job.namespace}", "--set=app.file=local:///app.py"]
    job.server.helm().run(["install", *argv])
    made = job.jobs()
    synced = application(job)
    synced.sync()
    job.kubectl("delete", "secret", "--selector=owner=helm,name=nightly")
    assert synced.sync() == {}
    assert job.jobs() == made


def test_argo_cd_makes_no_pod_of_helm_test(release: Callable[[Values], Release]) -> None:
    job = release(ONCE)
    assert "name: nightly-test" in job.file.read_text()
    application(job).sync()
    assert "nightly-test" not in job.kubectl("get", "pods", "--output=name")


def test_the_guides_application_is_one(apiserver: Callable[[str], ApiServer], kubectl: Kubectl) -> None:
    server = apiserver("1.34")
    definition = gitops.source_of_argo_cd() / "manifests/crds/application-crd.yaml"
    kubectl(server, "apply", "--server-side", f"--filename={definition}")
    kubectl(server, "wait", "--for=condition=Established", "crd/applications.argoproj.io")
    kubectl(server, "create", "namespace", "argocd")
    (shown,) = [block.text for block in manifests("gitops") if "kind: Application" in block.text]
    apply = ["apply", "--server-side", "--validate=strict", "--filename=-"]
    assert kubectl(server, *apply, stdin=shown) == "application.argoproj.io/report serverside-applied\n"


def test_flux_runs_a_job_once(release: Callable[[Values], Release]) -> None:
    job = release(ONCE)
    kept = job.flux
    assert set(kept.apply().values()) == {"created"}
    made = job.jobs()
    job.finish()
    assert set(kept.apply().values()) == {"unchanged"}
    assert kept.drift() == {}
    assert job.jobs() == made


def test_flux_finds_a_job_missing_that_a_ttl_removed(release: Callable[[Values], Release]) -> None:
    """What the guide warns of: kustomize-controller makes it again, and helm-controller with driftDetection too."""
    job = release(REMOVED)
    kept = job.flux
    kept.apply()
    (name,) = job.jobs()
    job.finish()
    wait_until(lambda: not job.jobs(), "the Job's removal by its TTL")
    assert [*kept.drift()] == [f"Job/{job.namespace}/{name}"]
    assert kept.apply()[f"Job/{job.namespace}/{name}"] == "created"


def test_flux_leaves_a_job_that_is_excluded_from_drift_detection(release: Callable[[Values], Release]) -> None:
    job = release({**REMOVED, "job": {"annotations": {"helm.toolkit.fluxcd.io/driftDetection": "disabled"}}})
    kept = job.flux
    kept.apply()
    job.finish()
    wait_until(lambda: not job.jobs(), "the Job's removal by its TTL")
    assert kept.drift() == {}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_nothing_of_a_scenario_differs_after_it_was_applied(
    scenario: Scenario, peopled: Callable[[str], ApiServer], kubectl: Kubectl, tmp_path: Path
) -> None:
    """Neither as Argo CD compares nor as Flux does: no default of the API server, no other way to write an amount."""
    server = peopled("1.34")
    helm = server.helm()
    place = place_of(scenario, server, helm)
    admins = next(one for one in place.argv if one.startswith("--namespace="))
    file = tmp_path / "manifests.yaml"
    argv = ["template", "life", str(scenario.chart), "--kube-version=1.34.0", "--skip-tests"]
    file.write_text(helm.run([*argv, *(one for one in place.argv if one != "--create-namespace")]))
    kubectl(server, "create", "namespace", admins.partition("=")[2])
    application = Application(server, "an-application", place.namespace, file)
    application.sync()
    assert application.differs() == {}
    flux = Flux(server, file)
    flux.apply()
    assert set(flux.apply().values()) == {"unchanged"}
    assert flux.drift() == {}
    kubectl(server, "delete", "--ignore-not-found", "--wait=false", f"--filename={file}")
    helm.run(["uninstall", "team", f"--namespace=admins-of-{place.namespace}", "--ignore-not-found"])
