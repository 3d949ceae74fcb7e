"""CustomResourceDefinitions: their kinds as schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from chartproof.helm_yaml import HelmLoader
from chartproof.schemas.openapi import DefinitionError, Definitions

_KIND = "CustomResourceDefinition"
_READ = "apiextensions.k8s.io/v1"
_SUFFIXES = (".json", ".yaml", ".yml")


def files_of(path: Path) -> list[Path]:
    """The files that a path stands for: itself, or those of YAML in the folder that it names.

    Raises:
        DefinitionError: there is none.
    """
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)
    if not files:
        raise DefinitionError(f"{path} has no {_KIND}s; name the file or the folder that holds them")
    return files


def add_file(definitions: Definitions, file: Path, metadata: Mapping[str, Any]) -> dict[str, str]:
    """Add the custom resources of a file; return "apiVersion Kind" -> key of its schema.

    Args:
        definitions: what they are added to.
        file: YAML; objects that are no CustomResourceDefinition are left out.
        metadata: the schema of Kubernetes' own metadata.

    Raises:
        DefinitionError: it is no YAML, or has what is not translated.
    """
    kinds: dict[str, str] = {}
    try:
        for definition in _definitions(file.read_text()):
            kinds |= add_kinds(definitions, definition, metadata)
    except yaml.YAMLError as error:
        raise DefinitionError(f"{file}: is no YAML: {' '.join(str(error).split())}") from None
    except DefinitionError as error:
        raise DefinitionError(f"{file}: {error}") from None
    return kinds


def add_kinds(definitions: Definitions, definition: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, str]:
    """Add what a CustomResourceDefinition serves; return "apiVersion Kind" -> key of its schema.

    Raises:
        DefinitionError: it has what is not translated.
    """
    if definition["apiVersion"] != _READ:
        raise DefinitionError(f"a {_KIND} of {definition['apiVersion']} is not read; write it as {_READ}")
    spec = definition["spec"]
    group, kind = spec["group"], spec["names"]["kind"]
    kinds = {}
    for version in spec["versions"]:
        if version["served"]:
            name = version["name"]
            schema = version["schema"]["openAPIV3Schema"]
            kinds[f"{group}/{name} {kind}"] = definitions.add_custom(f"{group}.{name}.{kind}", schema, metadata)
    return kinds


def _definitions(text: str) -> Iterator[Mapping[str, Any]]:
    for document in yaml.load_all(text, Loader=HelmLoader):
        if isinstance(document, dict) and document.get("kind") == _KIND:
            yield document
