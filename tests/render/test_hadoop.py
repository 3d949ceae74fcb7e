"""Hadoop's configuration and Kerberos: a team's facts in one place, which every chart follows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from refusals import RefusalOf, Values

from chartproof import Helm, Manifest, Render
from chartproof.checks import Rendered
from chartproof.pods import Pod, pods

HADOOP: Values = {"configMap": "our-hadoop", "accessFileSystems": ["hdfs://a:8020", "s3a://b"]}
KERBEROS: Values = {
    "configMap": "our-krb5",
    "principal": "etl@EXAMPLE.COM",
    "keytab": {"name": "etl-keytab", "key": "etl.keytab"},
}
FACTS: Values = {"hadoop": HADOOP, "kerberos": KERBEROS}
LOG: Values = {"store": "hdfs", "url": "hdfs://namenode:8020/events"}
OWN_LOG: Values = {**LOG, "secret": {"name": "history-keytab", "key": "k"}, "hdfs": {"principal": "spark@EXAMPLE.COM"}}
DRIVERS = ["spark-job: client", "spark-job: cluster", "spark-namespace"]
MODES = pytest.mark.parametrize("mode", ["client", "cluster"])


@pytest.fixture
def pod_of(helm: Helm, charts: Path) -> Any:
    """The pod of a team's driver or executor: ("spark-job: client", "driver", **global)."""

    def pod_of(whose: str, role: str, **facts: Any) -> Pod:
        chart, _, mode = whose.partition(": ")
        values: Values = {"global": facts}
        values |= {"mode": mode, "app": {"file": "local:///app.py"}} if mode else {"namespace": {"create": False}}
        manifest = helm.template(charts / chart, release="r", namespace="team-a", values=values, checked=False)
        found = list(pods(Rendered(manifest, charts / chart, "r", "team-a", "", values)))
        ends = {
            "driver": (" pod-template.yaml", " driver.json"),
            "executor": ("executor-pod-template.yaml", "executor.yaml"),
        }
        by_role = [pod for pod in found if pod.about.endswith(ends[role])]
        return by_role[0] if by_role else next(pod for pod in found if pod.about.startswith("Job/"))

    return pod_of


def properties(manifest: Manifest, name: str = "", key: str = "spark.properties") -> dict[str, str]:
    """A properties file of a ConfigMap."""
    data = manifest.one("ConfigMap", name).body["data"] if name else manifest.one("ConfigMap").body["data"]
    return dict(line.split("=", 1) for line in data[key].splitlines())


def mounted(pod: Pod, path: str) -> dict[str, Any] | None:
    """The volume that the main container has at a path."""
    (container,) = pod.spec["containers"]
    names = [mount["name"] for mount in container["volumeMounts"] if mount["mountPath"] == path]
    return next((volume for volume in pod.spec["volumes"] if volume["name"] in names), None)


def env(pod: Pod) -> dict[str, Any]:
    """Variables of the main container."""
    (container,) = pod.spec["containers"]
    return {variable["name"]: variable.get("value") for variable in container["env"] or []}


@pytest.mark.parametrize("whose", DRIVERS)
@pytest.mark.parametrize("role", ["driver", "executor"])
def test_a_pod_has_the_configuration(pod_of: Any, whose: str, role: str) -> None:
    pod = pod_of(whose, role, **FACTS)
    assert mounted(pod, "/etc/hadoop/conf") == {"name": "hadoop", "configMap": {"name": "our-hadoop"}}
    assert mounted(pod, "/etc/krb5") == {"name": "krb5", "configMap": {"name": "our-krb5"}}
    assert env(pod)["HADOOP_CONF_DIR"] == "/etc/hadoop/conf"
    assert env(pod)["KRB5_CONFIG"] == "/etc/krb5/krb5.conf"
    assert env(pod)["JDK_JAVA_OPTIONS"] == "-Djava.security.krb5.conf=/etc/krb5/krb5.conf"


@pytest.mark.parametrize("whose", DRIVERS)
def test_only_a_driver_has_the_keytab(pod_of: Any, whose: str) -> None:
    volume = mounted(pod_of(whose, "driver", **FACTS), "/etc/spark-kerberos")
    assert volume
    assert volume["secret"] == {
        "secretName": "etl-keytab",
        "defaultMode": 0o440,
        "items": [{"key": "etl.keytab", "path": "keytab"}],
    }
    executor = pod_of(whose, "executor", **FACTS)
    assert mounted(executor, "/etc/spark-kerberos") is None
    assert "etl-keytab" not in json.dumps(executor.spec)


