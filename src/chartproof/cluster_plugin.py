"""Fixtures of a cluster, and what a failed test leaves behind there; loaded by ``chartproof.plugin``.

What speaks to a cluster is imported with the first fixture that is wanted: the client alone takes a second.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from chartproof.bundle import write_bundle
from chartproof.helm import Helm

if TYPE_CHECKING:
    from chartproof.cluster import Cluster

_NAMESPACES: pytest.StashKey[tuple[list[str], Path]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the command line."""
    group = parser.getgroup("chartproof")
    group.addoption("--bundles", default="artifacts", help="folder for what failed tests leave behind")
    group.addoption("--kubeconfig", type=Path, help="the cluster's kubeconfig; otherwise $KUBECONFIG")


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Cluster:
    """The cluster that ``--kubeconfig`` or $KUBECONFIG names; never the one that a person last looked at."""
    from chartproof.cluster import Cluster

    given = pytestconfig.getoption("--kubeconfig") or os.environ.get("KUBECONFIG")
    if not given:
        raise pytest.UsageError("no cluster is given: name one by --kubeconfig or KUBECONFIG")
    return Cluster(Path(given))


@pytest.fixture(scope="session")
def cluster_helm(cluster: Cluster) -> Helm:
    """helm with the cluster."""
    return Helm(kubeconfig=cluster.kubeconfig)


@pytest.fixture
def new_namespace(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Callable[..., str]]:
    """Make namespaces (of any labels) that go when the test ends; a failed test's are bundled first."""
    from kubernetes import client

    names = request.node.stash.setdefault(_NAMESPACES, ([], cluster.kubeconfig))[0]

    def make(prefix: str = "test", labels: dict[str, str] | None = None, *, create: bool = True) -> str:
        name = f"{prefix}-{uuid4().hex[:8]}"
        names.append(name)
        if create:
            cluster.core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name, labels=labels)))
        return name

    yield make
    for name in names:
        cluster.core.delete_namespace(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Bundle the namespaces of a test that failed, before any fixture removes what is in them."""
    report = yield
    if report.failed and _NAMESPACES in item.stash:  # type: ignore[attr-defined]
        names, kubeconfig = item.stash[_NAMESPACES]
        folder = Path(item.config.rootpath / item.config.getoption("--bundles"))
        bundle = write_bundle(folder, item.nodeid, names, kubeconfig)
        report.sections.append(("chartproof", f"what the test left behind: {bundle}"))  # type: ignore[attr-defined]
    return report
