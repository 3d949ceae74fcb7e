"""Spark configuration that global.deniedSparkConf denies is refused by every chart that takes some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from least_values import LEAST

from chartproof import Helm, RefusedError
from chartproof.values import merged

WHERE = [
    (chart, where)
    for chart in sorted(LEAST.keys() - {"spark-ui-proxy"})
    for where in ("global.sparkConf", "sparkConf", "client.sparkConf")
    if where == "global.sparkConf"
    or (where == "sparkConf" and chart != "spark-namespace")
    or (where == "client.sparkConf" and chart == "spark-standalone")
]


def with_conf(where: str, key: str) -> dict[str, Any]:
    """Values with a key of Spark's configuration at a place."""
    values: dict[str, Any] = {key: "x"}
    for part in reversed(where.split(".")):
        values = {part: values}
    return values


@pytest.mark.parametrize(("chart", "where"), WHERE)
def test_a_chart_refuses_denied_spark_conf(helm: Helm, charts: Path, chart: str, where: str) -> None:
    denied = {"global": {"deniedSparkConf": ["spark.yarn.", "spark.sql.ansi.enabled"]}}

    def render(key: str) -> Any:
        values = merged(merged(LEAST[chart], denied), with_conf(where, key))
        return helm.template(charts / chart, namespace="kindling-system", values=values, checked=False)

    for key in ("spark.yarn.queue", "spark.sql.ansi.enabled"):
        with pytest.raises(
            RefusedError, match=f"{where} sets {key}, which global.deniedSparkConf denies in this namespace"
        ):
            render(key)
    # Java reads the key without its backslash.
    with pytest.raises(RefusedError, match="no space, colon, equals sign or backslash"):
        render("spark.yarn\\.queue")
    assert render("spark.sql.ansi.enabledToo").text


def test_without_denied_conf_there_is_no_policy_of_it(helm: Helm, charts: Path) -> None:
    def policies(values: dict[str, Any]) -> set[str]:
        rendered = helm.template(
            charts / "spark-namespace",
            namespace="kindling-system",
            kube="1.34",
            values=merged(LEAST["spark-namespace"], values),
        )
        return {one.name for one in rendered.all("ValidatingAdmissionPolicy")}

    more = policies({"global": {"deniedSparkConf": ["spark.yarn."]}}) - policies({})
    assert more == {"kindling-guard-team-a.conf"}
