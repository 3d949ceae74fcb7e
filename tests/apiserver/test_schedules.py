"""Schedules: spark-job takes what Kubernetes takes, and refuses the others before anything is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from chartproof import Helm, HelmError
from chartproof.apiserver import ApiServer

SCHEDULES = {
    "* * * * *": True,
    "0 3 * * 1-5": True,
    "*/15 0-6,18-23/2 1,15 JAN-MAR mon": True,
    "59  23 31 12 6": True,
    "05 08 ? * ?": True,
    "5/10 * * * *": True,
    "0 0 31 2 *": True,
    "@hourly": True,
    "@every 1h30m": True,
    "60 * * * *": False,
    "* 24 * * *": False,
    "* * 0 * *": False,
    "* * * 13 *": False,
    "* * * * 7": False,
    "* * * * SAT-SUN": False,
    "* * * * Monday": False,
    "30-10 * * * *": False,
    "1-2-3 * * * *": False,
    "-1 * * * *": False,
    "*/0 * * * *": False,
    "0 3 * *": False,
    "0 0 3 * * *": False,
    "a b": False,
    "@fortnightly": False,
    "@every day": False,
    "TZ=UTC 0 3 * * *": False,
}
"""Schedule -> whether Kubernetes takes it."""
ZONES = {"Europe/Zurich": True, "UTC": True, "Etc/GMT+5": True, "Europe/Zurch": False, "CEST": False}


@pytest.fixture
def takes(
    apiserver: Callable[[str], ApiServer], namespace_of: Callable[[ApiServer], str], helm: Helm, charts: Path
) -> Callable[..., bool]:
    """Whether Kubernetes takes a CronJob of spark-job with other settings in its place."""
    server = apiserver("1.34")
    schedule = {"cron": "@daily"}
    values = {"app": {"file": "local:///app.py"}, "schedule": schedule}
    rendered = helm.template(charts / "spark-job", release="nightly", namespace="team-a", values=values)
    cron_job = rendered.one("CronJob").body
    del cron_job["metadata"]["namespace"]
    namespace = namespace_of(server)

    def takes(**spec: Any) -> bool:
        body = {**cron_job, "spec": {**cron_job["spec"], **spec}}
        try:
            server.cluster.batch.create_namespaced_cron_job(namespace, body, dry_run="All")
        except ApiException as refusal:
            if refusal.status != 422:
                raise
            return False
        return True

    return takes


def chart_takes(helm: Helm, charts: Path, **schedule: str) -> bool:
    """Whether spark-job takes a schedule."""
    values = {"app": {"file": "local:///app.py"}, "schedule": schedule}
    try:
        helm.template(charts / "spark-job", release="nightly", namespace="team-a", values=values)
    except HelmError as refusal:
        said = str(refusal)
    else:
        return True
    assert len(said) < 600, "a sentence"
    return False


def test_schedules_are_taken_as_kubernetes_takes_them(takes: Callable[..., bool], helm: Helm, charts: Path) -> None:
    assert {cron: takes(schedule=cron) for cron in SCHEDULES} == SCHEDULES
    assert {cron: chart_takes(helm, charts, cron=cron) for cron in SCHEDULES} == SCHEDULES


def test_time_zones_are_taken_as_kubernetes_takes_them(takes: Callable[..., bool], helm: Helm, charts: Path) -> None:
    assert {zone: chart_takes(helm, charts, cron="@daily", timeZone=zone) for zone in ZONES} == ZONES
    assert {zone: takes(timeZone=zone) for zone in ZONES} == ZONES
