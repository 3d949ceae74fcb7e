"""Attacks by a hostile driver on what is not its application's: programs, settings, claims, Services, other drivers."""

from __future__ import annotations

from typing import Any

import pytest
from guarded_team import (
    ADMIN,
    ANOTHERS,
    DRIVER,
    ELSEWHERE,
    EXECUTOR,
    HISTORY,
    MINE,
    POD,
    Attack,
    Body,
    Team,
    owned_by,
)

from chartproof.values import merged

_SETS = "apps/v1:statefulsets"
_NOT_OWNED = " makes or changes what its own pod does not own; allowed: executors and what is theirs"
_TAKEN_NAME = "; allowed: executors, and what is theirs, under the names that Spark gives them"
_NOT_ITS = "which is not of its application; allowed: what its own pod owns"
_CHANGES = " changes a pod; allowed: labels and annotations of its own pod and of its executors"
_FOREVER = ", by which it would never go; allowed: none"
_CLAIM = " makes a claim that names the volume that it takes, or what it copies, or has annotations; "


def config_map(name: str, *owners: str, **metadata: Any) -> Body:
    """A ConfigMap that pods own."""
    whole = {"name": name, "ownerReferences": owned_by(*owners)["ownerReferences"], **metadata}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": whole, "data": {"submit.py": "print('mine')"}}


def claim(name: str, *owners: str, **spec: Any) -> Body:
    """A claim that pods own."""
    whole = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
    metadata = {"name": name, "ownerReferences": owned_by(*owners)["ownerReferences"]}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": whole}


def executor(name: str, *owners: str, **labels: str) -> Body:
    """An executor that pods own."""
    return merged(EXECUTOR, {"metadata": merged(owned_by(*owners), {"name": name, "labels": labels})})


def of_a_set(name: str, application: str) -> Body:
    """An executor that the StatefulSet owns; not as its controller, which would take its executors away from it."""
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "others", "uid": _SET_UID}
    labels = {"spark-role": "executor", "spark-app-selector": application}
    return merged(EXECUTOR, {"metadata": {"name": name, "labels": labels, "ownerReferences": [owner]}})


_SET_UID = "uid-of-the-set"
SET: Body = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "spark-s-set-0", "ownerReferences": owned_by(MINE)["ownerReferences"]},
    "spec": {
        "serviceName": "none",
        "selector": {"matchLabels": {"spark-role": "executor"}},
        "template": {"metadata": {"labels": {"spark-role": "executor"}}, "spec": EXECUTOR["spec"]},
    },
}
_NAME = "spark-exec-0123456789abcdef-conf-map"
_THERE = {
    "configmaps": [
        config_map("nightly-0123abcd", ANOTHERS),
        config_map("krb5-conf"),
        config_map("spark-exec-aa-conf-map", ANOTHERS, labels={"spark-role": "executor"}),
        config_map("spark-exec-bb-conf-map", MINE, labels={"spark-role": "executor"}),
    ],
    "persistentvolumeclaims": [claim("spark-events"), claim("other-exec-1-pvc-0", ANOTHERS), claim("mine-0", MINE)],
    "services": [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "history"},
            "spec": {"selector": {"spark-role": "history-server"}, "ports": [{"port": 18080}]},
        }
    ],
    "pods": [
        executor("other-exec-1", ANOTHERS),
        executor("mine-exec-1", MINE),
        of_a_set("other-set-0", "spark-11111111-2222-3333-4444-555555555555"),
        of_a_set("mine-set-0", f"spark-{MINE}"),
        of_a_set("cluster-set-0", "spark-0123456789abcdef0123456789abcdef"),
    ],
}
"""What is there for attacks to be aimed at."""

