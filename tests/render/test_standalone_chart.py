"""spark-standalone: one secret for all, no submissions by REST, drivers that find the cluster, refusals in a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from refusals import RefusalOf, Values

from chartproof import Helm, Manifest, Render

SECRET = "spark.authenticate.secret"
CLIENT = {"spark-role": "driver", "kindling.local/standalone": "cluster"}


@pytest.fixture(scope="session")
def render_cluster(helm: Helm, charts: Path) -> Render:
    """Render spark-standalone as release "cluster" in team-a; keyword arguments are values at the top level."""

    def render(*, checked: bool = False, release: str = "cluster", **values: Any) -> Manifest:
        chart = charts / "spark-standalone"
        return helm.template(chart, release=release, namespace="team-a", values=values, checked=checked)

    return render


def conf(manifest: Manifest, name: str) -> dict[str, str]:
    """Spark's configuration in a ConfigMap."""
    text = manifest.one("ConfigMap", name).body["data"]["spark-defaults.conf"]
    return dict(line.split("=", 1) for line in text.splitlines())


def job_of(manifest: Manifest) -> dict[str, Any]:
    """The Job that those who submit make."""
    job: dict[str, Any] = yaml.safe_load(manifest.one("ConfigMap", "cluster-client").body["data"]["job.yaml"])
    return job


def test_no_process_is_without_authentication(render_cluster: Render) -> None:
    manifest = render_cluster()
    cluster, client = conf(manifest, "cluster"), conf(manifest, "cluster-client")
    for settings in (cluster, client):
        assert settings["spark.authenticate"] == settings["spark.network.crypto.enabled"] == "true"
        assert settings["spark.network.crypto.saslFallback"] == settings["spark.ui.killEnabled"] == "false"
    assert SECRET not in cluster
    assert client[SECRET] == "${env:_SPARK_AUTH_SECRET}"
    assert cluster["spark.master.rest.enabled"] == "false"
    assert cluster["spark.master.ui.decommission.allow.mode"] == "DENY"
    pods = [manifest.one("StatefulSet", name).pod for name in ("cluster-master", "cluster-worker")]
    for pod in (*pods, job_of(manifest)["spec"]["template"], manifest.one("Pod").body):
        (volume,) = [one for one in pod["spec"]["volumes"] if one["name"] == "spark-auth"]
        assert volume["secret"]["secretName"] == "spark-auth"
        assert pod["spec"]["automountServiceAccountToken"] is False


def test_settings_of_drivers_restart_no_worker(render_cluster: Render) -> None:
    def checksums(**values: Any) -> list[str]:
        sets = render_cluster(**values).all("StatefulSet")
        return [one.pod["metadata"]["annotations"]["checksum/config"] for one in sets]

    first = checksums()
    assert checksums(client={"sparkConf": {"spark.cores.max": 2}}) == first
    assert not {*checksums(sparkConf={"spark.deploy.defaultCores": 2})} & {*first}


def test_an_executor_fits_into_the_smallest_worker(render_cluster: Render) -> None:
    small = render_cluster(worker={"memory": "1200m"})
    assert conf(small, "cluster-client")["spark.executor.memory"] == "571m"
    arguments = small.one("StatefulSet", "cluster-worker").pod["spec"]["containers"][0]["args"]
    assert arguments[arguments.index("--memory") + 1] == "571m"
    assert "spark.executor.memory" not in conf(render_cluster(worker={"memory": "4g"}), "cluster-client")
    given = render_cluster(client={"sparkConf": {"spark.executor.memory": "1g"}}, worker={"memory": "4g"})
    assert conf(given, "cluster-client")["spark.executor.memory"] == "1g"


def test_workers_that_scale_have_no_number(render_cluster: Render) -> None:
    manifest = render_cluster(worker={"autoscaling": {"enabled": True}})
    assert "replicas" not in manifest.one("StatefulSet", "cluster-worker").body["spec"]
    scaled = manifest.one("HorizontalPodAutoscaler").body["spec"]["scaleTargetRef"]
    assert scaled["name"] == "cluster-worker"


def test_drivers_follow_the_teams_configuration(render_cluster: Render) -> None:
    zone, wins = "spark.sql.session.timeZone", {"spark.sql.session.timeZone": "CET"}
    team = {"sparkConf": {zone: "UTC", "spark.sql.ansi.enabled": False}}
    conf = render_cluster(**{"global": team, "client": {"sparkConf": wins}}).one("ConfigMap", "cluster-client")
    lines = conf.body["data"]["spark-defaults.conf"].splitlines()
    assert {f"{zone}=CET", "spark.sql.ansi.enabled=false"} <= set(lines)


