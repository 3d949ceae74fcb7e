"""What platforms do to pods, as their own documentation has it: a real admission webhook, on loopback, that an API
server asks about the pods of one namespace."""

from __future__ import annotations

import base64
import copy
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import trustme
from kubernetes import client

from chartproof.apiserver import ApiServer

Body = dict[str, Any]
Change = Callable[[Body], None]
FIRST, NUMBER = 1_000_650_000, 10_000
"""The ids of a namespace."""
RANGE = {
    "openshift.io/sa.scc.uid-range": f"{FIRST}/{NUMBER}",
    "openshift.io/sa.scc.supplemental-groups": f"{FIRST}/{NUMBER}",
    "openshift.io/sa.scc.mcs": "s0:c26,c5",
}
"""Annotations of a namespace, which OpenShift gives to each."""
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_TOKEN_S = 86_400


def containers(pod: Body) -> list[Body]:
    """All containers of a pod."""
    return [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]


def openshift(pod: Body) -> None:
    """Give ids, as the SecurityContextConstraints restricted-v2 do where a pod names none."""
    of_pod = pod["spec"].setdefault("securityContext", {})
    of_pod.setdefault("fsGroup", FIRST)
    of_pod.setdefault("seLinuxOptions", {"level": RANGE["openshift.io/sa.scc.mcs"]})
    of_pod.setdefault("seccompProfile", {"type": "RuntimeDefault"})
    for container in containers(pod):
        own = container.setdefault("securityContext", {})
        if "runAsUser" not in of_pod:
            own.setdefault("runAsUser", FIRST)
        own.setdefault("allowPrivilegeEscalation", False)
        own.setdefault("runAsNonRoot", True)
        own.setdefault("capabilities", {"drop": ["ALL"]})
    pod["metadata"].setdefault("annotations", {})["openshift.io/scc"] = "restricted-v2"


def scc(namespace: str) -> tuple[Body, Body]:
    """A policy that refuses what those constraints refuse, and its binding."""
    in_range = "%s >= variables.first && %s < variables.first + variables.number"
    expression = {
        "first": "int(namespaceObject.metadata.annotations['openshift.io/sa.scc.uid-range'].split('/')[0])",
        "number": "int(namespaceObject.metadata.annotations['openshift.io/sa.scc.uid-range'].split('/')[1])",
        "containers": "object.spec.containers + object.spec.?initContainers.orValue([])",
        "user": "object.spec.?securityContext.?runAsUser.orValue(-1)",
        "group": "object.spec.?securityContext.?fsGroup.orValue(-1)",
        "users": "variables.containers.map(c, c.?securityContext.?runAsUser.orValue(variables.user))",
        "odd": (
            "object.spec.?volumes.orValue([]).filter(v, !(has(v.configMap) || has(v.csi) || has(v.downwardAPI) || "
            "has(v.emptyDir) || has(v.ephemeral) || has(v.persistentVolumeClaim) || has(v.projected) || has(v.secret)))"
        ),
    }
    checks = {
        f"variables.users.all(user, {in_range % ('user', 'user')})": (
            "'runAsUser: Invalid value: must be in the ranges: [' + string(variables.first) + ']'"
        ),
        in_range % ("variables.group", "variables.group"): "'fsGroup: Invalid value: is not an allowed group'",
        "variables.odd.size() == 0": "'hostPath volumes are not allowed to be used: ' + variables.odd[0].name",
        "!object.spec.?hostNetwork.orValue(false)": "'Host network is not allowed to be used'",
    }
    prefix = "'unable to validate against any security context constraint: provider restricted-v2: ' + "
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": f"scc-{namespace}"},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {**_of(namespace), "resourceRules": [_PODS]},
            "variables": [{"name": name, "expression": text} for name, text in expression.items()],
            "validations": [
                {"expression": text, "messageExpression": prefix + says, "reason": "Forbidden"}
                for text, says in checks.items()
            ],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": f"scc-{namespace}"},
        "spec": {"policyName": f"scc-{namespace}", "validationActions": ["Deny"]},
    }
    return policy, binding


def _token(audience: str) -> Body:
    return {"serviceAccountToken": {"audience": audience, "expirationSeconds": _TOKEN_S, "path": "token"}}


def _mount_token(pod: Body, volume: str, audience: str, path: str, env: Mapping[str, str]) -> None:
    """Give each container a token of the pod's account, and variables that tell of it."""
    pod["spec"].setdefault("volumes", []).append({"name": volume, "projected": {"sources": [_token(audience)]}})
    for container in containers(pod):
        container.setdefault("env", []).extend({"name": name, "value": value} for name, value in env.items())
        container.setdefault("volumeMounts", []).append({"name": volume, "mountPath": path, "readOnly": True})


def irsa(pod: Body) -> None:
    """A role of AWS for the pod's service account, as EKS's webhook gives it."""
    path = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
    _mount_token(
        pod,
        "aws-iam-token",
        "sts.amazonaws.com",
        path,
        {
            "AWS_STS_REGIONAL_ENDPOINTS": "regional",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_REGION": "eu-central-1",
            "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/team-a",
            "AWS_WEB_IDENTITY_TOKEN_FILE": f"{path}/token",
        },
    )


