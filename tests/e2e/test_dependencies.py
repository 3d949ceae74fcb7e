"""What applications need besides themselves, from each place that companies keep it in: both modes, both lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from depot import DEPENDENCIES, Depot, HttpProxy, configmap, depot, http_proxy
from kerberised import Kerberised, image
from object_store import BUCKET, FOLDER, REGION, object_store
from secure_hdfs import URL, SecureHdfs
from team import EACH, SMALL, Team, served

from chartproof import Cluster, JobEnd
from chartproof.values import merged
from kindling_dev.guides import manifests
from kindling_dev.jvm_example import ensure_jar
from kindling_dev.settings import REPO, Settings
from kindling_dev.spark_image import DEFAULT_LINE, LINES, SparkLine

APP = (REPO / "tests/e2e/apps/dependencies.py").read_bytes()
SEEN = {"zip": "imported", "module": "alone", "file": "distributed", "archive": "unpacked"}
READ = """
import os
from pyspark.sql import SparkSession
context = SparkSession.builder.getOrCreate().sparkContext
read = context.parallelize([0], 1).map(lambda _: open("/deps/words.txt").read().strip()).first()
print("EXECUTOR", read, "DRIVER", os.path.exists("/deps"))
"""
"""Reads a file that only executors have."""
FIND = """
loader = context._jvm.Thread.currentThread().getContextClassLoader()
print("jar:", loader.getResource("lib.txt") is not None)
"""
"""Looks for what is in lib.jar."""
RESULT = "limit=1000 digit-sum=13 numbers=75"


@pytest.fixture
def files() -> dict[str, bytes]:
    """The application and a dependency of each kind; Java's is built for the older line, and runs on both."""
    jar = ensure_jar(LINES["3.5"], Settings.from_environment())
    return {**DEPENDENCIES, "app.py": APP, "app.jar": jar.read_bytes()}


@pytest.fixture
def store(cluster: Cluster, new_namespace: Callable[..., str], files: dict[str, bytes]) -> Depot:
    """A company's artifact store, in no team's namespace."""
    return depot(cluster, new_namespace("depot"), files)


@pytest.fixture
def proxy(store: Depot) -> HttpProxy:
    """The HTTP proxy before it."""
    return http_proxy(store.cluster, store.namespace)


def application(place: str, **more: Any) -> dict[str, Any]:
    """An application and its dependencies in a folder, as the value `app`."""
    return {
        "file": f"{place}/app.py",
        "pyFiles": [f"{place}/lib.zip", f"{place}/single.py"],
        "jars": [f"{place}/app.jar"],
        "files": [f"{place}/words.txt"],
        "archives": [f"{place}/env.tar.gz#unpacked"],
        **more,
    }


def run(team: Team, line: SparkLine, **values: Any) -> tuple[JobEnd, str]:
    """Run a release "uses" to its end: that, and what it printed."""
    team.install("uses", line=line, **values)
    end = team.end_of("uses")
    return end, team.log_of(end)


def assert_all_used(end: JobEnd, log: str) -> None:
    """A run had a dependency of each kind, on driver and executor."""
    assert end.succeeded, (end, log)
    (seen,) = [json.loads(told.removeprefix("SEEN ")) for told in log.splitlines() if told.startswith("SEEN ")]
    assert seen == {"driver": SEEN, "executor": SEEN}
    assert RESULT in log.splitlines()


@EACH
def test_all_comes_over_https_through_a_proxy(
    team: Team, store: Depot, proxy: HttpProxy, mode: str, line: SparkLine
) -> None:
    core = team.cluster.core
    core.create_namespaced_config_map(team.name, {"metadata": {"name": "company-ca"}, "data": {"ca.crt": store.ca}})
    settings = {"ivysettings.xml": store.ivy_settings(store.outside)}
    core.create_namespaced_secret(team.name, {"metadata": {"name": "maven"}, "stringData": settings})
    facts = {"trust": {"configMap": "company-ca"}, "proxy": {"url": proxy.url}, "ivySettings": {"name": "maven"}}
    team.set_namespace(**{"global": facts})
    args = ["package", f"{store.outside}/files/words.txt"]
    app = application(f"{store.outside}/files", packages=["local.kindling:packaged:1.0"], args=args)
    end, log = run(team, line, mode=mode, app=app, **{"global": facts})
    assert_all_used(end, log)
    assert "PACKAGE found" in log
    assert "ASKED distributed distributed" in log
    assert len({one["client"] for one in store.asked()}) == 1, "only the proxy asks"
    assert store.password not in log


