"""SparkPi and the flights, on both lines of Spark, in a namespace that enforces ``restricted``."""

from __future__ import annotations

import re
from typing import Any

from team import OLD_LINE_LONG, RUN_DEADLINE_S, Team

from kindling_dev import flights
from kindling_dev.settings import Settings
from kindling_dev.spark_image import SparkLine

PI = {"file": "local:///opt/spark/examples/src/main/python/pi.py"}


def test_pi_runs_restricted_and_asks_for_no_more_than_it_may(team: Team, line: SparkLine, audit_log: Any) -> None:
    team.install("pi", line=line, app=PI)
    executor = team.cluster.wait_for(
        team.cluster.core.list_namespaced_pod,
        lambda pod, _: pod if pod.metadata.labels.get("spark-role") == "executor" else None,
        what="an executor",
        deadline_s=RUN_DEADLINE_S,
        namespace=team.name,
    )
    end = team.end_of("pi")
    assert end.succeeded, end
    assert re.search(r"^Pi is roughly 3\.1", team.log_of(end), re.MULTILINE)
    (driver,) = team.cluster.job_pods(team.name, end.name)
    assert executor.metadata.owner_references[0].uid == driver.metadata.uid
    assert executor.metadata.labels["spark-app-selector"] == f"spark-{driver.metadata.uid}"
    assert executor.metadata.labels["app.kubernetes.io/instance"] == "pi"
    assert executor.spec.service_account_name == "spark-executor"
    assert not [v for v in executor.spec.volumes if v.projected], "an executor has no token"
    assert executor.spec.containers[0].security_context.read_only_root_filesystem
    asked = [e for e in audit_log() if e["user"].get("username") == f"system:serviceaccount:{team.name}:spark-driver"]
    assert any(event["verb"] == "create" and event["objectRef"]["resource"] == "pods" for event in asked)
    assert [(e["verb"], e["objectRef"]) for e in asked if e["responseStatus"]["code"] == 403] == []


@OLD_LINE_LONG
def test_the_flights_means_are_those_computed_without_spark(team: Team, line: SparkLine) -> None:
    source = flights.flights_csv(Settings.from_environment())
    flights.put_on_claim(source, team.name, team.cluster.kubeconfig)
    volumes = [{"name": "flights", "mountPath": "/data", "persistentVolumeClaim": {"claimName": "flights"}}]
    write = {"source": (flights.EXAMPLE / "by_carrier.py").read_text(), "args": ["/data/flights.csv", "/data/out"]}
    team.install("write", line=line, app=write, volumes=volumes)
    written = team.end_of("write")
    assert written.succeeded, written
    assert "336776 flights read" in team.log_of(written)
    read = {"source": (flights.EXAMPLE / "read_back.py").read_text(), "args": ["/data/out"]}
    team.install("read", line=line, app=read, volumes=volumes)
    end = team.end_of("read")
    assert end.succeeded, end
    means = flights.means_in_log(team.log_of(end))
    assert means == flights.means_without_spark(source)
    assert len(means) == 185