@MODES
def test_the_submitter_has_no_keytab(render_job: Render, mode: str) -> None:
    job = render_job(mode=mode, checked=False, **{"global": FACTS}).one("Job")
    assert ("etl-keytab" in json.dumps(job.body)) == (mode == "client")


@MODES
def test_a_driver_renews_with_its_keytab(render_job: Render, mode: str) -> None:
    conf = properties(render_job(mode=mode, checked=False, **{"global": FACTS}))
    assert conf["spark.kerberos.principal"] == "etl@EXAMPLE.COM"
    assert conf["spark.kerberos.keytab"] == "local:///etc/spark-kerberos/keytab"
    assert conf["spark.security.credentials.retryWait"] == "1m"
    assert conf["spark.kerberos.access.hadoopFileSystems"] == "hdfs://a:8020,s3a://b"


def test_plain_spark_submit_renews_too(render_namespace: Render) -> None:
    conf = properties(render_namespace(**{"global": FACTS}), "spark-defaults", "spark-defaults.conf")
    assert conf["spark.kerberos.principal"] == "etl@EXAMPLE.COM"
    assert conf["spark.kerberos.keytab"] == "local:///etc/spark-kerberos/keytab"


@pytest.mark.parametrize("whose", DRIVERS)
def test_a_driver_takes_a_ticket_cache(pod_of: Any, whose: str) -> None:
    facts = {"hadoop": HADOOP, "kerberos": {"configMap": "our-krb5", "ticketCache": "/tickets/cache"}}
    driver = pod_of(whose, "driver", **facts)
    assert env(driver)["KRB5CCNAME"] == "/tickets/cache"
    assert mounted(driver, "/etc/spark-kerberos") is None
    assert "KRB5CCNAME" not in env(pod_of(whose, "executor", **facts))


def test_a_ticket_cache_is_renewed_by_others(render_job: Render) -> None:
    facts = {"hadoop": HADOOP, "kerberos": {"configMap": "our-krb5", "ticketCache": "/tickets/cache"}}
    conf = properties(render_job(checked=False, **{"global": facts}))
    assert conf["spark.kerberos.renewal.credentials"] == "ccache"
    assert "spark.kerberos.keytab" not in conf


@pytest.mark.parametrize("whose", DRIVERS)
def test_a_driver_takes_tokens(pod_of: Any, whose: str) -> None:
    facts = {"hadoop": HADOOP, "kerberos": {"configMap": "our-krb5", "tokens": {"name": "fetched", "key": "t"}}}
    driver = pod_of(whose, "driver", **facts)
    assert env(driver)["HADOOP_TOKEN_FILE_LOCATION"] == "/etc/spark-kerberos/tokens"
    volume = mounted(driver, "/etc/spark-kerberos")
    assert volume
    assert volume["secret"]["items"] == [{"key": "t", "path": "tokens"}]
    assert "HADOOP_TOKEN_FILE_LOCATION" not in env(pod_of(whose, "executor", **facts))


def test_java_trusts_and_logs_in_by_one_variable(render_job: Render) -> None:
    log = {"store": "s3", "url": "s3a://logs/a", "ca": {"configMap": "ca"}, "s3": {"endpoint": "https://s3"}}
    job = render_job(checked=False, **{"global": {**FACTS, "eventLog": log}}).one("Job")
    options = job.container("driver").env["JDK_JAVA_OPTIONS"]
    assert options == (
        "-Djavax.net.ssl.trustStore=/etc/spark-trust/cacerts -Djava.security.krb5.conf=/etc/krb5/krb5.conf"
    )


