"""The kind cluster: created from ``ci/kind.yaml``, found again, removed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from kindling_dev import node_image, node_network, spark_image
from kindling_dev.command import Failure, run, succeeds
from kindling_dev.fingerprint import fingerprint
from kindling_dev.host import Host
from kindling_dev.progress import Progress
from kindling_dev.settings import DEFAULT_CLUSTER, DEFAULT_IP_FAMILY, REPO, Settings
from kindling_dev.spark_image import SparkLine
from kindling_dev.tools import KUBERNETES

_READY_TIMEOUT = "180s"


def ensure_cluster(settings: Settings, host: Host, progress: Progress, lines: tuple[SparkLine, ...]) -> None:
    """See that the cluster answers and has the images of some Spark lines."""
    host.check_kubernetes(KUBERNETES.version("k8s.io/kubernetes").removeprefix("v"))
    if is_as_configured(settings, host) and _answers(settings):
        progress.say(f"cluster {settings.cluster} is there")
        _load_missing(settings, progress, lines)
    else:
        _make(settings, host, progress, lines)
    _wait_for_deployments(settings, progress)


def is_as_configured(settings: Settings, host: Host) -> bool:
    """Whether the cluster in the cache, if there is one, was made from what is configured now."""
    made_from = _made_from(settings)
    return made_from.exists() and made_from.read_text() == _configuration(settings, host)


def _made_from(settings: Settings) -> Path:
    return settings.cluster_dir / "made-from"


def _configuration(settings: Settings, host: Host) -> str:
    node = settings.node_image or node_image.built()
    family = [] if settings.ip_family == DEFAULT_IP_FAMILY else [settings.ip_family]
    return fingerprint(REPO / "ci/kind.yaml", REPO / "ci/audit-policy.yaml", repr(host), node, *family)


def _make(settings: Settings, host: Host, progress: Progress, lines: tuple[SparkLine, ...]) -> None:
    node = node_image.ensure_node_image(settings, progress)
    contents = {line.published: spark_image.ensure_spark_image(line, settings, progress) for line in lines}
    _say_stand_ins(contents, progress)
    baked = node_image.bake(node, contents, settings, progress)
    _create(baked, node_image.is_ours(node), settings, host, progress)


def kind_config(settings: Settings, host: Host, *, own_network: bool) -> dict[str, Any]:
    """kind's configuration of the cluster: ``ci/kind.yaml`` with what this host and the node image need besides."""
    text = (REPO / "ci/kind.yaml").read_text().replace("@FOLDER@", str(settings.cluster_dir))
    config: dict[str, Any] = yaml.safe_load(text) | host.kind_patches()
    config["networking"]["ipFamily"] = settings.ip_family
    if own_network:
        config["networking"]["disableDefaultCNI"] = True
        files = node_network.files(settings.ip_family)
        mounts = [{"hostPath": str(settings.cluster_dir / Path(path).name), "containerPath": path} for path in files]
        for node in config["nodes"]:
            node["extraMounts"] += mounts
    if settings.cluster != DEFAULT_CLUSTER:
        for node in config["nodes"]:
            for mapping in node.get("extraPortMappings", []):
                mapping["hostPort"] = 0  # any that is free: the default cluster may be there too
    return config


def remove_cluster(settings: Settings, progress: Progress) -> None:
    """Remove the cluster and its folder, if they are there."""
    if succeeds(["docker", "info"], timeout=20) and run(["docker", "ps", "-aq", "--filter", _cluster_filter(settings)]):
        if not settings.cluster_dir.exists():
            raise Failure(
                f"a kind cluster {settings.cluster} is there that was not made from {settings.cache}; "
                "set KINDLING_CLUSTER to another name, or remove that cluster yourself"
            )
        argv: list[str | Path] = ["delete", "cluster", "--name", settings.cluster, "--kubeconfig", settings.kubeconfig]
        with progress.step(f"removing cluster {settings.cluster}"):
            _kind(argv, settings, what="remove the cluster")
    shutil.rmtree(settings.cluster_dir, ignore_errors=True)


def node_name(settings: Settings) -> str:
    """Name of the node, which is also that of its container."""
    return f"{settings.cluster}-control-plane"


def _cluster_filter(settings: Settings) -> str:
    return f"label=io.x-k8s.kind.cluster={settings.cluster}"


def _answers(settings: Settings) -> bool:
    return settings.kubeconfig.exists() and succeeds(
        ["kubectl", f"--kubeconfig={settings.kubeconfig}", "get", "--raw", "/readyz"], timeout=15
    )


def _load_missing(settings: Settings, progress: Progress, lines: tuple[SparkLine, ...]) -> None:
    for line in lines:
        load_if_missing(line.published, spark_image.ensure_spark_image(line, settings, progress), settings, progress)


def load_if_missing(name: str, reference: str, settings: Settings, progress: Progress) -> bool:
    """See that the cluster has an image of the engine under the name that pods use; say whether it was loaded now."""
    node = node_name(settings)
    if node_image.has_image(node, name, reference):
        return False
    _say_stand_ins({name: reference}, progress)
    with progress.step(f"loading {name} into the cluster"):
        node_image.load(node, name, reference, settings)
    return True


def _say_stand_ins(contents: dict[str, str], progress: Progress) -> None:
    for name, reference in contents.items():
        if name != reference:
            progress.say(f"in this cluster {name} is {reference}")


def _create(node: str, own_network: bool, settings: Settings, host: Host, progress: Progress) -> None:
    remove_cluster(settings, progress)
    folder = settings.cluster_dir
    folder.mkdir(parents=True)
    # Copied: the cluster must outlive this clone.
    shutil.copy(REPO / "ci/audit-policy.yaml", folder / "audit-policy.yaml")
    if own_network:
        for path, text in node_network.files(settings.ip_family).items():
            (folder / Path(path).name).write_text(text)
    config_file = folder / "kind.yaml"
    config_file.write_text(yaml.safe_dump(kind_config(settings, host, own_network=own_network), sort_keys=False))
    argv: list[str | Path] = ["create", "cluster", "--name", settings.cluster, "--image", node]
    argv += ["--config", config_file, "--kubeconfig", settings.kubeconfig, "--wait", _READY_TIMEOUT]
    with progress.step(f"creating cluster {settings.cluster} from {node}"):
        try:
            _kind(argv, settings, what="create the cluster")
        except Failure:
            remove_cluster(settings, progress)
            raise
    _made_from(settings).write_text(_configuration(settings, host))


def _wait_for_deployments(settings: Settings, progress: Progress) -> None:
    """Wait for names and volumes: kind waits for the node alone."""
    ready = ["wait", "--for=condition=Available", "deployment", "--all", f"--timeout={_READY_TIMEOUT}"]
    with progress.step("waiting for DNS and storage in the cluster"):
        for namespace in ("kube-system", "local-path-storage"):
            kubectl = ["kubectl", f"--kubeconfig={settings.kubeconfig}", f"--namespace={namespace}"]
            run([*kubectl, *ready], what=f"start what {namespace} has to offer")


def _kind(argv: list[str | Path], settings: Settings, what: str) -> None:
    run(["kind", *argv], log=settings.logs / "kind.log", what=what)
