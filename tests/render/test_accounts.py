"""spark-namespace's accounts: who they are, what they may do, and who asks for their tokens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from refusals import RefusalOf, Values

from chartproof import Manifest, Render
from chartproof.checks import Rendered
from chartproof.pods import pods

ALICE = {"name": "alice", "role": "submitter"}
CARL = {"users": ["carl@example.com"]}


def subjects(manifest: Manifest, binding: str) -> list[str]:
    """Names of who is bound."""
    return [subject["name"] for subject in manifest.one("RoleBinding", binding).body["subjects"]]


@pytest.mark.check(5)
def test_each_part_has_an_account_of_its_own_and_those_alone_have_a_token_that_ask_the_api(
    render_namespace: Render, render_job: Render, charts: Path
) -> None:
    team = render_namespace(**{"global": {"uiProxy": {"namespace": "proxies"}}})
    made = [account.name for account in team.all("ServiceAccount")]
    of_four = ["spark-driver", "spark-executor", "spark-history", "spark-submitter"]
    assert [*sorted(made), *subjects(team, "ui-proxy")] == [*of_four, "spark-ui-proxy"]
    runs = {mode: render_job(mode=mode) for mode in ("client", "cluster")}
    with_token = set()
    for manifest in (team, *runs.values()):
        for pod in pods(Rendered(manifest, charts / "spark-job", "nightly", "team-a")):
            if not pod.key:  # Spark gives accounts to those that it completes
                assert pod.spec["automountServiceAccountToken"] is True, pod.about
                with_token.add(pod.spec["serviceAccountName"])
            assert pod.key != "executor.yaml" or pod.spec["automountServiceAccountToken"] is False
    assert with_token == {"spark-driver", "spark-submitter"}
    accounts = re.findall(r"authenticate\.(\w+)\.serviceAccountName=(\S+)", runs["cluster"].text)
    assert set(accounts) == {("driver", "spark-driver"), ("executor", "spark-executor")}


def test_an_account_may_ask_for_tokens_of_its_own_alone(render_namespace: Render) -> None:
    manifest = render_namespace(accounts=[ALICE])
    assert manifest.one("Role", "tokens-of-alice").body["rules"] == [
        {"apiGroups": [""], "resources": ["serviceaccounts/token"], "resourceNames": ["alice"], "verbs": ["create"]}
    ]
    assert subjects(manifest, "tokens-of-alice") == ["alice"]
    assert manifest.one("ServiceAccount", "alice").body["automountServiceAccountToken"] is False


def test_where_it_has_owners_it_may_not(render_namespace: Render) -> None:
    manifest = render_namespace(accounts=[{**ALICE, "owners": CARL}])
    assert subjects(manifest, "tokens-of-alice") == ["carl@example.com"]


@pytest.mark.parametrize(("role", "granted"), [("submitter", "access-submitters"), ("viewer", "access-viewers")])
def test_its_role_is_that_of_people(render_namespace: Render, role: str, granted: str) -> None:
    manifest = render_namespace(accounts=[{"name": "alice", "role": role}])
    assert manifest.one("RoleBinding", "account-alice").body["roleRef"]["name"] == granted
    assert {resource.name for resource in manifest.all("Role") if resource.name.startswith("access-")} == {granted}


def test_a_drivers_account_needs_no_annotations(render_namespace: Render) -> None:
    manifest = render_namespace(driver={"accounts": [{"name": "anna"}, {"name": "ben", "annotations": {"a": "b"}}]})
    assert subjects(manifest, "spark-driver-others") == ["anna", "ben"]
    assert "annotations" not in manifest.one("ServiceAccount", "anna").body["metadata"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"accounts": [ALICE, {**ALICE, "role": "viewer"}]}, "accounts names alice twice"),
        (
            {"accounts": [{**ALICE, "name": "spark-driver"}]},
            "accounts names spark-driver twice, or as a service account",
        ),
        (
            {"driver": {"accounts": [{"name": "default"}]}},
            "driver.accounts names default twice, or as a service account",
        ),
        ({"accounts": [{**ALICE, "name": "default"}]}, "accounts names default twice, or as a service account"),
        (
            {"accounts": [ALICE], "global": {"serviceAccounts": {"driver": "tokens-of-alice"}}},
            "global.serviceAccounts names an account tokens-of-alice, as a Role or binding of accounts is named",
        ),
        (
            {"accounts": [{**ALICE, "owners": {"groups": ["system:authenticated"]}}]},
            "accounts: owners of alice.groups names system:authenticated, which Kubernetes itself gives out",
        ),
        (
            {"accounts": [{**ALICE, "owners": {"serviceAccounts": [{"namespace": "team-a", "name": "ci"}]}}]},
            "accounts: owners of alice.serviceAccounts names ci of the team's own namespace",
        ),
        ({"accounts": [{"name": "alice"}]}, "role"),
        ({"accounts": [{**ALICE, "owners": {}}]}, "owners"),
    ],
)
def test_accounts_that_cannot_work_are_refused_in_a_line(
    render_namespace: Render, refusal_of: RefusalOf, values: Values, words: str
) -> None:
    assert words in refusal_of(render_namespace, values)
