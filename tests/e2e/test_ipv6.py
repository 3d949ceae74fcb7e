"""A cluster whose pods and Services have IPv6 addresses alone: tests of the usual cluster, run there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from kindling_dev.cluster import remove_cluster
from kindling_dev.command import run
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings

CLUSTER = replace(Settings.from_environment(), cluster="kindling-ipv6", ip_family="ipv6")
RUN_THERE = [
    "tests/e2e/test_first_jobs.py",
    "tests/e2e/test_network_enforced.py",
    "tests/e2e/test_sparks_cases.py::test_the_pi_of_sparks_examples",
]


@pytest.fixture
def _cluster_removed_afterwards() -> Iterator[None]:
    yield
    remove_cluster(CLUSTER, Progress())


@pytest.mark.long
@pytest.mark.alone
@pytest.mark.usefixtures("_cluster_removed_afterwards")
def test_what_runs_with_ipv4_runs_with_ipv6_alone() -> None:
    there = {"KINDLING_CLUSTER": CLUSTER.cluster, "KINDLING_IP_FAMILY": CLUSTER.ip_family}
    printed = run([REPO / "scripts/test", *RUN_THERE, "-n", "1"], cwd=REPO, env=there)
    assert " passed in " in printed.splitlines()[-1]
