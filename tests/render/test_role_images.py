"""An image for each role, and a driver without executors, in every chart that starts executors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from least_values import LEAST
from refusals import RefusalOf, Values

from chartproof import Helm, Manifest, Render
from kindling_dev.properties_page import properties_of

STARTERS = ("spark-job", "spark-notebook", "spark-connect")
DIGEST = f"sha256:{'0' * 64}"
OFFICIAL = "docker.io/apache/spark:4.3.0-python3"
OF_EXECUTORS = "spark.kubernetes.executor.container.image"
RenderOf = Callable[..., Manifest]


@pytest.fixture
def render_of(helm: Helm, charts: Path) -> RenderOf:
    """Renders a chart that starts executors with its least values; keyword arguments are values at the top level."""

    def render_of(chart: str, **values: Any) -> Manifest:
        return helm.template(charts / chart, values={**LEAST[chart], **values}, checked=False)

    return render_of


def driver_of(manifest: Manifest) -> dict[str, Any]:
    """The driver's pod, its spec: that of the Job, of the StatefulSet or, in cluster mode, the template."""
    for one in manifest.all("ConfigMap"):
        if "driver.json" in one.body["data"]:
            spec: dict[str, Any] = json.loads(one.body["data"]["driver.json"])["spec"]
            return spec
    (of_pods,) = [*manifest.all("Job"), *manifest.all("StatefulSet")]
    template: dict[str, Any] = of_pods.body["spec"]["template"]["spec"]
    return template


@pytest.mark.parametrize("chart", STARTERS)
@pytest.mark.parametrize(
    ("of_all", "own", "expected"),
    [
        ({}, {"tag": "4.3.0-java21-python3"}, "R/N:4.3.0-java21-python3"),
        ({}, {"repository": "data/gpu"}, "R/data/gpu:4.3.0-python3"),
        ({}, {"registry": "r.example.com"}, "r.example.com/N:4.3.0-python3"),
        ({}, {"digest": DIGEST}, f"R/N@{DIGEST}"),
        ({"tag": "4.3.0-a"}, {"repository": "data/gpu"}, "R/data/gpu:4.3.0-a"),
        ({"digest": DIGEST}, {"tag": "4.3.0-a"}, "R/N:4.3.0-a"),
        ({"digest": DIGEST}, {"registry": "r.example.com"}, f"r.example.com/N@{DIGEST}"),
    ],
)
def test_what_an_executors_image_leaves_out_is_images(
    render_of: RenderOf, chart: str, of_all: Values, own: Values, expected: str
) -> None:
    without = properties_of(render_of(chart))
    assert OF_EXECUTORS not in without
    registry, _, rest = without["spark.kubernetes.container.image"].partition("/")
    expected = expected.replace("R/", f"{registry}/").replace("/N", f"/{rest.partition(':')[0]}")
    manifest = render_of(chart, image=of_all, executor={"image": own})
    assert properties_of(manifest)[OF_EXECUTORS] == expected
    assert driver_of(manifest)["containers"][0]["image"] != expected


@pytest.mark.parametrize("chart", STARTERS)
def test_another_registry_holds_for_the_images_of_roles(render_of: RenderOf, chart: str) -> None:
    of_mirror = {**LEAST[chart].get("global", {}), "imageRegistry": "mirror.example.com"}
    own = {"registry": "r.example.com", "repository": "data/gpu"}
    conf = properties_of(render_of(chart, executor={"image": own}, **{"global": of_mirror}))
    assert conf[OF_EXECUTORS] == "mirror.example.com/data/gpu:4.3.0-python3"


def test_a_drivers_image_is_the_jobs_pods(render_job: Render) -> None:
    manifest = render_job(driver={"image": {"tag": "4.3.0-r2"}})
    assert driver_of(manifest)["containers"][0]["image"] == "docker.io/apache/spark:4.3.0-r2"
    assert properties_of(manifest)["spark.kubernetes.container.image"] == OFFICIAL


def test_a_drivers_image_in_cluster_mode_is_sparks_to_set(render_job: Render) -> None:
    manifest = render_job(mode="cluster", driver={"image": {"tag": "4.3.0-r2"}})
    assert properties_of(manifest)["spark.kubernetes.driver.container.image"] == "docker.io/apache/spark:4.3.0-r2"
    assert manifest.one("Job").container("submitter").body["image"] == OFFICIAL
    assert "spark.kubernetes.driver.container.image" not in properties_of(render_job(mode="cluster"))


def test_helpers_of_a_pod_have_its_roles_image(render_job: Render) -> None:
    manifest = render_job(
        driver={"image": {"tag": "4.3.0-d"}},
        executor={"image": {"tag": "4.3.0-e"}},
        **{"global": {"trust": {"configMap": "company-ca"}}},
    )
    executor = yaml.safe_load(manifest.one("ConfigMap").body["data"]["executor.yaml"])
    for spec, tag in ((driver_of(manifest), "4.3.0-d"), (executor["spec"], "4.3.0-e")):
        assert {container["image"] for container in spec["initContainers"]} == {f"docker.io/apache/spark:{tag}"}


