"""A pod with several drivers, as a notebook's kernels are, seen through the front door."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from door import Door, Window, new_door
from grants import service_account, wait_until_granted
from playwright.sync_api import Browser, expect
from team import QUICK, SMALL, Team, is_running
from waiting import wait_until

from kindling_dev.spark_image import DEFAULT_LINE

_KERNEL = """
import json, os, sys, time
from pyspark.sql import SparkSession
name = sys.argv[1]
builder = SparkSession.builder.appName(name).master("k8s://https://kubernetes.default.svc")
for key, value in json.loads(os.environ["CONF"]).items():
    builder = builder.config(key, value)
builder = builder.config("spark.driver.host", os.environ["POD_IP"])
context = builder.getOrCreate().sparkContext
context.parallelize(range(2), 2).count()
print("READY", name, context.applicationId, flush=True)
while not os.path.exists(f"/tmp/end-{name}"):
    time.sleep(0.2)
context.stop()
print("ENDED", name, flush=True)
"""
_BOTH = """
export PYTHONPATH=/opt/spark/python:$(echo /opt/spark/python/lib/py4j-*-src.zip)
echo "$TEMPLATE" > /tmp/executor.yaml
python3 -c "$KERNEL" first & python3 -c "$KERNEL" second &
wait
sleep infinity
"""
_CONFINED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
_POD_CONFINED = {"runAsNonRoot": True, "runAsUser": 185, "seccompProfile": {"type": "RuntimeDefault"}}
_READY_S = 240
_SOON_S = 20
"""A kernel that has ended is noticed within this time: rounds of questions each five seconds, and some room."""


@pytest.fixture
def door(team: Team) -> Iterator[Door]:
    """A door to the team's namespace, in which kernels' executors find drivers at any port."""
    with new_door(team) as door:
        door.let_in(team, door.viewer)
        team.set_namespace("network.ingress.closed=false")
        door.install()
        yield door


def notebook(team: Team) -> dict[str, Any]:
    """A pod whose manifest names no application, with a program in it that runs two."""
    image = DEFAULT_LINE.published
    conf = {
        **QUICK,
        "spark.kubernetes.namespace": team.name,
        "spark.kubernetes.container.image": image,
        "spark.kubernetes.driver.pod.name": "notebook",
        "spark.kubernetes.authenticate.executor.serviceAccountName": "spark-executor",
        "spark.kubernetes.executor.podTemplateFile": "/tmp/executor.yaml",
        "spark.kubernetes.executor.request.cores": "100m",
        "spark.executor.instances": "1",
        "spark.executor.memory": "512m",
        "spark.driver.memory": "512m",
    }
    executor = {
        "spec": {
            "securityContext": _POD_CONFINED,
            "automountServiceAccountToken": False,
            "containers": [{"name": "executor", "securityContext": _CONFINED}],
        }
    }
    environment = {"CONF": json.dumps(conf), "KERNEL": _KERNEL, "TEMPLATE": json.dumps(executor)}
    container: dict[str, Any] = {
        "name": "notebook",
        "image": image,
        "command": ["bash", "-c", _BOTH],
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "ports": [{"name": "spark-ui", "containerPort": 4040}],
        "resources": {
            "requests": {"cpu": SMALL["driver"]["requestCores"], "memory": "1Gi"},
            "limits": {"memory": "3Gi"},
        },
        "securityContext": _CONFINED,
    }
    container["env"].append({"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}})
    spec = {
        "serviceAccountName": "spark-driver",
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "securityContext": _POD_CONFINED,
        "containers": [container],
    }
    return {"metadata": {"name": "notebook", "labels": {"spark-role": "driver"}}, "spec": spec}


@pytest.mark.long
def test_two_applications_of_one_pod_come_and_end_apart(team: Team, door: Door, chromium: Browser) -> None:
    driver = [service_account(team.name, "spark-driver")]
    wait_until_granted(team.cluster, team.name, driver, "create pods", "create configmaps")
    core = team.cluster.core
    core.create_namespaced_pod(team.name, notebook(team))
    where = {"namespace": team.name, "field_selector": "metadata.name=notebook"}
    listing = core.list_namespaced_pod
    team.cluster.wait_for(listing, lambda pod, _: is_running(pod) or None, "the notebook's pod", 90, **where)
    for name in ("first", "second"):
        team.cluster.wait_for_log(team.name, "notebook", f"READY {name}", _READY_S)
    printed = [line.split() for line in core.read_namespaced_pod_log("notebook", team.name).splitlines()]
    ids = {line[1]: line[2] for line in printed if line and line[0] == "READY"}

    def entries() -> dict[str, dict[str, Any]]:
        items = json.loads(door.ask(f"/-/api/v1/applications?namespace={team.name}").text)["items"]
        return {item["id"]: item for item in items}

    wait_until(lambda: all(entries().get(ids[name], {}).get("executors") == 1 for name in ids), "both are listed")
    for name, app_id in ids.items():
        entry = entries()[app_id]
        assert (entry["name"], entry["state"], entry["pod"], entry["problem"]) == (name, "running", "notebook", "")
        assert entry["cpu"] == pytest.approx(0.3), "the pod's 0.2 and its executor's 0.1"
        assert door.rest(f"{team.name}/proxy/{app_id}", "applications")[0]["name"] == name

    opened = Window(chromium.new_context(), door)
    opened.log_in(door.viewer)
    for name, app_id in ids.items():
        opened.page.goto(f"{door.url}/")
        opened.page.get_by_role("link", name=name, exact=True).click()
        opened.page.wait_for_url(f"{door.url}/{team.name}/proxy/{app_id}/jobs/")
        expect(opened.page).to_have_title(f"{name} - Spark Jobs")
        opened.page.goto(f"{door.url}/{team.name}/proxy/{app_id}/executors/")
        expect(opened.page.locator("#active-executors-table tbody tr")).to_have_count(2)

    team.kubectl("exec", "notebook", "--", "touch", "/tmp/end-second")
    team.cluster.wait_for_log(team.name, "notebook", "ENDED second", 60)
    began = time.monotonic()
    wait_until(lambda: entries()[ids["second"]]["state"] == "ended", "the second has ended", _SOON_S)
    print(f"gone {time.monotonic() - began:.1f} s after its end")
    assert entries()[ids["second"]]["links"]["ui"] is None
    assert door.ask(f"/{team.name}/proxy/{ids['second']}/jobs/").status == 404
    assert door.ask(f"/{team.name}/proxy/{ids['first']}/jobs/").status == 200
    opened.page.goto(f"{door.url}/")
    expect(opened.page.get_by_role("link", name="first", exact=True)).to_be_visible()
    expect(opened.page.get_by_role("link", name="second", exact=True)).to_have_count(0)
    assert opened.faults.found == []
    assert is_running(core.read_namespaced_pod("notebook", team.name))
