"""The history server and global.eventLog: one place for the store, no secret in sight, refusals in a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from refusals import RefusalOf, Values

from chartproof import Helm, HelmError, Manifest, Render, Resource

CLAIM: Values = {"store": "claim"}
S3: Values = {
    "store": "s3",
    "url": "s3a://logs/team-a",
    "secret": {"name": "event-log-store", "key": "aws"},
    "ca": {"configMap": "company-ca"},
    "s3": {"endpoint": "https://s3.example.com", "region": "eu-1"},
}
HDFS: Values = {
    "store": "hdfs",
    "url": "hdfs://namenode:8020/events",
    "secret": {"name": "event-log-store", "key": "keytab"},
    "hdfs": {"principal": "spark@EXAMPLE.COM"},
}
BUCKET = "spark.hadoop.fs.s3a.bucket.logs"
OF_THE_STORE = [pytest.param(log, id=log["store"]) for log in (CLAIM, S3)]


@pytest.fixture(scope="session")
def render_history(helm: Helm, charts: Path) -> Render:
    """Render spark-history-server as release "history" in team-a; keyword arguments are values at the top level."""

    def render(*, log: Values = CLAIM, checked: bool = False, **values: Any) -> Manifest:
        values["global"] = {"eventLog": log, **values.get("global", {})}
        chart = charts / "spark-history-server"
        return helm.template(chart, release="history", namespace="team-a", values=values, checked=checked)

    return render


def conf(manifest: Manifest, key: str = "spark.properties") -> dict[str, str]:
    """A properties file of a ConfigMap."""
    return dict(line.split("=", 1) for line in manifest.one("ConfigMap").body["data"][key].splitlines())


def driver_of(manifest: Manifest, mode: str) -> Resource:
    """What the driver's pod is made of."""
    data = manifest.one("ConfigMap").body["data"]
    return Resource(json.loads(data["driver.json"])) if mode == "cluster" else manifest.one("Job")


def names(volumes: list[dict[str, Any]]) -> set[str]:
    """Of volumes or mounts, those of the store."""
    return {volume["name"] for volume in volumes if volume["name"].startswith("event-log")}


@pytest.mark.parametrize("mode", ["client", "cluster"])
@pytest.mark.parametrize("log", OF_THE_STORE)
def test_drivers_and_the_server_reach_the_same_folder_by_the_same_means(
    render_job: Render, render_history: Render, mode: str, log: Values
) -> None:
    job, server = render_job(mode=mode, **{"global": {"eventLog": log}}, checked=False), render_history(log=log)
    wrote, read = conf(job), conf(server)
    assert wrote["spark.eventLog.enabled"] == wrote["spark.eventLog.rolling.enabled"] == "true"
    assert wrote["spark.eventLog.dir"] == read["spark.history.fs.logDirectory"]
    assert {key: value for key, value in wrote.items() if "hadoop" in key} == {
        key: value for key, value in read.items() if "hadoop" in key
    }
    driver, deployment = driver_of(job, mode).pod["spec"], server.one("Deployment").pod["spec"]
    assert names(driver["volumes"]) == names(deployment["volumes"]) != set()
    for variable in ("AWS_SHARED_CREDENTIALS_FILE", "JDK_JAVA_OPTIONS", "HADOOP_CONF_DIR"):
        of_driver = [env for env in driver["containers"][0].get("env", []) if env["name"] == variable]
        of_server = [env for env in deployment["containers"][0]["env"] if env["name"] == variable]
        assert of_driver == of_server


@pytest.mark.parametrize("log", OF_THE_STORE)
def test_executors_have_nothing_of_the_store(render_job: Render, log: Values) -> None:
    manifest = render_job(**{"global": {"eventLog": log}}, checked=False)
    executor = manifest.one("ConfigMap").body["data"]["executor.yaml"]
    assert "event-log" not in executor
    assert "/var/spark/events" not in executor


