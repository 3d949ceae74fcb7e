"""Schema of every render on every Kubernetes that it stands for: offline, strict, an unknown field or kind is wrong.

``index.json`` and ``definitions.json`` are made from Kubernetes' own OpenAPI documents and some custom resources' own
definitions; definitions that are the same in several versions are there once, and asked once.
"""

from chartproof.schemas.catalogue import Catalogue, bundled
from chartproof.schemas.openapi import DefinitionError
from chartproof.schemas.validation import fits, objects, violations

__all__ = ["Catalogue", "DefinitionError", "bundled", "fits", "objects", "violations"]
