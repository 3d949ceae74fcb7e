"""What a new Spark knows otherwise is told property by property; what is listed is read from its classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindling_dev import spark_properties
from kindling_dev.spark_properties import Known, differences, named_by_charts

BEFORE = {
    "spark.kubernetes.old": {"4.3": Known("1")},
    "spark.kubernetes.same": {"4.3": Known("1"), "3.5": Known("2")},
    "spark.kubernetes.size": {"4.3": Known("5", "2.3.0")},
    "spark.kubernetes.other.line": {"3.5": Known()},
}


def test_what_a_new_spark_knows_otherwise_is_told() -> None:
    now = {
        "spark.kubernetes.same": Known("1"),
        "spark.kubernetes.size": Known("20", "2.3.0"),
        "spark.kubernetes.new": Known(since="4.4.0"),
    }
    assert differences("4.3", BEFORE, now) == [
        "Spark 4.3: spark.kubernetes.new is new",
        "Spark 4.3: spark.kubernetes.old is gone",
        "Spark 4.3: spark.kubernetes.size: default was 5, is 20",
    ]


def test_the_list_is_written_and_read_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_properties, "FILE", tmp_path / "properties.json")
    spark_properties.save(BEFORE)
    assert spark_properties.load() == BEFORE


def test_what_the_chart_refuses_by_name_is_found() -> None:
    named = named_by_charts()
    assert {"spark.master", "spark.executorEnv.", "spark.kubernetes.kerberos.dt-secret-"} <= named
    assert "spark.files.fetchTimeout" not in named, "is what to use, not what is refused"


def test_listed_are_properties_and_families_of_kubernetes() -> None:
    said = {
        "entries": {
            "spark.kubernetes.namespace": {"default": "default", "since": "2.3.0", "internal": False},
            "spark.kubernetes.context": {"default": "<undefined>", "since": "3.0.0", "internal": False},
            "spark.sql.ansi.enabled": {"default": "true", "since": "3.0.0", "internal": False},
        },
        "constants": [
            *("spark.kubernetes.", "spark.kubernetes.authenticate", "spark.kubernetes.driverEnv.", "spark.master"),
            *("spark.kubernetes.driverEnv.OMP_NUM_THREADS", "spark.ui"),
        ],
        "credentials": ["spark.kubernetes.authenticate.oauthToken"],
    }
    assert spark_properties.listed(said, {"spark.master"}) == {
        "spark.kubernetes.authenticate.oauthToken": Known(),
        "spark.kubernetes.context": Known(since="3.0.0"),
        "spark.kubernetes.driverEnv.": Known(),
        "spark.kubernetes.namespace": Known("default", "2.3.0"),
        "spark.master": Known(),
    }
