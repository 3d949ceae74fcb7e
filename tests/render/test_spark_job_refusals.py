"""What spark-job refuses before anything is made: one line that names the value and says what to do."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import RefusalOf, Values

from chartproof import Render

SOURCE = {"source": "print('hello')\n"}
FILE = {"file": "local:///app.py"}
OWNED = "sparkConf sets spark.driver.memory, which the chart sets itself; use instead: driver.memory"


def container(**fields: Any) -> dict[str, Any]:
    """A driver's pod template whose container has some fields."""
    return {"driver": {"podTemplate": {"spec": {"containers": [{"name": "driver", **fields}]}}}}


def pod(**fields: Any) -> dict[str, Any]:
    """An executors' pod template whose spec has some fields."""
    return {"executor": {"podTemplate": {"spec": fields}}}


def volume(**fields: Any) -> dict[str, Any]:
    """Volumes of which the first is a usual one."""
    usual = {"name": "data", "mountPath": "/data", "emptyDir": {}}
    return {"volumes": [usual, {**usual, **fields}]}


REFUSED: list[tuple[dict[str, Any], str]] = [
    # the application
    ({"app": {}}, "app.file and app.source are both empty"),
    ({"app": {**FILE, **SOURCE}}, "app.source is set too"),
    ({"app": {"mainClass": "a.Main", **SOURCE}}, "app.source is Python"),
    ({"app": {"file": "local:///a.txt"}}, "which ends neither with .py nor with .jar"),
    ({"app": {"file": "https://example.com/job.py?sig=1"}}, "give the file's place without a query"),
    ({"app": {"source": "#" * 1_000_001}}, "app.source has 1000001 bytes"),
    ({"app": {"file": "/app.py"}, "mode": "cluster"}, "write local:///app.py"),
    *(
        ({"app": {**FILE, name: ["file:///a.zip"]}, "mode": "cluster"}, f'app.{name} is "file:///a.zip", a file of the')
        for name in ("jars", "files", "pyFiles", "archives")
    ),
    *(
        (
            {"app": {**FILE, name: ["https://robot:hunter2@example.com/a.zip"]}},
            f"app.{name} has a password in an address",
        )
        for name in ("jars", "files", "pyFiles", "archives", "repositories")
    ),
    (
        {"app": {**FILE, "jars": ["https://example.com/a.jar?X-Amz-Signature=1"]}},
        "app.jars has a secret in the query of https://example.com/a.jar, and",
    ),
    (
        {"mode": "cluster", "app": {**FILE, "files": ["local:///a", "https://b/c"]}},
        "app.files lists local:///a and, elsewhere, https://b/c is listed, which cluster mode cannot give to executors",
    ),
    (
        {"mode": "cluster", "app": {**FILE, "files": ["local:///a"], "pyFiles": ["https://b/c.zip"]}},
        "app.files lists local:///a and, elsewhere, https://b/c.zip is listed",
    ),
    (
        {
            "mode": "cluster",
            "app": {"file": "hdfs:///a.py"},
            "global": {
                "hadoop": {"configMap": "h"},
                "kerberos": {"configMap": "k", "ticketCache": "/cache"},
            },
        },
        'global.kerberos.ticketCache is "/cache", which only drivers have',
    ),
    (
        {
            "app": {**FILE, "packages": ["a:b:1"], "repositories": ["https://repo"]},
            "global": {"ivySettings": {"name": "maven"}},
        },
        'app.repositories is set, and global.ivySettings.name is "maven"',
    ),
    ({"global": {"proxy": {"url": "http://robot:hunter2@proxy:3128"}}}, "global.proxy.url is "),
    (
        {"sparkConf": {"spark.hadoop.fs.s3a.secret.key": "x"}},
        "sets spark.hadoop.fs.s3a.secret.key, and a secret never stands in values: put an AWS credentials file into a",
    ),
    ({"sparkConf": {"spark.hadoop.fs.azure.account.key.a.dfs.core.windows.net": "x"}}, 'write "${env.NAME}" and take'),
    ({"sparkConf": {"spark.sql.catalog.pg.password": "x"}}, "have the application set it from a variable"),
    ({"global": {"sparkConf": {"spark.ssl.keyPassword": "x"}}}, "global.sparkConf sets spark.ssl.keyPassword, and"),
    ({"app": {**FILE, "packages": ["no-version"]}}, "app.packages[0] is "),
    ({"app": {**FILE, "jars": ["a.jar,b.jar"]}}, "app.jars[0] is "),
    # resources
    ({"driver": {"memory": "100m"}}, 'driver.memory is "100m", and Spark needs 512m'),
    ({"executor": {"memory": "511m"}}, 'executor.memory is "511m", and Spark needs 512m'),
    ({"driver": {"memory": "1 GB"}}, "driver.memory is "),
    ({"driver": {"limitCores": 1, "requestCores": "1500m"}}, 'driver.limitCores is "1", less than the "1500m"'),
    ({"driver": {"requestCores": -1}}, "/driver/requestCores"),
    ({"submitter": {"requestCores": ""}}, "submitter.requestCores is "),
    ({"submitter": {"memory": ""}}, "submitter.memory is "),
    ({"executor": {"limitCores": "500m"}}, 'executor.limitCores is "500m", less than the "1"'),
    # configuration that the chart owns, or that would have no effect
    ({"sparkConf": {"spark.driver.memory": "2g"}}, OWNED),
    ({"global": {"sparkConf": {"spark.master": "local"}}}, "global.sparkConf sets spark.master"),
    ({"sparkConf": {"spark.kubernetes.driver.label.a": "b"}}, "use instead: driver.labels"),
    *(
        ({"sparkConf": {f"spark.kubernetes.authenticate.{key}": "x"}}, "leave it out: each pod has the token")
        for key in (
            "submission.oauthToken",
            "driver.oauthTokenFile",
            "oauthToken",
            "executor.clientKeyFile",
            "driver.mounted.caCertFile",
        )
    ),
    ({"sparkConf": {"spark.executorEnv.A": "b"}}, "use instead: executor.env"),
    ({"sparkConf": {"spark.kubernetes.executor.volumes.nfs.a.mount.path": "/a"}}, "use instead: volumes"),
    ({"sparkConf": {"spark.sql.a: b": 1}}, "no space, colon, equals sign or backslash"),
    ({"sparkConf": {"spark.network\\.crypto.enabled": "false"}}, "no space, colon, equals sign or backslash"),
    ({"app": {"args": ["a\rb"]}}, 'app.args has "a\\rb", and Spark\'s scripts take a carriage return out'),
    (
        {
            "app": {"file": "local:///a.py", "packages": ["a:b:1"]},
            "global": {"ivySettings": {"name": "ivy"}},
            "sparkConf": {"spark.jars.ivySettings": "/my/ivy.xml"},
        },
        'sparkConf sets spark.jars.ivySettings, and global.ivySettings.name is "ivy"',
    ),
    # unknown, misspelt, of the wrong type
    ({"executer": {"instances": 2}}, "executer"),
    ({"executor": {"instance": 2}}, "instance"),
    ({"executor": {"instances": "two"}}, "/executor/instances"),
    ({"retries": -1}, "/retries"),
    ({"retries": 2**31}, "/retries"),
    ({"ttlSecondsAfterFinished": 2**31}, "/ttlSecondsAfterFinished"),
    ({"mode": "standalone"}, "/mode"),
    ({"driver": {"env": {"A": {"secretKey": {}}}}}, "/driver/env/A"),
    ({"driver": {"labels": {"a b": "c"}}}, "a b"),
    # text that no manifest holds
    ({"driver": {"annotations": {"a": "b\x7f"}}}, 'driver holds the character "\\x7f"'),
    ({"app": {"file": "local:///a\u2028.py"}}, 'app holds the character "\\u2028"'),
    # null takes a default away
    ({"driver": None}, "missing property 'driver'"),
    ({"driver": {"cores": None}}, "missing property 'cores'"),
    # labels and variables by which things are found
    ({"driver": {"labels": {"spark-role": "executor"}}}, "driver.labels sets spark-role"),
    ({"executor": {"labels": {"app.kubernetes.io/instance": "x"}}}, "executor.labels sets app.kubernetes.io/instance"),
    (
        {"metrics": {"podMonitor": {"labels": {"app.kubernetes.io/name": "x"}}}},
        "metrics.podMonitor.labels sets app.kubernetes.io/name",
    ),
    ({"metrics": {"podMonitor": {"labels": {"helm.sh/chart": "x"}}}}, "metrics.podMonitor.labels sets helm.sh/chart"),
    ({"driver": {"env": {"POD_IP": "1.2.3.4"}}}, 'two variables named "POD_IP", of which one is the chart\'s'),
    (container(env=[{"name": "POD_NAME", "value": "x"}]), "driver.podTemplate sets POD_NAME"),
    ({"executor": {"env": {"SPARK_USER": "anna"}}}, "use instead: driver.env.SPARK_USER"),
    ({"mode": "cluster", "executor": {"env": {"SPARK_USER": "anna"}}}, "use instead: submitter.env.SPARK_USER"),
    ({"mode": "cluster", "driver": {"env": {"SPARK_USER": "anna"}}}, "use instead: submitter.env.SPARK_USER"),
    (
        {"mode": "cluster", **container(env=[{"name": "SPARK_USER", "value": "anna"}])},
        "driver.podTemplate sets SPARK_USER, which Spark sets to the user of the submitting pod",
    ),
    (
        {"mode": "cluster", "driver": {"env": {"PYSPARK_PYTHON": "/venv/bin/python"}}},
        "driver.env sets PYSPARK_PYTHON, which Spark sets itself in cluster mode; use instead: spark.pyspark.python",
    ),
    (
        {"mode": "cluster", "driver": {"env": {"PYSPARK_DRIVER_PYTHON": "/venv/bin/python"}}},
        "use instead: spark.pyspark.driver.python in sparkConf",
    ),
    # Python's session reads variables; the key makes spark-submit leave out classes that it needs
    ({"sparkConf": {"spark.api.mode": "connect"}}, "sparkConf sets spark.api.mode to connect"),
    (
        {"app": {"file": "", "source": "print(1)"}, "global": {"sparkConf": {"spark.api.mode": "Connect"}}},
        "use instead: SPARK_API_MODE: connect and MASTER: k8s://https://kubernetes.default.svc in driver.env",
    ),
    # pod templates
    (pod(serviceAccountName="x"), "use instead: executor.serviceAccountName"),
    (pod(restartPolicy="Always"), "executor.podTemplate sets spec.restartPolicy"),
    (pod(containers=[{"name": "other", "image": "x"}]), "use instead: executor.sidecars"),
    (container(image="x"), "sets image of container driver, which the chart sets itself; use instead: driver.image"),
    (container(args=["x"]), "use instead: app.args"),
    (container(resources={"limits": {"memory": "1Gi"}}), "use instead: driver.memory and driver.memoryOverhead"),
    (container(resources={"requests": {"cpu": 1}}), "use instead: driver.requestCores"),
    ({"driver": {"podTemplate": {"metadata": {"name": "x"}}}}, "driver.podTemplate sets metadata.name"),
    ({"driver": {"podTemplate": {"kind": "Pod"}}}, "/driver/podTemplate"),
    # containers and volumes
    (
        {"driver": {"sidecars": [{"name": "driver", "image": "x"}]}},
        'the driver\'s pod has two containers named "driver"',
    ),
    ({"driver": {"sidecars": [{"name": "agent"}]}}, "/driver/sidecars/0"),
    (volume(), 'has two volumes named "data", of which one may be the chart\'s: give each its own name'),
    (volume(name="other"), "mounts two volumes at /data"),
    (
        volume(name="other", mountPath="/opt/kindling/mine"),
        "mounts volume other at /opt/kindling/mine, below volume kindling at /opt/kindling, where Kubernetes can add",
    ),
    (volume(name="tmp", mountPath="/x"), 'two volumes named "tmp", of which one may be the chart\'s'),
    (volume(name="other", mountPath="/tmp"), "mounts two volumes at /tmp, of which one may be the chart's"),
    (volume(name="other", mountPath="/a:b"), "volumes[1].mountPath is "),
    (volume(name="other", mountPath="/x", secret={"secretName": "s"}), "volumes[1] has"),
    # combinations
    ({"run": {"now": True}}, "run.now is true but schedule.cron is empty"),
    ({"schedule": {"suspend": True}}, "schedule.suspend is set but schedule.cron is empty"),
    ({"executor": {"dynamicAllocation": {"enabled": True, "min": 3, "max": 2}}}, "executor.dynamicAllocation.max is 2"),
    ({"executor": {"instances": 9, "dynamicAllocation": {"enabled": True, "max": 8}}}, "executor.instances is 9"),
    ({"executor": {"rolling": {"interval": "1h"}}}, "executor.decommission is false"),
    (
        {"executor": {"allocator": "statefulset", "dynamicAllocation": {"enabled": True}}},
        'executor.allocator is "statefulset"',
    ),
    ({"log": {"json": True, "properties": "a = b"}}, "log.properties is a whole configuration"),
    ({"metrics": {"annotations": True}}, "metrics.enabled is false"),
    # schedules that Kubernetes would refuse with the release half made
    ({"schedule": {"cron": "61 * * * *"}}, '"61" is no minute: write 0 to 59, a range such as 0-59, or *'),
    ({"schedule": {"cron": "0 3 * * 7"}}, '"7" is no day of the week: write 0 to 6, a range such as 0-6, or *'),
    ({"schedule": {"cron": "0 3 * * SAT-SUN"}}, '"SAT-SUN" ends before it begins: write it as two'),
    ({"schedule": {"cron": "0 3 * *"}}, "Kubernetes wants five fields, minute, hour, day of the month,"),
    ({"schedule": {"cron": "TZ=UTC 0 3 * * *"}}, "write these, and a time zone in schedule.timeZone"),
    ({"schedule": {"cron": "@fortnightly"}}, "which Kubernetes does not know: write @hourly, @daily,"),
    ({"schedule": {"cron": "@daily", "timeZone": "Europe/Zurch"}}, "write its name, as in Europe/Zurich"),
]


@pytest.mark.parametrize(("values", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_values_that_cannot_work_are_refused_with_the_name_of_the_value(
    render_job: Render, refusal_of: RefusalOf, values: Values, words: str
) -> None:
    assert words in refusal_of(render_job, values)


@pytest.mark.parametrize(
    "values",
    [
        {"sparkConf": {"spark.api.mode": "classic"}},
        {"app": {"file": "local:///app.jar", "mainClass": "App"}, "sparkConf": {"spark.api.mode": "connect"}},
    ],
)
def test_spark_api_mode_is_passed_where_it_works(render_job: Render, values: Values) -> None:
    properties = render_job(**values).all("ConfigMap")[0].body["data"]["spark.properties"].splitlines()
    assert f"spark.api.mode={values['sparkConf']['spark.api.mode']}" in properties


def test_numbers_may_stand_where_text_is_meant(render_job: Render) -> None:
    manifest = render_job(run={"id": 20261121}, driver={"requestCores": 0.5, "limitCores": 2})
    resources = manifest.one("Job").container("driver").body["resources"]
    assert (resources["requests"]["cpu"], resources["limits"]["cpu"]) == ("0.5", "2")
