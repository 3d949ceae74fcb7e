"""chartproof: proves Helm charts, from the rendered manifest to objects in a cluster. It knows nothing of Spark.

Attributes of a test's life here: ``Helm`` runs the helm program, ``Manifest`` asks what it rendered, ``cluster`` waits
for what a cluster does, ``bundle`` keeps what a failed test leaves behind; ``plugin`` gives them to pytest as fixtures.
"""

from typing import TYPE_CHECKING, Any

from chartproof.errors import HelmError, RefusedError, SchemaError, TemplateError, YamlError
from chartproof.helm import Helm, Render
from chartproof.manifest import Container, Manifest, Resource
from chartproof.renders import RuleError

if TYPE_CHECKING:
    from chartproof.cluster import Cluster, JobEnd, WaitTimeoutError

__all__ = [
    "Cluster",
    "Container",
    "Helm",
    "HelmError",
    "JobEnd",
    "Manifest",
    "RefusedError",
    "Render",
    "Resource",
    "RuleError",
    "SchemaError",
    "TemplateError",
    "WaitTimeoutError",
    "YamlError",
]


def __getattr__(name: str) -> Any:
    """What speaks to a cluster, when it is first asked for: the client takes a second to import."""
    if name in ("Cluster", "JobEnd", "WaitTimeoutError"):
        from chartproof import cluster

        return getattr(cluster, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
