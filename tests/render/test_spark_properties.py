"""The page of Spark's properties says what the charts do with each, and has all that a user may ask for."""

from __future__ import annotations

import contextlib
import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from least_values import LEAST
from refusals import RefusalOf, Values

from chartproof import Helm, HelmError, Manifest
from kindling_dev import properties_page as page
from kindling_dev.spark_properties import load

_ROW = re.compile(r"\| `(?P<key>[^`*]+)\*?` \| (?P<default>.*?) \| (?P<lines>.*?) \| (?P<said>.*) \|")
ROWS = {row["key"]: row for row in map(_ROW.fullmatch, page.PAGE.read_text().splitlines()) if row}
KNOWN = load()
OF_SPARK_2_3 = {
    *("namespace", "container.image", "driver.container.image", "executor.container.image", "driver.pod.name"),
    *("container.image.pullPolicy", "allocation.batch.size", "allocation.batch.delay", "initContainer."),
    *(f"authenticate.submission.{what}" for what in ("caCertFile", "clientKeyFile", "clientCertFile", "oauthToken")),
    *(f"authenticate.driver.{what}" for what in ("caCertFile", "clientKeyFile", "clientCertFile", "oauthToken")),
    *(f"authenticate.driver.mounted.{what}" for what in ("caCertFile", "clientKeyFile", "clientCertFile")),
    *(f"authenticate.{whose}.oauthTokenFile" for whose in ("submission", "driver", "driver.mounted")),
    *("authenticate.driver.serviceAccountName", "driver.label.", "driver.annotation.", "executor.label."),
    *("executor.annotation.", "executor.lostCheck.maxAttempts", "submission.waitAppCompletion", "report.interval"),
    *("driver.limit.cores", "executor.limit.cores", "node.selector.", "driverEnv.", "mountDependencies.timeout"),
    *(
        "mountDependencies.jarsDownloadDir",
        "mountDependencies.filesDownloadDir",
        "driver.secrets.",
        "executor.secrets.",
    ),
    "mountDependencies.maxSimultaneousDownloads",
}
"""The properties of the guide "Running Spark on Kubernetes" of Spark 2.3, below spark.kubernetes."""


def test_the_page_is_that_of_the_charts(helm: Helm) -> None:
    assert page.PAGE.read_text() == page.text(helm), "run scripts/generate"


def test_every_property_of_spark_and_of_its_old_guide_has_a_row() -> None:
    assert ROWS.keys() >= KNOWN.keys() | {f"spark.kubernetes.{name}" for name in OF_SPARK_2_3}


@pytest.mark.parametrize("mode", ["client", "cluster"])
@pytest.mark.parametrize("key", ROWS)
def test_a_property_does_what_its_row_says(helm: Helm, key: str, mode: str) -> None:
    said, given = ROWS[key]["said"], page.example(key, KNOWN.get(key, {}))
    if said.startswith("passed through"):
        assert given.items() <= page.render(helm, given, mode).items()
    else:
        with pytest.raises(
            HelmError, match=rf"sparkConf sets {re.escape(key)}\w*, which .*; (use instead|leave it out): "
        ) as refusal:
            page.render(helm, given, mode)
        for name in re.findall(r"`([^`]+)`", said):
            assert name in str(refusal.value)


@pytest.mark.parametrize("key", [key for key, row in ROWS.items() if row["said"].startswith("use ")])
def test_what_to_use_is_a_value_or_a_property(key: str) -> None:
    names = re.findall(r"`([^`]+)`", ROWS[key]["said"])
    assert names
    assert all(name in page.value_names() or name.startswith(("spark.", "--")) for name in names)


def test_a_property_that_the_chart_writes_is_refused_or_wins(helm: Helm, charts: Path) -> None:
    everything = yaml.safe_load((charts / "spark-job/ci/03-all-on-values.yaml").read_text())

    def written(conf: Values) -> dict[str, str]:
        values = {**everything, "sparkConf": conf}
        return page.properties_of(helm.template(charts / "spark-job", values=values, checked=False))

    for key in written({}):
        with contextlib.suppress(HelmError):
            assert written({key: "7"})[key].startswith("7"), f"{key} is lost"


IGNORED = {
    "fs.s3a.endpoint": "write spark.hadoop.fs.s3a.endpoint",
    "hive.metastore.uris": "write spark.hadoop.hive.metastore.uris",
    "javax.jdo.option.ConnectionURL": "write spark.hadoop.javax.jdo.option.ConnectionURL",
    "sql.ansi.enabled": "write spark.sql.ansi.enabled, or spark.hadoop.sql.ansi.enabled if it is Hadoop's",
}
"""A property that Spark ignores -> its right spelling."""


@pytest.mark.parametrize(
    ("chart", "where"),
    [
        ("spark-job", "sparkConf"),
        ("spark-job", "global.sparkConf"),
        ("spark-namespace", "global.sparkConf"),
        ("spark-history-server", "sparkConf"),
    ],
)
@pytest.mark.parametrize("key", IGNORED)
def test_a_key_that_spark_ignores_is_refused_with_its_spelling(
    helm: Helm, charts: Path, refusal_of: RefusalOf, key: str, chart: str, where: str
) -> None:
    def render(**values: Any) -> Manifest:
        return helm.template(charts / chart, values=values, checked=False)

    values = copy.deepcopy(LEAST[chart])
    of_team = where.startswith("global.")
    (values.setdefault("global", {}) if of_team else values)["sparkConf"] = {key: "x"}
    cure = f"{where} sets {key}, and Spark reads only keys that begin with spark.: {IGNORED[key]}"
    assert cure in refusal_of(render, values)
