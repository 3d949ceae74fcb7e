"""Platforms that change the pods of the charts, and refuse some: a real API server that asks a real webhook."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from kubernetes import client
from platforms import (
    FIRST,
    NUMBER,
    RANGE,
    Body,
    autopilot,
    azure,
    containers,
    irsa,
    istio,
    istio_with_cni,
    openshift,
    pod_identity,
    scc,
    webhook,
)

from chartproof import Helm, Manifest
from chartproof.apiserver import ApiServer
from chartproof.checks import Rendered
from chartproof.pods import pods
from chartproof.scenarios import Scenario
from kindling_dev.scenarios import CHARTS, SCENARIOS

_KUBE = "1.34"
_DEADLINE_S = 60
_PI = "local:///opt/spark/examples/src/main/python/pi.py"


class Place:
    """A team's namespace on a platform.

    Args:
        server: the API server.
        values: of spark-namespace, which makes the namespace.
    """

    def __init__(self, server: ApiServer, values: Body) -> None:
        self.server = server
        self.name = f"team-{uuid4().hex[:8]}"
        whole = {**values, "namespace": {"name": self.name, **values.get("namespace", {})}}
        place = ["--namespace=kindling-system", "--create-namespace", "--values=-"]
        server.helm().run(["install", self.name, str(CHARTS / "spark-namespace"), *place], json.dumps(whole))

    def remove(self) -> None:
        """The release; policies that stay make the server slow."""
        self.server.helm().run(["uninstall", self.name, "--namespace=kindling-system"])

    def give_pull_secrets(self) -> None:
        """Each service account has a Secret to pull images with, as OpenShift makes it."""
        core = self.server.cluster.core
        for account in core.list_namespaced_service_account(self.name).items:
            name = f"{account.metadata.name}-dockercfg-x2x4c"
            secret = {"metadata": {"name": name}, "type": "kubernetes.io/dockercfg", "stringData": {".dockercfg": "{}"}}
            core.create_namespaced_secret(self.name, secret)
            change = {"imagePullSecrets": [{"name": name}], "secrets": [{"name": name}]}
            core.patch_namespaced_service_account(account.metadata.name, self.name, change)

    def ensure(self, pod: Body) -> None:
        """Make the service account and the priority class that a pod names, where they are missing."""
        core, spec = self.server.cluster.core, pod["spec"]
        name = spec.get("serviceAccountName", "default")
        if name not in {one.metadata.name for one in core.list_namespaced_service_account(self.name).items}:
            core.create_namespaced_service_account(self.name, {"metadata": {"name": name}})
        scheduling: Any = client.SchedulingV1Api(self.server.cluster.api_client)
        wanted = spec.get("priorityClassName")
        if wanted and wanted not in {one.metadata.name for one in scheduling.list_priority_class().items}:
            scheduling.create_priority_class({"metadata": {"name": wanted}, "value": 1})

    def admitted(self, pod: Body) -> Body:
        """The pod as the server would make it.

        Raises:
            ApiException: it refuses the pod.
        """
        made = self.server.cluster.core.create_namespaced_pod(self.name, pod, dry_run="All")
        api: Any = client.ApiClient()
        return dict(api.sanitize_for_serialization(made))

    def refusal(self, pod: Body) -> str:
        """What the server says of a pod; "" if it takes it."""
        try:
            self.admitted(pod)
        except client.ApiException as error:
            return str(json.loads(error.body or "{}")["message"])
        return ""


def whole(body: Any, number: int) -> Body:
    """A pod template as Spark or a hub completes it: a name, an image, an account."""
    pod = {"apiVersion": "v1", "kind": "Pod", **copy.deepcopy(dict(body))}
    metadata = pod.get("metadata") or {}
    labels = metadata.get("labels") or {}
    pod["metadata"] = {"labels": labels, "name": f"pod-{number}"}
    role = labels.get("app.kubernetes.io/component")
    if role in {"driver", "executor"}:
        pod["spec"].setdefault("serviceAccountName", f"spark-{role}")
    for container in containers(pod):
        container.setdefault("image", "docker.io/apache/spark:4.3.0-python3")
    return pod


def pods_of(helm: Helm, scenario: Scenario, **facts: Any) -> Iterator[tuple[str, Body]]:
    """Each pod of a scenario, with facts in `global`."""
    manifest: Manifest = helm.template(
        scenario.chart,
        files=scenario.files,
        values={"global": facts},
        kube=_KUBE,
        namespace=scenario.namespace,
        checked=False,
    )
    rendered = Rendered(manifest, scenario.chart, "release-name", scenario.namespace, _KUBE, scenario.values, ())
    for number, pod in enumerate(pods(rendered)):
        yield f"{scenario.name} {pod.about}", whole(pod.body, number)


@pytest.fixture(scope="module")
def openshift_like(peopled: Callable[[str], ApiServer]) -> Iterator[Place]:
    """A namespace with ids of its own, where pods get them and may name no other."""
    server = peopled(_KUBE)
    place = Place(
        server, {"guard": {"enabled": False}, "global": {"ids": "platform"}, "namespace": {"annotations": RANGE}}
    )
    for body in scc(place.name):
        api: Any = client.AdmissionregistrationV1Api(server.cluster.api_client)
        make = api.create_validating_admission_policy
        if body["kind"].endswith("Binding"):
            make = api.create_validating_admission_policy_binding
        make(body)
    place.give_pull_secrets()
    with webhook(server, place.name, openshift):
        fixed = whole(_least("spark-job", {"ids": "fixed"}), 0)
        server.cluster.wait_for(
            server.cluster.core.list_namespace, lambda *_: place.refusal(fixed) or None, "the policy", _DEADLINE_S
        )
        yield place
    place.remove()


def _least(chart: str, facts: Body) -> Body:
    """The pod of a chart's least values."""
    values = {"app": {"file": _PI}, "global": facts}
    manifest = Helm().template(CHARTS / chart, values=values, kube=_KUBE, checked=False)
    return dict(manifest.one("Job").pod)


