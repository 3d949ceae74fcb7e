"""A driver outlives its tokens: the kubelet renews the file, and Spark reads it again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from team import Team

from kindling_dev.spark_image import SparkLine

LIFE_S = 600  # the least that the API server grants
RUN_S = 900
APP = f"""
import time
from pyspark.sql import SparkSession
context = SparkSession.builder.getOrCreate().sparkContext
end = time.monotonic() + {RUN_S}
while time.monotonic() < end:
    total = context.parallelize(range(10), 2).sum()
    time.sleep(60)
print("TOTAL", total)
"""
"""Work once a minute, for an executor that goes in between."""


@pytest.mark.check(21)
@pytest.mark.long
def test_executors_are_added_after_the_first_token_has_died(
    swept: Team, line: SparkLine, audit_log: Callable[[], list[dict[str, Any]]]
) -> None:
    # A mount at the usual place takes the place of Kubernetes' own, whose token lives for an hour.
    token = {
        "sources": [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": LIFE_S}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
        ]
    }
    place = "/var/run/secrets/kubernetes.io/serviceaccount"
    volumes = [{"name": "token", "mountPath": place, "readOnly": True, "roles": ["driver"], "projected": token}]
    # It mostly sleeps: leave the node to others meanwhile.
    tiny = {"requestCores": "50m"}
    comes_and_goes = {"dynamicAllocation": {"enabled": True, "max": 1, "idleTimeout": "15s"}}
    swept.install(
        "outlives", line=line, app={"source": APP}, volumes=volumes, driver=tiny, executor={**tiny, **comes_and_goes}
    )
    begun: datetime = swept.running("outlives", "driver").status.start_time
    end = swept.end_of("outlives", RUN_S + 180)
    assert end.succeeded, end
    assert "TOTAL 45" in swept.log_of(end)
    asked = [event for event in audit_log() if event.get("objectRef", {}).get("namespace") == swept.name]
    assert [event for event in asked if event["responseStatus"]["code"] == 401] == []
    by_driver = [e for e in asked if e["user"]["username"] == f"system:serviceaccount:{swept.name}:spark-driver"]
    tokens = {token for e in by_driver for token in e["user"]["extra"]["authentication.kubernetes.io/credential-id"]}
    assert len(tokens) > 1, "the driver never read a new token"
    died = begun + timedelta(seconds=LIFE_S)
    added = [
        event
        for event in by_driver
        if (event["verb"], event["objectRef"]["resource"], event["responseStatus"]["code"]) == ("create", "pods", 201)
        and datetime.fromisoformat(event["requestReceivedTimestamp"]) > died
    ]
    print(f"{len(added)} executors added after {LIFE_S} s, with {len(tokens)} tokens in all")
    assert len(added) >= 3
