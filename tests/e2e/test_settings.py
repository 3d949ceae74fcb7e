"""Every setting of spark-job, seen on the pods that Spark really made and from within them: both modes, both lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from depot import DEPENDENCIES, configmap
from grants import bind, service_account
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from prometheus_client.parser import text_string_to_metric_families
from team import EACH, QUICK, SMALL, Team, served

from chartproof import Cluster
from kindling_dev.spark_image import DEFAULT_LINE, SparkLine

APP = (Path(__file__).parent / "apps/settings.py").read_text()
NAME = "Täglicher Bericht № 1: $(HOME) " + "x" * 300
REPOSITORY = [
    {"key": f"packaged.{end}", "path": f"local/kindling/packaged/1.0/packaged-1.0.{end}"} for end in ("jar", "pom")
]


@pytest.fixture
def classes(team: Team, cluster: Cluster) -> Iterator[str]:
    """A PriorityClass and a RuntimeClass named after the team, as its guard lists them."""
    name = team.name
    metadata = client.V1ObjectMeta(name=name)
    scheduling, node = client.SchedulingV1Api(cluster.api_client), client.NodeV1Api(cluster.api_client)
    scheduling.create_priority_class(client.V1PriorityClass(metadata=metadata, value=1000, preemption_policy="Never"))
    node.create_runtime_class(client.V1RuntimeClass(metadata=metadata, handler="runc"))
    yield name
    scheduling.delete_priority_class(name)
    node.delete_runtime_class(name)


@pytest.fixture
def depot(cluster: Cluster, new_namespace: Callable[..., str]) -> str:
    """Address of a web server that has the dependencies, as a company's artifact store has: in no team's namespace."""
    namespace = new_namespace("depot")
    cluster.core.create_namespaced_config_map(namespace, configmap(DEPENDENCIES))
    items = [{"key": name, "path": name} for name in DEPENDENCIES] + REPOSITORY
    container = {
        "name": "depot",
        "image": f"docker.io/{DEFAULT_LINE.published}",
        "command": ["python3", "-m", "http.server", "8000", "--directory", "/depot"],
        "volumeMounts": [{"name": "depot", "mountPath": "/depot"}],
    }
    volumes = [{"name": "depot", "configMap": {"name": "dependencies", "items": items}}]
    return f"http://{served(cluster, namespace, container, volumes, 8000)}"


@pytest.fixture
def prepared(team: Team) -> None:
    """What a run refers to is there: dependencies, a Secret, a ConfigMap, a claim, accounts of its own."""
    core, where = team.cluster.core, team.name
    core.create_namespaced_config_map(where, configmap(DEPENDENCIES))
    core.create_namespaced_config_map(where, {"metadata": {"name": "settings"}, "data": {"COLOUR": "green"}})
    core.create_namespaced_secret(where, {"metadata": {"name": "password"}, "stringData": {"password": "open sesame"}})
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    core.create_namespaced_persistent_volume_claim(where, {"metadata": {"name": "data"}, "spec": claim})
    for role in ("driver", "executor"):
        core.create_namespaced_service_account(where, {"metadata": {"name": f"other-{role}"}})
    bind(team.cluster, where, [service_account(where, "other-driver")], "Role/spark-driver", "create pods")


def role_values(role: str, image: str, class_name: str) -> dict[str, Any]:
    """The values that driver and executors have alike."""
    beside = {"image": image, "resources": {"requests": {"cpu": "5m"}, "limits": {"memory": "32Mi"}}}
    return {
        **SMALL[role],
        "limitCores": 2,
        "memory": "600m",
        "memoryOverhead": "500m",
        "labels": {"team": "a"},
        "annotations": {"example.com/note": "a: b"},
        "env": {"STAGE": "test", "PASSWORD": {"secretKeyRef": {"name": "password", "key": "password"}}},
        "envFrom": [{"configMapRef": {"name": "settings"}}],
        "serviceAccountName": f"other-{role}",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "spark", "operator": "Exists"}],
        "affinity": yaml.safe_load("""
            nodeAffinity:
              preferredDuringSchedulingIgnoredDuringExecution:
                - weight: 1
                  preference: {matchExpressions: [{key: spark, operator: Exists}]}"""),
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
        ],
        "priorityClassName": class_name,
        "schedulerName": "default-scheduler",
        "runtimeClassName": class_name,
        "terminationGracePeriodSeconds": 7,
        "initContainers": [{"name": "prepare", "command": ["true"], **beside}],
        "sidecars": [{"name": "agent", "command": ["sleep", "86400"], **beside}],
        "podTemplate": {
            "metadata": {"annotations": {"example.com/more": "yes"}},
            "spec": {
                "dnsConfig": {"options": [{"name": "ndots", "value": "2"}]},
                "containers": [{"name": role, "env": [{"name": "MORE", "value": "of it"}]}],
            },
        },
    }


def with_ids(role: dict[str, Any], text: str) -> dict[str, Any]:
    """A role's values with an annotation in which Spark writes its ids."""
    return {**role, "annotations": {**role["annotations"], "example.com/ids": text}}


