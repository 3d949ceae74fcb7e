"""What is the user's own in a release: what values name and the chart does not make, containers that values give."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping
from typing import Any

from chartproof.review import Exemption, external
from chartproof.rules.secrets import names_a_secret


def the_users_own(values: Any) -> list[Exemption]:
    """What passes the rules because values ask for it.

    An object that is referred to but not made is the user's to make if values hold its name; a container that stands in
    values asks for the resources that it has there; a secret that stands in values is in what they go into.

    Args:
        values: a user's on top of the chart's defaults.
    """
    texts = sorted({text for text in _texts(values) if text})
    secrets = sorted(
        {key for node in _nodes(values) if isinstance(node, Mapping) for key in node if names_a_secret(key)}
    )
    containers = sorted({str(container["name"]) for container in _containers(values)})
    return [
        *(external("*", glob.escape(text), "values name it") for text in texts),
        *(
            Exemption("resources", "*", "the user's own container", f"container {glob.escape(name)} has no *")
            for name in containers
        ),
        *(Exemption("secrets", "*", "values give it", f"* has {glob.escape(key)} as text: *") for key in secrets),
    ]


def _nodes(values: Any) -> Iterator[Any]:
    yield values
    for below in values.values() if isinstance(values, Mapping) else values if isinstance(values, list) else ():
        yield from _nodes(below)


def _texts(values: Any) -> Iterator[str]:
    return (node for node in _nodes(values) if isinstance(node, str))


def _containers(values: Any) -> Iterator[Mapping[str, Any]]:
    return (node for node in _nodes(values) if isinstance(node, Mapping) and {"name", "image"} <= node.keys())