@pytest.mark.parametrize("chart", sorted({scenario.chart.name for scenario in SCENARIOS}))
def test_pods_that_leave_ids_to_the_platform_are_admitted(openshift_like: Place, helm: Helm, chart: str) -> None:
    count = 0
    for scenario in SCENARIOS:
        if scenario.chart.name != chart:
            continue
        for about, pod in pods_of(helm, scenario, ids="platform"):
            openshift_like.ensure(pod)
            assert not openshift_like.refusal(pod), about
            made = openshift_like.admitted(pod)
            of_pod = made["spec"]["securityContext"]
            assert of_pod["fsGroup"] == FIRST, about
            for container in containers(made):
                user = container["securityContext"].get("runAsUser", of_pod.get("runAsUser"))
                assert FIRST <= user < FIRST + NUMBER, about
            count += 1
    assert count >= 2


@pytest.mark.parametrize("chart", sorted({scenario.chart.name for scenario in SCENARIOS}))
def test_with_fixed_ids_no_pod_is_admitted_there(openshift_like: Place, helm: Helm, chart: str) -> None:
    scenario = next(one for one in SCENARIOS if one.name.startswith(f"{chart}/01-"))
    for about, pod in pods_of(helm, scenario, ids="fixed"):
        openshift_like.ensure(pod)
        assert "unable to validate against any security context constraint" in openshift_like.refusal(pod), about


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_a_job_is_made_where_the_platform_gives_ids(
    openshift_like: Place, mode: str, kindling: Callable[..., Any]
) -> None:
    server, name = openshift_like.server, openshift_like.name
    install = ["install", "--namespace", name, "--values=-"]
    for release, ids in ((f"free-{mode}", "platform"), (f"fixed-{mode}", "fixed")):
        values = {"mode": mode, "app": {"file": _PI}, "global": {"ids": ids}}
        server.helm().run([install[0], release, str(CHARTS / "spark-job"), *install[1:]], json.dumps(values))
    core = server.cluster.core
    made = server.cluster.wait_for(
        core.list_namespaced_pod,
        lambda pod, _: pod,
        "its pod",
        _DEADLINE_S,
        namespace=name,
        label_selector=f"app.kubernetes.io/instance=free-{mode}",
    )
    account = made.spec.service_account_name
    assert [one.name for one in made.spec.image_pull_secrets] == [f"{account}-dockercfg-x2x4c"]
    assert made.metadata.annotations["openshift.io/scc"] == "restricted-v2"
    server.cluster.wait_for(
        core.list_namespaced_event,
        lambda event, _: event if "security context constraint" in (event.message or "") else None,
        "the refusal",
        _DEADLINE_S,
        namespace=name,
        field_selector="reason=FailedCreate",
    )
    told = kindling(server, "why", f"fixed-{mode}", "--namespace", name)
    assert "set global.ids to platform" in told.stdout
    assert "must be in the ranges" in told.stdout or "not an allowed group" in told.stdout
    for release in (f"free-{mode}", f"fixed-{mode}"):
        server.helm().run(["uninstall", release, "--namespace", name])


