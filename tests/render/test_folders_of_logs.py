"""Where event logs are: each way to write a folder's address is one that all programs understand, or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from refusals import RefusalOf, Values

from chartproof import Helm, Manifest

HADOOP = {"hadoop": {"configMap": "hadoop-conf"}}
STORES: dict[str, Values] = {
    "s3a": {"store": "s3"},
    "hdfs": {"store": "hdfs"},
    "gs": {"store": "gcs"},
    "abfss": {"store": "abfs"},
}
OF_CHARTS: dict[str, tuple[str, Values]] = {
    "spark-job": ("spark.properties", {"app": {"file": "local:///app.py"}}),
    "spark-history-server": ("spark.properties", {}),
    "spark-namespace": ("spark-defaults.conf", {"namespace": {"name": "team-a"}}),
}


@pytest.fixture
def folder_of(helm: Helm, charts: Path) -> Callable[[str, str], str]:
    """What a chart makes of the address of a folder."""

    def folder_of(chart: str, url: str) -> str:
        conf = conf_of(helm, charts, chart, url)
        return conf.get("spark.history.fs.logDirectory") or conf["spark.eventLog.dir"]

    return folder_of


def conf_of(helm: Helm, charts: Path, chart: str, url: str, **log: Any) -> dict[str, str]:
    """Spark's configuration that a chart renders for the address of a folder."""
    file, values = OF_CHARTS[chart]
    facts = {"eventLog": {**STORES[url.partition(":")[0]], "url": url, **log}, **HADOOP}
    manifest = helm.template(
        charts / chart, release="it", namespace="kindling-system", values={**values, "global": facts}, checked=False
    )
    (text,) = [one.body["data"][file] for one in manifest.all("ConfigMap") if file in one.body["data"]]
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


@pytest.mark.parametrize("chart", ["spark-job", "spark-history-server", "spark-namespace"])
@pytest.mark.parametrize(
    ("given", "folder"),
    [
        ("s3a://logs", "s3a://logs/"),
        ("s3a://logs/", "s3a://logs/"),
        ("s3a://logs//", "s3a://logs/"),
        ("s3a://my.logs/team-a", "s3a://my.logs/team-a"),
        ("s3a://logs/team-a/", "s3a://logs/team-a"),
        ("s3a://logs/a/b_c/d.e=f+g@h~i//", "s3a://logs/a/b_c/d.e=f+g@h~i"),
        ("s3a://logs/...", "s3a://logs/..."),
        ("hdfs:///spark-events/", "hdfs:///spark-events"),
        ("hdfs://namenode:8020", "hdfs://namenode:8020/"),
        ("hdfs://[fd00::1]:8020/events", "hdfs://[fd00::1]:8020/events"),
        ("gs://my_logs.example.com/team-a/", "gs://my_logs.example.com/team-a"),
        ("abfss://logs@account.dfs.core.windows.net", "abfss://logs@account.dfs.core.windows.net/"),
    ],
)
def test_a_folder_is_written_in_one_way(
    folder_of: Callable[[str, str], str], chart: str, given: str, folder: str
) -> None:
    assert folder_of(chart, given) == folder


@pytest.mark.parametrize("chart", ["spark-job", "spark-history-server", "spark-namespace"])
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("s3a:///logs", "write s3a://bucket/folder"),
        ("s3a://my_logs/team-a", "a bucket of small letters, digits, dots and dashes"),
        ("s3a://Logs/team-a", "a bucket of small letters, digits, dots and dashes"),
        ("s3a://logs:9000/team-a", "write s3a://bucket/folder"),
        ("s3a://key@logs/team-a", "write s3a://bucket/folder"),
        ("hdfs://name_node/events", "a name of letters, digits, dots and dashes"),
        ("gs:///logs", "write gs://bucket/folder"),
        ("abfss://account.dfs.core.windows.net/logs", "write abfss://container@account"),
        *(
            (f"s3a://logs/{path}", "in whose path programs differ: name the folder with letters, digits")
            for path in (
                "a//b",
                "/a",
                "..",
                "a/../b",
                "a/./b",
                "a%20b",
                "a?b",
                "a#b",
                "a*b",
                "{a}",
                "ä",
                "a:b",
                "$a",
                "a;b",
                "a\\b",
            )
        ),
    ],
)
def test_a_folder_that_programs_read_differently_is_refused(
    folder_of: Callable[[str, str], str], refusal_of: RefusalOf, chart: str, given: str, words: str
) -> None:
    def render(**values: str) -> Manifest:
        folder_of(chart, values["url"])
        raise AssertionError(f"{given} is rendered")

    said = refusal_of(render, {"url": given})
    assert words in said
    assert f'global.eventLog.url is "{given}"' in said.replace("\\\\", "\\")


