"""The history server: what a namespace's applications did, when they have ended."""

from __future__ import annotations

from typing import Any

import pytest
from history import History
from team import Team

OTHER_USER: dict[str, Any] = {
    "driver": {"podTemplate": {"spec": {"securityContext": {"runAsUser": 10001}}}, "requestCores": "200m"}
}


@pytest.fixture
def history(team: Team) -> History:
    """A server whose logs are on a claim."""
    return History(team, {"store": "claim"})


def test_an_application_of_another_user_is_shown_when_it_has_ended(history: History) -> None:
    history.install()
    application = history.run("other", **OTHER_USER)
    (attempt,) = history.application(application)["attempts"]
    assert attempt["sparkUser"] == "spark-10001"
    (query,) = history.ask(f"applications/{application}/sql")
    assert query["status"] == "COMPLETED"
