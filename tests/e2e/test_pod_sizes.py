"""Pods are as large as those of Spark's own cluster mode: its classes, in the image of each line, make both."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from kubernetes.utils.quantity import parse_quantity

from chartproof import Helm, Manifest
from kindling_dev.command import run
from kindling_dev.progress import Progress
from kindling_dev.properties_page import properties_of
from kindling_dev.settings import Settings
from kindling_dev.spark_image import LINES, ensure_spark_image

PROGRAM = Path(__file__).parent / "apps/pod_sizes.py"
APPS = {"python": {"file": "local:///app.py"}, "java": {"file": "local:///app.jar", "mainClass": "a.Main"}}
OWN = "spark.kubernetes."


@dataclass(frozen=True)
class Case:
    """A setting, as a person gives it to spark-submit and to spark-job.

    Attributes:
        spark: configuration for spark-submit.
        driver, executor, conf: values of spark-job of the same meaning; conf is sparkConf.
        kinds: of applications.
        profile: whether the application asks for executors of a resource profile of its own.
    """

    spark: dict[str, str] = field(default_factory=dict)
    driver: dict[str, Any] = field(default_factory=dict)
    executor: dict[str, Any] = field(default_factory=dict)
    conf: dict[str, Any] = field(default_factory=dict)
    kinds: tuple[str, ...] = ("python", "java")
    profile: bool = False


def both(key: str, value: str) -> dict[str, str]:
    """A property of driver and executors."""
    return {f"spark.{role}.{key}": value for role in ("driver", "executor")}


def as_conf(conf: dict[str, str], **others: Any) -> Case:
    """A setting that is the same property in both."""
    return Case(spark=conf, conf=conf, **others)


def of_memory(size: str) -> Case:
    """The JVMs' memory."""
    return Case(both("memory", size), driver={"memory": size}, executor={"memory": size})


def of_resource(role: str) -> dict[str, str]:
    """A GPU for a role."""
    gpu = f"spark.{role}.resource.gpu"
    return {f"{gpu}.amount": "2", f"{gpu}.vendor": "nvidia.com", f"{gpu}.discoveryScript": "/find"}


