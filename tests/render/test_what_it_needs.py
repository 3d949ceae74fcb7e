"""What applications need besides themselves, and how their pods reach where that is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from refusals import RefusalOf

from chartproof import Helm, Manifest, Render

OUTSIDE: dict[str, Any] = {
    "trust": {"configMap": "company-ca"},
    "proxy": {"url": "http://proxy.example.com:3128", "direct": ["*.example.com", ".example.net", "repo.example.org"]},
    "s3": {"endpoint": "https://s3.example.com", "secret": {"name": "s3-account"}},
}
IVY = {"ivySettings": {"name": "maven-settings"}}
SECRETS = {"driver": {"s3-account", "maven-settings"}, "executor": {"s3-account"}}


def pods_of(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """The spec of each pod of a release, by its role."""
    data = manifest.one("ConfigMap").body["data"]
    job = manifest.one("Job").body["spec"]["template"]["spec"]
    found = {"executor": yaml.safe_load(data["executor.yaml"])["spec"]}
    if "driver.json" in data:
        return {**found, "submitter": job, "driver": json.loads(data["driver.json"])["spec"]}
    return {**found, "driver": job}


def env_of(spec: dict[str, Any]) -> dict[str, Any]:
    """The variables of its main container."""
    return {one["name"]: one.get("value") for one in spec["containers"][0]["env"]}


def secrets_of(spec: dict[str, Any]) -> set[str]:
    """The Secrets that it mounts."""
    return {volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume}


def conf_of(manifest: Manifest) -> dict[str, str]:
    """Spark's configuration."""
    data = manifest.one("ConfigMap").body["data"]
    return dict(line.split("=", 1) for line in data["spark.properties"].splitlines())


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_each_pod_knows_the_cas_and_the_proxy(render_job: Render, mode: str) -> None:
    for spec in pods_of(render_job(mode=mode, checked=False, **{"global": OUTSIDE})).values():
        env = env_of(spec)
        assert "-Djavax.net.ssl.trustStore=/etc/spark-trust/cacerts" in env["JDK_JAVA_OPTIONS"]
        assert "-Dhttps.proxyHost=proxy.example.com -Dhttps.proxyPort=3128" in env["JDK_JAVA_OPTIONS"]
        assert "|*.example.com|*.example.net|repo.example.org" in env["JDK_JAVA_OPTIONS"]
        assert env["https_proxy"] == env["http_proxy"] == "http://proxy.example.com:3128"
        assert env["no_proxy"].endswith(",.example.com,.example.net,repo.example.org")
        assert env["SSL_CERT_FILE"] == "/etc/spark-trust/ca-bundle.crt"
        assert "trust" in [one["name"] for one in spec["initContainers"]]


@pytest.mark.parametrize("mode", ["client", "cluster"])
@pytest.mark.parametrize(
    ("place", "opened"),
    [("https://h", False), ("local://", False), ("s3a://b", True), ("hdfs://h", True), ("gs://b", True)],
)
def test_a_submitter_has_a_stores_secrets_if_it_looks(render_job: Render, mode: str, place: str, opened: bool) -> None:
    kerberos = {"configMap": "k", "principal": "a@B", "keytab": {"name": "keytab"}}
    facts = {**OUTSIDE, **IVY, "hadoop": {"configMap": "h"}, "kerberos": kerberos}
    app = {"file": f"{place}/a.py", "packages": ["a:b:1"]}
    found = pods_of(render_job(mode=mode, app=app, checked=False, **{"global": facts}))
    for role, secrets in SECRETS.items():
        assert secrets_of(found[role]) == secrets | ({"keytab"} if role == "driver" else set())
    if mode == "cluster":
        submitter = found["submitter"]
        assert secrets_of(submitter) == {"maven-settings"} | ({"s3-account", "keytab"} if opened else set())
        assert ("KRB5KEYTAB" in env_of(submitter)) is opened
        assert ("YARN_CONF_DIR" in env_of(submitter)) is opened
        # For it spark-submit would make a ConfigMap of its own.
        assert "HADOOP_CONF_DIR" not in env_of(submitter)


def test_a_submitter_that_opens_s3_needs_no_hadoop(render_job: Render) -> None:
    app = {"file": "s3a://b/a.py"}
    env = env_of(pods_of(render_job(mode="cluster", app=app, checked=False, **{"global": OUTSIDE}))["submitter"])
    assert env["AWS_SHARED_CREDENTIALS_FILE"] == "/etc/spark-s3/credentials"
    assert env.keys() & {"YARN_CONF_DIR", "KRB5_CONFIG", "KRB5KEYTAB"} == set()


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_programs_know_which_value_names_an_address(render_job: Render, mode: str) -> None:
    app = {
        "file": "https://files.example/app.py",
        "jars": ["local:///opt/a.jar", "https://files.example/b.jar"],
        "files": ["local:///opt/c.csv"],
        "archives": ["s3a://lake/d.tgz"],
        "repositories": ["https://repo.example/"],
    }
    held = render_job(mode=mode, app=app).one("ConfigMap").body["data"]
    assert json.loads(held["addresses.json"]) == {
        "app.file": ["https://files.example/app.py"],
        "app.jars": ["https://files.example/b.jar"],
        "app.archives": ["s3a://lake/d.tgz"],
        "app.repositories": ["https://repo.example/"],
    }
    assert "addresses.json" not in render_job(mode=mode).one("ConfigMap").body["data"]


