"""``kindling preflight`` on a namespace made by spark-namespace, on one that is not, and asked by a submitter."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from grants import bind, service_account
from kerberised import Kerberised
from secure_hdfs import REALM, SecureHdfs
from team import Team
from tool import kindling, quota, submitter_kubeconfig

from chartproof import Cluster


def preflight(kubeconfig: Path, namespace: str, *argv: str) -> tuple[int, dict[str, dict[str, str]], dict[str, Any]]:
    """Exit code, checks by id, and the whole answer."""
    done = kindling(kubeconfig, "preflight", "-n", namespace, "--json", *argv)
    answer = json.loads(done.stdout)
    return done.returncode, {check["id"]: check for check in answer["checks"]}, answer


def test_a_team_s_namespace_is_ready(team: Team) -> None:
    quota(team, pods="1")
    code, checks, answer = preflight(team.cluster.kubeconfig, team.name)
    assert (code, answer["ready"]) == (0, True)
    for name in ("you", "spark-submitter", "spark-driver", "spark-executor"):
        assert checks[f"rights-{name}"]["state"] == "ok", checks
    for name in ("kubernetes-version", "dns", "storage", "pod-security", "releases"):
        assert checks[name]["state"] == "ok", checks
    assert checks["capacity"]["state"] in ("ok", "warn")
    assert " CPUs and " in checks["capacity"]["what"]
    assert checks["guard"]["what"] == "guard: 6 policies judge what this namespace holds"
    assert checks["quota"]["state"] == "warn"
    assert "pods 0 of 1 used" in checks["quota"]["what"]


def test_a_namespace_without_accounts_fails_and_the_cure_is_named(
    cluster: Cluster, new_namespace: Callable[..., str]
) -> None:
    code, checks, answer = preflight(cluster.kubeconfig, new_namespace("bare"))
    assert (code, answer["ready"]) == (1, False)
    assert checks["rights-spark-driver"]["state"] == "fail"
    assert "create pods" in checks["rights-spark-driver"]["what"]
    assert "spark-namespace" in checks["rights-spark-driver"]["cure"]
    assert checks["pod-security"]["state"] == "fail"


def test_an_account_with_a_right_too_many_fails(team: Team) -> None:
    executor = service_account(team.name, "spark-executor")
    bind(team.cluster, team.name, [executor], "ClusterRole/view", "list pods")
    code, checks, _ = preflight(team.cluster.kubeconfig, team.name)
    assert code == 1
    assert "has too much: list pods" in checks["rights-spark-executor"]["what"]


def test_a_submitter_learns_what_he_may_and_what_was_not_checked(team: Team, tmp_path: Path) -> None:
    submitter = submitter_kubeconfig(team, tmp_path)
    code, checks, answer = preflight(submitter, team.name)
    assert code == 0
    assert checks["rights-you"]["state"] == "ok"
    assert {check["state"] for name, check in checks.items() if "not checked" in check["what"]} == {"warn"}
    assert "not checked" in checks["dns"]["what"]
    assert all(entry["allowed"] is None for entry in answer["rights"] if entry["identity"] == "spark-driver")
    printed = kindling(submitter, "preflight")
    assert printed.returncode == 0
    assert f"rights in {team.name}" in printed.stdout
    assert "\x1b" not in printed.stdout


def test_no_cluster_is_one_line(tmp_path: Path) -> None:
    done = kindling(tmp_path / "none", "preflight")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


@pytest.fixture
def kerberised(secure_hdfs: SecureHdfs, team: Team) -> Kerberised:
    """A team with alice's keytab."""
    made = Kerberised(team, secure_hdfs)
    made.prepare("alice")
    return made


def of_kerberos(kerberised: Kerberised, folder: Path, kubeconfig: Path, **kerberos: Any) -> dict[str, dict[str, str]]:
    """The checks of what a team's values name, by id."""
    values = folder / "common.yaml"
    facts = kerberised.facts()
    facts["kerberos"] |= kerberos
    values.write_text(yaml.safe_dump({"global": facts}))
    team = kerberised.team
    _, checks, _ = preflight(kubeconfig, team.name, f"--values={values}")
    return {name: checks[name] for name in ("keytab", "guard-keytab", "krb5-conf", "hadoop-conf")}


