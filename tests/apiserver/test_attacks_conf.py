"""Spark configuration that a team's values deny is refused, however a submitter brings it, if an object tells it."""

from __future__ import annotations

from typing import Any

import pytest
from guarded_team import ADMIN, ENGINEER, POD, SUBMITTER, Attack, Body, Team, with_container

from chartproof.values import merged

_FILE = (
    "a ConfigMap sets Spark configuration that is denied in this namespace: spark.driver.extraClassPath, spark.yarn."
)
_HIDDEN = "a ConfigMap has a key of properties with a backslash, which hides what it sets"
_POD = "a pod sets Spark configuration that is denied in this namespace: spark.driver.extraClassPath, spark.yarn."


def config(text: str, name: str = "spark.properties") -> Body:
    """A ConfigMap with a file of properties."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made"}, "data": {name: text}}


def pod(**container: Any) -> Body:
    """A pod with these fields of its container."""
    return merged(POD, with_container(**container))


ATTACKS = {
    "as the chart writes it": Attack(
        ENGINEER, "POST", "configmaps", config("spark.a=b\nspark.driver.extraClassPath=/x\n"), _FILE
    ),
    "as spark-submit does": Attack(
        SUBMITTER, "POST", "configmaps", config("#Java properties built from\nspark.yarn.queue=x"), _FILE
    ),
    "with spaces": Attack(ENGINEER, "POST", "configmaps", config("\t spark.driver.extraClassPath  /x"), _FILE),
    "with a colon, of Windows": Attack(
        ENGINEER, "POST", "configmaps", config("a=b\r\nspark.driver.extraClassPath: /x\r\n"), _FILE
    ),
    "in defaults": Attack(
        ENGINEER, "POST", "configmaps", config("spark.driver.extraClassPath /x", "spark-defaults.conf"), _FILE
    ),
    "with an escape": Attack(ENGINEER, "POST", "configmaps", config("spark.driver.extraClass\\u0050ath=/x"), _HIDDEN),
    "with an escape at its begin": Attack(
        ENGINEER, "POST", "configmaps", config("a=b\n\\u0073park.driver.extraClassPath=/x"), _HIDDEN
    ),
    "over two lines": Attack(ENGINEER, "POST", "configmaps", config("spark.driver.\\\n  extraClassPath=/x"), _HIDDEN),
    "as an argument": Attack(
        ENGINEER, "POST", "pods", pod(args=["--conf", "spark.driver.extraClassPath=/x", "app.py"]), _POD
    ),
    "in a command": Attack(
        SUBMITTER, "POST", "pods", pod(command=["sh", "-c", "spark-submit --conf spark.yarn.queue=x a.py"]), _POD
    ),
    "as a variable": Attack(
        ENGINEER,
        "POST",
        "pods",
        pod(env=[{"name": "PYSPARK_SUBMIT_ARGS", "value": "--conf spark.driver.extraClassPath=/x pyspark-shell"}]),
        _POD,
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_denied_spark_conf_is_refused(guarded: Team, name: str) -> None:
    assert ATTACKS[name].says in guarded.tried(ATTACKS[name])


def test_denied_spark_conf_is_no_change_of_a_configmap(guarded: Team) -> None:
    guarded.holds("configmaps", config("spark.a=b") | {"metadata": {"name": "changed"}})
    change = {"data": {"spark.properties": "spark.yarn.queue=x"}}
    assert _FILE in guarded.ask(ENGINEER, "PATCH", "configmaps/changed", change)


@pytest.mark.parametrize(
    "text",
    [
        "spark.driver.extraClassPathOfMine=/x",
        "spark.sql.a=spark.driver.extraClassPath",
        "# spark.driver.extraClassPath is denied",
        "spark.sql.a=C\\:\\\\temp\nspark.sql.b=c",
    ],
)
def test_other_spark_conf_is_free(guarded: Team, text: str) -> None:
    assert guarded.ask(ENGINEER, "POST", "configmaps", config(text)) == ""


def test_a_large_source_beside_the_conf_is_free(guarded: Team) -> None:
    made = config("spark.a=b\n" * 1000)
    made["data"]["app.py"] = "print('spark.driver.extraClassPath=x')\n" * 20_000
    assert guarded.ask(ENGINEER, "POST", "configmaps", made) == ""


def test_guard_and_chart_refuse_a_job_with_denied_conf(guarded: Team, charts: Any) -> None:
    helm = guarded.server.helm()
    with pytest.raises(Exception, match="is denied in this namespace"):
        helm.run(
            [
                *("install", "denied", str(charts / "spark-job"), f"--namespace={guarded.name}"),
                *("--set=app.file=local:///a.py", r"--set=sparkConf.spark\.yarn\.queue=x"),
            ]
        )
    with pytest.raises(Exception, match=r"sparkConf sets spark\.yarn\.queue, which global\.deniedSparkConf denies"):
        helm.run(
            [
                *("install", "denied-too", str(charts / "spark-job"), f"--namespace={guarded.name}"),
                *("--set=app.file=local:///a.py", r"--set=sparkConf.spark\.yarn\.queue=x"),
                "--set=global.deniedSparkConf={spark.yarn.}",
            ]
        )


def test_what_no_object_tells_the_guard_cannot_hold(guarded: Team) -> None:
    source = "SparkSession.builder.config('spark.yarn.queue', 'x')"
    assert guarded.ask(ENGINEER, "POST", "configmaps", config(source, "app.py")) == ""
    assert guarded.ask(ADMIN, "POST", "configmaps", config("spark.yarn.queue=x", "any-name.txt")) == ""
