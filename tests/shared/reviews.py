"""SubjectAccessReviews: what a real API server decides about an identity."""

from __future__ import annotations

import json

from chartproof import Cluster


def may(cluster: Cluster, user: str, groups: list[str], wish: str, namespace: str, name: str = "") -> bool:
    """What the server answers.

    Args:
        cluster: whose server is asked.
        user, groups: the identity, as the server knows it after the login.
        wish: verb and resource as kubectl writes them, "patch pods/status", "create jobs.batch".
        namespace: where; "": in the whole cluster.
        name: of the one object; "": of any.
    """
    verb, _, named = wish.partition(" ")
    resource, _, group = named.partition(".")
    kind, _, part = resource.partition("/")
    attributes = {
        "namespace": namespace,
        "verb": verb,
        "group": group,
        "resource": kind,
        "subresource": part,
        "name": name,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "groups": groups, "resourceAttributes": attributes},
    }
    # The client's own call takes three times as long.
    api = cluster.api_client
    url = f"{api.configuration.host}/apis/authorization.k8s.io/v1/subjectaccessreviews"
    answer = api.rest_client.pool_manager.request("POST", url, json=review)
    return bool(json.loads(answer.data)["status"]["allowed"])