CASES = {
    "nothing": Case(),
    **{f"memory {size}": of_memory(size) for size in ("512m", "1001m", "1048576k", "2g", "37g", "1t")},
    "memory of each": Case(
        {"spark.driver.memory": "3g", "spark.executor.memory": "5g"}, {"memory": "3g"}, {"memory": "5g"}
    ),
    "memory in capitals": of_memory("2G"),
    "overhead": Case(both("memoryOverhead", "700m"), {"memoryOverhead": "700m"}, {"memoryOverhead": "700m"}),
    "overhead of 1g": Case(both("memoryOverhead", "1g"), {"memoryOverhead": "1g"}, {"memoryOverhead": "1g"}),
    "factor": as_conf(both("memoryOverheadFactor", "0.55")),
    "factor and memory": Case(
        {**both("memoryOverheadFactor", "0.33"), **both("memory", "7777m")},
        {"memory": "7777m"},
        {"memory": "7777m"},
        both("memoryOverheadFactor", "0.33"),
    ),
    "the older factor": Case(
        {"spark.kubernetes.memoryOverheadFactor": "0.45"}, conf=both("memoryOverheadFactor", "0.45")
    ),
    "factor and overhead": Case(
        {**both("memoryOverheadFactor", "0.55"), **both("memoryOverhead", "500m")},
        {"memoryOverhead": "500m"},
        {"memoryOverhead": "500m"},
        both("memoryOverheadFactor", "0.55"),
    ),
    "least overhead": as_conf(both("minMemoryOverhead", "1g")),
    "least overhead below the factor": as_conf(both("minMemoryOverhead", "10m")),
    "Python's memory": as_conf({"spark.executor.pyspark.memory": "512m"}),
    "Python's memory and overhead": Case(
        {"spark.executor.pyspark.memory": "1g", **both("memoryOverhead", "600m")},
        {"memoryOverhead": "600m"},
        {"memoryOverhead": "600m"},
        {"spark.executor.pyspark.memory": "1g"},
    ),
    "off heap": as_conf({"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "1g"}),
    "off heap and Python's memory": as_conf(
        {
            "spark.memory.offHeap.enabled": "true",
            "spark.memory.offHeap.size": "777m",
            "spark.executor.pyspark.memory": "512m",
        }
    ),
    "off heap that is off": as_conf({"spark.memory.offHeap.size": "1g"}),
    "cores": Case({"spark.driver.cores": "2", "spark.executor.cores": "3"}, {"cores": 2}, {"cores": 3}),
    "cores to ask for": Case(
        {f"{OWN}driver.request.cores": "500m", f"{OWN}executor.request.cores": "0.25", "spark.executor.cores": "4"},
        {"requestCores": "500m"},
        {"requestCores": 0.25, "cores": 4},
    ),
    "limits of cores": Case(
        {f"{OWN}driver.limit.cores": "2", f"{OWN}executor.limit.cores": "1500m"},
        {"limitCores": 2},
        {"limitCores": "1500m"},
    ),
    "GPUs of executors": as_conf(of_resource("executor")),
    "GPUs of the driver": as_conf(of_resource("driver")),
    "a resource profile": Case(profile=True),
    "a resource profile beside settings": Case(
        {**both("memory", "3g"), f"{OWN}executor.request.cores": "100m", "spark.executor.pyspark.memory": "512m"},
        {"memory": "3g"},
        {"memory": "3g", "requestCores": "100m"},
        {"spark.executor.pyspark.memory": "512m"},
        profile=True,
    ),
}
"""What is set -> how."""


@dataclass(frozen=True)
class Pods:
    """What the classes of an image make of the cases; name, kind of application, who makes them -> sizes of pods."""

    made: dict[tuple[str, str, str], dict[str, Any]]


def rendered(helm: Helm, charts: Path, line: str, case: Case, kind: str, mode: str) -> Manifest:
    """spark-job with a case's values."""
    roles = {"driver": case.driver, "executor": case.executor}
    image = {"tag": f"{LINES[line].version}-python3"}
    values = {"mode": mode, "app": APPS[kind], "image": image, "sparkConf": case.conf, **roles}
    return helm.template(charts / "spark-job", values=values, checked=False)


def questions(helm: Helm, charts: Path, folder: Path, line: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    """What the program in the image is asked; pod templates go into the folder that it has as /cases."""
    asked = {}
    stock = {"spark.app.name": "app", f"{OWN}container.image": "spark", "spark.master": "k8s://https://localhost"}
    for number, (name, case) in enumerate(CASES.items()):
        for kind in case.kinds:
            question = {"kind": kind, "profile": case.profile}
            asked[name, kind, "spark-submit"] = {**question, "ends": "submission", "conf": {**stock, **case.spark}}
            for mode, ends in (("client", "driver"), ("cluster", "submission")):
                manifest = rendered(helm, charts, line, case, kind, mode)
                data = manifest.one("ConfigMap").body["data"]
                conf = properties_of(manifest)
                for role, key in (("executor", "executor.yaml"), ("driver", "driver.json")):
                    if key in data:
                        template = f"{number}-{kind}-{mode}-{key}"
                        (folder / template).write_text(data[key])
                        conf[f"{OWN}{role}.podTemplateFile"] = f"/cases/{template}"
                        conf[f"{OWN}{role}.podTemplateContainerName"] = role
                asked[name, kind, mode] = {**question, "ends": ends, "conf": conf}
    return asked


@pytest.fixture(scope="module")
def pods_of(helm: Helm, charts: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Pods]:
    """What a line of Spark makes of the cases: one JVM makes all."""
    found: dict[str, Pods] = {}

    def pods_of(line: str) -> Pods:
        if line not in found:
            folder = tmp_path_factory.mktemp("cases")
            folder.chmod(0o755)
            asked = questions(helm, charts, folder, line)
            (folder / "cases.json").write_text(json.dumps(list(asked.values())))
            image = ensure_spark_image(LINES[line], Settings.from_environment(), Progress())
            alone = ("--network=none", "--env=SPARK_LOCAL_HOSTNAME=localhost", f"--volume={folder}:/cases:ro")
            argv = ["docker", "run", "--rm", "--interactive", *alone, "--entrypoint=python3", image, "-"]
            with PROGRAM.open("rb") as program:
                said = run(argv, stdin=program, what=f"have Spark {line} make pods", timeout=300)
            found[line] = Pods(dict(zip(asked, json.loads(said.splitlines()[-1]), strict=True)))
        return found[line]

    return pods_of


def as_numbers(sizes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Requests and limits that can be compared: "1" and "1000m" are one."""
    number: Any = parse_quantity
    return {which: {name: number(text) for name, text in sizes.get(which, {}).items()} for which in sizes}


@pytest.mark.parametrize("mode", ["client", "cluster"])
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("line", LINES)
def test_pods_are_as_large_as_sparks_own(
    helm: Helm, charts: Path, pods_of: Callable[[str], Pods], line: str, name: str, mode: str
) -> None:
    made, case = pods_of(line).made, CASES[name]
    for kind in case.kinds:
        own, ours = made[name, kind, "spark-submit"], made[name, kind, mode]
        if mode == "client":
            driver = rendered(helm, charts, line, case, kind, mode).one("Job").container("driver")
            ours = {**ours, "driver": driver.body["resources"]}
        for role in ("driver", "executor"):
            assert as_numbers(ours[role]) == as_numbers(own[role]), f"{role} of {kind}"


def test_the_classes_do_tell_sizes_apart(pods_of: Callable[[str], Pods]) -> None:
    made = pods_of("4.3").made
    assert made["nothing", "java", "spark-submit"]["driver"]["limits"]["memory"] == "1408Mi"
    seen = {json.dumps(made[name, "python", "spark-submit"]) for name in CASES}
    assert len(seen) > len(CASES) / 2
    assert all(re.fullmatch(r"\d+Mi", pods[role]["limits"]["memory"]) for pods in made.values() for role in pods)
