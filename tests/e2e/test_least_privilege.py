"""Least privilege, derived: what drivers and submitters ask of the API server is what their Roles grant."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from audited import asked_by, granted
from team import BURST, OLD_LINE_LONG, QUICK, RUN_DEADLINE_S, SLEEP, SMALL, Team

from kindling_dev.spark_image import DEFAULT_LINE, SparkLine

_MAKES_POLICIES = (4, 2)
"""The first line of Spark that makes a NetworkPolicy for the executors of cluster mode."""


def spark_submit(team: Team, line: SparkLine) -> None:
    """Run SparkPi as the chart's notes say, by plain spark-submit, in a pod with the submitter's account."""
    conf = {
        **QUICK,
        "spark.kubernetes.container.image": f"docker.io/apache/spark:{line.version}-python3",
        "spark.kubernetes.driver.podTemplateFile": "/defaults/pod-template.yaml",
        "spark.kubernetes.executor.podTemplateFile": "/defaults/pod-template.yaml",
        "spark.kubernetes.driver.request.cores": "50m",
        "spark.kubernetes.executor.request.cores": "50m",
        "spark.executor.instances": "1",
    }
    command = ["/opt/spark/bin/spark-submit", "--master=k8s://https://kubernetes.default.svc", "--deploy-mode=cluster"]
    command += ["--name=plain", "--properties-file=/defaults/spark-defaults.conf"]
    command += [f"--conf={key}={value}" for key, value in conf.items()]
    command.append("local:///opt/spark/examples/src/main/python/pi.py")
    core = team.cluster.core
    pod = yaml.safe_load(core.read_namespaced_config_map("spark-defaults", team.name).data["pod-template.yaml"])
    (container,) = pod["spec"]["containers"]
    container |= {"image": conf["spark.kubernetes.container.image"], "command": command}
    container["volumeMounts"].append({"name": "defaults", "mountPath": "/defaults"})
    pod["spec"]["volumes"].append({"name": "defaults", "configMap": {"name": "spark-defaults"}})
    account = {"serviceAccountName": "spark-submitter", "automountServiceAccountToken": True}
    pod["spec"] |= {**account, "restartPolicy": "Never"}
    core.create_namespaced_pod(team.name, pod | {"metadata": {"name": "plain"}})
    team.cluster.wait_for(
        core.list_namespaced_pod,
        lambda pod, _: True if pod.status.phase == "Succeeded" else None,
        "the driver's success",
        RUN_DEADLINE_S,
        namespace=team.name,
        label_selector="spark-role=driver,spark-app-name=plain",
    )
    core.delete_collection_namespaced_pod(team.name)


@pytest.mark.check(3, 13)
@pytest.mark.long
@OLD_LINE_LONG
def test_nothing_is_refused_and_no_right_is_unused(swept: Team, line: SparkLine, audit_log: Any) -> None:
    policies = tuple(map(int, line.line.split("."))) >= _MAKES_POLICIES
    swept.set_namespace(f"submitter.networkPolicies={str(policies).lower()}")
    lasts = {"source": "import time; time.sleep(600)"}
    swept.install("killed", line=line, mode="cluster", app=lasts, deadlineSeconds=45)
    small = SMALL["executor"]
    spill = {"name": "spill", "mountPath": "/spill", "onDemand": {"storageClass": "standard", "size": "1Mi"}}
    elastic = {**small, "dynamicAllocation": {"enabled": True, "max": 1, "idleTimeout": "1s"}}
    # A driver that lives on removes the pods of executors that have ended, one by one.
    app = {"source": f"{BURST}time.sleep(5)\n"}
    swept.install("elastic", line=line, app=app, executor=elastic, volumes=[spill])
    assert swept.end_of("elastic").succeeded
    spark_submit(swept, line)

    swept.set_namespace("driver.statefulSets=true")
    sets = {**small, "allocator": "statefulset"}
    fails = {"source": f"{SLEEP.format(seconds=1)}raise SystemExit(7)\n"}
    swept.install("sets", line=line, mode="cluster", app=fails, executor=sets)
    assert swept.end_of("sets").exit_codes == (7,)

    assert swept.end_of("killed").reason == "DeadlineExceeded"
    pods, its_driver = swept.cluster.core.list_namespaced_pod, "spark-role=driver,app.kubernetes.io/instance=killed"
    swept.cluster.wait_until_none(pods, "its driver", 60, namespace=swept.name, label_selector=its_driver)
    swept.install("nightly", line=line, mode="cluster", app=lasts, schedule={"cron": "@yearly"})
    for release in ("elastic", "nightly"):
        swept.helm.run(["test", release, f"--namespace={swept.name}"])
    # The submitter of a schedule's run asks what the chart makes of the schedule now.
    swept.kubectl("create", "job", "by-hand", "--from=cronjob/nightly")
    swept.running("nightly", "driver")

    found = {}
    for account in ("spark-driver", "spark-submitter"):
        used = asked_by(f"system:serviceaccount:{swept.name}:{account}", audit_log())
        found[account] = used, granted(swept, account)
    for account, (used, rights) in found.items():
        assert (account, rights - used) == (account, set())
        assert used <= rights


@pytest.mark.long
@pytest.mark.check(13)
def test_a_newer_spark_submits_nothing_without_the_right_to_make_network_policies(swept: Team) -> None:
    swept.set_namespace("submitter.networkPolicies=false")
    swept.install("refused", line=DEFAULT_LINE, mode="cluster", app={"source": "print('never')"})
    end = swept.end_of("refused")
    assert not end.succeeded
    assert 'cannot patch resource "networkpolicies"' in swept.log_of(end)