def test_ivys_settings_are_there_for_packages_alone(render_job: Render) -> None:
    manifest = render_job(checked=False, **{"global": IVY})
    assert "spark.jars.ivySettings" not in conf_of(manifest)
    assert secrets_of(pods_of(manifest)["driver"]) == set()


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_what_is_on_a_volume_reaches_executors(render_job: Render, mode: str) -> None:
    app = {
        "file": "local:///a.py",
        "pyFiles": ["local:///x/lib.zip", "local:///x/one.py", "local:///x/two.py"],
        "files": ["local:///x/words.txt"],
        "archives": ["local:///x/env.tgz#env"],
    }
    executor = {"env": {"PYTHONPATH": "/own"}}
    manifest = render_job(mode=mode, app=app, executor=executor, checked=False)
    found, conf = pods_of(manifest), conf_of(manifest)
    assert env_of(found["executor"])["PYTHONPATH"] == "/x/lib.zip:/x:/own"
    assert env_of(found["driver"])["PYTHONPATH"] == "/x/lib.zip:/x"
    assert "spark.submit.pyFiles" not in conf
    sent = {"spark.files": "file:///x/words.txt", "spark.archives": "file:///x/env.tgz#env"}
    if mode == "client":
        assert conf.items() >= sent.items()
    else:
        assert conf.keys() & sent.keys() == set()
        options = env_of(found["driver"])["SPARK_SUBMIT_OPTS"]
        assert options.split() == [f"-D{key}={value}" for key, value in sent.items()]


def test_a_variable_from_a_secret_stays_as_it_is(render_job: Render) -> None:
    given = {"secretKeyRef": {"name": "password", "key": "path"}}
    app = {"file": "local:///a.py", "pyFiles": ["local:///x/lib.zip"]}
    driver = pods_of(render_job(app=app, driver={"env": {"PYTHONPATH": given}}, checked=False))["driver"]
    assert {"name": "PYTHONPATH", "valueFrom": given} in driver["containers"][0]["env"]


def test_secrets_may_come_from_the_environment(render_job: Render) -> None:
    conf = {"spark.hadoop.fs.s3a.secret.key": "${env.S3_SECRET}"}
    assert conf_of(render_job(sparkConf=conf)).items() >= conf.items()


def test_logs_in_the_teams_s3_need_nothing_more(helm: Helm, charts: Path, render_job: Render) -> None:
    facts = {**OUTSIDE, "eventLog": {"store": "s3", "url": "s3a://logs/a"}}
    job = render_job(checked=False, **{"global": facts})
    values = {"global": facts}
    server = helm.template(
        charts / "spark-history-server", release="history", namespace="team-a", values=values, checked=False
    )
    for manifest in (job, server):
        conf = conf_of(manifest)
        assert conf["spark.hadoop.fs.s3a.endpoint"] == "https://s3.example.com"
        assert not [key for key in conf if key.startswith("spark.hadoop.fs.s3a.bucket.")]
    spec = server.one("Deployment").body["spec"]["template"]["spec"]
    assert secrets_of(spec) == {"s3-account"}
    assert env_of(spec)["AWS_SHARED_CREDENTIALS_FILE"] == "/etc/spark-s3/credentials"
    assert secrets_of(pods_of(job)["driver"]) == {"s3-account"}


def test_two_credentials_files_for_s3_are_refused(render_job: Render, refusal_of: RefusalOf) -> None:
    log = {"store": "s3", "url": "s3a://logs/a", "secret": {"name": "of-the-log"}}
    said = refusal_of(render_job, {"global": {**OUTSIDE, "eventLog": log}})
    assert 'global.eventLog.secret.name is "of-the-log" and global.s3.secret.name is "s3-account"' in said


def test_the_guard_lists_the_secrets_of_stores(render_namespace: Render) -> None:
    manifest = render_namespace(**{"global": {**OUTSIDE, **IVY}})
    policy = json.dumps(manifest.one("ValidatingAdmissionPolicy", "kindling-guard-team-a").body)
    assert all(f'\\"{name}\\"' in policy for name in ("s3-account", "maven-settings"))
