"""The cluster that all other tests stand on, and the images in it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from team import Team
from tool import submitter_kubeconfig

from chartproof import Cluster, Helm
from kindling_dev.cluster import is_as_configured
from kindling_dev.command import run
from kindling_dev.host import Host
from kindling_dev.node_image import is_ours
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings
from kindling_dev.spark_image import DEFAULT_LINE, SparkLine, ensure_spark_image


def test_a_cluster_made_from_another_configuration_would_be_made_again() -> None:
    settings, host = Settings.from_environment(), Host.detect()
    assert is_as_configured(settings, host)
    assert not is_as_configured(replace(settings, node_image="kindest/node:v1.33.0"), host)


def test_tokens_die_when_they_say_so(cluster: Cluster) -> None:
    (pod,) = cluster.core.list_namespaced_pod("kube-system", label_selector="component=kube-apiserver").items
    assert "--service-account-extend-token-expiration=false" in pod.spec.containers[0].command


def test_the_audit_log_is_written(cluster: Cluster, audit_log: Callable[[], list[dict[str, Any]]]) -> None:
    cluster.core.list_namespaced_pod("kube-public")
    assert any(event["objectRef"].get("namespace") == "kube-public" for event in audit_log() if "objectRef" in event)


def test_a_restricted_namespace_refuses_a_privileged_pod(team: Team) -> None:
    argv = ["kubectl", f"--kubeconfig={team.cluster.kubeconfig}", f"--namespace={team.name}", "run", "bad"]
    refused = subprocess.run(
        [*argv, "--privileged", "--image=apache/spark:4.3.0-python3", "--dry-run=server"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode != 0
    assert 'violates PodSecurity "restricted' in refused.stderr


def test_the_image_runs_as_any_user_on_a_read_only_root(line: SparkLine) -> None:
    image = ensure_spark_image(line, Settings.from_environment(), Progress())
    pi = ["driver", "--master", "local[1]", "local:///opt/spark/examples/src/main/python/pi.py", "1"]
    options = ["--rm", "--read-only", "--tmpfs=/tmp", "--user=54321:0", "--cap-drop=ALL"]
    printed = run(["docker", "run", *options, "--env=SPARK_DRIVER_BIND_ADDRESS=127.0.0.1", image, *pi])
    assert re.search(r"^Pi is roughly 3\.", printed, re.MULTILINE)


def test_the_image_has_the_newest_java_that_the_line_supports(line: SparkLine) -> None:
    image = ensure_spark_image(line, Settings.from_environment(), Progress())
    if not is_ours(image):
        pytest.skip(f"{image} was not built here: its Java is its makers' choice")
    version = subprocess.run(
        ["docker", "run", "--rm", image, "java", "-version"], capture_output=True, text=True, check=True
    ).stderr
    assert f'"{re.findall("[0-9]+", line.java)[0]}.' in version


def test_an_engineer_installs_a_job_with_the_submitters_rights_alone(team: Team, tmp_path: Any) -> None:
    helm = Helm(kubeconfig=submitter_kubeconfig(team, tmp_path), driver="configmap")
    engineer = replace(team, helm=helm)
    engineer.install("mine", line=DEFAULT_LINE, app={"source": "print('mine')"})
    assert team.end_of("mine").succeeded
    engineer.uninstall("mine")
