"""How values shape each pod of each chart: what a mesh, a quota, tainted nodes or a platform that gives ids ask for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from least_values import LEAST
from refusals import RefusalOf

from chartproof import Helm, Manifest, Render
from chartproof.checks import Rendered
from chartproof.pods import Pod, pods
from chartproof.scenarios import Scenario
from kindling_dev.scenarios import SCENARIOS

Values = dict[str, Any]
PodsOf = Callable[..., dict[str, Pod]]
_LOGS = {"store": "s3", "url": "s3a://logs/all", "ca": {"configMap": "ca"}, "s3": {"endpoint": "https://s3:9000"}}
RELEASES: dict[str, Values] = {
    "spark-job": {"mode": "cluster", "app": {"file": "local:///app.py"}, "global": {"eventLog": _LOGS}},
    "spark-namespace": {"namespace": {"create": False}, "global": {"eventLog": _LOGS}},
    "spark-history-server": {"global": {"eventLog": _LOGS}},
    "spark-ui-proxy": {"namespaces": {"names": ["team-a"]}},
}
"""Releases that have every pod of their chart."""
HELPERS: Values = {
    "limitCores": "500m",
    "labels": {"sidecar.istio.io/inject": "false"},
    "annotations": {"linkerd.io/inject": "disabled"},
    "nodeSelector": {"pool": "small"},
    "tolerations": [{"key": "small", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "helpers",
}
HELPER_PODS = [
    ("spark-job", "Pod/nightly-test"),
    ("spark-job", "Job/nightly"),
    ("spark-namespace", "Pod/nightly-test"),
    ("spark-history-server", "Pod/nightly-test"),
    ("spark-ui-proxy", "Pod/nightly-test"),
]
ALL_PODS = [
    *HELPER_PODS,
    ("spark-job", "ConfigMap/nightly driver.json"),
    ("spark-job", "ConfigMap/nightly executor.yaml"),
    ("spark-namespace", "ConfigMap/spark-defaults pod-template.yaml"),
    ("spark-namespace", "ConfigMap/spark-defaults executor-pod-template.yaml"),
    ("spark-history-server", "Deployment/nightly"),
    ("spark-ui-proxy", "Deployment/nightly"),
]
SERVICES = {"spark-history-server": "history-server", "spark-ui-proxy": "decider"}
"""Charts of a Deployment, and a container of it."""
INIT_CONTAINERS = [
    ("spark-job", "ConfigMap/nightly driver.json", "trust"),
    ("spark-namespace", "ConfigMap/spark-defaults pod-template.yaml", "trust"),
    ("spark-history-server", "Deployment/nightly", "trust"),
    ("spark-history-server", "Deployment/nightly", "log-folder"),
    ("spark-history-server", "Pod/nightly-test", "trust"),
]
by_name = "{0[0]}: {0[1]}".format


def merged(base: Values, extra: Values) -> Values:
    """Values with others on top."""
    both = {key: merged(base[key], extra[key]) for key in base.keys() & extra.keys() if isinstance(base[key], dict)}
    return {**base, **extra, **both}


@pytest.fixture
def pods_of(helm: Helm, charts: Path) -> PodsOf:
    """The pods of a release "nightly" of a chart, by object and key; the hash of a run is left out."""

    def pods_of(chart: str, **values: Any) -> dict[str, Pod]:
        folder, given = charts / chart, merged(RELEASES[chart], values)
        manifest: Manifest = helm.template(folder, release="nightly", namespace="team-a", values=given, checked=False)
        found = pods(Rendered(manifest, folder, "nightly", "team-a", "", given))
        run = next((job.name for job in manifest.all("Job")), "nightly")
        return {pod.about.replace(run, "nightly"): pod for pod in found}

    return pods_of


def test_the_table_has_every_pod_of_every_chart(pods_of: PodsOf) -> None:
    assert {(chart, about) for chart in RELEASES for about in pods_of(chart)} == set(ALL_PODS)


@pytest.mark.parametrize("which", HELPER_PODS, ids=by_name)
def test_a_helpers_pod_is_shaped(pods_of: PodsOf, which: tuple[str, str]) -> None:
    chart, about = which
    pod = pods_of(chart, **{"global": {"helpers": HELPERS}})[about]
    assert pod.labels.items() >= HELPERS["labels"].items()
    assert pod.metadata["annotations"].items() >= HELPERS["annotations"].items()
    for field in ("nodeSelector", "tolerations", "affinity"):
        assert pod.spec[field] == HELPERS[field]
    assert pod.spec.get("priorityClassName") == ("helpers" if about.startswith("Pod/") else None)


@pytest.mark.parametrize("which", HELPER_PODS, ids=by_name)
def test_a_helpers_container_has_a_cpu_limit(pods_of: PodsOf, which: tuple[str, str]) -> None:
    chart, about = which
    pod = pods_of(chart, **{"global": {"helpers": HELPERS}})[about]
    assert [container["resources"]["limits"]["cpu"] for container in pod.containers] == ["500m"] * len(pod.containers)


@pytest.mark.parametrize("which", INIT_CONTAINERS, ids="{0[1]}: {0[2]}".format)
def test_an_init_container_has_a_cpu_limit(pods_of: PodsOf, which: tuple[str, str, str]) -> None:
    chart, about, name = which
    pod = pods_of(chart, **{"global": {"helpers": HELPERS}})[about]
    (container,) = (container for container in pod.spec["initContainers"] if container["name"] == name)
    assert container["resources"]["limits"]["cpu"] == "500m"


@pytest.mark.parametrize("which", ALL_PODS, ids=by_name)
def test_a_platform_may_give_the_ids(pods_of: PodsOf, which: tuple[str, str]) -> None:
    chart, about = which
    ids = {"runAsUser", "runAsGroup", "fsGroup"}
    assert ids <= pods_of(chart)[about].spec["securityContext"].keys()
    pod = pods_of(chart, **{"global": {"ids": "platform"}})[about]
    assert pod.spec["securityContext"]["runAsNonRoot"] is True
    for holder in (pod.spec, *pod.containers):
        assert not ids & holder["securityContext"].keys()


@pytest.mark.parametrize("which", ALL_PODS, ids=by_name)
def test_a_pod_has_the_pull_secrets(pods_of: PodsOf, which: tuple[str, str]) -> None:
    chart, about = which
    pod = pods_of(chart, image={"pullSecrets": ["registry"]})[about]
    assert pod.spec["imagePullSecrets"] == [{"name": "registry"}]


def test_the_submitter_has_what_a_proxy_of_packages_needs(pods_of: PodsOf) -> None:
    settings = {"name": "ivy", "mountPath": "/ivy", "configMap": {"name": "ivy"}, "roles": ["submitter"]}
    submitter = {
        "env": {"HTTPS_PROXY": "http://proxy:3128"},
        "envFrom": [{"secretRef": {"name": "login"}}],
        "jvmOptions": "-Dhttps.proxyHost=proxy",
        "limitCores": 1,
        "podTemplate": {"metadata": {"labels": {"team": "a"}}, "spec": {"hostAliases": [{"ip": "10.0.0.1"}]}},
    }
    release = pods_of("spark-job", submitter=submitter, volumes=[settings], localDirs={"memory": True})
    pod = release["Job/nightly"]
    (container,) = pod.containers
    env = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert env["HTTPS_PROXY"] == "http://proxy:3128"
    assert env["SPARK_SUBMIT_OPTS"].endswith(" -Dhttps.proxyHost=proxy")
    assert container["envFrom"] == submitter["envFrom"]
    assert container["resources"]["limits"]["cpu"] == "1"
    assert {"name": "ivy", "mountPath": "/ivy"} in container["volumeMounts"]
    assert {"name": "ivy", "configMap": {"name": "ivy"}} in pod.spec["volumes"]
    assert not any("spark-local-dir" in volume["name"] for volume in pod.spec["volumes"]), "Spark keeps no data there"
    assert pod.labels["team"] == "a"
    assert pod.spec["hostAliases"] == [{"ip": "10.0.0.1"}]
    driver = release["ConfigMap/nightly driver.json"]
    assert not any(volume["name"] == "ivy" for volume in driver.spec["volumes"])


def test_the_submitter_runs_where_the_driver_may(pods_of: PodsOf) -> None:
    pod = pods_of("spark-job", driver={"nodeSelector": {"pool": "spark"}})["Job/nightly"]
    assert pod.spec["nodeSelector"] == {"pool": "spark"}


def test_a_history_servers_sidecar_keeps_what_is_false(pods_of: PodsOf) -> None:
    proxy = {"name": "proxy", "image": "proxy:1", "securityContext": {"readOnlyRootFilesystem": False}}
    pod = pods_of("spark-history-server", sidecars=[proxy])["Deployment/nightly"]
    (container,) = (container for container in pod.containers if container["name"] == "proxy")
    assert container["securityContext"]["readOnlyRootFilesystem"] is False
    assert container["securityContext"]["allowPrivilegeEscalation"] is False


def test_the_proxys_pods_are_shaped(pods_of: PodsOf) -> None:
    shape = {"labels": {"team": "a"}, "annotations": {"b": "c"}, "affinity": {"nodeAffinity": {}}}
    pod = pods_of("spark-ui-proxy", **shape)["Deployment/nightly"]
    assert pod.labels["team"] == "a"
    assert pod.metadata["annotations"].keys() == {"b", "checksum/config"}
    assert pod.spec["affinity"] == {"nodeAffinity": {}}


@pytest.mark.parametrize(("chart", "name"), SERVICES.items())
def test_a_services_pod_template_is_merged(pods_of: PodsOf, chart: str, name: str) -> None:
    claim = {"name": "tmp", "persistentVolumeClaim": {"claimName": "scratch"}}
    container = {
        "name": name,
        "env": [
            {"name": "HTTPS_PROXY", "value": "http://proxy:3128"},
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}},
        ],
        "volumeMounts": [{"name": "more", "mountPath": "/more"}],
        "securityContext": {"readOnlyRootFilesystem": False},
    }
    spec = {"hostUsers": False, "volumes": [claim, {"name": "more", "emptyDir": {}}], "containers": [container]}
    template = {"metadata": {"labels": {"team": "a"}, "annotations": {"b": "c"}}, "spec": spec}
    plain, pod = (pods_of(chart, **values)["Deployment/nightly"] for values in ({}, {"podTemplate": template}))
    assert pod.labels == {**plain.labels, "team": "a"}
    assert pod.metadata["annotations"] == {**plain.metadata["annotations"], "b": "c"}
    assert pod.spec["hostUsers"] is False
    assert [volume for volume in pod.spec["volumes"] if volume["name"] == "tmp"] == [claim]
    before, after = (next(each for each in of.containers if each["name"] == name) for of in (plain, pod))
    assert after["env"] == [*before["env"], *container["env"]]
    assert after["volumeMounts"] == [*before["volumeMounts"], *container["volumeMounts"]]
    assert after["securityContext"] == {**before["securityContext"], "readOnlyRootFilesystem": False}
    assert after["image"] == before["image"]


def test_a_history_server_has_an_environment(pods_of: PodsOf) -> None:
    password = {"secretKeyRef": {"name": "login", "key": "password"}}
    pod = pods_of("spark-history-server", env={"A": "$(B)", "PASSWORD": password})["Deployment/nightly"]
    (container,) = pod.spec["containers"]
    assert container["env"][-2:] == [{"name": "A", "value": "$$(B)"}, {"name": "PASSWORD", "valueFrom": password}]


@pytest.mark.parametrize("chart", SERVICES)
def test_a_service_has_annotations(helm: Helm, charts: Path, chart: str) -> None:
    values = merged(RELEASES[chart], {"service": {"annotations": {"cloud/internal": "true"}}})
    service = helm.template(charts / chart, values=values, checked=False).one("Service")
    assert service.body["metadata"]["annotations"] == {"cloud/internal": "true"}


def test_a_jobs_config_map_has_labels_and_annotations(render_job: Render) -> None:
    made = render_job(configMap={"labels": {"team": "a"}, "annotations": {"b": "c"}}).one("ConfigMap")
    assert made.body["metadata"]["labels"]["team"] == "a"
    assert made.body["metadata"]["annotations"] == {"b": "c"}
    assert made.name == render_job().one("ConfigMap").name, "a label is no other run"


@pytest.mark.parametrize("chart", RELEASES)
def test_common_labels_are_on_every_object(helm: Helm, charts: Path, chart: str) -> None:
    values = merged(RELEASES[chart], {"global": {"commonLabels": {"cost-center": "42"}}})
    manifest = helm.template(charts / chart, release="nightly", namespace="team-a", values=values, checked=False)
    assert {
        resource.name for resource in manifest if resource.body["metadata"]["labels"].get("cost-center") != "42"
    } == set()


@pytest.mark.parametrize("mode", ["client", "cluster"])
@pytest.mark.parametrize("cron", ["", "@daily"])
def test_a_job_waits_in_a_queue(render_job: Render, mode: str, cron: str) -> None:
    job = {"labels": {"kueue.x-k8s.io/queue-name": "nightly"}, "annotations": {"a": "b"}, "suspend": True}
    made = render_job(mode=mode, job=job, schedule={"cron": cron}).one("CronJob" if cron else "Job").body
    for body in (made, made["spec"]["jobTemplate"]) if cron else (made,):
        assert body["metadata"]["labels"].items() >= job["labels"].items()  # type: ignore[attr-defined]
        assert body["metadata"]["annotations"]["a"] == "b"
    assert (made["spec"]["jobTemplate"] if cron else made)["spec"]["suspend"] is True
    plain = render_job(mode=mode, schedule={"cron": cron}).one("CronJob" if cron else "Job")
    assert plain.name == made["metadata"]["name"], "waiting is no other run"


@pytest.mark.parametrize("role", ["submitter", "driver", "executor", "history"])
def test_a_service_account_has_annotations(render_namespace: Render, role: str) -> None:
    account = render_namespace(serviceAccountAnnotations={role: {"cloud/role": "r"}}).one(
        "ServiceAccount", f"spark-{role}"
    )
    assert account.body["metadata"]["annotations"] == {"cloud/role": "r"}


def test_the_proxys_service_account_has_annotations(helm: Helm, charts: Path) -> None:
    values = {**RELEASES["spark-ui-proxy"], "serviceAccount": {"annotations": {"cloud/role": "r"}}}
    account = helm.template(charts / "spark-ui-proxy", values=values).one("ServiceAccount")
    assert account.body["metadata"]["annotations"] == {"cloud/role": "r"}


@pytest.mark.parametrize("chart", RELEASES)
def test_a_label_given_twice_is_one_label(helm: Helm, charts: Path, chart: str) -> None:
    facts = {"commonLabels": {"team": "a"}, "helpers": {"labels": {"team": "b"}}}
    twice: dict[str, Values] = {
        "spark-job": {"job": {"labels": {"team": "b"}}},
        "spark-namespace": {"namespace": {"name": "team-a", "create": True, "labels": {"team": "b"}}},
    }
    values = merged(merged(RELEASES[chart], {"global": facts}), twice.get(chart, {}))
    manifest = helm.template(charts / chart, release="nightly", namespace="admins", values=values, checked=False)
    own = [resource for resource in manifest if resource.kind in ("Job", "Namespace", "Pod")]
    assert own
    for resource in own:
        assert resource.body["metadata"]["labels"]["team"] == "b"
    for document in manifest.text.split("---\n"):
        labels = document.partition("\nspec:")[0].partition("\ndata:")[0]
        assert labels.count("    team: ") <= 1, document


def test_a_pod_templates_volume_replaces_the_charts(pods_of: PodsOf) -> None:
    claim = {"name": "tmp", "persistentVolumeClaim": {"claimName": "scratch"}}
    container = {"name": "submitter", "env": [{"name": "A", "value": "2"}]}
    template = {"spec": {"volumes": [claim], "containers": [container]}}
    pod = pods_of("spark-job", submitter={"env": {"A": "1"}, "podTemplate": template})["Job/nightly"]
    assert [volume for volume in pod.spec["volumes"] if volume["name"] == "tmp"] == [claim]
    (main,) = pod.containers
    assert [variable for variable in main["env"] if variable["name"] == "A"] == [{"name": "A", "value": "2"}]


FORMS: dict[str, tuple[Any, str]] = {
    "no labels": ({"metadata": {"labels": None}}, "metadata.labels is null, where Kubernetes takes a map"),
    "a number as a label": ({"metadata": {"labels": {"a": 1}}}, "metadata.labels.a is 1, where Kubernetes takes text"),
    "no containers": ({"spec": {"containers": None}}, "spec.containers is null, where Kubernetes takes a list"),
    "a container as text": ({"spec": {"containers": ["x"]}}, 'an item of spark.spec.containers is "x"'),
    "no volumes": ({"spec": {"volumes": None}}, "spec.volumes is null, where Kubernetes takes a list"),
    "a volume without a name": ({"spec": {"volumes": [{"emptyDir": {}}]}}, "has no name: give it one"),
    "a volume with a number as its name": (
        {"spec": {"volumes": [{"name": 1}]}},
        "the name of an item of spark.spec.volumes is 1, where Kubernetes takes text",
    ),
    "two volumes": ({"spec": {"volumes": [{"name": "a"}, {"name": "a"}]}}, 'spec.volumes has two named "a"'),
    "an init container of Spark's name": (
        {"spec": {"initContainers": [{"name": "ROLE"}]}},
        'the ROLE\'s pod has two containers named "ROLE"',
    ),
    "no variables": ({"spec": {"containers": [{"name": "ROLE", "env": None}]}}, "env is null"),
    "a number as a variable": (
        {"spec": {"containers": [{"name": "ROLE", "env": [{"name": "A", "value": 1}]}]}},
        "env A is 1, where Kubernetes takes text: quote it",
    ),
    "no resources": ({"spec": {"containers": [{"name": "ROLE", "resources": None}]}}, "resources is null"),
}


@pytest.mark.parametrize("role", ["driver", "executor", "submitter"])
@pytest.mark.parametrize(("template", "words"), FORMS.values(), ids=FORMS)
def test_a_pod_template_of_another_form_is_refused_in_a_line(
    pods_of: PodsOf, refusal_of: RefusalOf, role: str, template: Any, words: str
) -> None:
    given = json.loads(json.dumps(template).replace("ROLE", role))
    said = refusal_of(lambda **more: pods_of("spark-job", **more), {role: {"podTemplate": given}})  # type: ignore[arg-type]
    assert words.replace("spark.spec", f"{role}.podTemplate.spec").replace("ROLE", role) in said
    assert len(said.partition("\n\nUse --debug")[0].splitlines()) == 1


REFUSED = [
    ({"global": {"helpers": {"limitCores": "10m"}}}, 'global.helpers.limitCores is "10m", and the charts'),
    ({"global": {"helpers": {"limitCores": 0}}}, 'global.helpers.limitCores is "0", and the charts'),
    ({"global": {"helpers": {"limitcores": 1}}}, "limitcores"),
    (
        {"global": {"commonLabels": {"pod-security.kubernetes.io/enforce": "privileged"}}},
        "global.commonLabels sets pod-security.kubernetes.io/enforce",
    ),
    ({"global": {"commonLabels": {"helm.sh/chart": "x"}}}, "global.commonLabels sets helm.sh/chart"),
    ({"global": {"helpers": {"labels": {"app.kubernetes.io/name": "x"}}}}, "global.helpers.labels sets app.kubernetes"),
    ({"global": {"helpers": {"annotations": {"helm.sh/hook": "x"}}}}, "global.helpers.annotations sets helm.sh/hook"),
    ({"global": {"helpers": {"limitCores": "much"}}}, "global.helpers.limitCores is "),
    ({"global": {"ids": "mine"}}, "/global/ids"),
]
REFUSED_OF_A_SERVICE: list[tuple[Values, str]] = [
    ({"podTemplate": {"metadata": {"labels": {"spark-role": "driver"}}}}, "podTemplate sets spark-role"),
    ({"podTemplate": {"metadata": {"name": "x"}}}, "podTemplate sets metadata.name, which the chart sets itself"),
    (
        {"podTemplate": {"metadata": {"annotations": {"checksum/config": "x"}}}},
        "podTemplate.metadata.annotations sets checksum/config",
    ),
    ({"podTemplate": {"spec": {"serviceAccountName": "x"}}}, "podTemplate sets spec.serviceAccountName"),
    ({"podTemplate": {"spec": {"automountServiceAccountToken": True}}}, "leave it out: "),
    ({"podTemplate": {"kind": "Pod"}}, "/podTemplate"),
]
REFUSED_OF_A_HISTORY_SERVER: list[tuple[Values, str]] = [
    ({"service": {"annotations": {"helm.sh/hook": "x"}}}, "service.annotations sets helm.sh/hook"),
    ({"labels": {"spark-role": "driver"}}, "labels sets spark-role"),
    ({"env": {"SPARK_HISTORY_OPTS": "x"}}, 'the server\'s pod has two variables named "SPARK_HISTORY_OPTS"'),
    (
        {"podTemplate": {"spec": {"volumes": [{"name": "kindling"}]}}},
        'podTemplate has a volume named "kindling", which the chart sets itself',
    ),
    (
        {"podTemplate": {"spec": {"containers": [{"name": "history-server", "image": "x"}]}}},
        "podTemplate sets image of container history-server, which the chart sets itself; use instead: image",
    ),
    (
        {"podTemplate": {"spec": {"containers": [{"name": "history-server", "ports": [{"name": "history-ui"}]}]}}},
        'two ports named "history-ui"',
    ),
]
REFUSED_OF_THE_PROXY: list[tuple[Values, str]] = [
    (
        {"podTemplate": {"spec": {"volumes": [{"name": "token"}]}}},
        'podTemplate has a volume named "token", which the chart sets itself',
    ),
    (
        {"podTemplate": {"spec": {"containers": [{"name": "decider", "resources": {}}]}}},
        "podTemplate sets resources of container decider, which the chart sets itself; use instead: resources",
    ),
    (
        {
            "podTemplate": {
                "spec": {"containers": [{"name": "nginx", "volumeMounts": [{"name": "tmp", "mountPath": "/tmp/"}]}]}
            }
        },
        "container nginx of the proxy's pod mounts two volumes at /tmp, of which one may be the chart's",
    ),
    ({"labels": {"app.kubernetes.io/name": "x"}}, "labels sets app.kubernetes.io/name"),
    ({"labels": {"spark-role": "driver"}}, "labels sets spark-role"),
    ({"annotations": {"checksum/config": "x"}}, "annotations sets checksum/config"),
    ({"serviceAccount": {"annotations": {"helm.sh/hook": "x"}}}, "serviceAccount.annotations sets helm.sh/hook"),
    (
        {"resources": {"decider": {"requests": {"cpu": 1}}}, "global": {"helpers": {"limitCores": "500m"}}},
        'global.helpers.limitCores is "500m", less than resources.decider.requests.cpu, "1"',
    ),
]
REFUSED_OF_A_NAMESPACE = [
    (
        {"serviceAccountAnnotations": {"driver": {"meta.helm.sh/release-name": "x"}}},
        "serviceAccountAnnotations.driver sets meta.helm.sh/release-name",
    ),
]
REFUSED_OF_A_JOB = [
    ({"job": {"annotations": {"helm.sh/hook": "test"}}}, "job.annotations sets helm.sh/hook"),
    (
        {"submitter": {"requestCores": 2}, "global": {"helpers": {"limitCores": "500m"}}},
        'global.helpers.limitCores is "500m", less than submitter.requestCores, "2"',
    ),
    (
        {
            "submitter": {
                "podTemplate": {
                    "spec": {
                        "containers": [{"name": "submitter", "env": [{"name": "SPARK_SUBMIT_OPTS", "value": "x"}]}]
                    }
                }
            }
        },
        "submitter.podTemplate sets SPARK_SUBMIT_OPTS, which the chart sets itself: use submitter.jvmOptions",
    ),
    (
        {
            "driver": {
                "podTemplate": {
                    "spec": {"containers": [{"name": "driver", "env": [{"name": "JDK_JAVA_OPTIONS", "value": "x"}]}]}
                }
            }
        },
        "driver.podTemplate sets JDK_JAVA_OPTIONS, which the chart sets itself: take another name",
    ),
    ({"configMap": {"labels": {"helm.sh/chart": "x"}}}, "configMap.labels sets helm.sh/chart"),
    ({"configMap": {"annotations": {"helm.sh/hook": "x"}}}, "configMap.annotations sets helm.sh/hook"),
    (
        {"driver": {"podTemplate": {"spec": {"volumes": [{"name": "kindling"}]}}}},
        'driver.podTemplate has a volume named "kindling", which the chart sets itself: give it another name',
    ),
    (
        {
            "mode": "client",
            "volumes": [{"name": "a", "mountPath": "/data", "emptyDir": {}}],
            "driver": {
                "podTemplate": {
                    "spec": {
                        "volumes": [{"name": "b"}],
                        "containers": [{"name": "driver", "volumeMounts": [{"name": "b", "mountPath": "/data"}]}],
                    }
                }
            },
        },
        "container driver of the driver's pod mounts two volumes at /data, of which one may be the chart's",
    ),
    (
        {
            "volumes": [{"name": "tmp", "mountPath": "/x", "onDemand": {"storageClass": "fast", "size": "1Gi"}}],
            "driver": {"podTemplate": {"spec": {"volumes": [{"name": "tmp", "emptyDir": {}}]}}},
        },
        "the executor's pod has two volumes named \"tmp\", of which one may be the chart's",
    ),
    (
        {"volumes": [{"name": "a", "mountPath": "/tmp/kindling", "roles": ["submitter"], "emptyDir": {}}]},
        "mounts two volumes at /tmp/kindling, of which one may be the chart's",
    ),
    ({"job": {"labels": {"app.kubernetes.io/instance": "x"}}}, "job.labels sets app.kubernetes.io/instance"),
    ({"job": {"annotations": {"kindling.local/config-sha256": "x"}}}, "job.annotations sets kindling.local/config"),
    ({"submitter": {"limitCores": "50m"}}, 'submitter.limitCores is "50m", less than submitter.requestCores, "100m"'),
    (
        {"mode": "cluster", "submitter": {"env": {"POD_NAME": "x"}}},
        'container submitter of the submitter\'s pod has two variables named "POD_NAME"',
    ),
    ({"submitter": {"env": {"SPARK_SUBMIT_OPTS": "x"}}}, "use submitter.jvmOptions"),
    (
        {"submitter": {"podTemplate": {"spec": {"serviceAccountName": "x"}}}},
        "submitter.podTemplate sets spec.serviceAccountName, which the chart sets itself; use instead: global.service",
    ),
    (
        {"submitter": {"podTemplate": {"spec": {"containers": [{"name": "x"}]}}}},
        'a container named "x" beside Spark\'s: the run would wait for its end; use instead: spec.initContainers',
    ),
    (
        {
            "submitter": {
                "podTemplate": {"spec": {"containers": [{"name": "submitter", "resources": {"limits": {"memory": 1}}}]}}
            }
        },
        "use instead: submitter.memory",
    ),
]


@pytest.mark.parametrize(
    ("chart", "values", "words"),
    [
        *((chart, *refused) for chart in RELEASES for refused in REFUSED),
        *(("spark-job", *refused) for refused in REFUSED_OF_A_JOB),
        *(("spark-namespace", *refused) for refused in REFUSED_OF_A_NAMESPACE),
        *((chart, *refused) for chart in SERVICES for refused in REFUSED_OF_A_SERVICE),
        *(("spark-history-server", *refused) for refused in REFUSED_OF_A_HISTORY_SERVER),
        *(("spark-ui-proxy", *refused) for refused in REFUSED_OF_THE_PROXY),
    ],
)
def test_a_shape_that_cannot_work_is_refused(
    pods_of: PodsOf, refusal_of: RefusalOf, chart: str, values: Values, words: str
) -> None:
    assert words in refusal_of(lambda **given: pods_of(chart, **given), values)  # type: ignore[arg-type]


@pytest.mark.parametrize("chart", sorted(LEAST))
def test_helm_tests_pods_never_outlive_their_release(helm: Helm, charts: Path, chart: str) -> None:
    # With Kerberos spark-namespace has one more.
    login = {"realm": "EXAMPLE.COM", "principal": "etl@EXAMPLE.COM", "keytab": {"name": "etl"}}
    more = {"global": {"hadoop": {"configMap": "hadoop"}, "kerberos": login}} if chart == "spark-namespace" else {}
    values = {**LEAST[chart], **more}
    manifest = helm.template(charts / chart, values=values, checked=False)
    hooks = [pod.body["metadata"]["annotations"] for pod in manifest.all("Pod")]
    assert len(hooks) == (2 if chart == "spark-namespace" else 1)
    for hook in hooks:
        assert hook["helm.sh/hook"] == "test"
        deleted = set(hook["helm.sh/hook-delete-policy"].split(","))
        assert deleted == {"before-hook-creation", "hook-succeeded", "hook-failed"}
        assert set(hook["helm.sh/hook-output-log-policy"].split(",")) == {"hook-succeeded", "hook-failed"}


_PROGRAMS_WITH_A_JVM = ("spark-class", "spark-submit", "/bin/java", "hdfs")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_what_starts_a_jvm_goes_by_the_entrypoint(helm: Helm, scenario: Scenario) -> None:
    """It gives a name to the user that a platform chose, and Hadoop refuses a user without one."""
    for pod in pods(scenario.render(helm, "1.34")):
        for container in pod.containers:
            command = " ".join(map(str, container.get("command") or []))
            whole = " ".join([command, *map(str, container.get("args") or [])])
            if command and any(program in whole for program in _PROGRAMS_WITH_A_JVM):
                assert "/opt/entrypoint.sh" in whole, f"{pod.about} {container['name']}"
