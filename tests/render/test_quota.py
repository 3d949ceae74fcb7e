"""Quotas and limits of a team's namespace, and what of them is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from least_values import LEAST
from refusals import RefusalOf, Values

from chartproof import Helm, Render

CLASSES = {"priorityClasses": {"submitter": "submitters", "driver": "drivers", "executor": "executors"}}
ALL = {"requests.cpu": 8, "requests.memory": "32Gi", "pods": 40}
PART = {"requests.cpu": "2500m", "requests.memory": "8Gi", "pods": 10}


def quota(**parts: Any) -> dict[str, Any]:
    """Values with some quotas and all priority classes."""
    return {"global": CLASSES, "quota": parts}


def test_by_default_there_is_no_quota_and_a_container_that_says_nothing_has_requests(render_namespace: Render) -> None:
    manifest = render_namespace()
    assert manifest.all("ResourceQuota") == []
    (limits,) = manifest.one("LimitRange", "spark").body["spec"]["limits"]
    # No default limit: it would refuse whoever asks for more and names no limit.
    assert limits == {"type": "Container", "defaultRequest": {"cpu": "100m", "memory": "256Mi"}}


def test_limits_that_are_taken_away_leave_no_limit_range(render_namespace: Render) -> None:
    assert render_namespace(limits={"defaultRequest": {"cpu": None, "memory": None}}).all("LimitRange") == []


def test_every_pod_is_counted_by_the_whole_quota_and_by_one_part_at_most(render_namespace: Render) -> None:
    manifest = render_namespace(**quota(hard=ALL, drivers=PART, submitters=PART))
    assert "scopeSelector" not in manifest.one("ResourceQuota", "spark").body["spec"]
    (of_drivers,), (of_submitters,) = (
        manifest.one("ResourceQuota", f"spark-{part}").body["spec"]["scopeSelector"]["matchExpressions"]
        for part in ("drivers", "submitters")
    )
    assert of_drivers == {"scopeName": "PriorityClass", "operator": "NotIn", "values": ["executors", "submitters"]}
    assert of_submitters == {"scopeName": "PriorityClass", "operator": "In", "values": ["submitters"]}


def test_client_mode_alone_needs_no_part_for_submitters(render_namespace: Render) -> None:
    values = {"global": {"priorityClasses": {"executor": "executors"}}, "quota": {"hard": ALL, "drivers": PART}}
    names = [quota.name for quota in render_namespace(**values).all("ResourceQuota")]
    assert sorted(names) == ["spark", "spark-drivers"]


def test_quantities_stand_as_they_are_given(render_namespace: Render) -> None:
    hard = {"pods": "7", "requests.cpu": 0.5, "requests.nvidia.com/gpu": 2, "requests.memory": "1.5Gi"}
    spec = render_namespace(quota={"hard": hard}).one("ResourceQuota", "spark").body["spec"]
    expected = {"pods": "7", "requests.cpu": "0.5", "requests.nvidia.com/gpu": "2", "requests.memory": "1.5Gi"}
    assert spec["hard"] == expected


def test_plain_spark_submit_gets_the_priority_classes_by_its_pod_templates(render_namespace: Render) -> None:
    data = render_namespace(**{"global": CLASSES}).one("ConfigMap", "spark-defaults").body["data"]
    for key, name in (("pod-template.yaml", "drivers"), ("executor-pod-template.yaml", "executors")):
        assert yaml.safe_load(data[key])["spec"]["priorityClassName"] == name


@pytest.mark.parametrize(
    ("own", "expected"),
    [({}, ("submitters", "drivers", "executors")), ({"priorityClassName": "high"}, ("submitters", "high", "high"))],
    ids=["the namespace's", "its own"],
)
def test_a_job_gives_its_pods_the_priority_classes(
    render_job: Render, own: dict[str, str], expected: tuple[str, ...]
) -> None:
    manifest = render_job(mode="cluster", driver=own, executor=own, **{"global": CLASSES})
    data = manifest.one("ConfigMap").body["data"]
    templates = [
        manifest.one("Job").body["spec"]["template"],
        *map(yaml.safe_load, (data["driver.json"], data["executor.yaml"])),
    ]
    assert tuple(template["spec"]["priorityClassName"] for template in templates) == expected


MOST = "spark.executor.maxNumFailures="


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"global": CLASSES}, [f"{MOST}1000000"]),
        ({"global": CLASSES, "mode": "cluster"}, [f"{MOST}1000000"]),
        ({"global": {"priorityClasses": {"driver": "drivers"}}}, []),
        ({"global": CLASSES, "failFast": True}, []),
        ({"global": CLASSES, "sparkConf": {MOST[:-1]: 5}}, [f"{MOST}5"]),
        ({"global": {**CLASSES, "sparkConf": {MOST[:-1]: 7}}}, [f"{MOST}7"]),
    ],
    ids=["no-parts", "parts", "cluster", "no-executors-part", "fail-fast", "own", "teams"],
)
def test_a_driver_waits_for_executors_of_a_part(render_job: Render, values: Values, expected: list[str]) -> None:
    lines = render_job(**values).one("ConfigMap").body["data"]["spark.properties"].splitlines()
    assert [line for line in lines if line.startswith(MOST)] == expected


@pytest.mark.parametrize("chart", ["spark-notebook", "spark-connect"])
def test_a_lasting_driver_waits_for_executors_of_a_part(helm: Helm, charts: Path, chart: str) -> None:
    for given, expected in (({}, 0), (CLASSES, 1)):
        manifest = helm.template(charts / chart, values={**LEAST[chart], "global": given})
        maps = [one.body["data"] for one in manifest.all("ConfigMap") if "spark.properties" in one.body["data"]]
        (properties,) = [data["spark.properties"] for data in maps]
        assert properties.count(f"{MOST}1000000") == expected


def test_a_submitter_has_the_drivers_priority_class_where_it_has_none_of_its_own(render_job: Render) -> None:
    manifest = render_job(mode="cluster", **{"global": {"priorityClasses": {"driver": "drivers"}}})
    assert manifest.one("Job").body["spec"]["template"]["spec"]["priorityClassName"] == "drivers"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"quota": {"drivers": {"pods": 2}}},
            "quota.drivers is set but global.priorityClasses.executor is empty",
        ),
        (
            {"quota": {"submitters": {"pods": 2}}},
            "quota.submitters is set but global.priorityClasses.submitter is empty",
        ),
        (quota(drivers={"pods": 2}), "global.priorityClasses.submitter are set but quota.submitters is empty"),
        (
            {"quota": {"hard": {"limits.cpu": 4}}},
            "quota.hard has limits.cpu, by which pods that name none are refused: set limits.default.cpu",
        ),
        (
            quota(drivers=PART, submitters={"limits.memory": "4Gi"}),
            "quota.submitters has limits.memory, by which pods that name none are refused: set limits.default.memory",
        ),
        (
            {"quota": {"hard": {"memory": "4Gi"}}, "limits": {"defaultRequest": {"memory": None}}},
            "quota.hard has memory, by which pods that name none are refused: set limits.defaultRequest.memory",
        ),
        (
            quota(hard=ALL, drivers={"requests.cpu": 2, "pods": 2}, submitters=PART),
            "quota.hard has requests.memory and quota.drivers has not: they could take it all from executors",
        ),
        (
            quota(hard=ALL, drivers=PART, submitters={"requests.cpu": 2, "requests.memory": "1Gi"}),
            "quota.hard has pods and quota.submitters has not",
        ),
        (
            quota(hard=ALL, drivers={**PART, "requests.memory": "24Gi"}, submitters=PART),
            "quota.submitters leave nothing of requests.memory to executors, of the 32Gi in quota.hard",
        ),
        (
            quota(hard={"cpu": "8000m"}, drivers={"requests.cpu": 6}, submitters={"cpu": "2"}),
            "leave nothing of cpu to executors, of the 8000m in quota.hard",
        ),
        ({"limits": {"max": {"cpu": "50m"}}}, "limits.max.cpu is 50m, less than limits.defaultRequest.cpu: raise it"),
        (
            {"limits": {"default": {"memory": "3Gi"}, "max": {"memory": "2000Mi"}}},
            "limits.max.memory is 2000Mi, less than limits.default.memory",
        ),
        ({"limits": {"min": {"memory": "1Gi"}}}, "limits.defaultRequest.memory is 256Mi, less than limits.min.memory"),
        ({"quota": {"hard": {"request.cpu": 1}}}, "request.cpu"),
        ({"quota": {"hard": {"requests.cpu": "much"}}}, "quota.hard.requests.cpu is "),
        ({"quota": {"hard": {"pods": 1.5}}}, "/quota/hard/pods"),
        ({"quota": {"drivers": {"count/jobs.batch": 1}}}, "count/jobs.batch"),
        ({"limits": {"max": {"storage": "1Gi"}}}, "storage"),
    ],
)
def test_quotas_that_cannot_work_are_refused_in_a_line_that_names_the_value(
    render_namespace: Render, refusal_of: RefusalOf, values: Values, words: str
) -> None:
    assert words in refusal_of(render_namespace, values)


def test_a_limit_of_containers_is_a_default_limit_too(render_namespace: Render) -> None:
    values = {"quota": {"hard": {"limits.cpu": 4}}, "limits": {"max": {"cpu": 2}}}
    assert render_namespace(**values).one("ResourceQuota", "spark")
