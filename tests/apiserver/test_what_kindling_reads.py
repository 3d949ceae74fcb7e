"""What ``kindling`` reads of a cluster: as whom it asks, and what a namespace gives to its pods."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from grants import grant
from kubernetes import client

from chartproof.apiserver import ApiServer
from kindling.connection import connect

Kindling = Callable[..., "subprocess.CompletedProcess[str]"]


def test_it_asks_as_whom_the_kubeconfig_says(
    apiserver: Callable[[str], ApiServer], kindling: Kindling, namespace_of: Callable[[ApiServer], str], tmp_path: Path
) -> None:
    server = apiserver("1.34")
    namespace = namespace_of(server)

    def told(user: dict[str, Any]) -> str:
        config = yaml.safe_load(server.kubeconfig.read_text())
        config["users"][0]["user"] |= user
        (tmp_path / server.kubeconfig.name).write_text(yaml.safe_dump(config))
        return kindling(replace(server, folder=tmp_path), "recover", "none", "-n", namespace).stderr

    missing = f"kindling: namespace {namespace} has no Helm release none: name its namespace by -n"
    assert told({}) == f"{missing}\n"
    assert f'{missing}; what you may not read: configmaps is forbidden: User "vera" cannot list' in told({"as": "vera"})
    rule = {"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["list"]}
    grant(server.cluster, namespace, [{"kind": "Group", "name": "readers"}], [rule])
    assert "may not read" in told({"as": "vera", "as-groups": ["writers"]})
    assert told({"as": "vera", "as-groups": ["writers", "readers"]}) == f"{missing}\n"


def test_it_asks_with_all_that_the_kubeconfig_says_of_another(
    apiserver: Callable[[str], ApiServer], tmp_path: Path
) -> None:
    config = yaml.safe_load(apiserver("1.34").kubeconfig.read_text())
    other = {"as": "vera", "as-uid": "42", "as-groups": ["readers"], "as-user-extra": {"example.com/why": ["an audit"]}}
    config["users"][0]["user"] |= other
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    authentication: Any = client.AuthenticationV1Api(connect(str(tmp_path / "config"), None, None).api)
    me = authentication.create_self_subject_review(client.V1SelfSubjectReview()).status.user_info
    assert (me.username, me.uid, me.extra) == ("vera", "42", {"example.com/why": ["an audit"]})
    assert "readers" in me.groups


def test_a_quota_of_cpu_limits_is_well_where_the_namespace_gives_them(
    apiserver: Callable[[str], ApiServer], kindling: Kindling, namespace_of: Callable[[ApiServer], str]
) -> None:
    server = apiserver("1.34")
    namespace = namespace_of(server)
    core, meta = server.cluster.core, client.V1ObjectMeta(name="cpu")

    def told() -> dict[str, str]:
        checks = json.loads(kindling(server, "preflight", "-n", namespace, "--json").stdout)["checks"]
        return next(check for check in checks if check["id"] == "quota")

    quota = client.V1ResourceQuotaSpec(hard={"limits.cpu": "8"})
    core.create_namespaced_resource_quota(namespace, client.V1ResourceQuota(metadata=meta, spec=quota))
    assert told()["state"] == "warn"
    assert "limits.default.cpu in spark-namespace" in told()["cure"]
    items = [client.V1LimitRangeItem(type="Container", default={"cpu": "1"})]
    limits = client.V1LimitRange(metadata=meta, spec=client.V1LimitRangeSpec(limits=items))
    core.create_namespaced_limit_range(namespace, limits)
    assert told()["state"] == "ok"