@pytest.mark.parametrize("mode", ["cluster", pytest.param("client", marks=pytest.mark.long)])
def test_all_comes_from_s3_with_a_secret(
    team: Team, new_namespace: Callable[..., str], files: dict[str, bytes], of_s3: dict[str, str], mode: str
) -> None:
    store = object_store(team.cluster, new_namespace("store"), files)
    core = team.cluster.core
    core.create_namespaced_config_map(team.name, {"metadata": {"name": "company-ca"}, "data": {"ca.crt": store.ca}})
    credentials = {"metadata": {"name": "s3"}, "stringData": {"credentials": store.credentials_file}}
    core.create_namespaced_secret(team.name, credentials)
    s3 = {"endpoint": store.endpoint, "region": REGION, "pathStyle": True, "secret": {"name": "s3"}}
    log = {"store": "s3", "url": f"s3a://{BUCKET}/{FOLDER}/"}
    facts = {"trust": {"configMap": "company-ca"}, "s3": s3, "eventLog": log}
    team.set_namespace(**{"global": facts})
    app = application(f"s3a://{BUCKET}/{FOLDER}")
    end, log_text = run(team, DEFAULT_LINE, mode=mode, image=of_s3, app=app, **{"global": facts})
    assert_all_used(end, log_text)
    objects = team.kubectl("get", "pods,jobs,configmaps,events", "--output=yaml")
    assert not [word for word in (store.access_key, store.secret_key) if word in objects + log_text]


@pytest.mark.parametrize("mode", ["client", pytest.param("cluster", marks=pytest.mark.long)])
def test_an_init_container_fetches_with_a_password(team: Team, store: Depot, mode: str) -> None:
    core = team.cluster.core
    core.create_namespaced_config_map(team.name, {"metadata": {"name": "company-ca"}, "data": {"ca.crt": store.ca}})
    secret = {"metadata": {"name": "artifacts"}, "stringData": {"login": f"{store.user}:{store.password}"}}
    core.create_namespaced_secret(team.name, secret)
    facts = {"trust": {"configMap": "company-ca"}}
    team.set_namespace(**{"global": facts}, guard={"secrets": ["artifacts"]})
    (block,) = [block for block in manifests("dependencies") if block.heading == "HTTP with a password"]
    values = yaml.safe_load(block.text.replace("https://artifacts.example.com", store.url))
    values["app"] = {"source": values["app"]["source"] + FIND, "jars": ["local:///fetched/lib.jar"]}
    # Both roles have the same one: what is added is for both.
    values["driver"]["initContainers"][0]["args"].append(f"{store.url}/private/lib.jar")
    end, log = run(team, DEFAULT_LINE, mode=mode, **merged(SMALL, values), **{"global": facts})
    assert end.succeeded, (end, log)
    assert {"driver: distributed executor: distributed", "jar: True"} <= set(log.splitlines())
    asked = [(one["path"], one["status"]) for one in store.asked()]
    # The driver and at least one executor.
    assert len([one for one in asked if one == ("/private/words.txt", "200")]) >= 2, asked
    assert store.password not in log + team.kubectl("get", "pods,jobs,configmaps,events", "--output=yaml")


@EACH
def test_all_comes_from_hdfs_with_kerberos(
    team: Team, secure_hdfs: SecureHdfs, files: dict[str, bytes], mode: str, line: SparkLine
) -> None:
    kerberised = Kerberised(team, secure_hdfs)
    kerberised.prepare("alice")
    folder = kerberised.folder()
    secure_hdfs.give_files("alice", folder, files)
    app = application(f"{URL}{folder}")
    end, log = run(team, line, mode=mode, image=image(line), app=app, **{"global": kerberised.facts()})
    assert_all_used(end, log)


@EACH
def test_all_comes_from_a_claim(team: Team, files: dict[str, bytes], mode: str, line: SparkLine) -> None:
    volume = {"name": "deps", "mountPath": "/deps", "readOnly": True, "persistentVolumeClaim": {"claimName": "deps"}}
    fill_claim(team, "deps", files)
    end, log = run(team, line, mode=mode, app=application("local:///deps"), volumes=[volume])
    assert_all_used(end, log)