def values(mode: str, image: str, class_name: str, depot: str) -> dict[str, Any]:
    """Everything at once."""
    return {
        "mode": mode,
        "app": {
            "name": NAME,
            "source": APP,
            "args": ["a b", "$(HOME)", 3, "a$$b", "$$(HOME)", "DO $$ x $$"],
            "pyFiles": [f"{depot}/lib.zip"],
            "jars": ["local:///deps/lib.jar", f"{depot}/packaged.jar"],
            # Cluster mode refuses places of both kinds at once.
            "files": [f"{depot}/words.txt", *(["local:///deps/packaged.pom"] if mode == "client" else [])],
            "archives": [f"{depot}/env.tar.gz#unpacked"],
            "packages": ["local.kindling:packaged:1.0"],
            "repositories": [depot],
        },
        "volumes": [
            {"name": "deps", "mountPath": "/deps", "configMap": {"name": "dependencies"}},
            {"name": "settings", "mountPath": "/settings", "configMap": {"name": "settings"}},
            {
                "name": "conf",
                "mountPath": "/opt/spark/conf/colours.properties",
                "subPath": "COLOUR",
                "configMap": {"name": "settings"},
                "roles": ["driver" if mode == "client" else "submitter", "executor"],
            },
            {"name": "secret", "mountPath": "/secret", "readOnly": True, "secret": {"secretName": "password"}},
            {"name": "claim", "mountPath": "/claim", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "scratch", "mountPath": "/scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}},
            {
                "name": "spark-local-dir-1",
                "mountPath": "/local-1",
                "onDemand": {"storageClass": "standard", "size": "1Mi"},
            },
        ],
        "localDirs": {"memory": True, "size": "64Mi"},
        "log": {"json": True, "level": "INFO"},
        "metrics": {"enabled": True, "annotations": True},
        "driver": with_ids(
            {**role_values("driver", image, class_name), "disruptionBudget": True}, "{{APP_ID}}" * (mode == "cluster")
        ),
        "executor": with_ids(role_values("executor", image, class_name), "{{APP_ID}}/{{EXECUTOR_ID}}"),
        "image": {"tag": image.rpartition(":")[2], "pullSecrets": ["registry"]},
        "sparkConf": {**QUICK, "spark.executor.pyspark.memory": "512m"},
    }


def check_pod(pod: Any, role: str, class_name: str) -> None:
    """What the API server has of a pod that was made with role_values."""
    spec, metadata = pod.spec, pod.metadata
    (container,) = [c for c in spec.containers if c.name == role]
    assert metadata.labels["team"] == "a"
    assert metadata.labels["app.kubernetes.io/component"] == role
    assert (metadata.annotations["example.com/note"], metadata.annotations["example.com/more"]) == ("a: b", "yes")
    assert spec.service_account_name == f"other-{role}"
    assert spec.node_selector == {"kubernetes.io/os": "linux"}
    assert "spark" in [toleration.key for toleration in spec.tolerations]
    assert spec.affinity.node_affinity.preferred_during_scheduling_ignored_during_execution[0].weight == 1
    selector = spec.topology_spread_constraints[0].label_selector.match_labels
    assert selector.items() <= metadata.labels.items()
    assert (spec.priority_class_name, spec.priority) == (class_name, 1000)
    assert (spec.scheduler_name, spec.runtime_class_name) == ("default-scheduler", class_name)
    assert spec.termination_grace_period_seconds == 7
    assert [secret.name for secret in spec.image_pull_secrets] == ["registry"]
    assert {c.name: c.restart_policy for c in spec.init_containers} == {"agent": "Always", "prepare": None}
    assert spec.dns_config.options[0].name == "ndots"
    resources = container.resources
    assert (resources.requests["cpu"], resources.limits["cpu"]) == (SMALL[role]["requestCores"], "2")
    memory = {"driver": "1100Mi", "executor": "1612Mi"}[role]  # executors with their Python's own
    assert resources.limits["memory"] == resources.requests["memory"] == memory
    for each in (container, *spec.init_containers):
        assert each.security_context.read_only_root_filesystem
        assert each.security_context.capabilities.drop == ["ALL"]
    tmpfs = {v.name: v.empty_dir.size_limit for v in spec.volumes if v.empty_dir and v.empty_dir.medium == "Memory"}
    assert tmpfs == {"scratch": "16Mi", "spark-local-dir-kindling": "64Mi"}


def check_inside(seen: dict[str, Any]) -> None:
    """What a process in the pod saw."""
    assert seen["env"] == {"STAGE": "test", "PASSWORD": "open sesame", "COLOUR": "green", "MORE": "of it"}
    assert (seen["lib"], seen["words"], seen["archive"]) == ("imported", "distributed", "unpacked")
    assert (seen["settings"], seen["conf"], seen["secret"]) == ("green", "green", "open sesame")
    # An executor's Python workers are told folders below them.
    assert {folder.partition("/blockmgr-")[0] for folder in seen["local"]} == {
        "/local-1",
        "/var/data/spark-local-dir-kindling",
    }
    assert seen["scratch"]
    assert seen["claim"]


def scraped(team: Team, pod: str, path: str) -> set[str]:
    """Names of the metrics at an endpoint of a pod, asked through the API server."""
    get = team.cluster.core.connect_get_namespaced_pod_proxy_with_path
    return {family.name for family in text_string_to_metric_families(get(f"{pod}:4040", team.name, path))}


@pytest.mark.usefixtures("prepared")
@EACH
def test_all_settings_reach_the_pods(
    depot: str, swept: Team, classes: str, mode: str, line: SparkLine, audit_log: Callable[[], list[dict[str, Any]]]
) -> None:
    image = f"docker.io/apache/spark:{line.version}-python3"
    swept.install("all", line=line, **values(mode, image, classes, depot))
    driver, executor = swept.running("all", "driver"), swept.running("all", "executor")
    check_pod(driver, "driver", classes)
    check_pod(executor, "executor", classes)
    assert driver.metadata.annotations["prometheus.io/port"] == "4040"
    application = executor.metadata.labels["spark-app-selector"]
    assert driver.metadata.annotations["example.com/ids"] == (application if mode == "cluster" else "")
    number = executor.metadata.labels["spark-exec-id"]
    assert executor.metadata.annotations["example.com/ids"] == f"{application}/{number}"

    told = json.loads(swept.cluster.wait_for_log(swept.name, driver.metadata.name, "SEEN ", 90).removeprefix("SEEN "))
    check_inside(told["driver"])
    check_inside(told["executor"])
    assert told["driver"]["of a volume"] == told["executor"]["of a volume"] == (mode == "client")
    assert told["conf"] == ["log4j2.properties", "colours.properties"], "in the class path"
    assert told["args"] == ["a b", "$(HOME)", "3", "a$$b", "$$(HOME)", "DO $$ x $$"]
    assert told["app"] == (NAME if mode == "client" else NAME[:180])
    assert {jar.rpartition("/")[2] for jar in told["jars"]} >= {"lib.jar", "local.kindling_packaged-1.0.jar"}

    assert any("jvm" in name.lower() for name in scraped(swept, driver.metadata.name, "metrics/prometheus/"))
    executors = scraped(swept, driver.metadata.name, "metrics/executors/prometheus/")
    assert any(name.startswith("metrics_executor_completedTasks") for name in executors)

    with pytest.raises(ApiException) as refusal:
        swept.evict(driver)
    assert refusal.value.status == 429, "the budget holds the driver"

    for pod in (driver, executor):
        lines = swept.kubectl(
            "logs", pod.metadata.name, f"--container={pod.metadata.labels['spark-role']}"
        ).splitlines()
        logged = [json.loads(text) for text in lines if text.startswith("{")]
        assert {"INFO"} <= {entry["level"] for entry in logged}, lines[:20]
        assert any(entry["logger"].startswith("org.apache.spark") for entry in logged)

    swept.let_end(driver.metadata.name)
    end = swept.end_of("all")
    assert end.succeeded, end  # the sidecar ended with the driver

    accounts = [f"system:serviceaccount:{swept.name}:{name}" for name in ("other-driver", "spark-submitter")]
    asked = [event for event in audit_log() if event["user"].get("username") in accounts]
    assert [(e["verb"], e["objectRef"]) for e in asked if e["responseStatus"]["code"] == 403] == []
