"""Asks a cluster for ``facts.Readiness``; changes nothing in it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.utils.quantity import parse_quantity

from kindling import paging
from kindling.connection import TIMEOUT_S, Connection
from kindling.errors import KindlingError
from kindling.foreign import one_line
from kindling.preflight.facts import SINCE_GUARD, Answer, Dns, Node, Quota, Readiness, Release, Right
from kindling.preflight.rights import DRIVER, FORBIDDEN, NEEDED, YOU
from kindling.releases import Releases

_DNS_NAMESPACE, _DNS_LABEL = "kube-system", "k8s-app=kube-dns"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_ENFORCE = "pod-security.kubernetes.io/enforce"
_FORBIDDEN, _NOT_FOUND = 403, 404
_MOST_NODES, _MOST_PODS = 10_000, 200_000  # Kubernetes is made for 5,000 and 150,000
_POLICY, _WITHOUT_POLICIES = "PodSecurityPolicy", (1, 25)


def read(connection: Connection) -> Readiness:
    """Read all that the caller may read."""
    core: Any = client.CoreV1Api(connection.api)
    version: Any = client.VersionApi(connection.api).get_code(_request_timeout=TIMEOUT_S)
    exists, level = _namespace(core, connection.namespace)
    nodes, others = _nodes(core)
    number = _numbers(version.git_version)
    authorization: Any = client.AuthorizationV1Api(connection.api)
    return Readiness(
        namespace=connection.namespace,
        version=number,
        version_text=version.git_version,
        answers=tuple(_answers(authorization, connection.namespace)),
        namespace_exists=exists,
        pod_security=level,
        policy=_policy(authorization, connection.namespace) if number < _WITHOUT_POLICIES else "",
        guard=_guard(client.AdmissionregistrationV1Api(connection.api), connection.namespace)
        if number >= SINCE_GUARD
        else frozenset(),
        releases=_releases(connection),
        dns=_dns(core, client.DiscoveryV1Api(connection.api)),
        default_storage_class=_storage_class(client.StorageV1Api(connection.api)),
        nodes=nodes,
        other_nodes=others,
        quotas=_quotas(core, connection.namespace),
        defaults=_defaults(core, connection.namespace),
    )


def _numbers(version: str) -> tuple[int, int]:
    """ "v1.34.0-gke.1" -> (1, 34); what a server says of major and minor apart may be empty, or have a plus sign."""
    found = re.match(r"\D{0,9}(\d{1,4})\D{1,9}(\d{1,4})", version)
    if found is None:
        raise KindlingError(f"no cluster: what answers calls its version {one_line(version, 40)!r}")
    return int(found[1]), int(found[2])


def _allowed(call: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """The answer, or None where the caller may not ask."""
    try:
        return call(*arguments, _request_timeout=TIMEOUT_S, **more)
    except ApiException as error:
        if error.status != _FORBIDDEN:
            raise
        return None


def _answers(authorization: Any, namespace: str) -> list[Answer]:
    found = []
    for identity in NEEDED:
        for needed, rights in ((True, NEEDED[identity]), (False, FORBIDDEN[identity])):
            for right in rights:
                found.append(Answer(identity, right, needed, _may(authorization, namespace, identity, right)))
    return found


def _policy(authorization: Any, namespace: str) -> str | None:
    """What spark-namespace makes and lets all accounts of the namespace use."""
    name = f"spark-{namespace}"
    may = _may(authorization, namespace, DRIVER, Right("use", "podsecuritypolicies", "policy"), name)
    return None if may is None else name if may else ""


def _guard(admission: Any, namespace: str) -> frozenset[str] | None:
    listed = _allowed(admission.list_validating_admission_policy_binding)
    if listed is None:
        return None
    of = f"kindling-guard-{namespace}"
    denying = {item.spec.policy_name for item in listed.items if "Deny" in (item.spec.validation_actions or ())}
    return frozenset(name for name in denying if name == of or name.startswith(f"{of}."))


def _releases(connection: Connection) -> tuple[Release, ...] | None:
    releases = Releases(connection)
    records = releases.about(connection.namespace)
    if records is None:
        return None
    found = []
    for record in records:
        gone = tuple(str(held) for held in record.held() if releases.is_gone(held))
        going = tuple(str(held) for held in record.held() if held.kind == _POLICY and str(held) not in gone)
        found.append(Release(record.release, record.namespace, gone, going))
    return (*found, *(Release("", "", (), (), unreadable) for unreadable in releases.unreadable))


def _may(authorization: Any, namespace: str, identity: str, right: Right, name: str = "") -> bool | None:
    resource, _, sub = right.resource.partition("/")
    attributes = client.V1ResourceAttributes(
        namespace="" if right.everywhere else namespace,
        verb=right.verb,
        group=right.group,
        resource=resource,
        subresource=sub or None,
        name=name or None,
    )
    if identity == YOU:
        own = client.V1SelfSubjectAccessReview(
            spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
        )
        answer = _allowed(authorization.create_self_subject_access_review, own)
    else:
        spec = client.V1SubjectAccessReviewSpec(
            resource_attributes=attributes,
            user=f"system:serviceaccount:{namespace}:{identity}",
            groups=["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"],
        )
        review = client.V1SubjectAccessReview(spec=spec)
        answer = _allowed(authorization.create_subject_access_review, review)
    return None if answer is None else bool(answer.status.allowed)


def _namespace(core: Any, namespace: str) -> tuple[bool | None, str | None]:
    try:
        found = _allowed(core.read_namespace, namespace)
    except ApiException as error:
        if error.status == _NOT_FOUND:
            return False, None
        raise
    if found is None:
        return None, None
    return True, (found.metadata.labels or {}).get(_ENFORCE, "")


def _dns(core: Any, discovery: Any) -> Dns | None:
    services = _allowed(core.list_namespaced_service, _DNS_NAMESPACE, label_selector=_DNS_LABEL)
    if services is None:
        return None
    if not services.items:
        return Dns("", 0)
    name = services.items[0].metadata.name
    selector = f"kubernetes.io/service-name={name}"
    slices = _allowed(discovery.list_namespaced_endpoint_slice, _DNS_NAMESPACE, label_selector=selector)
    if slices is None:
        return None
    ready = {
        address
        for part in slices.items
        for endpoint in part.endpoints or []
        if endpoint.conditions is None or endpoint.conditions.ready is not False
        for address in endpoint.addresses
    }
    return Dns(name, len(ready))


def _storage_class(storage: Any) -> str | None:
    classes = _allowed(storage.list_storage_class)
    if classes is None:
        return None
    marked = (c.metadata.name for c in classes.items if (c.metadata.annotations or {}).get(_DEFAULT_CLASS) == "true")
    return next(marked, "")


def _nodes(core: Any) -> tuple[tuple[Node, ...] | None, int]:
    try:
        listed = list(paging.items(core.list_node, most=_MOST_NODES))
        asked = _asked_of(core)
    except ApiException as error:
        if error.status != _FORBIDDEN:
            raise
        return None, 0
    takes = [node for node in listed if _takes_pods(node)]
    nodes = tuple(
        Node(
            name=node.metadata.name,
            cpu=_amount(node.status.allocatable["cpu"]),
            memory=_amount(node.status.allocatable["memory"]),
            cpu_asked=asked[node.metadata.name, "cpu"],
            memory_asked=asked[node.metadata.name, "memory"],
        )
        for node in takes
    )
    return nodes, len(listed) - len(takes)


def _asked_of(core: Any) -> dict[tuple[str, str], Decimal]:
    """(Node, resource) -> what its pods ask for; a cluster's pods are too many to keep."""
    asked: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    selector = "status.phase!=Succeeded,status.phase!=Failed"
    for pod in paging.items(core.list_pod_for_all_namespaces, most=_MOST_PODS, field_selector=selector):
        for resource in ("cpu", "memory"):
            asked[pod.spec.node_name or "", resource] += _asked(pod.spec, resource)
    return asked


