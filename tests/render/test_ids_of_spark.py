"""The ids that Spark writes into annotations: passed on where it does, refused where nobody would."""

from __future__ import annotations

from pathlib import Path

import pytest
from least_values import LEAST
from refusals import RefusalOf, Values

from chartproof import Helm, Manifest, Render
from chartproof.values import merged

BOTH = {"example.com/logs": "https://logs/{{APP_ID}}/{{EXECUTOR_ID}}", "plain": "text"}
OF_DRIVER = {"example.com/logs": "https://logs/{{APP_ID}}"}
WITH_DRIVERS = ["spark-connect", "spark-job", "spark-notebook"]


def properties(manifest: Manifest) -> list[str]:
    """The lines of spark.properties, of the ConfigMap that has them."""
    (text,) = (data for one in manifest.all("ConfigMap") if (data := one.body["data"].get("spark.properties")))
    lines: list[str] = text.splitlines()
    return lines


@pytest.mark.parametrize("chart", WITH_DRIVERS)
def test_executors_annotations_with_ids_are_settings(helm: Helm, charts: Path, chart: str) -> None:
    values = merged(LEAST[chart], {"executor": {"annotations": BOTH}})
    written = properties(helm.template(charts / chart, namespace="team-a", values=values, checked=False))
    prefix = "spark.kubernetes.executor.annotation."
    assert [line for line in written if line.startswith(prefix)] == [
        f"{prefix}example.com/logs=https://logs/{{{{APP_ID}}}}/{{{{EXECUTOR_ID}}}}"
    ]


def test_drivers_annotations_with_an_id_are_settings(render_job: Render) -> None:
    written = properties(render_job(mode="cluster", driver={"annotations": OF_DRIVER}))
    assert "spark.kubernetes.driver.annotation.example.com/logs=https://logs/{{APP_ID}}" in written


ELSEWHERE: list[tuple[Values, str]] = [
    ({"driver": {"annotations": OF_DRIVER}}, "whose id nobody replaces there: the pod is there before Spark has an id"),
    (
        {"driver": {"annotations": BOTH}, "mode": "cluster"},
        "a driver has no executor's id: write {{APP_ID}}",
    ),
    (
        {"executor": {"annotations": BOTH, "allocator": "statefulset"}},
        'executor.allocator is "statefulset", whose pods are all made alike',
    ),
    ({"job": {"annotations": OF_DRIVER}}, "job.annotations sets example.com/logs to"),
    ({"configMap": {"annotations": OF_DRIVER}}, "configMap.annotations sets example.com/logs to"),
    ({"global": {"helpers": {"annotations": OF_DRIVER}}}, "global.helpers.annotations sets example.com/logs to"),
    *(
        ({role: {"env": {"A": "{{APP_ID}}"}}}, f'{role}.env sets A to "{{{{APP_ID}}}}", whose id nobody replaces there')
        for role in ("driver", "executor", "submitter")
    ),
    *(
        ({role: {"podTemplate": {"metadata": {"annotations": BOTH}}}}, f"use {role}.annotations")
        for role in ("driver", "executor")
    ),
    (
        {"executor": {"podTemplate": {"spec": {"containers": [{"name": "executor", "env": [
            {"name": "A", "value": "{{EXECUTOR_ID}}"}]}]}}}},
        "executors have SPARK_APPLICATION_ID and SPARK_EXECUTOR_ID",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("values", "said"), ELSEWHERE)
def test_ids_are_refused_where_nobody_replaces_them(
    render_job: Render, refusal_of: RefusalOf, values: Values, said: str
) -> None:
    assert said in refusal_of(render_job, values)


@pytest.mark.parametrize("chart", ["spark-connect", "spark-notebook"])
def test_drivers_that_last_have_no_id_in_annotations(
    helm: Helm, charts: Path, refusal_of: RefusalOf, chart: str
) -> None:
    def render(**values: object) -> Manifest:
        return helm.template(charts / chart, namespace="team-a", values=merged(LEAST[chart], values))

    assert "use executor.annotations" in refusal_of(render, {"driver": {"annotations": OF_DRIVER}})


def test_pods_of_a_stateful_set_may_have_plain_annotations(helm: Helm, charts: Path) -> None:
    values = {"executor": {"annotations": {"example.com/team": "a"}, "allocator": "statefulset"}}
    manifest = helm.template(charts / "spark-job", values={"app": {"file": "local:///app.py"}, **values})
    assert "example.com/team" in str(manifest.one("ConfigMap").body["data"])
