"""Which answers to drawn values are right: sound objects, or a refusal in one line that names a value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from chartproof import HelmError, Manifest, Render
from chartproof.checks import Rendered, Rule
from chartproof.fuzz.draws import Draw
from chartproof.fuzz.own import the_users_own
from chartproof.fuzz.schema import ValuesSchema, coalesced, defaults_of
from chartproof.review import Review

_REFUSAL = re.compile(r"execution error at \([^)]*\): (?P<message>.*)", re.DOTALL)  # of fail and required
# helm itself asks first that the values of a subchart are a map.
_BY_SCHEMA = re.compile(r"values don't meet the specifications of the schema|type mismatch on [\w-]+: ")
_PARSER = re.compile(r"error converting YAML|yaml: |json: cannot unmarshal")
_API_VERSION = re.compile(r"([a-z0-9.-]+/)?v[0-9]+((alpha|beta)[0-9]+)?")
_KIND = re.compile(r"[A-Z][A-Za-z0-9]*")
_RBAC = "rbac.authorization.k8s.io/"
_RBAC_NAME = re.compile(r"(?!\.{1,2}\Z)[^/%]+")  # as a part of a path
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_HINT = "Use --debug flag to render out invalid YAML"


def faults(render: Render, draw: Draw, rules: Sequence[Rule] = ()) -> list[str]:
    """What is wrong with the answer to values that the schema allows; nothing where it is right.

    Args:
        render: ``Helm.template`` or the like; no question comes twice, so it need not remember.
        draw: the question.
        rules: what must hold for a render, besides that its objects are such and but for what is the user's own; not
            asked where a chart passes on what was drawn without a schema.
    """
    try:
        manifest = _render(render, draw)
    except HelmError as error:
        return list(_faults_of_refusal(str(error), ValuesSchema.of_chart(draw.chart)))
    except yaml.YAMLError as error:
        return [f"the render is no YAML: {error}"]
    wrong = [fault for body in (resource.body for resource in manifest) for fault in _faults_of_object(body)]
    if wrong or draw.free:
        return wrong
    rendered = Rendered(manifest, draw.chart, draw.release, draw.namespace, draw.kube, draw.values)
    review = Review(rules, the_users_own(coalesced(defaults_of(draw.chart), draw.values)))
    return [str(violation) for violation in review.violations(rendered)]


def mutant_faults(render: Render, draw: Draw) -> list[str]:
    """What is wrong with the answer to values that the schema forbids; nothing where it or a line refuses them."""
    try:
        _render(render, draw)
    except HelmError as error:
        if _BY_SCHEMA.search(str(error)):
            return []
        return list(_faults_of_refusal(str(error), ValuesSchema.of_chart(draw.chart)))
    return [f"{draw.changed[0]} is rendered with a value that the schema forbids"]


def _render(render: Render, draw: Draw) -> Manifest:
    return render(draw.chart, release=draw.release, namespace=draw.namespace, values=draw.values, kube=draw.kube)


def _faults_of_refusal(text: str, schema: ValuesSchema) -> Iterator[str]:
    refusal = _REFUSAL.search(text.removesuffix(_HINT).strip())
    if not refusal:
        yield f"helm does not render it: {text}"
        return
    message = refusal["message"]
    if len(message.splitlines()) != 1:
        yield f"the refusal has more than one line: {message!r}"
    if _PARSER.search(message):
        yield f"the refusal is a parser's: {message}"
    # The release's name is as much given as a value is.
    named = ("release", *(str(place) for place in (*schema.sections(), *schema.leaves()) if place.path))
    words = re.findall(r"[\w.-]*\w", message)
    # A map's own keys follow its name.
    if not any(f"{word}.".startswith(f"{name}.") for word in words for name in named):
        yield f"the refusal names no value: {message}"


def _faults_of_object(body: Any) -> Iterator[str]:
    if not isinstance(body, dict):
        yield f"no object: {body!r}"
        return
    kind, metadata = body.get("kind"), body.get("metadata")
    if not _fits(_API_VERSION, body.get("apiVersion")):
        yield f"apiVersion {body.get('apiVersion')!r} is none"
    if not _fits(_KIND, kind):
        yield f"kind {kind!r} is none"
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not _fits(_RBAC_NAME if str(body.get("apiVersion")).startswith(_RBAC) else _NAME, name):
        yield f"{kind}: metadata.name {name!r} is no name"


def _fits(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and bool(pattern.fullmatch(value))
