"""What an object names is there: accounts, roles, ConfigMaps and Secrets with their keys, claims, volumes, backends."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chartproof.checks import Rendered, Violation
from chartproof.manifest import Resource
from chartproof.pods import Pod, about, namespace_of, pods

_OF_KUBERNETES = frozenset(
    {
        ("ClusterRole", "", "cluster-admin"),
        ("ClusterRole", "", "admin"),
        ("ClusterRole", "", "edit"),
        ("ClusterRole", "", "view"),
        ("Role", "kube-system", "extension-apiserver-authentication-reader"),
    }
)
"""Roles that every cluster has, beside those named "system:…" (plugin/pkg/auth/authorizer/rbac/bootstrappolicy)."""

_EARLY = "pre-install"


@dataclass(frozen=True)
class _Reference:
    """An object that another one needs, and what it needs of it: keys of its data, a port by name or number."""

    kind: str
    name: str
    namespace: str = ""
    keys: Collection[str] = ()
    port: int | str = ""


def references(rendered: Rendered) -> Iterator[Violation]:
    """Every object that is referred to is in the release, in time, with the keys and ports that are asked of it."""
    objects = {
        (r.kind, "" if r.kind.startswith("Cluster") else namespace_of(r, rendered), r.name): r
        for r in rendered.manifest
    }
    for who, resource, wanted in _all_references(rendered):
        if _of_kubernetes(wanted):
            continue
        found = objects.get((wanted.kind, wanted.namespace, wanted.name))
        if found is None:
            yield Violation("references", who, f"{wanted.kind}/{wanted.name} is not in the release")
            continue
        if _is_made_later(found, resource):
            message = f"{wanted.kind}/{wanted.name} is made after this {_EARLY} hook: make it one, of no greater weight"
            yield Violation("references", who, message)
        data = {key for part in ("data", "binaryData", "stringData") for key in found.body.get(part) or {}}
        for key in sorted(set(wanted.keys) - data):
            yield Violation("references", who, f"{wanted.kind}/{wanted.name} has no key {key!r}, only {sorted(data)}")
        if wanted.port and wanted.port not in (ports := _ports(found.body)):
            yield Violation("references", who, f"Service/{wanted.name} has no port {wanted.port!r}, only {ports}")
    for pod in pods(rendered):
        yield from _mounts(pod)


def _of_kubernetes(wanted: _Reference) -> bool:
    """Whether every cluster, or every namespace, has it."""
    return (
        (wanted.kind, wanted.namespace, wanted.name) in _OF_KUBERNETES
        or (wanted.kind == "ClusterRole" and wanted.name.startswith("system:"))
        or (wanted.kind, wanted.name) == ("ServiceAccount", "default")
        or (wanted.kind, wanted.name) == ("ConfigMap", "kube-root-ca.crt")
    )


def _is_made_later(found: Resource, resource: Resource) -> bool:
    """Whether a hook needs, at the first install, what helm makes only then: a plain object or a later hook."""
    return _EARLY in resource.hook and (_EARLY not in found.hook or found.hook_weight > resource.hook_weight)


def _all_references(rendered: Rendered) -> Iterator[tuple[str, Resource, _Reference]]:
    """Who refers, as rules name it, and as an object; and to what."""
    for pod in pods(rendered):
        for wanted in _of_pod(pod):
            yield pod.about, pod.owner, wanted
    for resource in rendered.manifest:
        namespace = namespace_of(resource, rendered)
        for wanted in _of_object(resource.kind, namespace, resource.body):
            yield about(resource), resource, wanted


def _of_object(kind: str, namespace: str, body: Mapping[str, Any]) -> Iterator[_Reference]:
    spec = body.get("spec") or {}
    if kind in ("RoleBinding", "ClusterRoleBinding"):
        role = body["roleRef"]
        yield _Reference(role["kind"], role["name"], namespace if role["kind"] == "Role" else "")
        for subject in body.get("subjects") or []:
            if subject["kind"] == "ServiceAccount":
                yield _Reference("ServiceAccount", subject["name"], subject.get("namespace", ""))
    elif kind == "StatefulSet" and spec.get("serviceName"):
        yield _Reference("Service", spec["serviceName"], namespace)
    elif kind == "HorizontalPodAutoscaler":
        yield _Reference(spec["scaleTargetRef"]["kind"], spec["scaleTargetRef"]["name"], namespace)
    elif kind == "ValidatingAdmissionPolicyBinding":
        yield _Reference("ValidatingAdmissionPolicy", spec["policyName"], namespace)
    elif kind == "Ingress":
        backends = [spec.get("defaultBackend") or {}]
        for rule in spec.get("rules") or []:
            backends += [path["backend"] for path in (rule.get("http") or {}).get("paths") or []]
        for backend in backends:
            if service := backend.get("service"):
                port = service.get("port") or {}
                yield _Reference("Service", service["name"], namespace, port=port.get("name") or port.get("number", ""))
        for tls in spec.get("tls") or []:
            if tls.get("secretName"):
                yield _Reference("Secret", tls["secretName"], namespace)
    elif kind in ("HTTPRoute", "GRPCRoute"):
        for rule in spec.get("rules") or []:
            for backend in rule.get("backendRefs") or []:
                if backend.get("kind", "Service") == "Service":
                    where = backend.get("namespace", namespace)
                    yield _Reference("Service", backend["name"], where, port=backend.get("port", ""))


def _ports(service: Mapping[str, Any]) -> list[int | str]:
    """Numbers and names of a Service's ports."""
    ports = (service.get("spec") or {}).get("ports") or []
    return [port[field] for port in ports for field in ("port", "name") if field in port]


