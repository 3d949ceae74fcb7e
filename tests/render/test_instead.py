"""What is refused says what to use instead, or why there is nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from least_values import LEAST
from refusals import RefusalOf

from chartproof import Helm, Render
from chartproof.values import merged

CURES = re.compile(r'"nothing: ([^"]+)"')


def test_a_reason_is_a_clause(charts: Path) -> None:
    reasons = [found[1] for file in charts.glob("*/templates/**/*.tpl") for found in CURES.finditer(file.read_text())]
    assert len(reasons) > 40
    assert [reason for reason in reasons if len(reason.split()) < 4] == []


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ("spark.kubernetes.driver.pod.name", "leave it out: it is the name that Kubernetes gives the pod"),
        ("spark.ui.port", "leave it out: it is 4040, which NetworkPolicies and spark-ui-proxy rely on"),
        ("spark.kubernetes.initContainer.image", "leave it out: Spark fetches app.jars and app.files without an init"),
        ("spark.executor.memory", "use instead: executor.memory"),
    ],
)
def test_spark_conf_that_the_chart_owns_is_told(
    render_job: Render, refusal_of: RefusalOf, conf: str, said: str
) -> None:
    assert said in refusal_of(render_job, {"sparkConf": {conf: "1"}})


OF_HISTORY: dict[str, Any] = {
    "global": {"eventLog": {"store": "claim"}},
    "compactionFiles": 2,
    "cleaner": {"enabled": True, "maxApplications": 9},
    "ingress": {"enabled": True, "host": "spark.example.com", "path": "/history"},
}


@pytest.fixture
def server_conf(helm: Helm, charts: Path) -> list[str]:
    """What a history server's configuration has, where all that it can have is asked for."""
    rendered = helm.template(charts / "spark-history-server", values=OF_HISTORY, checked=False)
    text = next(
        text
        for one in rendered.all("ConfigMap")
        for name, text in one.body["data"].items()
        if "properties" in name and "spark.history" in text
    )
    return [line.partition("=")[0] for line in text.splitlines() if line.startswith("spark.")]


def test_settings_of_the_history_server_say_what_to_use(
    helm: Helm, charts: Path, refusal_of: RefusalOf, server_conf: list[str]
) -> None:
    def render(**conf: Any) -> Any:
        return helm.template(charts / "spark-history-server", values={**OF_HISTORY, "sparkConf": conf}, checked=False)

    owned = [key for key in server_conf if key.startswith("spark.history")]
    assert len(owned) > 12
    for key in owned:
        if "kerberos" not in key:
            said = refusal_of(render, {key: "1"})
            assert re.search(
                rf"sparkConf sets {key}, which the chart sets itself; (use instead|leave it out): \w", said
            )


@pytest.mark.parametrize(
    ("chart", "where", "key", "said"),
    [
        (
            "spark-namespace",
            "global",
            "spark.kubernetes.initContainer.image",
            "which Spark no longer has; leave it out: ",
        ),
        (
            "spark-standalone",
            "",
            "spark.kubernetes.namespace",
            "a standalone cluster heeds no spark.kubernetes property",
        ),
        (
            "spark-standalone",
            "client",
            "spark.kubernetes.namespace",
            "heeds no spark.kubernetes property: leave it out",
        ),
        (
            "spark-history-server",
            "",
            "spark.kubernetes.namespace",
            "a history server heeds no spark.kubernetes property",
        ),
        ("spark-notebook", "", "spark.kubernetes.pyspark.pythonVersion", "use instead: spark.pyspark.python"),
        ("spark-connect", "global", "spark.kubernetes.pyspark.pythonVersion", "use instead: spark.pyspark.python"),
    ],
)
def test_spark_conf_without_effect_is_refused(
    helm: Helm, charts: Path, refusal_of: RefusalOf, chart: str, where: str, key: str, said: str
) -> None:
    def render(**values: Any) -> Any:
        return helm.template(charts / chart, namespace="kindling-system", values=merged(LEAST[chart], values))

    conf = {"sparkConf": {key: "x"}}
    assert said in refusal_of(render, {where: conf} if where else conf)
