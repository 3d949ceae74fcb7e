"""``kindling preflight`` on namespaces that hold pods to a level or policy, or do not, and that grant less."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from uuid import uuid4

import pytest

from chartproof.apiserver import ApiServer
from kindling_dev.scenarios import CHARTS

Kindling = Callable[..., "subprocess.CompletedProcess[str]"]
_LEVEL = "pod-security.kubernetes.io/enforce"


def asked(kindling: Kindling, server: ApiServer, namespace: str, name: str) -> tuple[int, str, str]:
    """Exit code; state and finding of one of the checks."""
    done = kindling(server, "preflight", "-n", namespace, "--json")
    (check,) = [check for check in json.loads(done.stdout)["checks"] if check["id"] == name]
    return done.returncode, check["state"], check["what"]


def new_team(server: ApiServer, *values: str) -> str:
    """A namespace made by spark-namespace."""
    name = f"team-{uuid4().hex[:8]}"
    place = ("--namespace=kindling-system", "--create-namespace", f"--set=namespace.name={name}")
    server.helm().run(["install", name, str(CHARTS / "spark-namespace"), *place, *(f"--set={v}" for v in values)])
    return name


@pytest.mark.check(11)
@pytest.mark.parametrize("level", [None, "privileged"])
def test_a_namespace_that_holds_no_pod_to_a_level_is_not_ready(
    level: str | None, apiserver: Callable[[str], ApiServer], kindling: Kindling
) -> None:
    server = apiserver("1.34")
    name = new_team(server)
    core = server.cluster.core
    labels = core.read_namespace(name).metadata.labels
    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
    assert labels[f"{_LEVEL}-version"] == "latest"
    assert asked(kindling, server, name, "pod-security") == (0, "ok", "Pod Security: the namespace enforces restricted")
    core.patch_namespace(name, {"metadata": {"labels": {_LEVEL: level}}})
    what = f"Pod Security: the namespace enforces {level or 'nothing'}"
    assert asked(kindling, server, name, "pod-security") == (1, "fail", what)


def test_below_1_25_a_policy_will_do(apiserver: Callable[[str], ApiServer], kindling: Kindling) -> None:
    server = apiserver("1.24")
    held, free = new_team(server), new_team(server, "podSecurity.mode=none")
    what = f"PodSecurityPolicy spark-{held} holds pods, if the API server has that admission plugin on"
    assert asked(kindling, server, held, "pod-security") == (0, "ok", what)
    assert asked(kindling, server, free, "pod-security") == (1, "fail", "Pod Security: the namespace enforces nothing")


def test_where_only_old_sparks_submit_it_says_what_newer_ones_need(
    apiserver: Callable[[str], ApiServer], kindling: Kindling
) -> None:
    server = apiserver("1.34")
    name = new_team(server, "submitter.networkPolicies=false")
    pairs = "create networkpolicies.networking.k8s.io, patch networkpolicies.networking.k8s.io"
    what = f"rights of spark-submitter: lacks: {pairs}, which Spark needs since 4.2"
    assert asked(kindling, server, name, "rights-spark-submitter") == (0, "warn", what)
