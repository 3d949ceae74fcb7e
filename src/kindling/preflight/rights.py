"""Who needs which right, and who must not have which: what spark-namespace grants, seen from outside."""

from __future__ import annotations

from collections.abc import Iterator

from kindling.preflight.facts import Right

SUBMITTER, DRIVER, EXECUTOR = "spark-submitter", "spark-driver", "spark-executor"
YOU = "you"


def _rights(group: str, resource: str, verbs: str) -> Iterator[Right]:
    for verb in verbs.split():
        yield Right(verb, resource, group)


_INSTALL = (
    *_rights("batch", "jobs", "get list watch create delete"),
    *_rights("batch", "cronjobs", "create"),
    *_rights("", "configmaps", "get create delete"),
    *_rights("", "pods", "get list watch"),
    *_rights("", "pods/log", "get"),
    *_rights("", "events", "list"),
)
SINCE_4_2 = tuple(_rights("networking.k8s.io", "networkpolicies", "create patch"))
"""What submitting takes since Spark 4.2, and not with older lines."""
_CLUSTER_MODE = (*_rights("", "services", "create patch"), *SINCE_4_2)
_DRIVER_OBJECTS = (
    *_rights("", "configmaps", "create deletecollection"),
    *_rights("", "services", "deletecollection"),
    *_rights("", "persistentvolumeclaims", "list create deletecollection"),
)
OF_A_GUARD = (*_CLUSTER_MODE, *_DRIVER_OBJECTS)
"""What spark-namespace grants where its guard holds it in bounds, or where ``guard.rightsWithout`` asks for it."""
NEEDED: dict[str, tuple[Right, ...]] = {
    YOU: _INSTALL,
    SUBMITTER: (
        *_rights("batch", "jobs", "get list"),
        *_rights("batch", "cronjobs", "get"),
        *_rights("", "pods", "get watch create delete"),
        *_rights("", "pods/log", "get"),
        *_rights("", "configmaps", "get create patch"),
        *_CLUSTER_MODE,
    ),
    DRIVER: (
        *_rights("", "pods", "get list watch create patch delete deletecollection"),
        *_DRIVER_OBJECTS,
    ),
    EXECUTOR: (),
}
_TAKEOVER = (
    *_rights("", "secrets", "get list"),
    *_rights("rbac.authorization.k8s.io", "rolebindings", "create"),
    *_rights("", "pods/exec", "create"),
    *_rights("", "pods/status", "patch"),
    Right("list", "pods", everywhere=True),
)
FORBIDDEN: dict[str, tuple[Right, ...]] = {
    YOU: (),
    SUBMITTER: _TAKEOVER,
    DRIVER: (*_TAKEOVER, *_rights("batch", "jobs", "create")),
    EXECUTOR: (*_TAKEOVER, *_rights("", "pods", "list create delete"), *_rights("", "configmaps", "get")),
}
