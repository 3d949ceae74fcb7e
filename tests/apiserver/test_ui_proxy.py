"""spark-ui-proxy's decider beside a real API server: who sees and ends what, with the rights of spark-namespace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from ui_proxy import PROXIES, Decider, SparkPods, account_token, bearer, running_decider

from chartproof.apiserver import ApiServer
from kindling_dev.scenarios import CHARTS

_PEOPLE = "people"


@dataclass(frozen=True)
class Team:
    """A namespace made by spark-namespace: `anna` submits there, `vera` views, both service accounts of another."""

    server: ApiServer
    name: str

    @property
    def pods(self) -> SparkPods:
        """Its pods."""
        return SparkPods(self.server, self.name)

    def token(self, person: str) -> str:
        """A person's token."""
        return account_token(self.server, _PEOPLE, person)


def make_team(server: ApiServer, **more: Any) -> Team:
    """A new one, whose pods the proxy may watch."""
    name = f"team-{uuid4().hex[:8]}"
    values = {
        "namespace": {"name": name},
        "access": {
            "submitters": {"serviceAccounts": [{"namespace": _PEOPLE, "name": "anna"}], "users": ["ada"]},
            "viewers": {"serviceAccounts": [{"namespace": _PEOPLE, "name": "vera"}], "groups": ["on-call"]},
        },
        "global": {"uiProxy": {"namespace": PROXIES}},
        **more,
    }
    install = ["install", name, str(CHARTS / "spark-namespace"), "--namespace=kindling-system", "--create-namespace"]
    server.helm().run([*install, "--values=-"], json.dumps(values))
    return Team(server, name)


@pytest.fixture
def team(server: ApiServer) -> Team:
    """A team of its own for each test."""
    return make_team(server)


@pytest.fixture
def decider(server: ApiServer, team: Team, tmp_path: Path) -> Iterator[Decider]:
    """One that watches the team's namespace with a Role alone."""
    with running_decider(server, tmp_path / "d", {"namespaces": {"names": [team.name]}}) as decider:
        yield decider


def test_a_viewer_sees_an_application_and_a_submitter_ends_jobs_in_it(team: Team, decider: Decider) -> None:
    team.pods.driver("spark-1", ip="127.0.0.2")
    path = f"/{team.name}/proxy/spark-1"
    vera, anna, carla = (bearer(team.token(person)) for person in ("vera", "anna", "carla"))
    print(f"seen after {decider.wait(lambda: decider.authz(f'{path}/', vera).status == 200, 'routed'):.2f} s")
    seen = decider.authz(f"{path}/jobs/?id=1&doAs=root", vera)
    assert seen.headers["x-upstream"] == "127.0.0.2:4040"
    assert seen.headers["x-upstream-path"] == "/jobs/?id=1"
    assert seen.headers["x-context"] == path
    assert seen.headers["x-application"] == f"{team.name}/spark-1"
    kill = f"{path}/jobs/job/kill/"
    assert decider.authz(kill, vera, method="POST").reason == "kill-forbidden"
    assert decider.authz(kill, anna, method="POST").status == 200
    assert decider.authz(f"{path}/", carla).reason == "forbidden"
    assert decider.authz(f"{path}/", bearer("nonsense")).status == 401
    assert decider.authz(f"{path}/").status == 401
    assert {line["decision"] for line in decider.logged("audit")} == {"kill-forbidden", "ok", "forbidden"}
