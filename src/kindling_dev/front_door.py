"""spark-ui-proxy for the teams of ``scripts/up``: its image, the key of its sessions, and how to come in."""

from __future__ import annotations

from kindling_dev import cluster, ui_proxy_image
from kindling_dev.command import run
from kindling_dev.helm_releases import install_chart, make_once
from kindling_dev.progress import Progress
from kindling_dev.settings import ADMIN_NAMESPACE, Settings

RELEASE = "spark-ui-proxy"
_NODE_PORT = 30080
"""Of values/kindling-system; ci/kind.yaml maps it to this machine."""
VISITOR = "on-call"
"""A service account that both teams' values name among their viewers."""
LOGIN = f"kubectl create token {VISITOR} --namespace {ADMIN_NAMESPACE}"
MAKE_KEY = "head -c 32 /dev/urandom | kubectl create secret generic spark-ui-proxy-session --from-file=key=/dev/stdin"
"""As the chart's NOTES have it."""
_ROLLOUT_S = 120


def url(settings: Settings) -> str:
    """Where it is, on this machine."""
    mapped = run(["docker", "port", cluster.node_name(settings), str(_NODE_PORT)], what=f"find port {_NODE_PORT}")
    return f"http://localhost:{mapped.split()[0].rpartition(':')[2]}/"


def ensure_image(settings: Settings, progress: Progress) -> None:
    """See that the cluster has the image of this tree's service, and that pods of an older one go."""
    reference = ui_proxy_image.ensure_ui_proxy_image(settings, progress)
    changed = cluster.load_if_missing(ui_proxy_image.published(), reference, settings, progress)
    kubectl = _kubectl(settings)
    if changed and run([*kubectl, "get", "deployment", RELEASE, "--ignore-not-found", "--output=name"]).strip():
        run([*kubectl, "rollout", "restart", f"deployment/{RELEASE}"], what="start the new image")


def install(settings: Settings, progress: Progress) -> None:
    """Install spark-ui-proxy for both teams, and wait until it answers."""
    ensure_image(settings, progress)
    make_once("secret spark-ui-proxy-session", MAKE_KEY, ADMIN_NAMESPACE, settings)
    make_once(f"serviceaccount {VISITOR}", f"kubectl create serviceaccount {VISITOR}", ADMIN_NAMESPACE, settings)
    install_chart(RELEASE, ADMIN_NAMESPACE, release=RELEASE, into=ADMIN_NAMESPACE, settings=settings, progress=progress)
    with progress.step(f"waiting for {RELEASE}"):
        wait = ["rollout", "status", f"deployment/{RELEASE}", f"--timeout={_ROLLOUT_S}s"]
        run(
            [*_kubectl(settings), *wait],
            what=f"wait for {RELEASE}; kubectl describe pods --namespace {ADMIN_NAMESPACE}",
        )


def _kubectl(settings: Settings) -> list[str]:
    return ["kubectl", f"--kubeconfig={settings.kubeconfig}", f"--namespace={ADMIN_NAMESPACE}"]