def test_a_namespace_makes_the_files(render_namespace: Render) -> None:
    site = {"fs.defaultFS": "hdfs://a:8020", "x": "<&>", "dfs.replication": 2, "on": True}
    kerberos = {"realm": "EXAMPLE.COM", "kdcs": ["kdc.example.com", "other:88"]}
    facts = {"hadoop": {"files": {"core-site.xml": site}}, "kerberos": kerberos}
    manifest = render_namespace(**{"global": facts})
    made = manifest.one("ConfigMap", "spark-hadoop").body["data"]["core-site.xml"]
    assert "<property><name>fs.defaultFS</name><value>hdfs://a:8020</value></property>" in made
    assert "<property><name>x</name><value>&lt;&amp;&gt;</value></property>" in made
    assert "<property><name>dfs.replication</name><value>2</value></property>" in made
    assert "<property><name>on</name><value>true</value></property>" in made
    krb5 = manifest.one("ConfigMap", "spark-krb5").body["data"]["krb5.conf"]
    assert "default_realm = EXAMPLE.COM\n" in krb5
    assert "  EXAMPLE.COM = {\n    kdc = kdc.example.com\n    kdc = other:88\n  }\n" in krb5
    assert "dns_lookup_kdc = false" in krb5
    pod = yaml.safe_load(manifest.one("ConfigMap", "spark-defaults").body["data"]["pod-template.yaml"])
    maps = {volume["configMap"]["name"] for volume in pod["spec"]["volumes"] if "configMap" in volume}
    assert maps == {"spark-hadoop", "spark-krb5"}


def test_dns_tells_the_kdcs_that_nobody_names(render_namespace: Render) -> None:
    krb5 = render_namespace(**{"global": {"kerberos": {"realm": "EXAMPLE.COM"}}}).one("ConfigMap", "spark-krb5")
    assert "dns_lookup_kdc = true" in krb5.body["data"]["krb5.conf"]
    assert "[realms]" not in krb5.body["data"]["krb5.conf"]


@pytest.mark.parametrize(
    ("kerberos", "secret"),
    [(KERBEROS, "etl-keytab"), ({"configMap": "our-krb5", "tokens": {"name": "hdfs-tokens"}}, "hdfs-tokens")],
)
def test_the_guard_lets_drivers_log_in(render_namespace: Render, kerberos: Values, secret: str) -> None:
    manifest = render_namespace(**{"global": {"hadoop": HADOOP, "kerberos": kerberos}})
    policy = json.dumps(manifest.one("ValidatingAdmissionPolicy", "kindling-guard-team-a").body)
    assert f'\\"{secret}\\"' in policy


def test_helm_test_logs_in_as_drivers_do(render_namespace: Render) -> None:
    pod = render_namespace(**{"global": FACTS}).one("Pod", "team-a-test-kerberos")
    (container,) = pod.pod["spec"]["containers"]
    assert container["args"][-4:] == ["test", "/", "hdfs://a:8020/", "s3a://b/"]
    given = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert given["KRB5PRINCIPAL"] == "etl@EXAMPLE.COM"
    assert given["KRB5KEYTAB"] == "/etc/spark-kerberos/keytab"


@pytest.mark.parametrize(
    ("log", "principal", "secret", "key"),
    [(LOG, "etl@EXAMPLE.COM", "etl-keytab", "etl.keytab"), (OWN_LOG, "spark@EXAMPLE.COM", "history-keytab", "k")],
)
def test_a_history_server_logs_in(helm: Helm, charts: Path, log: Values, principal: str, secret: str, key: str) -> None:
    values = {"global": {**FACTS, "eventLog": log}}
    manifest = helm.template(charts / "spark-history-server", values=values, checked=False)
    conf = properties(manifest)
    assert conf["spark.history.kerberos.principal"] == principal
    assert conf["spark.history.kerberos.keytab"] == "/etc/spark-kerberos/keytab"
    for resource in (manifest.one("Deployment"), manifest.one("Pod")):
        (volume,) = (volume for volume in resource.pod["spec"]["volumes"] if volume["name"] == "kerberos")
        assert volume["secret"]["secretName"] == secret
        assert volume["secret"]["items"] == [{"key": key, "path": "keytab"}]


@MODES
def test_a_driver_writes_its_log_as_itself(render_job: Render, mode: str) -> None:
    manifest = render_job(mode=mode, checked=False, **{"global": {**FACTS, "eventLog": OWN_LOG}})
    assert properties(manifest)["spark.kerberos.principal"] == "etl@EXAMPLE.COM"
    assert properties(manifest)["spark.eventLog.dir"] == "hdfs://namenode:8020/events"
    assert "history-keytab" not in manifest.text


def test_a_history_server_of_another_store_has_no_keytab(helm: Helm, charts: Path) -> None:
    values = {"global": {**FACTS, "eventLog": {"store": "claim"}}}
    manifest = helm.template(charts / "spark-history-server", values=values, checked=False)
    assert "etl-keytab" not in manifest.text
    assert "our-hadoop" not in manifest.text