def test_facts_about_kerberos_that_are_right(kerberised: Kerberised, tmp_path: Path) -> None:
    admin = kerberised.team.cluster.kubeconfig
    checks = of_kerberos(kerberised, tmp_path, admin)
    assert {check["state"] for check in checks.values()} == {"ok"}, checks
    assert checks["keytab"]["what"] == f"keytab: Secret alice-keytab has keys of alice@{REALM}"
    assert f"realm {REALM} has 1 KDC(s)" in checks["krb5-conf"]["what"]
    submitter = submitter_kubeconfig(kerberised.team, tmp_path)
    asked = of_kerberos(kerberised, tmp_path, submitter)
    assert asked["keytab"]["what"] == "keytab: not checked, you may not read Secret alice-keytab"
    assert {check["state"] for check in asked.values()} <= {"ok", "warn"}


def test_facts_about_kerberos_that_are_wrong(kerberised: Kerberised, tmp_path: Path) -> None:
    team, admin = kerberised.team, kerberised.team.cluster.kubeconfig

    def told(name: str, **kerberos: Any) -> str:
        check = of_kerberos(kerberised, tmp_path, admin, **kerberos)[name]
        assert check["state"] == "fail", check
        assert check["cure"]
        return check["what"]

    whose = f"keytab: Secret alice-keytab has keys of alice@{REALM}, not of bob@{REALM}"
    assert told("keytab", principal=f"bob@{REALM}") == whose
    assert told("keytab", keytab={"name": "none"}) == "keytab: Secret none does not exist"
    assert told("guard-keytab", keytab={"name": "none"}) == "guard: pods may not use Secret none"
    assert told("keytab", keytab={"name": "alice-keytab"}) == "keytab: Secret alice-keytab has no key keytab"
    kerberised.give_secret("text", "keytab", b"alice")
    assert told("keytab", keytab={"name": "text"}) == "keytab: keytab of Secret text cannot be read: it is no keytab"
    other = told("krb5-conf", principal="alice@OTHER.EXAMPLE")
    assert other == "krb5.conf of ConfigMap krb5-conf names no KDC of realm OTHER.EXAMPLE"
    assert told("krb5-conf", configMap="none") == "ConfigMap none does not exist"
    for file, name, says in (
        ("hdfs-site.xml", "dfs.data.transfer.protection", "is missing"),
        ("hdfs-site.xml", "dfs.namenode.kerberos.principal", "is missing"),
        ("core-site.xml", "hadoop.security.authentication", "is missing, not kerberos"),
    ):
        text = kerberised.hdfs.client_configuration["hadoop-conf"][file].replace(f"<name>{name}<", "<name>other<")
        team.kubectl("patch", "configmap", "hadoop-conf", f"--patch={json.dumps({'data': {file: text}})}")
        assert told("hadoop-conf") == f"{file} of ConfigMap hadoop-conf: {name} {says}"
        right = kerberised.hdfs.client_configuration["hadoop-conf"][file]
        team.kubectl("patch", "configmap", "hadoop-conf", f"--patch={json.dumps({'data': {file: right}})}")


def test_hadoop_without_kerberos_needs_no_setting(team: Team, tmp_path: Path) -> None:
    team.kubectl("create", "configmap", "tables", "--from-literal=hive-site.xml=<configuration/>")
    values = tmp_path / "common.yaml"
    values.write_text(yaml.safe_dump({"global": {"hadoop": {"configMap": "tables"}}}))
    _, checks, _ = preflight(team.cluster.kubeconfig, team.name, f"--values={values}")
    assert checks["hadoop-conf"]["state"] == "ok"


def test_values_that_are_none_are_one_line(team: Team, tmp_path: Path) -> None:
    file = tmp_path / "common.yaml"
    file.write_text("- no values")
    for name in (file, tmp_path / "none.yaml"):
        done = kindling(team.cluster.kubeconfig, "preflight", f"--values={name}")
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
        assert "give the team's common.yaml" in done.stderr
