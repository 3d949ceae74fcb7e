"""What the identities of a team may do, all of it, as the server that decides it sees it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest

from chartproof.apiserver import ApiServer

_ADMINS = ("--namespace=kindling-system", "--create-namespace")
_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
_ALL_OF_ONE = "get list watch create update patch delete"
_AT_ONCE = 8

MAY = {
    # resource: verbs of the submitter | of the driver | of a driver with StatefulSets, besides
    "pods": ("get list watch create delete", "get list watch create patch delete deletecollection", ""),
    "pods/log": ("get list watch", "", ""),
    "pods/status": ("patch", "", ""),
    "pods/portforward": ("get create", "", ""),
    "pods/exec": ("", "", ""),
    "configmaps": (_ALL_OF_ONE, "create deletecollection", ""),
    "secrets": ("", "", ""),
    "services": ("create patch", "deletecollection", ""),
    "persistentvolumeclaims": ("", "list create deletecollection", ""),
    "events": ("get list watch", "", ""),
    "serviceaccounts": ("", "", ""),
    "serviceaccounts/token": ("", "", ""),
    "jobs.batch": (_ALL_OF_ONE, "", ""),
    "cronjobs.batch": (_ALL_OF_ONE, "", ""),
    "statefulsets.apps": ("", "", _ALL_OF_ONE),
    "statefulsets/scale.apps": ("", "", "get update patch"),
    "deployments.apps": ("", "", ""),
    "networkpolicies.networking.k8s.io": ("create patch", "", ""),
    "poddisruptionbudgets.policy": (_ALL_OF_ONE, "", ""),
    "podmonitors.monitoring.coreos.com": (_ALL_OF_ONE, "", ""),
    "roles.rbac.authorization.k8s.io": ("", "", ""),
    "rolebindings.rbac.authorization.k8s.io": ("", "", ""),
    "resourcequotas": ("", "", ""),
    "nodes": ("", "", ""),
}
"""All that is allowed, and in the own namespace alone; an executor may do nothing."""


class Question(NamedTuple):
    """May an account of a namespace do something with a resource in a namespace ("": in all)?"""

    account: str
    home: str
    verb: str
    resource: str
    namespace: str


@pytest.fixture
def teams(server: ApiServer, charts: Path) -> tuple[str, str]:
    """Two teams' namespaces; the second one's drivers may make StatefulSets."""
    plain, stateful = (f"{kind}-{uuid4().hex[:8]}" for kind in ("plain", "stateful"))
    for name in (plain, stateful):
        values = [f"--set=namespace.name={name}", f"--set=driver.statefulSets={json.dumps(name == stateful)}"]
        server.helm().run(["install", name, str(charts / "spark-namespace"), *_ADMINS, *values])
    return plain, stateful


def allowed(server: ApiServer, question: Question) -> bool:
    """What the server answers."""
    resource, _, group = question.resource.partition(".")
    name, _, part = resource.partition("/")
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{question.home}:{question.account}",
            "groups": ["system:serviceaccounts", f"system:serviceaccounts:{question.home}", "system:authenticated"],
            "resourceAttributes": {
                "namespace": question.namespace,
                "verb": question.verb,
                "group": group,
                "resource": name,
                "subresource": part,
            },
        },
    }
    answer = server.cluster.authorization.create_subject_access_review(review, _preload_content=False)
    return bool(json.loads(answer.data)["status"]["allowed"])


def test_each_identity_may_do_what_the_table_says_and_nothing_else(server: ApiServer, teams: tuple[str, str]) -> None:
    plain, stateful = teams
    granted = {
        Question(account, home, verb, resource, home)
        for resource, (submitter, driver, with_stateful_sets) in MAY.items()
        for account, home, verbs in (
            ("spark-submitter", plain, submitter),
            ("spark-driver", plain, driver),
            ("spark-driver", stateful, f"{driver} {with_stateful_sets}"),
        )
        for verb in verbs.split()
    }
    own = [(account, plain) for account in ("spark-submitter", "spark-driver", "spark-executor")]
    identities = [*own, ("spark-driver", stateful)]
    asked = [
        Question(account, home, verb, resource, namespace)
        for (account, home), verb, resource, namespace in product(identities, _VERBS, MAY, (plain, stateful, ""))
    ]
    assert len(asked) >= 500
    assert granted < set(asked)
    with ThreadPoolExecutor(_AT_ONCE) as askers:
        answers = list(askers.map(lambda question: allowed(server, question), asked))
    assert {question for question, answer in zip(asked, answers, strict=True) if answer} == granted
