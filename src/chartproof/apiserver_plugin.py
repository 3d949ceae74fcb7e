"""The fixture ``apiserver``: one of each Kubernetes version, started when the first test asks, shared by all.

Loaded by ``chartproof.plugin``; what speaks to a server is imported with the first that is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from chartproof.apiserver import ApiServer


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where programs and audit policy are."""
    group = parser.getgroup("chartproof")
    group.addoption("--apiservers", type=Path, help="folder of API servers' programs: VERSION/kube-apiserver and so on")
    parser.addini("apiserver_audit_policy", "file with the audit policy of API servers", default="")


@pytest.fixture(scope="session")
def apiserver_programs(pytestconfig: pytest.Config) -> Path:
    """The folder of API servers' programs."""
    from chartproof.apiserver import ApiServerError

    folder: Path | None = pytestconfig.getoption("--apiservers")
    if folder is None:
        raise ApiServerError("no API server's programs are known: give --apiservers=FOLDER, as scripts/test does")
    return folder


@pytest.fixture(scope="session")
def apiserver(
    pytestconfig: pytest.Config, apiserver_programs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], ApiServer]]:
    """The API server of a version, one for the whole run: ``apiserver("1.34")``."""
    from chartproof.apiserver.server import api_server

    run_folder = tmp_path_factory.getbasetemp()
    if hasattr(pytestconfig, "workerinput"):
        run_folder = run_folder.parent  # all workers' own
    policy = pytestconfig.getini("apiserver_audit_policy")
    started: dict[str, ApiServer] = {}
    with ExitStack() as until_the_end:

        def apiserver(version: str) -> ApiServer:
            if version not in started:
                started[version] = until_the_end.enter_context(
                    api_server(
                        version,
                        apiserver_programs / version,
                        run_folder / f"apiserver-{version}",
                        audit_policy=pytestconfig.rootpath / policy if policy else None,
                    )
                )
            return started[version]

        yield apiserver
