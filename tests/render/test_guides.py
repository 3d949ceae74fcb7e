"""The values that guides show are taken by the charts that they are for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from least_values import LEAST

from chartproof import Helm
from chartproof.values import merged
from kindling_dev.guides import Block, manifests

BLOCKS = [
    block
    for page in (
        *("connect", "dependencies", "gitops", "history", "jupyterhub", "notebook"),
        *("secure-hdfs", "see-applications", "shape-pods"),
    )
    for block in manifests(page)
]
NO_VALUES = {"kind", "providers", "args"}
"""Keys of objects, and of what guides show of other programs' configuration."""
NOT_FOR = {("spark-standalone", "In HDFS")}
"""Chart and heading: it refuses such values, as its own tests show."""
VALUES = [block for block in BLOCKS if not yaml.safe_load(block.text).keys() & NO_VALUES]


def charts_for(values: dict[str, Any], charts: Path) -> list[str]:
    """Those that know all keys; a namespace's facts are not for the proxy, which is for many."""
    known = {chart: yaml.safe_load((charts / chart / "values.yaml").read_text()) for chart in LEAST}
    del known["spark-ui-proxy"]["global"]
    return [chart for chart in LEAST if knows(known[chart], values)]


def knows(known: dict[str, Any], values: dict[str, Any]) -> bool:
    """Whether a chart has all keys, at the top and one below: sections of one name differ from chart to chart."""
    return values.keys() <= known.keys() and all(
        not isinstance(known[key], dict) or not known[key] or value.keys() <= known[key].keys()
        for key, value in values.items()
    )


@pytest.mark.parametrize("block", VALUES, ids=lambda block: f"{block.page}-{block.heading}")
def test_values_of_a_guide_are_taken_by_each_chart_that_knows_them(block: Block, helm: Helm, charts: Path) -> None:
    values = yaml.safe_load(block.text)
    takers = [chart for chart in charts_for(values, charts) if (chart, block.heading) not in NOT_FOR]
    assert takers
    for chart in takers:
        needed = {key: value for key, value in LEAST[chart].items() if key == "global" or key not in values}
        assert helm.template(
            charts / chart, namespace="kindling-system", values=merged(needed, values), checked=False
        ).names()


def test_the_secret_of_the_guide_is_that_of_its_values() -> None:
    of_s3 = [yaml.safe_load(block.text) for block in BLOCKS if block.heading.startswith("In S3")]
    (named,) = [one["global"]["eventLog"]["secret"] for one in of_s3 if "global" in one]
    (secret,) = [one for one in of_s3 if one.get("kind") == "Secret"]
    assert secret["metadata"]["name"] == named["name"]
    assert named["key"] in secret["stringData"]
