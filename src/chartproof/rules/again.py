"""What shows in a second render only: the same question, or one that differs in a single thing."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import yaml

from chartproof.checks import Rendered, Rule, Violation
from chartproof.engine import Program
from chartproof.helm import Helm
from chartproof.helm_yaml import HelmLoader
from chartproof.manifest import Manifest, Resource
from chartproof.pods import about, pods
from chartproof.renders import Renders
from chartproof.rules.secrets import names_a_secret
from chartproof.values import merged

_REGISTRY = "chartproof.invalid"
_ELSEWHERE = "chartproof-elsewhere"
_CANARY = "chartproof-canary"
_ENCODED_CANARY = b64encode(_CANARY.encode()).decode()
_CLUSTER_SCOPED = frozenset(
    [
        "APIService",
        "CSIDriver",
        "ClusterIssuer",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "GatewayClass",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "PersistentVolume",
        "PodSecurityPolicy",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttributesClass",
        "VolumeSnapshotClass",
    ]
)


def deterministic(helm: Helm) -> Rule:
    """The same question gives the same bytes."""
    # Renders of its own: a kept one is the same in any case.
    anew = Helm(renders=Renders(helm.renders.engine if helm.renders else Program(helm.program)))

    def deterministic(rendered: Rendered) -> Iterator[Violation]:
        """Rendered twice, it is the same: nothing is random, nothing is of today."""
        other = _render(anew, rendered)
        if other.text == rendered.manifest.text:
            return
        pairs = zip(rendered.manifest.text.splitlines(), other.text.splitlines(), strict=False)
        line = next((f"{one.strip()!r} and {two.strip()!r}" for one, two in pairs if one != two), "their lengths")
        yield Violation("deterministic", rendered.chart.name, f"two renders of the same values differ in {line}")

    return deterministic


def image_registry(helm: Helm) -> Rule:
    """``global.imageRegistry`` moves every image."""

    def image_registry(rendered: Rendered) -> Iterator[Violation]:
        """Every image reference, in any text too, follows global.imageRegistry; those given whole in values stay."""
        given = set(_strings(rendered.values))
        values = merged(rendered.values, {"global": {"imageRegistry": _REGISTRY}})
        moved = replace(rendered, values=values, manifest=_render(helm, replace(rendered, values=values)))
        for pod in pods(moved):
            for container in pod.containers:
                image = str(container.get("image", _REGISTRY))
                if image not in given and not image.startswith(_REGISTRY):
                    yield Violation("image-registry", pod.about, f"image {image} ignores global.imageRegistry")
        before = {str(c["image"]) for pod in pods(rendered) for c in pod.containers if "image" in c}
        for resource in moved.manifest:
            text = str(_without(resource.body, lambda _, key: key == "image"))
            for image in sorted(before - given):
                if re.search(rf"(?<![\w./-]){re.escape(image)}(?![\w.-])", text):
                    message = f"its text has image {image}, which ignores global.imageRegistry"
                    yield Violation("image-registry", about(resource), message)

    return image_registry


def name_clashes(helm: Helm) -> Rule:
    """Releases of one name in two namespaces do not meet."""

    def name_clashes(rendered: Rendered) -> Iterator[Violation]:
        """No object of the whole cluster or of a fixed namespace is that of a release of the same name elsewhere."""
        here = [resource for resource in rendered.manifest if _is_fixed(resource, rendered.namespace)]
        if not here:
            return
        manifest = _render(helm, replace(rendered, namespace=_ELSEWHERE))
        there = {(r.kind, r.namespace, r.name) for r in manifest if _is_fixed(r, _ELSEWHERE)}
        for resource in here:
            if (resource.kind, resource.namespace, resource.name) in there:
                where = f" in namespace {resource.namespace}" if resource.namespace else ""
                message = f"has the same name{where} in a release of another namespace: put the namespace into the name"
                yield Violation("name-clashes", about(resource), message)

    return name_clashes


def _is_fixed(resource: Resource, namespace: str) -> bool:
    """Whether an object is in no namespace, or in another than that of its release."""
    return resource.kind in _CLUSTER_SCOPED or resource.namespace not in ("", namespace)


def secret_canary(helm: Helm) -> Rule:
    """What is given as a secret stays in Secrets."""

    def secret_canary(rendered: Rendered) -> Iterator[Violation]:
        """A text given for every value that is a secret by its name appears in no object but a Secret.

        What an object takes it for as the name of a Secret (secretName, imagePullSecrets) was none.
        """
        defaults_file = rendered.chart / "values.yaml"
        defaults = yaml.load(defaults_file.read_text(), Loader=HelmLoader) if defaults_file.exists() else None
        canaries = _canaries(merged(defaults or {}, rendered.values))
        if not canaries:
            return
        manifest = _render(helm, replace(rendered, values=merged(rendered.values, canaries)))
        for resource in manifest:
            shown = str(_without(resource.body, _names_a_secret_object)) if resource.kind != "Secret" else ""
            if _CANARY in shown or _ENCODED_CANARY in shown:
                paths = ", ".join(_paths(canaries))
                yield Violation("secret-canary", about(resource), f"shows a secret that values give ({paths})")

    return secret_canary


def _render(helm: Helm, asked: Rendered) -> Manifest:
    """The answer to the question of a ``Rendered``: all of it but its manifest."""
    return helm.template(
        asked.chart,
        release=asked.release,
        namespace=asked.namespace,
        values=asked.values,
        kube=asked.kube,
        apis=asked.apis,
        checked=False,
    )


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value)


def _canaries(values: Mapping[str, Any]) -> dict[str, Any]:
    """The canary at each value that is a secret by its name; all else left out."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            if below := _canaries(value):
                found[key] = below
        elif isinstance(value, str) and names_a_secret(key):
            found[key] = _CANARY
    return found


def _names_a_secret_object(field: str, key: str) -> bool:
    """Whether what a key holds says which Secret is taken: secretName, or name below any field that is a Secret's."""
    return key.lower().endswith("secretname") or (key == "name" and "secret" in field.lower())


def _without(node: Any, unwanted: Callable[[str, str], bool], field: str = "") -> Any:
    """An object without some keys; ``unwanted`` is asked for the field that holds a key, and the key."""
    if isinstance(node, list):
        return [_without(item, unwanted, field) for item in node]
    if not isinstance(node, Mapping):
        return node
    return {key: _without(value, unwanted, key) for key, value in node.items() if not unwanted(field, key)}


def _paths(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _paths(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"