REFUSED: list[tuple[Values, str]] = [
    (
        {"hadoop": {**HADOOP, "files": {"core-site.xml": {"a": 1}}}},
        'global.hadoop.configMap is "our-hadoop" and global.h',
    ),
    (
        {"kerberos": {**KERBEROS, "realm": "A"}},
        'global.kerberos.configMap is "our-krb5" and global.kerberos.realm is "A"',
    ),
    ({"kerberos": {"kdcs": ["a"]}}, "global.kerberos.kdcs is set but global.kerberos.realm is empty"),
    ({"kerberos": {**KERBEROS, "ticketCache": "/t"}}, "keytab.name and global.kerberos.ticketCache are both set"),
    ({"kerberos": {"ticketCache": "/t"}}, "global.kerberos.ticketCache is set but no krb5.conf is"),
    ({"kerberos": KERBEROS, "hadoop": {}}, "global.kerberos.keytab.name is set but Hadoop has no configuration"),
    (
        {"kerberos": {**KERBEROS, "principal": ""}},
        "global.kerberos.principal is empty: set it to whom the keytab is of",
    ),
    (
        {"kerberos": {**KERBEROS, "keytab": {}}},
        'principal is "etl@EXAMPLE.COM" but global.kerberos.keytab.name is empty',
    ),
    ({"eventLog": LOG, "hadoop": {}, "kerberos": {}}, "global.eventLog.store is hdfs but Hadoop has no configuration"),
    (
        {"eventLog": {**OWN_LOG, "hdfs": {}}},
        'global.eventLog.secret.name is "history-keytab" but global.eventLog.hdfs.pri',
    ),
    (
        {"eventLog": {**OWN_LOG, "secret": {}}},
        'global.eventLog.hdfs.principal is "spark@EXAMPLE.COM" but global.eventLog.s',
    ),
    (
        {"eventLog": OWN_LOG, "kerberos": {}},
        "but no krb5.conf is set: set global.kerberos.configMap, or realm and kdcs",
    ),
    ({"kerberos": {"realm": "a b"}}, "global.kerberos.realm is "),
    *(
        (
            {"hadoop": {"files": {"core-site.xml": {key: "x"}}}},
            f"global.hadoop.files sets {key} in core-site.xml, and a sec",
        )
        for key in (
            "fs.s3a.secret.key",
            "fs.s3a.session.token",
            "fs.azure.account.key.a.dfs.core.windows.net",
            "javax.jdo.option.ConnectionPassword",
            "ssl.client.keystore.password",
        )
    ),
    ({"hadoop": {"files": {"krb5.conf": {"a": 1}}}}, 'global.hadoop.files has the key "krb5.conf"'),
]


@pytest.mark.parametrize(("facts", "words"), REFUSED)
@pytest.mark.parametrize("chart", ["spark-job", "spark-namespace", "spark-history-server"])
def test_facts_that_cannot_be_are_refused(
    helm: Helm, charts: Path, refusal_of: RefusalOf, chart: str, facts: Values, words: str
) -> None:
    more: dict[str, Values] = {
        "spark-job": {"app": {"file": "local:///app.py"}},
        "spark-namespace": {"namespace": {"create": False}},
    }
    log = {"store": "claim"} if chart == "spark-history-server" else {}
    values = {**more.get(chart, {}), "global": {"eventLog": log, **FACTS, **facts}}
    assert words in refusal_of(lambda **given: helm.template(charts / chart, values=given, checked=False), values)


@pytest.mark.parametrize(
    ("key", "use"),
    [
        ("spark.kerberos.keytab", "global.kerberos.keytab, a Secret"),
        ("spark.kerberos.principal", "global.kerberos.principal"),
        ("spark.yarn.access.hadoopFileSystems", "global.hadoop.accessFileSystems"),
        ("spark.kubernetes.hadoop.configMapName", "global.hadoop.configMap"),
        ("spark.kubernetes.kerberos.tokenSecret.name", "global.kerberos.tokens.name"),
    ],
)
def test_spark_conf_of_kerberos_is_refused(render_job: Render, refusal_of: RefusalOf, key: str, use: str) -> None:
    said = refusal_of(render_job, {"sparkConf": {key: "x"}})
    assert f"sparkConf sets {key}, which the chart sets itself; use instead: {use}" in said
