"""``kindling why`` on faults that users met, where a kubelet and Spark make them; each is asked by a submitter."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from team import SMALL, Team
from tool import kindling, quota, submitter_kubeconfig

from kindling_dev.spark_image import DEFAULT_LINE

HELLO = {"source": "print('hello')"}
COUNT = {
    "source": "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n"
    "print(spark.range(10).repartition(2).count())\n"
}
BOTH = pytest.mark.parametrize("mode", ["cluster", pytest.param("client", marks=pytest.mark.long)])
Why = Callable[[str], dict[str, Any]]


@pytest.fixture
def why(team: Team, tmp_path: Path) -> Why:
    """What ``kindling why NAME --json`` answers a submitter; nothing in it is an object of Java's."""
    kubeconfig = submitter_kubeconfig(team, tmp_path)

    def ask(name: str) -> dict[str, Any]:
        done = kindling(kubeconfig, "why", name, "--json")
        assert done.returncode == 0, done.stderr
        assert "Received status" not in done.stdout
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    return ask


def has_ended(pod: Any) -> bool:
    """Whether a pod's driver has ended."""
    states = pod.status.container_statuses or []
    return any(one.name == "driver" and one.state.terminated for one in states)


def is_stuck(pod: Any) -> bool:
    """Whether a pod's image is not had."""
    states = [one.state.waiting for one in pod.status.container_statuses or []]
    return any(state and state.reason in ("ErrImagePull", "ImagePullBackOff") for state in states)


def test_a_sidecar_that_lives_on_is_told_and_its_cure_works(team: Team, why: Why, tmp_path: Path) -> None:
    # As an injector adds one: the chart itself takes none beside Spark's container.
    values = {**SMALL, "image": {"tag": f"{DEFAULT_LINE.version}-python3"}, "app": HELLO, "retries": 0}
    manifest = team.helm.template(team.charts / "spark-job", release="kept", namespace=team.name, values=values)
    bodies = [one.body for one in manifest.all("ConfigMap")]
    (job,) = [one.body for one in manifest.all("Job")]
    (driver,) = job["spec"]["template"]["spec"]["containers"]
    agent = {"name": "agent", "image": driver["image"], "command": ["sleep", "3600"]}
    limits = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "16Mi"}}
    own = {"securityContext": driver["securityContext"], "resources": limits}
    job["spec"]["template"]["spec"]["containers"].append({**agent, **own})
    written = tmp_path / "run.yaml"
    written.write_text(yaml.safe_dump_all([*bodies, job]))
    team.kubectl("apply", f"--filename={written}")
    pod = team.pod("kept", "driver", has_ended)
    report = why("kept")
    (found,) = report["findings"]
    assert (report["status"], found["id"]) == ("running", "sidecar-runs-on")
    assert "the driver ended with exit code 0, but container agent of its pod runs on" in found["cause"]
    command = found["cure"].partition(" if its work is done")[0]
    assert command == f"kubectl delete pod {pod.metadata.name}"
    team.kubectl(*command.split()[1:])
    team.kubectl("delete", "job", job["metadata"]["name"])


def test_a_run_that_spark_gave_up_on_names_quota_and_setting(team: Team, why: Why) -> None:
    quota(team, pods="1")
    team.install("short", line=DEFAULT_LINE, app=COUNT, retries=0)
    assert not team.end_of("short").succeeded
    (found,) = why("short")["findings"]
    assert (found["id"], found["about"]) == ("quota-exceeded", "executor")
    assert "never fits beside the run's own driver: pods asked 1, the quota has 1 in all" in found["cause"]
    assert "(spark.executor.maxNumFailures)" in found["cause"]
    assert "set spark.executor.maxNumFailures in sparkConf" in found["cure"]


def test_an_image_of_the_node_is_a_matter_of_policy(team: Team, why: Why) -> None:
    # The node has such an image, and no registry answers.
    image = {"tag": f"{DEFAULT_LINE.version}-python3", "pullPolicy": "Always", "registry": "registry.invalid"}
    team.install("pulls", line=DEFAULT_LINE, app=HELLO, image=image)
    team.pod("pulls", "driver", is_stuck)
    (found,) = why("pulls")["findings"]
    assert found["id"] == "image-not-pulled"
    assert "its registry" in found["cause"], "its name is not known, or it does not answer, as the node's DNS has it"
    assert "if the nodes have the image, set image.pullPolicy to IfNotPresent" in found["cure"]


def test_an_executor_refused_for_a_field_is_told(team: Team, why: Why) -> None:
    template = {"spec": {"tolerations": [{"key": "gpu", "operator": "Is"}]}}
    executor = {**SMALL["executor"], "podTemplate": template}
    team.install("fields", line=DEFAULT_LINE, app=COUNT, executor=executor, retries=0)
    assert not team.end_of("fields").succeeded
    (found,) = why("fields")["findings"]
    assert (found["id"], found["about"]) == ("invalid-field", "executor")
    assert "HTTP 422), because of its field spec.tolerations[0].operator: " in found["cause"]
    assert '"Is"' in found["cause"]
    assert found["cure"].startswith("correct executor.tolerations or executor.podTemplate")


@BOTH
def test_an_unknown_host_is_told_with_address_and_value(team: Team, why: Why, mode: str) -> None:
    needed = "https://nowhere.invalid/lib.jar"
    app = {**HELLO, "jars": [needed]}
    team.install("needs", line=DEFAULT_LINE, mode=mode, app=app, retries=0)
    end = team.end_of("needs")
    assert not end.succeeded
    (found,) = why("needs")["findings"]
    assert found["id"] == "fetch-host-unknown"
    assert f"{needed} of app.jars" in found["cause"]
    assert "correct the address in app.jars" in found["cure"]
    assert f"{needed} of app.jars" in end.messages[-1]


def test_a_driver_that_fail_fast_removed_is_explained(team: Team, why: Why) -> None:
    key = {"secretKeyRef": {"name": "database", "key": "password"}}
    driver = {**SMALL["driver"], "env": {"PASSWORD": key}}
    team.install("gives-up", line=DEFAULT_LINE, mode="cluster", app=HELLO, driver=driver, failFast=True, retries=0)
    assert team.end_of("gives-up").exit_codes[-1] == 78
    (found,) = why("gives-up")["findings"]
    assert found["id"] == "missing-secret"
    assert found["cause"] == "the driver pod needs Secret database, which does not exist; failFast ended the run"


def test_a_young_driver_of_cluster_mode_starts(team: Team, why: Why) -> None:
    team.install("young", line=DEFAULT_LINE, mode="cluster", app=HELLO, retries=0)
    pod = team.pod("young", "driver")
    while (report := why(pod.metadata.name))["status"] == "waiting":
        assert report["findings"] == [], "what Spark makes comes a moment after the pod"
    assert team.end_of("young").succeeded