@pytest.mark.parametrize("log", OF_THE_STORE)
def test_plain_spark_submit_follows_too(render_namespace: Render, log: Values) -> None:
    manifest = render_namespace(**{"global": {"eventLog": log}})
    data = manifest.one("ConfigMap", "spark-defaults").body["data"]
    assert "\nspark.eventLog.dir=" in data["spark-defaults.conf"]
    assert names(yaml.safe_load(data["pod-template.yaml"])["spec"]["volumes"]) != set()
    assert names(yaml.safe_load(data["executor-pod-template.yaml"])["spec"]["volumes"]) == set()


def test_without_a_store_there_are_no_logs(render_job: Render) -> None:
    assert not [key for key in conf(render_job()) if "eventLog" in key]


def test_an_application_may_do_without(render_job: Render) -> None:
    manifest = render_job(**{"global": {"eventLog": CLAIM}}, sparkConf={"spark.eventLog.enabled": False}, checked=False)
    assert conf(manifest)["spark.eventLog.enabled"] == "false"


def test_settings_of_s3_are_of_the_logs_bucket_alone(render_job: Render) -> None:
    settings = conf(render_job(**{"global": {"eventLog": S3}}, checked=False))
    of_s3 = {key for key in settings if "s3a" in key}
    assert settings[f"{BUCKET}.endpoint"] == "https://s3.example.com"
    assert all(key.startswith(f"{BUCKET}.") for key in of_s3)


def test_who_makes_the_folder_has_the_teams_hadoop_configuration(render_history: Render) -> None:
    provider = "fs.s3a.bucket.logs.aws.credentials.provider"
    team = {
        f"spark.hadoop.{provider}": "com.example.Identity",
        "spark.hadoop.a": 1000000,
        "spark.hadoop.b": "a\n  evil: |\n    x",
        "spark.sql.ansi.enabled": True,
    }
    manifest = render_history(
        log={**S3, "secret": {}}, **{"global": {"sparkConf": team}}, sparkConf={"spark.hadoop.a": "<b>"}
    )
    assert conf(manifest)[f"spark.hadoop.{provider}"] == "com.example.Identity"
    assert "spark.sql.ansi.enabled" not in conf(manifest)
    read = ElementTree.fromstring(manifest.one("ConfigMap").body["data"]["core-site.xml"])
    settings = {one.findtext("name"): one.findtext("value") for one in read}
    assert (settings[provider], settings["a"]) == ("com.example.Identity", "<b>")
    assert settings["b"] == team["spark.hadoop.b"]
    assert settings["fs.s3a.bucket.logs.endpoint"] == "https://s3.example.com"


def test_the_guard_lets_pods_use_the_stores_secret(render_namespace: Render) -> None:
    manifest = render_namespace(**{"global": {"eventLog": S3}}, guard={"secrets": ["password"]})
    policy = json.dumps(manifest.one("ValidatingAdmissionPolicy", "kindling-guard-team-a").body)
    assert '\\"password\\",\\"event-log-store\\"' in policy


@pytest.mark.parametrize(("memory", "heap", "in_memory"), [("1g", "614m", "64m"), ("8g", "4915m", "512m")])
def test_the_heap_leaves_room_in_the_container(render_history: Render, memory: str, heap: str, in_memory: str) -> None:
    manifest = render_history(memory=memory)
    container = manifest.one("Deployment").container("history-server")
    assert container.env["SPARK_DAEMON_MEMORY"] == heap
    assert conf(manifest)["spark.history.store.hybridStore.maxMemoryUsage"] == in_memory


@pytest.mark.parametrize(("size", "of_uis"), [("20Gi", "18432m"), ("512Mi", "256m"), ("2Gi", "1792m")])
def test_the_state_fits_its_volume(render_history: Render, size: str, of_uis: str) -> None:
    manifest = render_history(state={"size": size})
    assert conf(manifest)["spark.history.store.maxDiskUsage"] == of_uis
    (state,) = [one for one in manifest.one("Deployment").pod["spec"]["volumes"] if one["name"] == "state"]
    assert state["emptyDir"] == {"sizeLimit": size}