def test_the_test_pods_cpu_is_that_of_helpers(render_cluster: Render) -> None:
    values = {"global": {"helpers": {"limitCores": "500m"}}, "client": {"requestCores": 1, "limitCores": 2}}
    (driver,) = render_cluster(**values).one("Pod").body["spec"]["containers"]
    assert (driver["resources"]["requests"]["cpu"], driver["resources"]["limits"]["cpu"]) == ("50m", "500m")


def test_long_names_of_releases_stay_apart(render_cluster: Render) -> None:
    names = [
        resource.name
        for end in "ab"
        for resource in render_cluster(release="of-a-very-long-name-that-ends-with-one-letter-" + end).all(
            "StatefulSet"
        )
    ]
    assert len({*names}) == 4
    assert max(map(len, names)) <= 52


def test_only_what_must_reaches_a_port(render_cluster: Render) -> None:
    manifest = render_cluster(**{"global": {"uiProxy": {"namespace": "proxies", "url": "https://spark.example.com/"}}})
    rules = {
        policy.name: [
            (sorted(str(one) for one in rule["from"]), [port["port"] for port in rule["ports"]])
            for rule in policy.body["spec"]["ingress"]
        ]
        for policy in manifest.all("NetworkPolicy")
    }
    assert [ports for _, ports in rules["cluster-master"]] == [[7077], [4040]]
    assert [ports for _, ports in rules["cluster-worker"]] == [[7076, 8081], [7079]]
    assert [ports for _, ports in rules["cluster-client"]] == [[7078], [7078], [4040]]
    assert manifest.one("NetworkPolicy", "cluster-client").body["spec"]["podSelector"] == {"matchLabels": CLIENT}
    assert CLIENT.items() <= job_of(manifest)["spec"]["template"]["metadata"]["labels"].items()


REFUSED: list[tuple[str, Values, str]] = [
    (
        "hdfs",
        {"global": {"eventLog": {"store": "hdfs", "url": "hdfs://namenode/events"}}},
        "global.eventLog.store is hdfs, and executors of a standalone cluster get no tokens of Kerberos: take another "
        "store, or spark-job instead of this chart",
    ),
    ("master", {"master": {"memory": "256m"}}, 'master.memory is "256m", and 512m is the least with which it runs'),
    ("worker", {"worker": {"memory": "1g"}}, 'worker.memory is "1g", and 1200m is the least with which it runs'),
    (
        "cpu",
        {"client": {"requestCores": 2, "limitCores": "500m"}},
        'client.limitCores is "500m", less than client.requestCores, "2": raise it, or lower that',
    ),
    (
        "roles",
        {"volumes": [{"name": "data", "mountPath": "/data", "emptyDir": {}, "roles": ["driver"]}]},
        "volumes: data has roles, which a standalone cluster has not: leave it out",
    ),
    (
        "on demand",
        {"volumes": [{"name": "data", "mountPath": "/data", "onDemand": {"storageClass": "fast", "size": "1Gi"}}]},
        "volumes: data has onDemand, which a standalone cluster has not: take persistentVolumeClaim or ephemeral",
    ),
    ("grace", {"worker": {"gracePeriodSeconds": 86401}}, "maximum: got 86,401, want 86,400"),
    (
        "autoscaling",
        {"worker": {"autoscaling": {"enabled": True, "minReplicas": 7}}},
        "worker.autoscaling.minReplicas is 7, and maxReplicas is 5: raise the one or lower the other",
    ),
    (
        "secret",
        {"client": {"sparkConf": {SECRET: "hunter2"}}},
        f"client.sparkConf sets {SECRET}, and the cluster's authentication is not for values: auth.secret names the "
        "Secret",
    ),
    (
        "rest",
        {"sparkConf": {"spark.master.rest.enabled": True}},
        "sparkConf sets spark.master.rest.enabled, which the chart sets itself to false: leave it out",
    ),
    (
        "ui port",
        {"sparkConf": {"spark.worker.ui.port": 18081}},
        "sparkConf sets spark.worker.ui.port, which the chart sets itself to 8081: leave it out",
    ),
    (
        "hook",
        {"worker": {"podTemplate": {"spec": {"containers": [{"name": "worker", "lifecycle": {}}]}}}},
        "lifecycle",
    ),
    ("account", {"master": {"podTemplate": {"spec": {"serviceAccountName": "mine"}}}}, "serviceAccounts.executor"),
]


@pytest.mark.parametrize(("values", "says"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_values_that_make_no_cluster_are_refused(
    refusal_of: RefusalOf, render_cluster: Render, values: Values, says: str
) -> None:
    assert says in refusal_of(render_cluster, values)
