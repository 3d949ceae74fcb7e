"""spark-ui-proxy for the teams of ``scripts/up``: its image, the key of its sessions, and how to come in."""

from __future__ import annotations

from chartproof.helm import Helm
from kindling_dev import cluster, ui_proxy_image
from kindling_dev.command import run
from kindling_dev.first_jobs import helm_run
from kindling_dev.progress import Progress
from kindling_dev.settings import ADMIN_NAMESPACE, REPO, Settings

RELEASE = "spark-ui-proxy"
URL = "http://localhost:30080/"
"""Through the port mapping of ci/kind.yaml, to the node port of values/kindling-system."""
VISITOR = "on-call"
"""A service account that both teams' values name among their viewers."""
LOGIN = f"kubectl create token {VISITOR} --namespace {ADMIN_NAMESPACE}"
_GET_KEY = "kubectl get secret spark-ui-proxy-session"
_MAKE_KEY = "head -c 32 /dev/urandom | kubectl create secret generic spark-ui-proxy-session --from-file=key=/dev/stdin"
"""As the chart's NOTES have it."""
_GET_VISITOR = f"kubectl get serviceaccount {VISITOR}"
_MAKE_VISITOR = f"kubectl create serviceaccount {VISITOR}"
_ROLLOUT_S = 120


def ensure_image(settings: Settings, progress: Progress) -> bool:
    """See that the cluster has the image of this tree's service; say whether it had another."""
    reference = ui_proxy_image.ensure_ui_proxy_image(settings, progress)
    return cluster.load_if_missing(ui_proxy_image.published(), reference, settings, progress)


def install(settings: Settings, progress: Progress) -> None:
    """Install spark-ui-proxy for both teams, and wait until it answers."""
    changed = ensure_image(settings, progress)
    helm = Helm(kubeconfig=settings.kubeconfig)
    kubectl = ["kubectl", f"--kubeconfig={settings.kubeconfig}", f"--namespace={ADMIN_NAMESPACE}"]
    for what, get, make in (
        ("the key of its sessions", _GET_KEY, _MAKE_KEY),
        (f"service account {VISITOR}", _GET_VISITOR, _MAKE_VISITOR),
    ):
        of_admins = f"--namespace {ADMIN_NAMESPACE}"
        argv = ["sh", "-c", f"{get} {of_admins} || {make} {of_admins}"]
        run(argv, env={"KUBECONFIG": str(settings.kubeconfig)}, what=f"make {what}")
    with progress.step(f"helm upgrade --install {RELEASE} charts/spark-ui-proxy"):
        files = [REPO / "values/spark-ui-proxy.yaml", REPO / "values" / ADMIN_NAMESPACE / "spark-ui-proxy.yaml"]
        values = [f"--values={file}" for file in files]
        there = bool(run([*kubectl, "get", "deployment", RELEASE, "--ignore-not-found", "--output=name"]).strip())
        argv = ["upgrade", "--install", RELEASE, str(REPO / "charts/spark-ui-proxy"), *values]
        helm_run(helm, [*argv, "--namespace", ADMIN_NAMESPACE, "--create-namespace"])
        if changed and there:
            run([*kubectl, "rollout", "restart", f"deployment/{RELEASE}"], what="start the new image")
        wait = ["rollout", "status", f"deployment/{RELEASE}", f"--timeout={_ROLLOUT_S}s"]
        run([*kubectl, *wait], what=f"wait for {RELEASE}; kubectl describe pods --namespace {ADMIN_NAMESPACE}")