def test_compacted_logs_have_the_codec_of_drivers(render_history: Render, render_job: Render) -> None:
    server = conf(render_history(compactionFiles=2))
    driver = conf(render_job(**{"global": {"eventLog": CLAIM}}, checked=False))
    # zstd is Spark's own choice, in both lines.
    assert (driver["spark.eventLog.compress"], driver.get("spark.eventLog.compression.codec", "zstd")) == (
        server["spark.eventLog.compress"],
        server["spark.eventLog.compression.codec"],
    )


def test_only_one_pod_cleans(render_history: Render) -> None:
    spec = render_history().one("Deployment").body["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_uninstalling_keeps_the_logs(render_history: Render) -> None:
    claim = render_history().one("PersistentVolumeClaim", "spark-events").body
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_all_folders_that_are_read_are_made_first(render_history: Render) -> None:
    manifest = render_history(log=S3, moreFolders=["s3a://logs/team-b", "s3a://logs/team-c"])
    folders = conf(manifest)["spark.history.fs.logDirectory"].split(",")
    assert len(folders) == 3
    inits = manifest.one("Deployment").pod["spec"]["initContainers"]
    (made,) = [init["args"][-3:] for init in inits if init["name"] == "log-folder"]
    assert made == folders


def test_new_configuration_makes_a_new_pod(render_history: Render) -> None:
    before, after = (
        render_history(updateInterval=seconds).one("Deployment").body["spec"]["template"] for seconds in ("1s", "2s")
    )
    assert before != after


def test_the_key_of_tokens_is_in_no_object(render_history: Render) -> None:
    manifest = render_history(auth={"mode": "jws", "jws": {"secret": {"name": "key"}}})
    assert conf(manifest)["spark.ui.filters"] == "org.apache.spark.ui.JWSFilter"
    assert not [key for key in conf(manifest) if "secretKey" in key]
    (volume,) = [one for one in manifest.one("Deployment").pod["spec"]["volumes"] if one["name"] == "properties"]
    assert volume["emptyDir"]["medium"] == "Memory"


@pytest.mark.parametrize("mode", ["none", "jws", "proxy"])
def test_the_ui_proxy_finds_only_a_server_that_lets_it_in(render_history: Render, mode: str) -> None:
    sidecar = {"name": "oauth2-proxy", "image": "example.com/proxy:1", "ports": [{"containerPort": 4180}]}
    auth = {"mode": mode, "jws": {"secret": {"name": "key"}}}
    pod = render_history(auth=auth, sidecars=[sidecar]).one("Deployment").body["spec"]["template"]
    assert (pod["metadata"]["labels"].get("spark-role") == "history-server") == (mode == "none")


def test_nobody_gets_past_an_authenticating_proxy(render_history: Render) -> None:
    auth = {"mode": "proxy", "proxy": {"port": 4181}}
    sidecar = {"name": "oauth2-proxy", "image": "example.com/proxy:1", "ports": [{"containerPort": 4181}]}
    manifest = render_history(auth=auth, sidecars=[sidecar])
    assert manifest.one("Deployment").container("history-server").env["SPARK_LOCAL_IP"] == "127.0.0.1"
    (port,) = manifest.one("Service").body["spec"]["ports"]
    assert port["targetPort"] == 4181


def test_only_the_ui_proxy_and_who_is_named_connect(render_history: Render) -> None:
    ingress = {"namespaces": ["ingress-nginx"], "ports": [18080]}
    manifest = render_history(network={"from": {"ingress": ingress}}, **{"global": {"uiProxy": {"namespace": "door"}}})
    own, named = manifest.one("NetworkPolicy").body["spec"]["ingress"]
    namespaces = [one["namespaceSelector"]["matchLabels"] for one in own["from"] if "namespaceSelector" in one]
    assert namespaces == [{"kubernetes.io/metadata.name": "door"}]
    assert named["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}]


CONTAINER = {"name": "history-server", "image": "example.com/proxy:1"}
REFUSED: list[tuple[Values, str]] = [
    ({"log": {}}, "global.eventLog.store is empty, and there are no event logs to show"),
    ({"log": {"store": "s3", "url": "s3://logs"}}, 'global.eventLog.url is "s3://logs", and the store is s3'),
    ({"log": {**CLAIM, "url": "s3a://logs"}}, "which has none: leave it empty, or set global.eventLog.store"),
    ({"log": {**CLAIM, "secret": {"name": "key"}}}, "which needs none: leave it empty"),
    ({"log": {**S3, "s3": {"endpoint": "http://s3"}}}, "only what is asked by https:// has a certificate"),
    ({"log": {**HDFS, "secret": {}}}, "global.eventLog.secret.name is empty: set it to the Secret with its keytab"),
    ({"sparkConf": {"spark.eventLog.dir": "/x"}}, "sparkConf sets spark.eventLog.dir"),
    ({"sparkConf": {"spark.history.ui.port": 1}}, "sparkConf sets spark.history.ui.port, which the chart sets itself"),
    ({"sparkConf": {"spark.a b": 1}}, 'sparkConf has the key "spark.a b"'),
    ({"sparkConf": {"spark.org.apache.spark.ui.JWSFilter.param.secretKey": "x"}}, "a secret never stands in values"),
    ({"memory": "256m"}, 'memory is "256m", and the server needs 512m at least'),
    ({"state": {"size": "256Mi"}}, 'state.size is "256Mi", and the server needs 512Mi at least'),
    ({"auth": {"mode": "jws"}}, "auth.jws.secret.name is empty"),
    ({"auth": {"mode": "proxy"}}, "no container of sidecars has auth.proxy.port, 4180, among its ports"),
    (
        {"auth": {"mode": "proxy"}, "sidecars": [{"name": "proxy", "image": "example.com/proxy:1"}]},
        "no container of sidecars has auth.proxy.port, 4180, among its ports",
    ),
    ({"ingress": {"enabled": True}}, "ingress.host is empty"),
    ({"sidecars": [CONTAINER]}, 'the server\'s pod has two containers named "history-server"'),
    ({"labels": {"spark-role": "driver"}}, "labels sets spark-role"),
    ({"annotations": {"checksum/config": "x"}}, "annotations sets checksum/config"),
    ({"network": {"from": {"all": {"ports": [1]}}}}, "network.from.all names nobody"),
    ({"cleaner": {"maxAge": "30"}}, "cleaner.maxAge is "),
    ({"state": {"size": "1.5Gi"}}, "state.size is "),
]


@pytest.mark.parametrize(("values", "words"), REFUSED)
def test_what_cannot_work_is_refused(render_history: Render, refusal_of: RefusalOf, values: Values, words: str) -> None:
    assert words in refusal_of(render_history, values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"sparkConf": {"spark.eventLog.dir": "/x"}}, "sparkConf sets spark.eventLog.dir, which global.eventLog sets"),
        (
            {"driver": {"env": {"JDK_JAVA_OPTIONS": "-Da=b"}}},
            'has two variables named "JDK_JAVA_OPTIONS", of which one is the chart\'s',
        ),
        (
            {"volumes": [{"name": "mine", "mountPath": "/etc/spark-event-log", "emptyDir": {}}]},
            "the driver's pod mounts two volumes at /etc/spark-event-log",
        ),
        (
            {"volumes": [{"name": "authorities", "mountPath": "/x", "emptyDir": {}}]},
            'has two volumes named "authorities"',
        ),
    ],
)
def test_a_job_that_meets_the_store_is_refused(
    render_job: Render, refusal_of: RefusalOf, values: Values, words: str
) -> None:
    assert words in refusal_of(render_job, {**values, "global": {"eventLog": S3}})


def test_a_release_whose_service_could_have_no_name_is_refused(helm: Helm, charts: Path) -> None:
    values = {"global": {"eventLog": CLAIM}}
    with pytest.raises(HelmError, match='the release is named "1st", and no Service\'s name begins with a digit'):
        helm.template(charts / "spark-history-server", release="1st", namespace="team-a", values=values)
