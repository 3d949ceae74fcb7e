"""The server is whole: its controllers work, and its admission refuses what a cluster's would."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

import pytest
from grants import bind, service_account
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from chartproof.apiserver import ApiServer

AskFor = Callable[[str], ApiServer]
NewNamespace = Callable[[ApiServer], str]
Kubectl = Callable[..., str]


def pod(name: str, **security: Any) -> client.V1Pod:
    """A pod of one container with some security context; a seccomp profile is what the policies ask of the pod."""
    profile = client.V1PodSecurityContext(seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"))
    context = client.V1SecurityContext(**security)
    container = client.V1Container(name="main", image="busybox:1.37.0", security_context=context)
    return client.V1Pod(
        api_version="v1",
        kind="Pod",
        metadata=client.V1ObjectMeta(name=name),
        spec=client.V1PodSpec(containers=[container], security_context=profile),
    )


def test_a_pod_above_the_quota_is_refused(apiserver: AskFor, namespace_of: NewNamespace) -> None:
    server = apiserver("1.34")
    core, namespace = server.cluster.core, namespace_of(server)
    quota = client.V1ResourceQuota(
        metadata=client.V1ObjectMeta(name="one"), spec=client.V1ResourceQuotaSpec(hard={"pods": "1"})
    )
    core.create_namespaced_resource_quota(namespace, quota)
    quotas = core.list_namespaced_resource_quota
    server.cluster.wait_for(quotas, lambda found, _: found.status.hard, "a quota in force", 60, namespace=namespace)
    core.create_namespaced_pod(namespace, pod("first"))
    with pytest.raises(ApiException, match="exceeded quota: one, requested: pods=1, used: pods=1, limited: pods=1"):
        core.create_namespaced_pod(namespace, pod("second"))


def test_a_namespace_ends_with_what_is_in_it(server: ApiServer, namespace_of: NewNamespace) -> None:
    core, namespace = server.cluster.core, namespace_of(server)
    core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=client.V1ObjectMeta(name="content")))
    core.delete_namespace(namespace)
    server.cluster.wait_until_none(
        core.list_namespace, "the namespace's end", 60, field_selector=f"metadata.name={namespace}"
    )


def test_a_restricted_namespace_refuses_a_privileged_pod(apiserver: AskFor, namespace_of: NewNamespace) -> None:
    server = apiserver("1.34")
    core, namespace = server.cluster.core, namespace_of(server)
    core.patch_namespace(namespace, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    with pytest.raises(ApiException, match='violates PodSecurity \\\\"restricted:latest\\\\": privileged'):
        core.create_namespaced_pod(namespace, pod("mighty", privileged=True))


def test_kubernetes_1_24_refuses_a_pod_that_no_policy_allows(
    apiserver: AskFor, namespace_of: NewNamespace, kubectl: Kubectl
) -> None:
    server = apiserver("1.24")
    namespace = namespace_of(server)
    bind(server.cluster, namespace, [service_account(namespace, "default")], "ClusterRole/edit", "create pods")
    create = ["create", f"--as=system:serviceaccount:{namespace}:default", f"--namespace={namespace}", "--filename=-"]
    body = server.cluster.api_client.sanitize_for_serialization(pod("meek", run_as_user=1000))
    refusal = kubectl(server, *create, stdin=json.dumps(body))
    # The second where the server has no policy at all, as before other tests made theirs.
    assert re.search("PodSecurityPolicy: (unable to admit pod|no providers available to validate pod)", refusal), (
        refusal
    )


def test_who_did_what_is_in_the_audit_log(server: ApiServer, namespace_of: NewNamespace) -> None:
    namespace = namespace_of(server)
    events = [json.loads(line) for line in (server.folder / "audit.log").read_text().splitlines()]
    about = [event for event in events if event.get("objectRef", {}).get("name") == namespace]
    assert {(event["user"]["username"], event["verb"]) for event in about} == {("admin", "create")}


def test_a_pods_token_dies_when_it_says_so(apiserver: AskFor, namespace_of: NewNamespace) -> None:
    server = apiserver("1.34")
    core, namespace = server.cluster.core, namespace_of(server)
    made = core.create_namespaced_pod(namespace, pod("any"))
    bound = client.V1BoundObjectReference(api_version="v1", kind="Pod", name="any", uid=made.metadata.uid)
    # What kubelets ask for, and what upstream makes a year of.
    spec = client.V1TokenRequestSpec(audiences=[], expiration_seconds=3607, bound_object_ref=bound)
    request = client.AuthenticationV1TokenRequest(spec=spec)
    token = core.create_namespaced_service_account_token("default", namespace, request).status.token
    payload = token.split(".")[1]
    claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["exp"] - claims["iat"] == 3607