def _takes_pods(node: Any) -> bool:
    """Whether pods without tolerations find a place there."""
    ready = any(c.type == "Ready" and c.status == "True" for c in node.status.conditions or [])
    tainted = any(taint.effect in ("NoSchedule", "NoExecute") for taint in node.spec.taints or [])
    return ready and not tainted and not node.spec.unschedulable


def _asked(spec: Any, resource: str) -> Decimal:
    """What a pod asks of its node, as the scheduler counts it: sidecars add up, other init containers take turns."""

    def of(container: Any) -> Decimal:
        requests = (container.resources.requests if container.resources else None) or {}
        return _amount(requests.get(resource, "0"))

    total = sum((of(container) for container in spec.containers), Decimal(0))
    beside, first = Decimal(0), Decimal(0)
    for container in spec.init_containers or []:
        if container.restart_policy == "Always":
            beside += of(container)
        else:
            first = max(first, beside + of(container))
    return max(total + beside, first) + _amount((spec.overhead or {}).get(resource, "0"))


def _quotas(core: Any, namespace: str) -> tuple[Quota, ...] | None:
    listed = _allowed(core.list_namespaced_resource_quota, namespace)
    if listed is None:
        return None
    # The controller writes the status when it comes round to it.
    return tuple(Quota(q.metadata.name, q.status.hard or q.spec.hard or {}, q.status.used or {}) for q in listed.items)


def _defaults(core: Any, namespace: str) -> frozenset[str] | None:
    listed = _allowed(core.list_namespaced_limit_range, namespace)
    if listed is None:
        return None
    items = (item for limits in listed.items for item in limits.spec.limits if item.type == "Container")
    return frozenset(resource for item in items for resource in item.default or {})


def _amount(text: str) -> Decimal:
    return Decimal(parse_quantity(text))
