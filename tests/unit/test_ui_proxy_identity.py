"""Whom spark-ui-proxy believes an authenticating ingress."""

from __future__ import annotations

from pathlib import Path

import pytest

from spark_ui_proxy.asked import Asked
from spark_ui_proxy.config import ConfigError, TrustedHeaders
from spark_ui_proxy.identity import AUTHENTICATED, BadIdentityError, HeaderReader

SECRET = "correct horse battery staple"
PROOF = {"x-spark-ui-proxy-secret": [SECRET]}


def reader(tmp_path: Path, **given: str) -> HeaderReader:
    """One that knows the secret."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    return HeaderReader(TrustedHeaders(**{"secret_file": str(tmp_path / "secret"), **given}))  # type: ignore[arg-type]


def test_the_ingress_names_user_and_groups(tmp_path: Path) -> None:
    headers = {**PROOF, "x-forwarded-user": ["anna"], "x-forwarded-groups": ["on-call, team-a,,"]}
    person = reader(tmp_path, user_prefix="oidc:", group_prefix="ad:").person(headers)
    assert person
    assert (person.user, person.groups) == ("oidc:anna", ("ad:on-call", "ad:team-a", AUTHENTICATED))


@pytest.mark.parametrize(
    "proof",
    [
        {},
        {"x-spark-ui-proxy-secret": [""]},
        {"x-spark-ui-proxy-secret": ["wrong"]},
        {"x-spark-ui-proxy-secret": [SECRET, SECRET]},
        {"x-spark-ui-proxy-secret": ["wrong", SECRET]},
        {"x-spark-ui-proxy-secret": [f"{SECRET}\udcff"]},
        {"x-client-verified": ["SUCCESS"]},
    ],
    ids=str,
)
def test_who_does_not_prove_itself_names_nobody(tmp_path: Path, proof: dict[str, list[str]]) -> None:
    assert reader(tmp_path).person({**proof, "x-forwarded-user": ["anna"]}) is None


def test_an_empty_secret_proves_nothing(tmp_path: Path) -> None:
    trusted = reader(tmp_path)
    (tmp_path / "secret").write_text("\n")
    assert trusted.person({"x-spark-ui-proxy-secret": [""], "x-forwarded-user": ["anna"]}) is None


def test_a_secret_that_can_be_guessed_is_refused(tmp_path: Path) -> None:
    trusted = reader(tmp_path)
    trusted.check()
    (tmp_path / "secret").write_text("short\n")
    with pytest.raises(ConfigError, match="has 5 bytes"):
        trusted.check()
    reader(tmp_path, proof="mtls", secret_file="/nowhere").check()


def test_a_client_certificate_that_nginx_verified_is_a_proof(tmp_path: Path) -> None:
    trusted = reader(tmp_path, proof="mtls")
    named = {"x-forwarded-user": ["anna"]}
    assert trusted.person({**named, "x-client-verified": ["SUCCESS"]})
    for verified in (["NONE"], ["FAILED:expired"], [""], [], ["SUCCESS", "SUCCESS"]):
        assert trusted.person({**named, "x-client-verified": verified}) is None
    assert trusted.person({**named, **PROOF}) is None


@pytest.mark.parametrize(
    ("user", "groups"),
    [
        (["system:admin"], []),
        (["system:serviceaccount:team-a:spark-driver"], []),
        (["anna"], ["on-call,system:masters"]),
        (["anna"], ["system:masters"]),
        (["anna"], ["on-call, system:nodes"]),
        (["anna", "bert"], []),
        (["anna"], ["on-call", "team-a"]),
        (["an\udcffna"], []),
        (["an\nna"], []),
    ],
    ids=str,
)
def test_no_ingress_may_name_kubernetes_own_or_two_at_once(tmp_path: Path, user: list[str], groups: list[str]) -> None:
    with pytest.raises(BadIdentityError):
        reader(tmp_path).person({**PROOF, "x-forwarded-user": user, "x-forwarded-groups": groups})


def test_a_separator_parts_groups_and_never_users(tmp_path: Path) -> None:
    headers = {**PROOF, "x-forwarded-user": ["cn=Anna,ou=Ops"], "x-forwarded-groups": ["cn=a,ou=x|cn=b,ou=y"]}
    person = reader(tmp_path, separator="|").person(headers)
    assert person
    assert (person.user, person.groups) == ("cn=Anna,ou=Ops", ("cn=a,ou=x", "cn=b,ou=y", AUTHENTICATED))


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ({"sec-fetch-site": ["same-origin"]}, True),
        ({"sec-fetch-site": ["cross-site"], "origin": ["https://spark.example.com"]}, False),
        ({"sec-fetch-site": ["same-site"]}, False),
        ({"sec-fetch-site": ["none"]}, False),
        ({"origin": ["https://spark.example.com"]}, True),
        ({"origin": ["https://SPARK.example.com:443"]}, True),
        ({"origin": ["https://spark.example.com:8443"]}, False),
        ({"origin": ["https://evil.com"], "referer": ["https://spark.example.com/"]}, False),
        ({"origin": ["null"]}, False),
        ({"origin": ["https://["]}, False),
        ({"referer": ["https://spark.example.com/team-a/proxy/app-1/jobs/"]}, True),
        ({"referer": ["https://spark.example.com.evil.com/"]}, False),
        ({"referer": ["https://spark.example.com@evil.com/"]}, False),
        ({}, False),
    ],
    ids=str,
)
def test_only_a_page_of_the_same_host_ends_jobs(headers: dict[str, list[str]], same: bool) -> None:
    assert Asked("POST", "/", "spark.example.com", headers).same_origin is same