GUARDED = {
    # platform: what spark-namespace's values say to it, and whether its pods are admitted
    "openshift": (openshift, {}, ""),
    "irsa": (irsa, {}, ""),
    "pod-identity": (pod_identity, {}, ""),
    "azure": (azure, {}, ""),
    "autopilot": (autopilot, {"tolerations": ["kubernetes.io/arch"]}, ""),
    "autopilot-without-its-toleration": (autopilot, {}, "toleration kubernetes.io/arch is not for pods"),
    "istio-with-cni": (istio_with_cni, {}, ""),
    "istio": (istio, {}, 'violates PodSecurity "restricted:latest": '),
}
OF_A_NAMESPACE = ("spark-job", "spark-history-server", "spark-connect", "spark-notebook", "spark-standalone")


@pytest.fixture(scope="module")
def guarded_place(peopled: Callable[[str], ApiServer], helm: Helm) -> Iterator[Callable[..., Place]]:
    """A namespace whose guard is in force and lists the charts' Secrets, one for each list of tolerations."""
    made: dict[tuple[str, ...], Place] = {}
    server = peopled(_KUBE)

    def guarded_place(*tolerations: str) -> Place:
        if tolerations not in made:
            place = Place(server, {"guard": {"secrets": _secrets(helm), "tolerations": list(tolerations)}})
            place.give_pull_secrets()
            bad = whole(_least("spark-job", {"ids": "fixed"}), 0)
            bad["spec"]["nodeName"] = "any"
            server.cluster.wait_for(
                server.cluster.core.list_namespace,
                lambda *_: "nodeName" in place.refusal(bad) or None,
                "the guard",
                _DEADLINE_S,
            )
            made[tolerations] = place
        return made[tolerations]

    yield guarded_place
    for place in made.values():
        place.remove()


@pytest.mark.parametrize("platform", GUARDED)
def test_the_guard_takes_what_platforms_add(guarded_place: Callable[..., Place], helm: Helm, platform: str) -> None:
    change, guard, refused = GUARDED[platform]
    place = guarded_place(*guard.get("tolerations", []))
    with webhook(place.server, place.name, change) as seen:
        count = 0
        for about, pod in _of_all_charts(helm, ids="platform" if platform == "openshift" else "fixed"):
            place.ensure(pod)
            said = place.refusal(pod)
            assert (refused in said) if refused else not said, f"{about}: {said}"
            count += 1
        assert count > 10
        assert len(seen) >= count
        if platform == "istio":
            _keep_out(place, helm)


def _of_all_charts(helm: Helm, **facts: Any) -> Iterator[tuple[str, Body]]:
    """Each pod of the charts of a team's namespace, by their least values and, of jobs, in both modes."""
    for chart in OF_A_NAMESPACE:
        scenario = next(one for one in SCENARIOS if one.name.startswith(f"{chart}/01-"))
        for mode in ("client", "cluster") if chart == "spark-job" else ("",):
            values = {"global": facts, **({"mode": mode} if mode else {})}
            manifest = helm.template(
                chart=scenario.chart, files=scenario.files, values=values, kube=_KUBE, checked=False
            )
            rendered = Rendered(manifest, scenario.chart, "release-name", "default", _KUBE, values, ())
            for number, pod in enumerate(pods(rendered)):
                yield f"{chart} {mode} {pod.about}", whole(pod.body, number)


def _secrets(helm: Helm) -> list[str]:
    """The Secrets that these pods name."""
    found = set()
    for _, pod in _of_all_charts(helm):
        text = json.dumps(pod)
        found |= {volume["secret"]["secretName"] for volume in pod["spec"].get("volumes", []) if "secret" in volume}
        for container in containers(pod):
            for env in container.get("env", []):
                name = env.get("valueFrom", {}).get("secretKeyRef", {}).get("name")
                found |= {name} if name else set()
        assert text
    return sorted(found)


def _keep_out(place: Place, helm: Helm) -> None:
    """Pods with the guide's labels have no sidecar, and are admitted."""
    out = {"sidecar.istio.io/inject": "false"}
    values = {
        "app": {"file": _PI},
        "mode": "cluster",
        "driver": {"labels": out},
        "executor": {"labels": out},
        "global": {"helpers": {"labels": out}},
    }
    manifest = helm.template(CHARTS / "spark-job", values=values, kube=_KUBE, checked=False)
    rendered = Rendered(manifest, CHARTS / "spark-job", "release-name", "default", _KUBE, values, ())
    found = [whole(pod.body, number) for number, pod in enumerate(pods(rendered))]
    assert len(found) >= 4
    for pod in found:
        place.ensure(pod)
        assert not place.refusal(pod)
