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


def ask(url, body=None, method=None):
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    headers = {"Authorization": "Bearer " + open(folder + "/token").read(), "Content-Type": kind}
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers, method=method)
    tls = ssl.create_default_context(cafile=folder + "/ca.crt")
    try:
        with urllib.request.urlopen(request, context=tls) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        return json.load(refusal)


id = context.getConf().get("spark.app.id")
real = ask(pods + "?labelSelector=spark-role=executor,spark-app-selector=" + id)["items"][0]
real = {"apiVersion": "v1", "kind": "Pod", "spec": real["spec"], "metadata": {
    "name": "one-more-exec-99", "labels": real["metadata"]["labels"],
    "ownerReferences": real["metadata"]["ownerReferences"]}}
del real["spec"]["nodeName"]


def tried(what, change):
    pod = copy.deepcopy(real)
    change(pod)
    said_of(what, ask(pods + "?dryRun=All", pod))


def said_of(what, said):
    failed = said["kind"] == "Status" and said["status"] == "Failure"
    print("TRIED", what + ":", said["message"] if failed else "made")


account = dict(serviceAccountName="spark-driver", serviceAccount="spark-driver")
tried("the driver's account", lambda pod: pod["spec"].update(account))
tried("a Secret", lambda pod: pod["spec"]["volumes"].append({"name": "taken", "secret": {"secretName": "keytab"}}))
tried("a host path", lambda pod: pod["spec"]["volumes"].append({"name": "host", "hostPath": {"path": "/etc"}}))
tried("no executor", lambda pod: pod["metadata"]["labels"].update({"spark-role": "driver"}))
tried("no owner", lambda pod: pod["metadata"].update(ownerReferences=[]))
tried("an executor", lambda pod: None)
tried("a priority", lambda pod: pod["spec"].update(priorityClassName="system-node-critical", priority=None))
tried("a finalizer", lambda pod: pod["metadata"].update(finalizers=["example.com/for-ever"]))
dry = {"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"]}
objects = pods.removesuffix("/pods")
me = open("/etc/hostname").read().strip()
said_of("all programs", ask(objects + "/configmaps", dry, "DELETE"))
said_of("all Services", ask(objects + "/services", dry, "DELETE"))
said_of("all claims", ask(objects + "/persistentvolumeclaims", dry, "DELETE"))
said_of("all pods", ask(objects + "/pods", dry, "DELETE"))
mine = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"krb5.conf": ""}, "metadata": {
    "name": "krb5-conf", "ownerReferences": real["metadata"]["ownerReferences"]}}
said_of("another's settings", ask(objects + "/configmaps?dryRun=All", mine))
said_of("its own status", ask(pods + "/" + me + "/status?dryRun=All", {"status": {"phase": "Succeeded"}}, "PATCH"))
executors = "?labelSelector=spark-role=executor,spark-app-selector=" + id
said_of("its own executors' end", ask(pods + executors, dry, "DELETE"))
"""
REFUSALS = {
    "the driver's account": "service account spark-driver is not for executors",
    "a Secret": "Secret keytab is not for pods of this namespace",
    # Pod Security speaks first.
    "a host path": 'violates PodSecurity "restricted:latest"',
    "no executor": "makes a pod without the label spark-role=executor",
    "no owner": "makes or changes what its own pod does not own",
    "a priority": "priority class system-node-critical is not for pods of this namespace",
    "a finalizer": "a finalizer, by which it would never go",
    "all programs": "of configmaps, which is not of its application",
    "all claims": "of persistentvolumeclaims, which is not of its application",
    "all pods": "of pods, which is not of its application",
    "another's settings": "makes krb5-conf of configmaps; allowed: executors, and what is theirs, under ",
    "its own status": 'cannot patch resource "pods/status"',
}


@pytest.mark.check(4)
@OLD_LINE_LONG
def test_a_driver_makes_its_executors_and_nothing_else(swept: Team, line: SparkLine) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    swept.cluster.core.create_namespaced_persistent_volume_claim(
        swept.name, {"metadata": {"name": "spark-events"}, "spec": claim}
    )
    swept.install("takeover", line=line, app={"source": TAKEOVER})
    end = swept.end_of("takeover")
    log = swept.log_of(end)
    assert end.succeeded, log
    assert "sum: 45" in log
    tried = [text.partition("TRIED ")[2].partition(": ") for text in log.splitlines() if "TRIED " in text]
    said = {what: answer for what, _, answer in tried}
    for allowed in ("an executor", "all Services", "its own executors' end"):
        assert said.pop(allowed) == "made", "Services: there are none, and Spark asks at each end"
    swept.cluster.core.delete_namespaced_persistent_volume_claim("spark-events", swept.name)
    assert {what for what in REFUSALS if REFUSALS[what] in said[what]} == set(REFUSALS), said
