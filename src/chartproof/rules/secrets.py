"""No secret stands in what is rendered, Secrets apart: it would be in helm's record, in git, in every describe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from chartproof.checks import Rendered, Violation
from chartproof.pods import about, pods

_WORDS = r"(password|passwd|passphrase|token|secret|(access|secret|api|private|session|encryption)[-_.]?key)"
_NAME = re.compile(rf"(?i).*{_WORDS}")
"""A name of what is secret; PASSWORD_FILE and tokenPath are names of something else."""
_PROPERTY = re.compile(rf"(?im)^([\w.*-]*{_WORDS})=(?!\$\(|\$\{{)(\S+)")
_SHAPES = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a JSON web token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\."),
    "an AWS access key": re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
}


def names_a_secret(name: str) -> bool:
    """Whether what has this name is a secret itself, not where or what one is called ("existingSecret")."""
    return bool(_NAME.fullmatch(name)) and not name.lower().startswith("existing")


def secrets(rendered: Rendered) -> Iterator[Violation]:
    """No container has a secret as a literal variable, and no object but a Secret has anything that looks like one."""
    for pod in pods(rendered):
        for container in pod.containers:
            for variable in container.get("env") or []:
                if names_a_secret(variable["name"]) and _is_secret(variable.get("value")):
                    message = f"container {container['name']} has {variable['name']} as text: use a secretKeyRef"
                    yield Violation("secrets", pod.about, message)
    for resource in rendered.manifest:
        if resource.kind == "Secret":
            continue
        text = str(resource.body)
        for what, shape in _SHAPES.items():
            if shape.search(text):
                yield Violation("secrets", about(resource), f"has {what} as text: put it into a Secret")
        if resource.kind == "ConfigMap":
            for key, value in (resource.body.get("data") or {}).items():
                if names_a_secret(key) and _is_secret(value):
                    yield Violation("secrets", about(resource), f"has {key} as text: put it into a Secret")
                for found in _PROPERTY.finditer(str(value)):
                    yield Violation("secrets", about(resource), f"{key} has {found[1]} as text: put it into a Secret")


def _is_secret(value: Any) -> bool:
    """Whether a value is a text of its own: no path, no other variable, no switch."""
    text = str(value or "")
    return bool(text) and not text.startswith(("/", "$(", "${")) and text.lower() not in ("true", "false")
