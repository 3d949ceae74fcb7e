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
    from chartproof.release import Install, Release

__all__ = [
    "Cluster",
    "Container",
    "Helm",
    "HelmError",
    "Install",
    "JobEnd",
    "Manifest",
    "RefusedError",
    "Release",
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
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from chartproof import cluster, release

    return getattr(release if name in ("Install", "Release") else cluster, name)
