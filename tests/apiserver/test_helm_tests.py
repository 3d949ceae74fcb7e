"""Pods of `helm test` on a real API server: one that fails is gone with the test, and says so; no node runs it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from kubernetes.client.exceptions import ApiException
from least_values import LEAST

from chartproof import Helm
from chartproof.apiserver import ApiServer
from kindling_dev.scenarios import CHARTS


@pytest.mark.parametrize("program", ["helm", "helm4"])
@pytest.mark.parametrize("chart", ["spark-history-server", "spark-job", "spark-notebook"])
def test_a_pod_that_failed_goes_with_its_test(
    apiserver: Callable[[str], ApiServer], namespace_of: Callable[[ApiServer], str], chart: str, program: str
) -> None:
    server = apiserver("1.34")
    namespace, core = namespace_of(server), server.cluster.core
    for account in ("spark-submitter", "spark-driver", "spark-executor", "spark-history"):
        core.create_namespaced_service_account(namespace, {"metadata": {"name": account}})
    where = f"--namespace={namespace}"
    helm = Helm(program, kubeconfig=server.kubeconfig)
    helm.run(["install", "tried", str(CHARTS / chart), where, "--values=-"], yaml.safe_dump(LEAST[chart]))
    environment = {**os.environ, "KUBECONFIG": str(server.kubeconfig)}
    argv = [program, "test", "tried", where, "--timeout=60s"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as test:
        listing: dict[str, Any] = {"namespace": namespace, "field_selector": "metadata.name=tried-test"}
        server.cluster.wait_for(
            core.list_namespaced_pod, lambda _, event: event == "ADDED" or None, "it", 30, **listing
        )
        core.patch_namespaced_pod_status("tried-test", namespace, {"status": {"phase": "Failed"}})
        told, _ = test.communicate(timeout=60)
    assert test.returncode != 0
    assert "tried-test" in told, told
    with pytest.raises(ApiException) as gone:
        core.read_namespaced_pod("tried-test", namespace)
    assert gone.value.status == 404
    helm.run(["uninstall", "tried", where])
    assert core.list_namespaced_pod(namespace, label_selector="app.kubernetes.io/component=test").items == []