@pytest.mark.parametrize("space", ["s3a://logs/a b", "s3a://logs/a,b", "logs"])
def test_an_address_with_spaces_or_without_a_scheme_is_no_value(
    helm: Helm, charts: Path, refusal_of: RefusalOf, space: str
) -> None:
    def render(**_: str) -> Manifest:
        values = {"global": {"eventLog": {"store": "s3", "url": space}}}
        return helm.template(charts / "spark-history-server", values=values, checked=False)

    assert f'global.eventLog.url is "{space}": write the address' in refusal_of(render, {})


@pytest.mark.parametrize("chart", ["spark-job", "spark-history-server", "spark-namespace"])
@pytest.mark.parametrize(
    ("bucket", "given", "endpoint", "written"),
    [
        ("my.logs", False, "", "true"),
        ("my.logs", False, "https://s3.example.com", "true"),
        ("logs", False, "https://s3.example.com", "false"),
        ("logs", True, "", "true"),
        ("logs", False, "", None),
    ],
)
def test_a_bucket_with_a_dot_is_in_the_path(
    helm: Helm, charts: Path, chart: str, bucket: str, given: bool, endpoint: str, written: str | None
) -> None:
    conf = conf_of(helm, charts, chart, f"s3a://{bucket}/x", s3={"pathStyle": given, "endpoint": endpoint})
    assert conf.get(f"spark.hadoop.fs.s3a.bucket.{bucket}.path.style.access") == written


def test_other_folders_are_reached_as_the_first_is(render_server: Callable[[list[str]], dict[str, str]]) -> None:
    conf = render_server(["s3a://logs/team-b/", "s3a://other.logs", "s3a://other.logs/x"])
    assert conf["spark.history.fs.logDirectory"] == (
        "s3a://logs/team-a,s3a://logs/team-b,s3a://other.logs/,s3a://other.logs/x"
    )
    for bucket, style in (("logs", "false"), ("other.logs", "true")):
        assert conf[f"spark.hadoop.fs.s3a.bucket.{bucket}.endpoint"] == "https://s3.example.com"
        assert conf[f"spark.hadoop.fs.s3a.bucket.{bucket}.path.style.access"] == style


@pytest.mark.parametrize(
    ("store", "folder", "words"),
    [
        ({"store": "claim"}, "s3a://logs/x", "the store is claim, which has one folder: leave it empty"),
        ({"store": "s3", "url": "s3a://logs"}, "hdfs://a/x", 'moreFolders is "hdfs://a/x", and the store is s3'),
        ({"store": "s3", "url": "s3a://logs"}, "s3a://logs/a//b", 'moreFolders is "s3a://logs/a//b", in whose path'),
    ],
)
def test_another_folder_that_cannot_be_read_is_refused(
    helm: Helm, charts: Path, refusal_of: RefusalOf, store: Values, folder: str, words: str
) -> None:
    def render(**_: str) -> Manifest:
        values = {"moreFolders": [folder], "global": {"eventLog": store}}
        return helm.template(charts / "spark-history-server", values=values, checked=False)

    assert words in refusal_of(render, {})


@pytest.fixture
def render_server(helm: Helm, charts: Path) -> Callable[[list[str]], dict[str, str]]:
    """The server's configuration, with more folders."""

    def render_server(folders: list[str]) -> dict[str, str]:
        log = {"store": "s3", "url": "s3a://logs/team-a", "s3": {"endpoint": "https://s3.example.com"}}
        values = {"moreFolders": folders, "global": {"eventLog": log}}
        manifest = helm.template(charts / "spark-history-server", values=values, checked=False)
        text = manifest.one("ConfigMap").body["data"]["spark.properties"]
        return dict(line.split("=", 1) for line in text.splitlines())

    return render_server


@pytest.mark.parametrize("of", ["log-folder", "test"])
def test_all_that_open_the_store_have_the_servers_variables(helm: Helm, charts: Path, of: str) -> None:
    env = {
        "AWS_REGION": "eu-1",
        "AWS_ROLE_ARN": {"configMapKeyRef": {"name": "role", "key": "arn"}},
        "SPARK_DRIVER_MEMORY": "1g",
    }
    values = {"env": env, "global": {"eventLog": {"store": "s3", "url": "s3a://logs"}}}
    manifest = helm.template(charts / "spark-history-server", release="it", values=values, checked=False)
    resource = manifest.one("Deployment") if of == "log-folder" else manifest.one("Pod")
    found = {entry["name"]: entry for entry in resource.container(of).body["env"]}
    assert found["AWS_REGION"]["value"] == "eu-1"
    assert found["AWS_ROLE_ARN"]["valueFrom"] == {"configMapKeyRef": {"name": "role", "key": "arn"}}
    assert found["SPARK_DRIVER_MEMORY"]["value"] == "128m"
