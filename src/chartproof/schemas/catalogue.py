"""The schemas that there are: of which versions and kinds, and a validator of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jsonschema_rs

from chartproof.schemas.custom import add_file
from chartproof.schemas.openapi import Definitions

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass
class Catalogue:
    """Schemas by Kubernetes version and kind.

    Attributes:
        kubernetes: minor version ("1.34"), oldest first -> "apiVersion Kind" -> key of its schema.
        custom: "apiVersion Kind" -> key of its schema, of custom resources: the same for each version.
        definitions: key -> schema; they refer to each other by ``#/$defs/KEY``.
    """

    kubernetes: Mapping[str, Mapping[str, str]]
    custom: Mapping[str, str]
    definitions: Mapping[str, Mapping[str, Any]]
    _validators: dict[str, jsonschema_rs.Validator] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Catalogue:
        """Read ``index.json`` and ``definitions.json``."""
        index = json.loads((folder / "index.json").read_text())
        return cls(
            kubernetes={version: entry["kinds"] for version, entry in index["kubernetes"].items()},
            custom={kind: key for kinds in index["custom"].values() for kind, key in kinds.items()},
            definitions=json.loads((folder / "definitions.json").read_text()),
        )

    def with_custom(self, files: Iterable[Path]) -> Catalogue:
        """These schemas and those of CustomResourceDefinitions, which win over the bundled ones of the same kinds.

        Raises:
            DefinitionError: a file has what is not read.
        """
        definitions, custom = Definitions(), dict(self.custom)
        metadata = self.definitions[self.kubernetes[self.versions[-1]]["v1 Pod"]]["properties"]["metadata"]
        for file in files:
            custom |= add_file(definitions, file, metadata)
        return Catalogue(self.kubernetes, custom, {**self.definitions, **definitions.schemas}, self._validators)

    @property
    def versions(self) -> tuple[str, ...]:
        """All minor versions of Kubernetes, oldest first."""
        return tuple(self.kubernetes)

    def stands_for(self, rendered_at: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Which versions a render at each of some versions stands for: those up to the next.

        Raises:
            LookupError: there are no schemas of one of them.
        """
        for version in rendered_at:
            self._kinds(version)
        starts = sorted(self.versions.index(version) for version in rendered_at)
        ends = [*starts[1:], len(self.versions)]
        return {self.versions[start]: self.versions[start:end] for start, end in zip(starts, ends, strict=True)}

    def keys(self, versions: Sequence[str], api_version: str, kind: str) -> dict[str, list[str]]:
        """Keys of the schemas that a kind has in some versions, and in which each; the key "" where it has none.

        Raises:
            LookupError: there are no schemas of one of the versions.
        """
        wanted = f"{api_version} {kind}"
        found: dict[str, list[str]] = {}
        for version in versions:
            key = self._kinds(version).get(wanted) or self.custom.get(wanted, "")
            found.setdefault(key, []).append(version)
        return found

    def is_custom(self, api_version: str, kind: str) -> bool:
        """Whether a kind is a custom resource's."""
        return f"{api_version} {kind}" in self.custom

    def has_group(self, body: Mapping[str, Any]) -> bool:
        """Whether an object's API group is one that some schema is of."""
        return _group(str(body.get("apiVersion") or "")) in self._groups

    @cached_property
    def _groups(self) -> set[str]:
        kinds = {*self.custom, *(kind for of_one in self.kubernetes.values() for kind in of_one)}
        return {_group(kind.partition(" ")[0]) for kind in kinds}

    def api_versions(self, version: str, kind: str) -> list[str]:
        """The apiVersions that have a kind in a version."""
        names = (name.split() for name in (*self._kinds(version), *self.custom))
        return [api_version for api_version, named in names if named == kind]

    def schema(self, key: str) -> dict[str, Any]:
        """A schema with all that it refers to, as one document."""
        return {"$schema": _DIALECT, "$ref": f"#/$defs/{key}", "$defs": self._reachable(key)}

    def validator(self, key: str) -> jsonschema_rs.Validator:
        """The validator of a schema, compiled once."""
        if key not in self._validators:
            self._validators[key] = jsonschema_rs.validator_for(self.schema(key))
        return self._validators[key]

    def _kinds(self, version: str) -> Mapping[str, str]:
        if version not in self.kubernetes:
            first, *_, last = self.versions
            raise LookupError(f"no schemas of Kubernetes {version!r}; there are {first} to {last}")
        return self.kubernetes[version]

    def _reachable(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        left = [key]
        while left:
            name = left.pop()
            if name not in found:
                found[name] = self.definitions[name]
                left += _references(found[name])
        return found


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix("#/$defs/")
        for value in schema.values():
            yield from _references(value)


@cache
def bundled() -> Catalogue:
    """The schemas that come with chartproof, read once."""
    return Catalogue.read(Path(__file__).parent)
