"""Kubernetes' metrics server in the cluster, which autoscalers ask for the CPU that pods use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from program_image import load_program

from chartproof import Cluster
from kindling_dev.command import run
from kindling_dev.golang import GoModule

_MODULE = GoModule("ci/metrics-server", {"metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server"})
_MANIFESTS = _MODULE.path / "manifests.yaml"
_IMAGE = "kindling/metrics-server:test"
_SECONDS = 120


@contextmanager
def metrics_server(cluster: Cluster) -> Iterator[None]:
    """Run it for the time of the context, in kube-system; when the context begins, the API knows the nodes' CPU.

    No other test may run beside: an API service whose pod does not answer keeps namespaces from ending.
    """
    load_program(_MODULE, _IMAGE)
    kubectl = ["kubectl", f"--kubeconfig={cluster.kubeconfig}", "--namespace=kube-system"]
    try:
        run([*kubectl, "apply", f"--filename={_MANIFESTS}"])
        run(
            [
                *kubectl,
                "wait",
                "--for=condition=Available",
                f"--timeout={_SECONDS}s",
                "apiservice/v1beta1.metrics.k8s.io",
            ]
        )
        yield
    finally:
        run([*kubectl, "delete", "--ignore-not-found", f"--filename={_MANIFESTS}"])