def pod_identity(pod: Body) -> None:
    """The same by EKS's Pod Identity."""
    path = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"
    _mount_token(
        pod,
        "eks-pod-identity-token",
        "pods.eks.amazonaws.com",
        path,
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{path}/eks-pod-identity-token",
        },
    )


def azure(pod: Body) -> None:
    """An identity of Azure for the pod's service account, as its workload identity's webhook gives it."""
    path = "/var/run/secrets/azure/tokens"
    _mount_token(
        pod,
        "azure-identity-token",
        "api://AzureADTokenExchange",
        path,
        {
            "AZURE_CLIENT_ID": "00000000-0000-0000-0000-000000000000",
            "AZURE_TENANT_ID": "00000000-0000-0000-0000-000000000000",
            "AZURE_FEDERATED_TOKEN_FILE": f"{path}/azure-identity-token",
            "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/",
        },
    )


def autopilot(pod: Body) -> None:
    """Requests that are limits, a profile and a toleration, as GKE Autopilot gives them."""
    pod["spec"].setdefault("securityContext", {}).setdefault("seccompProfile", {"type": "RuntimeDefault"})
    for container in pod["spec"]["containers"]:
        resources = container.setdefault("resources", {})
        asked = {"cpu": "500m", "memory": "2Gi", "ephemeral-storage": "1Gi", **resources.get("requests", {})}
        resources.update(requests=asked, limits=dict(asked))
    pod["spec"].setdefault("tolerations", []).append(
        {"key": "kubernetes.io/arch", "operator": "Equal", "value": "amd64", "effect": "NoSchedule"}
    )
    pod["metadata"].setdefault("annotations", {})["autopilot.gke.io/resource-adjustment"] = "{}"


def _istio(pod: Body, *, before: Body) -> None:
    opted_out = pod["metadata"].get("labels", {}).get("sidecar.istio.io/inject") == "false"
    if opted_out:
        return
    sidecar = {
        "name": "istio-proxy",
        "image": "docker.io/istio/proxyv2:1.27.0",
        "restartPolicy": "Always",
        "args": ["proxy", "sidecar"],
        "ports": [{"containerPort": 15090, "name": "http-envoy-prom", "protocol": "TCP"}],
        "env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
        "startupProbe": {"httpGet": {"path": "/healthz/ready", "port": 15021}, "failureThreshold": 600},
        "securityContext": {**_RESTRICTED, "readOnlyRootFilesystem": True, "runAsUser": 1337, "runAsGroup": 1337},
        "volumeMounts": [{"name": "istio-token", "mountPath": "/var/run/secrets/tokens"}],
    }
    spec = pod["spec"]
    spec["initContainers"] = [before, sidecar, *(spec.get("initContainers") or [])]
    spec.setdefault("volumes", []).extend(
        [
            {"name": "workload-socket", "emptyDir": {}},
            {"name": "istio-envoy", "emptyDir": {"medium": "Memory"}},
            {
                "name": "istio-podinfo",
                "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]},
            },
            {"name": "istio-token", "projected": {"sources": [_token("istio-ca")]}},
            {"name": "istiod-ca-cert", "configMap": {"name": "istio-ca-root-cert"}},
        ]
    )


def istio(pod: Body) -> None:
    """A native sidecar, and an init container that sets up the pod's network."""
    rights = {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]}, "runAsUser": 0, "runAsNonRoot": False}
    init = {"name": "istio-init", "image": "docker.io/istio/proxyv2:1.27.0", "args": ["istio-iptables"]}
    _istio(pod, before={**init, "securityContext": {"allowPrivilegeEscalation": False, **rights}})


def istio_with_cni(pod: Body) -> None:
    """A native sidecar; the node sets up the network, and a container sees that it did."""
    init = {"name": "istio-validation", "image": "docker.io/istio/proxyv2:1.27.0", "args": ["istio-iptables"]}
    _istio(pod, before={**init, "securityContext": {**_RESTRICTED, "runAsUser": 1337, "runAsGroup": 1337}})


_PODS = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}


def _of(namespace: str) -> Body:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}


@contextmanager
def webhook(server: ApiServer, namespace: str, change: Change) -> Iterator[list[Body]]:
    """Have a server ask about each new pod of a namespace until the context ends; the pods that it asked about."""
    seen: list[Body] = []
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            pod = review["request"]["object"]
            seen.append(copy.deepcopy(pod))
            change(pod)
            patch = [{"op": "add", "path": f"/{part}", "value": pod[part]} for part in ("metadata", "spec")]
            answer = {
                "uid": review["request"]["uid"],
                "allowed": True,
                "patchType": "JSONPatch",
                "patch": base64.b64encode(json.dumps(patch).encode()).decode(),
            }
            body = json.dumps({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": answer}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        api: Any = client.AdmissionregistrationV1Api(server.cluster.api_client)
        name = f"platform-{namespace}"
        hook = {
            "name": "platform.example.com",
            "clientConfig": {
                "url": f"https://127.0.0.1:{listening.server_address[1]}/",
                "caBundle": base64.b64encode(authority.cert_pem.bytes()).decode(),
            },
            "rules": [_PODS],
            **_of(namespace),
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
        }
        try:
            api.create_mutating_webhook_configuration({"metadata": {"name": name}, "webhooks": [hook]})
            yield seen
        finally:
            api.delete_mutating_webhook_configuration(name)
            listening.shutdown()
            thread.join()