VERSIONS = "says Spark 3.5.9 of executors and image.tag 4.3.0 of the driver, and these do not understand each other"
REFUSED = [
    ({"executor": {"image": {"tag": "3.5.9-python3"}}}, f"executor.image.tag {VERSIONS}"),
    (
        {
            "image": {"tag": "3.5.2"},
            "driver": {"image": {"tag": "3.5.1"}},
            "executor": {"image": {"tag": "3.5.1"}},
            "security": {"profile": "hardened"},
        },
        "driver.image.tag says Spark 3.5.1, which does not know it",
    ),
    (
        {"executor": {"instances": 0, "allocator": "statefulset"}},
        "executor.allocator is statefulset and executor.instances is 0, so there is no executor: leave it out, or",
    ),
    ({"executor": {"instances": 0, "decommission": True}}, "executor.decommission is true and executor.instances is 0"),
    (
        {"executor": {"instances": 0, "rolling": {"interval": "1h"}}},
        "executor.rolling.interval is 1h and executor.instances is 0",
    ),
    (
        {"sparkConf": {"spark.kubernetes.driver.master": "local[4]"}},
        "sparkConf sets spark.kubernetes.driver.master to local[4]: use instead executor.instances: 0",
    ),
    (
        {
            "global": {"sparkConf": {"spark.kubernetes.driver.master": "https://api.example.com"}},
            "executor": {"instances": 0},
        },
        "global.sparkConf sets spark.kubernetes.driver.master and executor.instances is 0",
    ),
    (
        {"driver": {"podTemplate": {"spec": {"containers": [{"name": "driver", "image": "a"}]}}}},
        "use instead: driver.image",
    ),
    (
        {"executor": {"podTemplate": {"spec": {"containers": [{"name": "executor", "image": "a"}]}}}},
        "use instead: executor.image",
    ),
    (
        {"submitter": {"podTemplate": {"spec": {"containers": [{"name": "submitter", "image": "a"}]}}}},
        "use instead: image",
    ),
]


@pytest.mark.parametrize(("values", "says"), REFUSED)
def test_values_of_roles_are_refused(render_job: Render, refusal_of: RefusalOf, values: Values, says: str) -> None:
    assert says in refusal_of(render_job, values)


@pytest.mark.parametrize("chart", STARTERS)
def test_a_driver_without_executors_runs_the_tasks(render_of: RenderOf, chart: str) -> None:
    alone = {"instances": 0, "dynamicAllocation": {"enabled": False}}
    conf = properties_of(render_of(chart, driver={"cores": 3}, executor=alone))
    assert conf["spark.master"] == "local[3]"
    assert "spark.executor.instances" not in conf, "Spark refuses 0"
    assert "spark.kubernetes.driver.master" not in conf


def test_in_cluster_mode_the_cluster_makes_such_a_driver(render_job: Render) -> None:
    conf = properties_of(render_job(mode="cluster", driver={"cores": 3}, executor={"instances": 0}))
    assert conf["spark.master"] == "k8s://https://kubernetes.default.svc"
    assert conf["spark.kubernetes.driver.master"] == "local[3]"
    assert "spark.executor.instances" not in conf


def test_a_driver_alone_has_the_id_of_its_pod(render_job: Render) -> None:
    client = render_job(executor={"instances": 0}).one("Job").container("driver")
    ids = [word for word in client.args if "app.id" in word or "appId" in word]
    assert ids == ["spark.test.appId=spark-$(POD_UID)"]
    (driver,) = driver_of(render_job(mode="cluster", executor={"instances": 0}))["containers"]
    env = {one["name"]: one for one in driver["env"]}
    assert env["SPARK_SUBMIT_OPTS"]["value"] == "-Dspark.test.appId=$(KINDLING_APP_ID)"
    label = env["KINDLING_APP_ID"]["valueFrom"]["fieldRef"]["fieldPath"]
    assert label == "metadata.labels['spark-app-selector']"
    names = list(env)
    assert names.index("KINDLING_APP_ID") < names.index("SPARK_SUBMIT_OPTS"), "Kubernetes expands what stands before"


@pytest.mark.parametrize("chart", STARTERS)
def test_dynamic_allocation_may_start_with_none(render_of: RenderOf, chart: str) -> None:
    conf = properties_of(render_of(chart, executor={"instances": 0, "dynamicAllocation": {"enabled": True}}))
    assert conf["spark.master"].startswith("k8s://")
    assert (conf["spark.executor.instances"], conf["spark.dynamicAllocation.initialExecutors"]) == ("0", "0")


CLAIM = {"name": "spark-local-dir-1", "mountPath": "/local", "onDemand": {"storageClass": "fast", "size": "1Gi"}}


@pytest.mark.parametrize("chart", STARTERS)
@pytest.mark.parametrize(("allocator", "by_spark"), [("direct", True), ("statefulset", False)])
def test_a_statefulsets_claims_are_its_pods(render_of: RenderOf, chart: str, allocator: str, by_spark: bool) -> None:
    executor = {"allocator": allocator, "dynamicAllocation": {"enabled": False}}
    manifest = render_of(chart, volumes=[CLAIM], executor=executor)
    data = next(one.body["data"] for one in manifest.all("ConfigMap") if "executor.yaml" in one.body["data"])
    spec = yaml.safe_load(data["executor.yaml"])["spec"]
    own = [volume["name"] for volume in spec["volumes"] if "ephemeral" in volume]
    mounted = [mount["name"] for mount in spec["containers"][0]["volumeMounts"] if mount["mountPath"] == "/local"]
    assert own == mounted == ([] if by_spark else ["spark-local-dir-1"])
    asked = [key for key in properties_of(manifest) if "persistentVolumeClaim.spark-local-dir-1" in key]
    assert bool(asked) == by_spark


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_a_drivers_statefulset_has_a_sweeper(helm: Helm, charts: Path, mode: str) -> None:
    def sweepers(allocator: str, version: str) -> list[Any]:
        values = {**LEAST["spark-job"], "mode": mode, "executor": {"allocator": allocator}}
        manifest = helm.template(charts / "spark-job", values=values, kube=version, checked=False)
        return [one for one in driver_of(manifest).get("initContainers") or [] if one["name"] == "sweeper"]

    assert sweepers("direct", "1.34") == sweepers("statefulset", "1.28") == []
    (sweeper,) = sweepers("statefulset", "1.34")
    assert sweeper["restartPolicy"] == "Always"
