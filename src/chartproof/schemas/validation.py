"""Asks the schemas about a render, the objects inside its ConfigMaps included."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema_rs
import yaml

from chartproof.checks import Rendered, Violation
from chartproof.manifest import Manifest
from chartproof.schemas.catalogue import Catalogue, bundled
from chartproof.schemas.custom import files_of

_RULE = "schema"
_LONGEST_VALUE = 60


@dataclass(frozen=True)
class Candidate:
    """An object to validate.

    Attributes:
        about: what it is called: "Job/nightly", or "ConfigMap/nightly executor.yaml" for one inside a ConfigMap.
        body: the object as rendered; text that is not YAML where ``error`` is given.
        error: why there is no object in a file that should hold one.
        is_data: whether it is an object inside a ConfigMap.
    """

    about: str
    body: Any
    error: str = ""
    is_data: bool = False


def violations(rendered: Rendered, versions: Sequence[str], catalogue: Catalogue | None = None) -> Iterator[Violation]:
    """Name what the schemas of some Kubernetes versions refuse in a render: each fault once, with its versions.

    Args:
        rendered: the render.
        versions: the versions that it stands for, "1.34".
        catalogue: the schemas; None: the bundled ones.

    Raises:
        LookupError: there are no schemas of one of the versions.
    """
    catalogue = catalogue or bundled()
    for candidate in objects(rendered.manifest):
        if candidate.is_data and not catalogue.has_group(candidate.body):
            continue  # the configuration of a program, written like an object of Kubernetes
        found: dict[str, list[str]] = {}
        for said, where in _judged(candidate, versions, catalogue):
            for fault in said:
                found.setdefault(fault, []).extend(where)
        for fault, where in found.items():
            yield Violation(_RULE, candidate.about, f"{fault} on Kubernetes {_spans(where, catalogue.versions)}")


@dataclass(frozen=True)
class Fits:
    """The rule that ``fits`` makes.

    Attributes:
        catalogue: the schemas.
        stands_for: Kubernetes version of a render -> the versions that it stands for.
        reads: the files of custom resources: what the rule says depends on them.
    """

    catalogue: Catalogue
    stands_for: Mapping[str, Sequence[str]]
    reads: Sequence[Path]

    def __call__(self, rendered: Rendered) -> Iterator[Violation]:
        """Every object, in a ConfigMap too, fits the schemas of all versions that the render stands for."""
        newest = self.catalogue.versions[-1:]
        return violations(rendered, self.stands_for.get(rendered.kube, newest), self.catalogue)


def fits(rendered_at: Sequence[str], crds: Sequence[Path] = ()) -> Fits:
    """A rule: a render fits the schemas of all versions that it stands for.

    Args:
        rendered_at: the versions that charts are rendered for. A render for another, or helm's own, is for the newest.
        crds: files of CustomResourceDefinitions, or folders of them: what else may be rendered.

    Raises:
        DefinitionError: a path has no CustomResourceDefinition, or one that is not read.
        LookupError: there are no schemas of one of the versions.
    """
    files = [file for path in crds for file in files_of(path)]
    catalogue = bundled().with_custom(files)
    return Fits(catalogue, catalogue.stands_for(rendered_at), files)


def objects(manifest: Manifest) -> Iterator[Candidate]:
    """Every object of a render, and every object in the data of its ConfigMaps: what has an apiVersion and a kind."""
    for resource in manifest:
        body = resource.body
        about = _name(body)
        yield Candidate(about, body)
        if isinstance(body, dict) and body.get("kind") == "ConfigMap" and isinstance(body.get("data"), dict):
            for file, text in body["data"].items():
                yield from _inside(f"{about} {file}", text)


def _inside(about: str, text: Any) -> Iterator[Candidate]:
    # Cheap words first: most data are programs and properties, and slow to parse.
    if not (isinstance(text, str) and "apiVersion" in text and "kind" in text):
        return
    try:
        inside = [resource.body for resource in Manifest(text)]
    except yaml.YAMLError as error:
        if PurePosixPath(about).suffix in (".json", ".yaml", ".yml"):
            yield Candidate(about, text, " ".join(str(error).split()))
        return
    for body in inside:
        if isinstance(body, dict) and {"apiVersion", "kind"} <= {*body}:
            yield Candidate(about, body, is_data=True)


def _judged(
    candidate: Candidate, versions: Sequence[str], catalogue: Catalogue
) -> Iterator[tuple[list[str], Sequence[str]]]:
    """Give what is wrong with an object, and in which versions; each schema is asked once."""
    body = candidate.body
    if candidate.error:
        yield [f"is no YAML: {candidate.error}"], versions
        return
    if not isinstance(body, dict):
        yield [f"expected an object with apiVersion and kind, got {_shown(body)}"], versions
        return
    if not catalogue.has_group(body):
        yield (
            [f"apiVersion {body['apiVersion']!r} is of no known group: give the definition of {body.get('kind')}"],
            versions,
        )
        return
    api_version, kind = str(body.get("apiVersion") or ""), str(body.get("kind") or "")
    decoded = as_decoded(body, custom=catalogue.is_custom(api_version, kind))
    for key, where in catalogue.keys(versions, api_version, kind).items():
        if key:
            yield faults(decoded, key, catalogue), where
        else:
            for version in where:
                yield [_unknown(api_version, kind, catalogue.api_versions(version, kind))], [version]


def _unknown(api_version: str, kind: str, others: Sequence[str]) -> str:
    expected = f", expected {' or '.join(others)}" if others else ""
    return f"apiVersion {api_version!r} has no kind {kind!r}{expected}"


def faults(decoded: Any, key: str, catalogue: Catalogue) -> list[str]:
    """What one schema refuses in an object: where, and what it expects there."""
    errors = list(catalogue.validator(key).iter_errors(decoded))
    schema = catalogue.schema(key) if errors else {}
    return [fault for error in errors for fault in _explained(error, schema)]


def as_decoded(value: Any, *, custom: bool) -> Any:
    """What the API server makes of a parsed manifest before it looks at it.

    Keys and dates are text. A field that is null is absent, but in a custom resource, where null is a value that the
    schema must allow, it is so in the metadata alone.
    """
    if isinstance(value, dict):
        return {
            str(key): as_decoded(inner, custom=custom and key != "metadata")
            for key, inner in value.items()
            if custom or inner is not None
        }
    if isinstance(value, list):
        return [as_decoded(inner, custom=custom) for inner in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _explained(error: jsonschema_rs.ValidationError, schema: dict[str, Any]) -> Iterator[str]:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path)
    what = error.kind
    if isinstance(what, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        known = _at(schema, error.schema_path[:-1])["properties"]
        for name in what.unexpected:
            near = get_close_matches(name, known, n=1, cutoff=0.8)
            yield f"{path}.{name}: no such field".lstrip(".") + (f", expected {near[0]}" if near else "")
    elif isinstance(what, jsonschema_rs.ValidationErrorKind.Required):
        yield f"{path}.{what.property}: is missing".lstrip(".")
    elif isinstance(what, jsonschema_rs.ValidationErrorKind.Type):
        yield f"{path}: expected {' or '.join(what.types)}, got {_shown(error.instance)}".lstrip(".")
    elif isinstance(what, jsonschema_rs.ValidationErrorKind.Enum):
        options = " or ".join(_shown(option) for option in what.options if option)
        yield f"{path}: expected {options}, got {_shown(error.instance)}".lstrip(".")
    elif isinstance(what, jsonschema_rs.ValidationErrorKind.Pattern):
        yield f"{path}: expected text like {what.pattern}, got {_shown(error.instance)}".lstrip(".")
    else:
        yield f"{path}: {error.message}".lstrip(".")


def _at(schema: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        schema = schema[step]
    return schema


def _name(body: Any) -> str:
    if not isinstance(body, dict):
        return "a document"
    metadata = body.get("metadata")
    name = metadata.get("name", "") if isinstance(metadata, dict) else ""
    return f"{body.get('kind', '')}/{name}"


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _spans(found: Sequence[str], versions: Sequence[str]) -> str:
    """Versions in words: "1.24, 1.30 to 1.37"."""
    spans: list[list[str]] = []
    for version in versions:
        if version not in found:
            continue
        before = versions[versions.index(version) - 1]
        if spans and spans[-1][-1] == before:
            spans[-1].append(version)
        else:
            spans.append([version])
    return ", ".join(span[0] if len(span) == 1 else f"{span[0]} to {span[-1]}" for span in spans)
