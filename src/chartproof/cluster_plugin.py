"""Fixtures of a cluster, and what a failed test leaves behind there; loaded by ``chartproof.plugin``.

What speaks to a cluster is imported with the first fixture that is wanted: the client alone takes a second.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chartproof.bundle import write_bundle
from chartproof.helm import Helm
from chartproof.kind import ClusterError, Kind

if TYPE_CHECKING:
    from chartproof.cluster import Cluster
    from chartproof.release import Install, Release

_KIND_USED: pytest.StashKey[bool] = pytest.StashKey()
_OUTPUT = "chartproof-kind"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the command line."""
    group = parser.getgroup("chartproof")
    group.addoption("--bundles", default="artifacts", help="folder for what failed tests leave behind")
    group.addoption("--kubeconfig", type=Path, help="the cluster's kubeconfig; otherwise $KUBECONFIG")
    parser.addini(
        "kind_cluster", "name of the kind cluster that is made where no kubeconfig is given", default="chartproof"
    )
    parser.addini("kind_config", "file with kind's configuration of that cluster", default="")
    parser.addini("kind_image", "image of its nodes; empty: kind's own", default="")


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Cluster:
    """The cluster that ``--kubeconfig`` or $KUBECONFIG names, or else a kind cluster, which stays for the next run.

    The one that a person last looked at (``~/.kube/config``) is never taken.
    """
    from chartproof.cluster import Cluster

    try:
        return Cluster(_kubeconfig(pytestconfig))
    except ClusterError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def _kubeconfig(config: pytest.Config) -> Path:
    given = config.getoption("--kubeconfig") or os.environ.get("KUBECONFIG")
    if not given:
        kubeconfig = _kind(config).ensure()
        config.stash[_KIND_USED] = True
        return kubeconfig
    kubeconfig = config.invocation_params.dir / given
    if not kubeconfig.is_file():
        raise ClusterError(f"{given} is no file: name the cluster's kubeconfig by --kubeconfig or KUBECONFIG")
    return kubeconfig


def _kind(config: pytest.Config) -> Kind:
    cache: pytest.Cache | None = getattr(config, "cache", None)
    if cache is None:
        raise ClusterError("no cluster is given, and without pytest's cache none is made: leave that on, or give one")
    name, file = config.getini("kind_cluster"), config.getini("kind_config")
    folder = Path(cache.mkdir(f"chartproof-kind-{name}"))
    return Kind(name, folder, config.rootpath / file if file else None, config.getini("kind_image"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker: hand over that it used the kind cluster."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_OUTPUT] = session.config.stash.get(_KIND_USED, False)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Remember that a worker used the kind cluster."""
    if getattr(node, "workeroutput", {}).get(_OUTPUT):
        node.config.stash[_KIND_USED] = True


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Tell that a cluster stays."""
    if config.stash.get(_KIND_USED, False):
        kind = _kind(config)
        terminalreporter.write_line(f"the kind cluster {kind.name} stays for the next run; {kind.removal} removes it")


@pytest.fixture(scope="session")
def cluster_helm(cluster: Cluster) -> Helm:
    """helm with the cluster."""
    return Helm(kubeconfig=cluster.kubeconfig)


@pytest.fixture
def new_namespace(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Callable[..., str]]:
    """Make namespaces (of any labels) that go when the test ends; a failed test's are bundled first."""
    from kubernetes import client

    with ExitStack() as at_the_end:

        def make(prefix: str = "test", labels: dict[str, str] | None = None, *, create: bool = True) -> str:
            name = f"{prefix}-{uuid4().hex[:8]}"
            _evidence(request.node, cluster).add(name)
            at_the_end.callback(cluster.core.delete_namespace, name)
            if create:
                metadata = client.V1ObjectMeta(name=name, labels=labels)
                cluster.core.create_namespace(client.V1Namespace(metadata=metadata))
            return name

        yield make


@pytest.fixture
def release(
    request: pytest.FixtureRequest,
    charts: Path,
    cluster: Cluster,
    cluster_helm: Helm,
    new_namespace: Callable[..., str],
) -> Iterator[Install]:
    """Install charts; the releases and their namespaces go when the test ends, also those that failed.

    ``release("web", {"replicas": 2})`` installs the chart "web" of the folder ``charts`` (or one that a path names) as
    release "web" (``name``) into a namespace of its own, with ``labels``, or into one that is there (``namespace``).
    ``files`` and ``wait_s`` are those of ``Release.upgrade``.
    """
    from chartproof.release import Release

    with ExitStack() as at_the_end:

        def install(
            chart: str | Path,
            values: Mapping[str, Any] | None = None,
            *,
            files: Sequence[Path] = (),
            name: str = "",
            namespace: str = "",
            labels: dict[str, str] | None = None,
            wait_s: float = 0,
        ) -> Release:
            if namespace and labels:
                raise ValueError(
                    f"namespace {namespace} is there already: labels are for one that is made; leave one out"
                )
            # An absolute path stays as it is.
            folder = charts / chart
            namespace = namespace or new_namespace(labels=labels)
            _evidence(request.node, cluster).add(namespace)
            made = Release(name or folder.name, namespace, folder, cluster, cluster_helm)
            at_the_end.callback(made.uninstall)
            made.install(values, files, wait_s)
            return made

        yield install


@dataclass
class _Evidence:
    """Where a test's traces are.

    Attributes:
        kubeconfig: the cluster's.
        namespaces: in the order of their use.
    """

    kubeconfig: Path
    namespaces: list[str] = field(default_factory=list)

    def add(self, namespace: str) -> None:
        """Add a namespace, once."""
        if namespace not in self.namespaces:
            self.namespaces.append(namespace)


_EVIDENCE: pytest.StashKey[_Evidence] = pytest.StashKey()


def _evidence(node: pytest.Item, cluster: Cluster) -> _Evidence:
    return node.stash.setdefault(_EVIDENCE, _Evidence(cluster.kubeconfig))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Bundle the namespaces of a test that failed, before any fixture removes what is in them."""
    report = yield
    if report.failed and (evidence := item.stash.get(_EVIDENCE, None)):  # type: ignore[attr-defined]
        folder = Path(item.config.rootpath / item.config.getoption("--bundles"))
        bundle = write_bundle(folder, item.nodeid, evidence.namespaces, evidence.kubeconfig)
        report.sections.append(("chartproof", f"what the test left behind: {bundle}"))  # type: ignore[attr-defined]
    return report