def _of_pod(pod: Pod) -> Iterator[_Reference]:
    yield _Reference("ServiceAccount", pod.spec.get("serviceAccountName") or "default", pod.namespace)
    for pull in pod.spec.get("imagePullSecrets") or []:
        yield _Reference("Secret", pull["name"], pod.namespace)
    for container in pod.containers:
        for variable in container.get("env") or []:
            source = variable.get("valueFrom") or {}
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                if (ref := source.get(field)) and not ref.get("optional"):
                    yield _Reference(kind, ref["name"], pod.namespace, [ref["key"]])
        for source in container.get("envFrom") or []:
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if (ref := source.get(field)) and not ref.get("optional"):
                    yield _Reference(kind, ref["name"], pod.namespace)
    for volume in pod.spec.get("volumes") or []:
        yield from _of_volume(volume, pod)


def _of_volume(volume: Mapping[str, Any], pod: Pod) -> Iterator[_Reference]:
    if claim := volume.get("persistentVolumeClaim"):
        yield _Reference("PersistentVolumeClaim", claim["claimName"], pod.namespace)
    sources = [volume, *(volume.get("projected") or {}).get("sources", [])]
    for source in sources:
        for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
            ref = source.get(field)
            if ref and not ref.get("optional"):
                keys = [item["key"] for item in ref.get("items") or []]
                if source is volume and not keys:
                    keys = _mounted_files(volume["name"], pod)
                yield _Reference(kind, ref.get("name") or ref.get("secretName"), pod.namespace, keys)


def _mounted_files(volume: str, pod: Pod) -> list[str]:
    """The files of a volume that are mounted one by one."""
    mounts = [mount for container in pod.containers for mount in container.get("volumeMounts") or []]
    return [mount["subPath"] for mount in mounts if mount["name"] == volume and mount.get("subPath")]


def _mounts(pod: Pod) -> Iterator[Violation]:
    volumes = {volume["name"] for volume in pod.spec.get("volumes") or []}
    claims = (pod.owner.body.get("spec") or {}).get("volumeClaimTemplates") or []
    volumes |= {claim["metadata"]["name"] for claim in claims}
    for container in pod.containers:
        for mount in container.get("volumeMounts") or []:
            if mount["name"] not in volumes:
                message = (
                    f"container {container['name']} mounts volume {mount['name']!r}, the pod has {sorted(volumes)}"
                )
                yield Violation("references", pod.about, message)
