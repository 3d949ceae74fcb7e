"""A driver outlives its token: the kubelet renews the file, and Spark reads it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from team import Team, is_running

from kindling_dev.spark_image import SparkLine

LIFE_S = 600  # the least that the API server grants
APP = f"""
import time
from pyspark.sql import SparkSession
context = SparkSession.builder.getOrCreate().sparkContext
begin = time.monotonic()
print("BEGUN", flush=True)
while time.monotonic() - begin < {LIFE_S + 120}:
    total = context.parallelize(range(10), 2).sum()
    time.sleep(5)
print("TOTAL", total)
"""


@pytest.mark.long
def test_executors_are_replaced_after_the_first_token_has_died(
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
    swept.install("outlives", line=line, app={"source": APP}, volumes=volumes, driver=tiny, executor=tiny)
    first = swept.running("outlives", "executor")
    time.sleep(LIFE_S + 30)  # the token's life itself
    swept.kill(first, "executor")
    uid = first.metadata.uid
    swept.pod("outlives", "executor", lambda pod: is_running(pod) and pod.metadata.uid != uid)
    end = swept.end_of("outlives", LIFE_S)
    assert end.succeeded, end
    assert "TOTAL 45" in swept.log_of(end)
    where = (swept.name, "pods")
    refused = [
        event
        for event in audit_log()
        if event["responseStatus"]["code"] == 401
        and (event["objectRef"].get("namespace"), event["objectRef"].get("resource")) == where
    ]
    assert refused == []