def test_executors_have_a_claim_by_their_template(team: Team, files: dict[str, bytes]) -> None:
    fill_claim(team, "deps", files)
    mount = {"name": "deps", "mountPath": "/deps", "readOnly": True}
    spec = {
        "volumes": [{"name": "deps", "persistentVolumeClaim": {"claimName": "deps"}}],
        "containers": [{"name": "executor", "volumeMounts": [mount]}],
    }
    executor = {**SMALL["executor"], "podTemplate": {"spec": spec}}
    end, log = run(team, DEFAULT_LINE, app={"source": READ}, executor=executor)
    assert end.succeeded, log
    assert "EXECUTOR distributed DRIVER False" in log


def fill_claim(team: Team, name: str, files: dict[str, bytes]) -> None:
    """Make a claim in a team's namespace, and have a pod copy files to it."""
    core = team.cluster.core
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "16Mi"}}}
    core.create_namespaced_persistent_volume_claim(team.name, {"metadata": {"name": name}, "spec": claim})
    core.create_namespaced_config_map(team.name, configmap(files, name))
    container = {
        "name": "filler",
        "image": f"docker.io/{DEFAULT_LINE.published}",
        "command": ["sh", "-c", "cp /files/* /claim/ && exec python3 -m http.server 8000"],
        "volumeMounts": [{"name": "files", "mountPath": "/files"}, {"name": "claim", "mountPath": "/claim"}],
    }
    volumes: list[Any] = [
        {"name": "files", "configMap": {"name": name}},
        {"name": "claim", "persistentVolumeClaim": {"claimName": name}},
    ]
    # The guard takes no other accounts.
    served(team.cluster, team.name, container, volumes, 8000, account="spark-executor")
    core.delete_namespaced_pod("filler", team.name)


@pytest.mark.parametrize(
    ("mode", "line", "kind", "address"),
    [
        ("client", DEFAULT_LINE, "files", "{depot}/refused/words.txt"),
        ("cluster", LINES["3.5"], "packages", "local.kindling:nowhere:1.0"),
        *(
            pytest.param(mode, line, kind, address, marks=pytest.mark.long)
            for mode, line in (("client", LINES["3.5"]), ("cluster", DEFAULT_LINE))
            for kind, address in (
                ("file", "{depot}/files/missing.py"),
                ("jars", "{depot}/files/missing.jar"),
                ("archives", "{depot}/broken/env.tar.gz"),
                ("pyFiles", "https://nowhere.example.com/lib.zip"),
            )
        ),
    ],
    ids=lambda value: value.line if isinstance(value, SparkLine) else None,
)
def test_a_dependency_that_is_not_had_is_one_line(
    swept: Team,
    store: Depot,
    audit_log: Callable[[], list[dict[str, Any]]],
    mode: str,
    line: SparkLine,
    kind: str,
    address: str,
) -> None:
    core = swept.cluster.core
    core.create_namespaced_config_map(swept.name, {"metadata": {"name": "company-ca"}, "data": {"ca.crt": store.ca}})
    settings = {"ivysettings.xml": store.ivy_settings(store.url)}
    core.create_namespaced_secret(swept.name, {"metadata": {"name": "maven"}, "stringData": settings})
    facts = {"trust": {"configMap": "company-ca"}, "ivySettings": {"name": "maven"}}
    swept.set_namespace(**{"global": facts})
    needed = address.format(depot=store.url)
    app = {"file": f"{store.url}/files/app.py", kind: needed if kind == "file" else [needed]}
    end, log = run(swept, line, mode=mode, app=app, **{"global": facts})
    assert not end.succeeded, log
    (message,) = end.messages[-1].splitlines()
    assert _named(needed) in message
    driver = f"system:serviceaccount:{swept.name}:spark-driver"
    asked = [event for event in audit_log() if event["user"].get("username") == driver]
    assert [one for one in asked if (one["verb"], one["objectRef"]["resource"]) == ("create", "pods")] == []
    core.delete_namespaced_secret("maven", swept.name)
    core.delete_namespaced_config_map("company-ca", swept.name)


def _named(address: str) -> str:
    """What a message names of it: Ivy writes coordinates in its own way, and Java an unknown host alone."""
    if address.startswith("https://nowhere"):
        return address.split("/")[2]
    return address.replace("local.kindling:nowhere:1.0", "local.kindling#nowhere;1.0")