_FINALIZED = {"finalizers": ["example.com/for-ever"]}
_SIZE = {"requests": {"storage": "1Gi"}}
ATTACKS = {
    # Programs, settings and claims of others, replaced: what goes, and what comes in its place.
    "removes a run's programs": Attack(DRIVER, "DELETE", "configmaps/nightly-0123abcd", {}, _NOT_ITS),
    "removes all ConfigMaps": Attack(DRIVER, "DELETE", "configmaps", {}, _NOT_ITS),
    "removes spark-defaults": Attack(DRIVER, "DELETE", "configmaps/spark-defaults", {}, _NOT_ITS),
    "removes an ownerless ConfigMap": Attack(DRIVER, "DELETE", "configmaps/krb5-conf", {}, _NOT_ITS),
    "removes another's ConfigMap": Attack(
        DRIVER, "DELETE", "configmaps?labelSelector=spark-role%3Dexecutor", {}, _NOT_ITS
    ),
    "makes a run's programs": Attack(DRIVER, "POST", "configmaps", config_map("nightly-ffff0000", MINE), _TAKEN_NAME),
    "makes hadoop-conf": Attack(DRIVER, "POST", "configmaps", config_map("hadoop-conf", MINE), _TAKEN_NAME),
    "makes a ConfigMap of nobody's": Attack(DRIVER, "POST", "configmaps", config_map(_NAME), _NOT_OWNED),
    "makes another's ConfigMap": Attack(DRIVER, "POST", "configmaps", config_map(_NAME, ANOTHERS), _NOT_OWNED),
    "makes a ConfigMap that never goes": Attack(
        DRIVER, "POST", "configmaps", config_map(_NAME, MINE, **_FINALIZED), _FOREVER
    ),
    "writes a run's programs": Attack(
        DRIVER, "PATCH", "configmaps/nightly-0123abcd", {"data": {"submit.py": "print('mine')"}}, _NOT_OWNED
    ),
    "writes spark-defaults": Attack(
        DRIVER, "PATCH", "configmaps/spark-defaults", {"data": {"spark-defaults.conf": ""}}, _NOT_OWNED
    ),
    "takes a ConfigMap over": Attack(
        DRIVER,
        "PATCH",
        "configmaps/krb5-conf",
        {"metadata": {"ownerReferences": owned_by(MINE)["ownerReferences"]}},
        _NOT_OWNED,
    ),
    "removes the claim of event logs": Attack(DRIVER, "DELETE", "persistentvolumeclaims/spark-events", {}, _NOT_ITS),
    "removes another's claim": Attack(DRIVER, "DELETE", "persistentvolumeclaims/other-exec-1-pvc-0", {}, _NOT_ITS),
    "removes all claims": Attack(DRIVER, "DELETE", "persistentvolumeclaims", {}, _NOT_ITS),
    "makes a claim that waits for a release": Attack(
        DRIVER, "POST", "persistentvolumeclaims", claim("spark-history-state", MINE), _TAKEN_NAME
    ),
    "makes a claim of nobody's": Attack(
        DRIVER, "POST", "persistentvolumeclaims", claim("mine-exec-1-pvc-0"), _NOT_OWNED
    ),
    "takes another team's volume": Attack(
        DRIVER, "POST", "persistentvolumeclaims", claim("mine-exec-1-pvc-0", MINE, volumeName="of-team-b"), _CLAIM
    ),
    "takes a labelled volume": Attack(
        DRIVER,
        "POST",
        "persistentvolumeclaims",
        claim("mine-exec-1-pvc-0", MINE, selector={"matchLabels": {"team": "b"}}),
        _CLAIM,
    ),
    "copies another's claim": Attack(
        DRIVER,
        "POST",
        "persistentvolumeclaims",
        claim("mine-exec-1-pvc-0", MINE, dataSource={"kind": "PersistentVolumeClaim", "name": "spark-events"}),
        _CLAIM,
    ),
    "takes another team's volume for a set": Attack(
        DRIVER,
        "POST",
        _SETS,
        merged(SET, {"spec": {"volumeClaimTemplates": [claim("data", volumeName="of-team-b", resources=_SIZE)]}}),
        _CLAIM,
    ),
    "removes the history's Service": Attack(DRIVER, "DELETE", "services/history", {}, _NOT_ITS),
    "removes all Services": Attack(DRIVER, "DELETE", "services", {}, _NOT_ITS),
    "makes a Service": Attack(
        DRIVER,
        "POST",
        "services",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "mine", "ownerReferences": owned_by(MINE)["ownerReferences"]},
            "spec": {"selector": {"spark-role": "driver"}, "ports": [{"port": 1}]},
        },
        _TAKEN_NAME,
    ),
    "forges a record of helm's": Attack(
        DRIVER,
        "POST",
        "configmaps",
        config_map(_NAME, MINE, labels={"owner": "helm", "name": "nightly", "version": "41", "status": "deployed"}),
        ", by which other programs may read it; allowed: spark-app-selector, spark-role",
    ),
    "makes a claim with a folder of its own": Attack(
        DRIVER,
        "POST",
        "persistentvolumeclaims",
        merged(claim("mine-exec-1-pvc-0", MINE), {"metadata": {"annotations": {"nfs.io/storage-path": "../team-b"}}}),
        _CLAIM,
    ),
    # Other applications.
    "is taken for a Job's driver": Attack(
        DRIVER,
        "POST",
        "pods",
        executor("made-exec-1", MINE, **{"batch.kubernetes.io/controller-uid": "uid-of-a-job"}),
        " labels an executor as pods of a controller or of another chart; allowed: other labels",
    ),
    "is taken for the history server": Attack(
        DRIVER,
        "POST",
        "pods",
        executor("made-exec-1", MINE, **{"app.kubernetes.io/name": "spark-history-server"}),
        " labels an executor as pods of a controller or of another chart; allowed: other labels",
    ),
    "makes an executor that nobody controls": Attack(
        DRIVER,
        "POST",
        "pods",
        merged(
            executor("made-exec-1"),
            {"metadata": {"ownerReferences": [{**owned_by(MINE)["ownerReferences"][0], "controller": False}]}},
        ),
        ", which nobody controls; allowed: an owner with controller: true",
    ),
    "makes the driver that a submitter waits for": Attack(
        DRIVER, "POST", "pods", executor("nightly-0123abcd-89abcdef-0-driver", MINE), _TAKEN_NAME
    ),
    "makes a set of another's name": Attack(
        DRIVER, "POST", _SETS, merged(SET, {"metadata": {"name": "history"}}), _TAKEN_NAME
    ),
    "makes a set that removes claims": Attack(
        DRIVER,
        "POST",
        _SETS,
        merged(SET, {"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}}),
        " makes a StatefulSet that removes claims; allowed: Retain",
    ),
    "makes a set whose pods never go": Attack(
        DRIVER,
        "POST",
        _SETS,
        merged(SET, {"spec": {"template": {"metadata": _FINALIZED}}}),
        "by which they would never go",
    ),
    "removes another driver": Attack(DRIVER, "DELETE", "pods/another-driver", {}, _NOT_ITS),
    "removes another's executor": Attack(DRIVER, "DELETE", "pods/other-exec-1", {}, _NOT_ITS),
    "removes all pods": Attack(DRIVER, "DELETE", "pods", {}, _NOT_ITS),
    "removes another's executor of a set": Attack(DRIVER, "DELETE", "pods/other-set-0", {}, _NOT_ITS),
    "removes another's set": Attack(DRIVER, "DELETE", f"{_SETS}/others", {}, _NOT_ITS),
    "labels another's executor": Attack(
        DRIVER, "PATCH", "pods/other-exec-1", {"metadata": {"labels": {"spark-exec-inactive": "true"}}}, _CHANGES
    ),
    "labels another's executor of a set": Attack(
        DRIVER, "PATCH", "pods/other-set-0", {"metadata": {"labels": {"spark-exec-id": "7"}}}, _CHANGES
    ),
    "passes its executor off as another's": Attack(
        DRIVER,
        "POST",
        "pods",
        executor("made-exec-1", MINE, **{"spark-app-selector": f"spark-{ANOTHERS}"}),
        " labels an executor as another application's; allowed: spark-app-selector of its own",
    ),
    "makes an executor that never goes": Attack(
        DRIVER, "POST", "pods", merged(executor("made-exec-1", MINE), {"metadata": _FINALIZED}), _FOREVER
    ),
    "gives its executor a finalizer": Attack(DRIVER, "PATCH", "pods/mine-exec-1", {"metadata": _FINALIZED}, _FOREVER),
    "gives its own pod a finalizer": Attack(DRIVER, "PATCH", "pods/driver", {"metadata": _FINALIZED}, _FOREVER),
    "makes a set that never goes": Attack(DRIVER, "POST", _SETS, merged(SET, {"metadata": _FINALIZED}), _FOREVER),
    # The same with a token that is no pod's, and by an account that nobody thought of.
    "removes programs, elsewhere": Attack(ELSEWHERE, "DELETE", "configmaps/nightly-0123abcd", {}, _NOT_ITS),
    "removes an executor, elsewhere": Attack(ELSEWHERE, "DELETE", "pods/mine-exec-1", {}, _NOT_ITS),
    "makes a ConfigMap, elsewhere": Attack(ELSEWHERE, "POST", "configmaps", config_map(_NAME, MINE), _NOT_OWNED),
    "removes programs, as history": Attack(HISTORY, "DELETE", "configmaps/nightly-0123abcd", {}, _NOT_ITS),
    "removes a driver, as history": Attack(HISTORY, "DELETE", "pods/driver", {}, _NOT_ITS),
}


_OTHERS = {"name": "others", "ownerReferences": owned_by(ANOTHERS)["ownerReferences"]}


def furnished(team: Team) -> Team:
    """A team in which all is there that attacks are aimed at."""
    team.holds(_SETS, merged(SET, {"metadata": _OTHERS, "spec": {"replicas": 0}}))
    team = team.knowing(_SET_UID, f"{_SETS}/others")
    for path, bodies in _THERE.items():
        for body in bodies:
            team.holds(path, body)
    return team


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_driver_leaves_alone_what_is_not_its_own(guarded: Team, unguarded: Team, attack: Attack) -> None:
    said = furnished(guarded).tried(attack)
    assert f"'kindling-guard-{guarded.name}.drivers' denied request: " in said
    assert attack.says in said
    assert "\n" not in said
    assert furnished(unguarded).tried(attack) == ""


SPARKS_OWN = {
    "its executors' ConfigMap": Attack(
        DRIVER, "POST", "configmaps", config_map(_NAME, MINE, labels={"spark-role": "executor"}), ""
    ),
    "their ConfigMap's end": Attack(DRIVER, "DELETE", "configmaps/spark-exec-bb-conf-map", {}, ""),
    "a claim of its own": Attack(
        DRIVER, "POST", "persistentvolumeclaims", claim("mine-1234-exec-1-pvc-0", MINE, storageClassName="fast"), ""
    ),
    "a claim of its executor's": Attack(
        DRIVER, "POST", "persistentvolumeclaims", claim("mine-1234-exec-1-pvc-1", "uid-of-an-executor"), ""
    ),
    "the end of its claims": Attack(DRIVER, "DELETE", "persistentvolumeclaims/mine-0", {}, ""),
    "the end of its executor": Attack(DRIVER, "DELETE", "pods/mine-exec-1", {}, ""),
    "the end of its set's executor": Attack(DRIVER, "DELETE", "pods/mine-set-0", {}, ""),
    "the end of an executor of cluster mode": Attack(DRIVER, "DELETE", "pods/cluster-set-0", {}, ""),
    "the end of nothing": Attack(DRIVER, "DELETE", "services?labelSelector=spark-app-selector%3Dnone", {}, ""),
    "its executor's label": Attack(
        DRIVER, "PATCH", "pods/mine-exec-1", {"metadata": {"labels": {"spark-exec-inactive": "true"}}}, ""
    ),
    "an executor of its application": Attack(
        DRIVER, "POST", "pods", executor("made-exec-1", MINE, **{"spark-app-selector": f"spark-{MINE}"}), ""
    ),
    "an executor of cluster mode": Attack(
        DRIVER, "POST", "pods", executor("made-exec-1", MINE, **{"spark-app-selector": "spark-0123456789abcdef"}), ""
    ),
    "a set with claims": Attack(
        DRIVER, "POST", _SETS, merged(SET, {"spec": {"volumeClaimTemplates": [claim("data")]}}), ""
    ),
}


@pytest.mark.parametrize("request_", SPARKS_OWN.values(), ids=SPARKS_OWN)
def test_what_spark_asks_for_its_own_application_is_done(guarded: Team, request_: Attack) -> None:
    assert furnished(guarded).tried(request_) == ""


def test_a_refused_collection_leaves_what_is_not_its_own(guarded: Team) -> None:
    furnished(guarded)
    assert _NOT_ITS in guarded.ask(DRIVER, "DELETE", "configmaps", {}, dry=False)
    names = {item.metadata.name for item in guarded.server.cluster.core.list_namespaced_config_map(guarded.name).items}
    assert {"spark-defaults", "nightly-0123abcd", "krb5-conf", "spark-exec-aa-conf-map"} <= names


def test_a_finalizer_that_is_there_stays(guarded: Team) -> None:
    body = merged(
        POD, {"metadata": {"name": "tracked", **owned_by(MINE), "finalizers": ["batch.kubernetes.io/job-tracking"]}}
    )
    guarded.holds("pods", body)
    label = {"metadata": {"labels": {"spark-exec-inactive": "true"}}}
    assert guarded.ask(DRIVER, "PATCH", "pods/tracked", label) == ""
    assert guarded.ask(ADMIN, "DELETE", "pods/tracked", {}) == ""
