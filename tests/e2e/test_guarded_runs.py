"""The guard, from inside a driver: Spark's own executors come, nothing else. All tests of this tier run under it."""

from __future__ import annotations

import pytest
from team import OLD_LINE_LONG, Team

from kindling_dev.spark_image import SparkLine

TAKEOVER = """
import copy, json, os, ssl, urllib.error, urllib.request
from pyspark.sql import SparkSession

context = SparkSession.builder.getOrCreate().sparkContext
print("sum:", context.parallelize(range(10), 2).sum())
folder = "/var/run/secrets/kubernetes.io/serviceaccount"
namespace = open(folder + "/namespace").read()
pods = "https://kubernetes.default.svc/api/v1/namespaces/" + namespace + "/pods"


def ask(url, body=None):
    headers = {"Authorization": "Bearer " + open(folder + "/token").read(), "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers)
    tls = ssl.create_default_context(cafile=folder + "/ca.crt")
    try:
        with urllib.request.urlopen(request, context=tls) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        return json.load(refusal)


id = context.getConf().get("spark.app.id")
real = ask(pods + "?labelSelector=spark-role=executor,spark-app-selector=" + id)["items"][0]
real = {"apiVersion": "v1", "kind": "Pod", "spec": real["spec"], "metadata": {
    "name": "one-more", "labels": real["metadata"]["labels"], "ownerReferences": real["metadata"]["ownerReferences"]}}
del real["spec"]["nodeName"]


def tried(what, change):
    pod = copy.deepcopy(real)
    change(pod)
    said = ask(pods + "?dryRun=All", pod)
    print("TRIED", what + ":", said["message"] if said["kind"] == "Status" else "made")


account = dict(serviceAccountName="spark-driver", serviceAccount="spark-driver")
tried("the driver's account", lambda pod: pod["spec"].update(account))
tried("a Secret", lambda pod: pod["spec"]["volumes"].append({"name": "taken", "secret": {"secretName": "keytab"}}))
tried("a host path", lambda pod: pod["spec"]["volumes"].append({"name": "host", "hostPath": {"path": "/etc"}}))
tried("no executor", lambda pod: pod["metadata"]["labels"].update({"spark-role": "driver"}))
tried("no owner", lambda pod: pod["metadata"].update(ownerReferences=[]))
tried("an executor", lambda pod: None)
"""
REFUSALS = {
    "the driver's account": "service account spark-driver is not for executors",
    "a Secret": "Secret keytab is not for pods of this namespace",
    # Pod Security speaks first.
    "a host path": 'violates PodSecurity "restricted:latest"',
    "no executor": "makes a pod without the label spark-role=executor",
    "no owner": "makes what its own pod does not own",
}


@pytest.mark.check(4)
@OLD_LINE_LONG
def test_a_driver_makes_its_executors_and_nothing_else(swept: Team, line: SparkLine) -> None:
    swept.install("takeover", line=line, app={"source": TAKEOVER})
    end = swept.end_of("takeover")
    log = swept.log_of(end)
    assert end.succeeded, log
    assert "sum: 45" in log
    tried = [text.partition("TRIED ")[2].partition(": ") for text in log.splitlines() if "TRIED " in text]
    said = {what: answer for what, _, answer in tried}
    assert said.pop("an executor") == "made"
    assert {what for what in REFUSALS if REFUSALS[what] in said[what]} == set(REFUSALS), said
