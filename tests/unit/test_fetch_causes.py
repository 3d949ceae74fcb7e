"""What is made of the errors of dependencies that Spark does not get, as Spark 4.3.0 and 3.5.9 printed them.

``fetch_logs`` has what drivers printed with each fault, without most stack frames; those of 3.5.9 end in "-3.5".
What they asked was on loopback: a server of HTTP with and without TLS, an HTTP proxy, versitygw as S3, a NameNode.
Names of public repositories are ".example" here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import addresses
import pytest
from failed_pods import finding, message

from kindling import cli, driver_log
from kindling.causes import explain
from kindling.causes.fetch_faults import FAULTS, FETCHES, MOST_NOTES, fault_of
from kindling.causes.known_faults import first_of
from kindling.facts import Container, Pod, Run
from kindling_dev.generate import SHARED_PROGRAMS, shared_program
from kindling_dev.settings import REPO

LOGS = Path(__file__).parent / "fetch_logs"
SOME_FILE = "a file of app.file, app.jars, app.pyFiles, app.files or app.archives"
"""What stands for an address that the error does not name."""
HTTP, S3 = "http://files.example", "s3a://jars/x.jar"
PACKAGE = "org.nosuch:lib_2.13:1.0"
FOUND = {
    "http-404": ("fetch-not-found", f"{HTTP}/404/x.jar", "correct the address"),
    "http-404-app-3.5": ("fetch-not-found", f"{HTTP}/404/app.py", "correct the address"),
    "http-404-files": ("fetch-not-found", f"{HTTP}/404/x.csv", "correct the address"),
    "http-404-files-3.5": ("fetch-not-found", f"{HTTP}/404/x.csv", "correct the address"),
    "http-403": ("fetch-denied", f"{HTTP}/403/x.jar", "driver.initContainers"),
    "http-401-files": ("fetch-denied", f"{HTTP}/401/x.csv", "global.s3.secret"),
    "http-403-archives-3.5": ("fetch-denied", f"{HTTP}/403/x.tgz ", "global.ivySettings"),
    "http-403-user": ("fetch-denied", f"{HTTP}/403/x.jar without", "global.s3.secret"),
    "http-410": ("fetch-not-found", f"{HTTP}/410/x.jar", "correct the address"),
    "http-400": ("fetch-refused", f"{HTTP}/400/x.jar (HTTP 400)", "correct the address"),
    "http-429": ("fetch-server-error", f"{HTTP}/429/x.jar has a problem, or too much to do (HTTP 429)", "run it again"),
    "http-503": ("fetch-server-error", f"{HTTP}/503/x.jar", "run it again"),
    "host": ("fetch-host-unknown", "nosuch.example", "network.egress"),
    "host-pyfiles-3.5": ("fetch-host-unknown", "nosuch.example", "global.proxy.url"),
    "host-files": ("fetch-host-unknown", "https://nosuch.example/x.csv", "correct the address"),
    "host-files-of-java": ("fetch-host-unknown", "https://nosuch.example/x.csv", "correct the address"),
    "refused": ("fetch-unreachable", SOME_FILE, "network.egress"),
    "refused-files": ("fetch-unreachable", "https://files.example:8443/x.csv", "global.proxy.url"),
    "refused-files-3.5": ("fetch-unreachable", "https://files.example:8443/x.csv", "global.proxy.url"),
    "timeout": ("fetch-unreachable", SOME_FILE, "network.egress"),
    "timeout-3.5": ("fetch-unreachable", SOME_FILE, "network.egress"),
    "read-timeout": ("fetch-unreachable", "does not answer", "network.egress"),
    "tls": ("fetch-not-trusted", SOME_FILE, "global.trust.configMap"),
    "tls-3.5": ("fetch-not-trusted", SOME_FILE, "global.trust.configMap"),
    "tls-files": ("fetch-not-trusted", "https://files.example/200/x.csv", "global.trust.configMap"),
    "tls-name": ("fetch-other-name", "the certificate of proxy.example", "write the name that the certificate has"),
    "tls-address": ("fetch-other-name", "the certificate of 192.0.2.1", "write the name that the certificate has"),
    "tls-expired": ("fetch-expired", SOME_FILE, "ask the server's admin"),
    "tls-expired-3.5": ("fetch-expired", SOME_FILE, "ask the server's admin"),
    "tls-old": ("fetch-tls", SOME_FILE, "TLS 1.2"),
    "tls-old-3.5": ("fetch-tls", SOME_FILE, "TLS 1.2"),
    "tls-client-3.5": ("fetch-unreachable", SOME_FILE, "a certificate of clients"),
    "reset": ("fetch-unreachable", f"ends the connection by which Spark asks for {SOME_FILE}", "run it again"),
    "reset-files": ("fetch-unreachable", f"{HTTP}/200/reset.csv", "correct the address's port"),
    "no-answer": ("fetch-unreachable", SOME_FILE, "run it again"),
    "tls-plain": ("fetch-no-tls", SOME_FILE, "write http://"),
    "proxy": ("fetch-proxy", SOME_FILE, "global.proxy.url"),
    "proxy-407-3.5": ("fetch-proxy", SOME_FILE, "global.proxy.url"),
    "proxy-407-plain": ("fetch-proxy", "http://other.example/200/x.jar", "global.proxy.url"),
    "archive-zip": ("fetch-archive", f"{HTTP}/200/broken.zip is no archive", "what the server gives"),
    "archive-zip-3.5": ("fetch-archive", f"{HTTP}/200/broken.zip is no archive", "what the server gives"),
    "archive-tgz": ("fetch-archive", f"{HTTP}/200/broken.tgz is no archive", ".tar.gz"),
    "archive-tgz-3.5": ("fetch-archive", f"{HTTP}/200/broken.tgz is no archive", ".tar.gz"),
    "local-app": ("file-not-found", "the file /opt/missing.py does not exist", "--set-file app.source"),
    "local-app-3.5": ("file-not-found", "the file /opt/missing.py does not exist", "--set-file app.source"),
    "local-jar": ("file-not-found", "the file /opt/missing.jar does not exist", "correct app.file"),
    "local-jar-3.5": ("file-not-found", "the file /opt/missing.jar does not exist", "correct app.file"),
    "local-files": ("file-not-found", "the file /opt/missing.csv does not exist", "what else of app names it"),
    "local-files-3.5": ("file-not-found", "the file /opt/missing.csv does not exist", "what else of app names it"),
    "local-archives": ("file-not-found", "the file /opt/missing.tgz does not exist", "what else of app names it"),
    "scheme-s3": ("fetch-scheme", "not by s3://", "write s3a://"),
    "scheme-s3-files-3.5": ("fetch-scheme", "not by s3://", "write s3a://"),
    "scheme-unknown": ("fetch-scheme", "foo://", "hdfs://"),
    "s3-no-key": ("fetch-not-found", S3, "correct the address"),
    "s3-no-key-files": ("fetch-not-found", "s3a://jars/x.csv", "correct the address"),
    "s3-no-bucket": ("fetch-no-bucket", "s3a://nosuch/x.jar", "global.s3.endpoint"),
    "s3-wrong-secret": ("fetch-denied", S3, "global.s3.secret"),
    "s3-no-credentials": ("fetch-no-credentials", S3, "global.s3.secret.name"),
    "s3-no-credentials-default": ("fetch-no-credentials", S3, "AWS_ACCESS_KEY_ID"),
    "s3-no-library": ("class-not-found", "org.apache.hadoop.fs.s3a.S3AFileSystem", "set image to one with hadoop-aws"),
    "s3-no-library-3.5": ("class-not-found", SOME_FILE, "in mode cluster it may be in app.packages"),
    "s3-tls-name": ("fetch-other-name", f"store.example is of other hosts, so Java does not fetch {S3}", "admin"),
    "s3-host": ("fetch-host-unknown", f"nosuch.example, where Spark looks for {S3}", "network.egress"),
    "s3-refused": ("fetch-unreachable", f"store.example:7071 takes no connection for {S3}", "network.egress"),
    "s3-tls": ("fetch-not-trusted", S3, "global.trust.configMap"),
    "hdfs-no-file": ("fetch-not-found", "hdfs://namenode.example:8020/x.jar", "correct the address"),
    "hdfs-no-file-files": ("fetch-not-found", "hdfs://namenode.example:8020/x.csv", "correct the address"),
    "hdfs-no-file-3.5": ("fetch-not-found", "hdfs://namenode.example:8020/x.jar", "correct the address"),
    "hdfs-refused": ("fetch-unreachable", f"namenode.example:8021 takes no connection for {SOME_FILE}", "egress"),
    "hdfs-host": ("fetch-host-unknown", "nosuch.example", "global.hadoop.configMap"),
    "packages-404": ("packages-not-found", PACKAGE, "app.packages"),
    "packages-401": ("packages-not-found", f"{PACKAGE}, org.other:lib:2.0", "its password"),
    "packages-half": ("packages-not-found", "org.half:lib:1.0", "app.repositories"),
    "packages-bad": ("packages-malformed", "nosuch is not of the form", "app.packages"),
    "settings-missing": ("packages-settings", "in /opt/ivysettings.xml", "global.ivySettings"),
    "settings-missing-3.5": ("packages-settings", "in /opt/ivysettings.xml", "global.ivySettings"),
    "settings-broken": ("packages-settings", "in /fetch/ivybroken.xml", "global.ivySettings"),
    "packages-central": ("packages-unreachable", "https://central.example/maven2/", "global.ivySettings"),
    "packages-central-3.5": ("packages-unreachable", "https://central.example/maven2/", "global.proxy.url"),
    "packages-refused": ("packages-unreachable", "http://repo.example:8081/org/nosuch", "app.repositories"),
    "packages-refused-3.5": ("packages-unreachable", "http://repo.example:8081/org/nosuch", "app.repositories"),
    "packages-503": ("packages-unreachable", "http://repo.example/503/org/nosuch", "global.ivySettings"),
    "packages-tls": ("fetch-not-trusted", "https://repo.example/200/org/nosuch", "global.trust.configMap"),
    "packages-tls-3.5": ("fetch-not-trusted", "https://repo.example/200/org/nosuch", "global.trust.configMap"),
    "packages-proxy": ("fetch-proxy", "https://repo.example/200/org/half", "global.proxy.url"),
}
"""Name of a log -> id of the finding, words of its cause and of its cure."""
NAMED = {
    "http-404": ([(f"{HTTP}/404/x.jar", "app.jars"), (f"{HTTP}/y.csv", "app.files")], f"{HTTP}/404/x.jar of app.jars"),
    "http-404-app-3.5": ([(f"{HTTP}/404/app.py", "app.file")], f"{HTTP}/404/app.py of app.file"),
    "http-404-files": ([(f"{HTTP}/404/x.csv", "app.files")], f"{HTTP}/404/x.csv of app.files"),
    "http-403-user": ([(f"{HTTP}/403/x.jar", "app.jars")], f"{HTTP}/403/x.jar of app.jars without"),
    "host": (
        [("https://nosuch.example/x.jar", "app.jars"), (S3, "app.jars")],
        "https://nosuch.example/x.jar of app.jars",
    ),
    "host-pyfiles-3.5": (
        [("https://nosuch.example/x.py", "app.pyFiles")],
        "https://nosuch.example/x.py of app.pyFiles",
    ),
    "host-files": ([("https://nosuch.example/x.csv", "app.files")], "https://nosuch.example/x.csv of app.files"),
    "timeout": ([("https://far.example/x.jar", "app.jars")], "for https://far.example/x.jar of app.jars"),
    "timeout-3.5": (
        [("https://far.example/x.jar", "app.jars"), ("https://far.example/x.tgz", "app.archives")],
        "one of https://far.example/x.tgz of app.archives, https://far.example/x.jar of app.jars",
    ),
    "read-timeout": ([("https://far.example/x.py", "app.pyFiles")], "https://far.example/x.py of app.pyFiles"),
    "refused": ([("https://far.example/x.jar", "app.jars")], "https://far.example/x.jar of app.jars"),
    "http-403-archives-3.5": ([(f"{HTTP}/403/x.tgz", "app.archives")], f"{HTTP}/403/x.tgz of app.archives"),
    "tls": ([("https://far.example/x.jar", "app.jars")], "https://far.example/x.jar of app.jars"),
    "s3-no-key": ([(S3, "app.jars")], f"{S3} of app.jars"),
    "hdfs-no-file-files": (
        [("hdfs://namenode.example:8020/x.csv", "app.files")],
        "hdfs://namenode.example:8020/x.csv of app.files",
    ),
    "packages-refused": ([("http://repo.example:8081", "app.repositories")], "of app.repositories"),
    "packages-404": ([("https://far.example/x.jar", "app.jars")], PACKAGE),
}
"""Name of a log -> addresses with the values that name them, words of its cause."""
OF_APPLICATIONS = ("of-application-add-file", "of-application-s3", "of-application-s3-denied")
"""Logs of applications that did not get what they asked for themselves."""


def log(name: str) -> list[str]:
    """The lines of a captured log."""
    return (LOGS / f"{name}.log").read_text().splitlines()


def test_each_captured_log_is_of_a_fetch() -> None:
    assert {path.name.removesuffix(".log") for path in LOGS.iterdir()} == {*FOUND, *OF_APPLICATIONS}


def test_each_fault_of_a_fetch_is_in_a_log() -> None:
    seen = {found[0] for name in FOUND if (found := first_of(FAULTS, "\n".join(log(name))))}
    assert seen == set(FAULTS)


@pytest.mark.parametrize("name", FOUND)
def test_why_names_address_and_cure_of_a_fetch(name: str) -> None:
    id_, cause, cure = FOUND[name]
    found = finding(log(name))
    assert (found.id, found.about) == (id_, "driver")
    assert cause in found.cause
    assert cure in found.cure
    assert found.evidence[0].message in (line.strip() for line in log(name))
    assert "{" not in found.cause + found.cure


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_why_names_the_value_of_an_address(name: str, mode: str, tmp_path: Path, monkeypatch: Any) -> None:
    named, words = NAMED[name]
    by_value: dict[str, list[str]] = {}
    for address, value in named:
        by_value.setdefault(value, []).append(f"{address}?signature=1")
    (tmp_path / "addresses.json").write_text(json.dumps(by_value))
    monkeypatch.setattr(addresses, "_FILE", tmp_path / "addresses.json")
    told = addresses.told()
    assert "signature" not in "".join(told)
    if mode == "client":
        found = finding([*told, *log(name)])
    else:
        pod = Pod("d", "driver", "Failed", containers=(Container("driver", state="terminated", exit_code=1),))
        run = Run("job", "team", drivers=(pod,), log=tuple(log(name)), log_of="d", dependencies=tuple(told))
        (found,) = explain(run).findings
    assert words in found.cause
    assert "{" not in found.cause + found.cure
    values = {value for _, value in named if value not in ("app.repositories",)}
    if "correct the address" in found.cure and "packages" not in name and "'s port" not in found.cure:
        assert any(f"correct the address in {value}" in found.cure for value in values) or " or app." in found.cure
    assert message(log(name), told).startswith(f"{found.cause}; {found.cure}: ")


def test_many_addresses_are_counted() -> None:
    lines = [f"{FETCHES}https://far.example/{number}.jar (app.jars)" for number in range(5)]
    assert "https://far.example/2.jar of app.jars, 2 others" in finding([*lines, *log("timeout")]).cause


def test_a_run_that_fetches_nothing_prints_nothing(capsys: Any) -> None:
    assert (addresses.told(), capsys.readouterr().out) == ([], "")


def test_a_connect_server_is_told_of_sparkconf() -> None:
    for name in FOUND:
        container = Container("driver", state="terminated", reason="Error", exit_code=1)
        pod = Pod("shared-0", "driver", "Failed", containers=(container,), chart="spark-connect")
        run = Run("shared", "team", chart="spark-connect", drivers=(pod,), log=tuple(log(name)), log_of=pod.name)
        (found,) = explain(run).findings
        assert found.id == FOUND[name][0]
        assert "app." not in (found.cause + found.cure).replace("/app.", "/"), "spark-connect has no such value"
        assert "submitter" not in found.cure


@pytest.mark.parametrize("name", FOUND)
def test_a_termination_message_names_the_address(name: str) -> None:
    found = finding(log(name))
    assert message(log(name)).startswith(f"{found.cause}; {found.cure}: ")


def test_a_submitter_s_fetch_is_explained() -> None:
    found = finding(log("packages-404"), role="submitter", exit_code=78)
    assert (found.id, found.about) == ("packages-not-found", "submitter")


@pytest.mark.parametrize("name", OF_APPLICATIONS)
def test_what_an_application_reads_is_no_dependency(name: str) -> None:
    found = finding(log(name))
    assert found.id == "python-exception"
    assert message(log(name)).startswith(("py4j.protocol.Py4JJavaError: ", "pyspark.errors."))


def test_a_repository_that_was_not_needed_is_not_told() -> None:
    notes = [line for line in log("packages-tls") if "Server access error" in line]
    assert finding([*notes, *log("http-404")]).id == "fetch-not-found"
    assert message([*notes, *log("http-404")]).startswith("the server has no ")


def test_a_fetch_is_explained_from_a_log_of_json() -> None:
    added, *rest = log("refused-files")
    entry = {
        "ts": "2026-11-29T05:44:00.000Z",
        "level": "INFO",
        "logger": "SparkContext",
        "msg": added.partition(": ")[2],
    }
    lines = [json.dumps(entry), *rest]
    found = finding(driver_log.plain(lines))
    assert "https://files.example:8443/x.csv" in found.cause
    assert message(lines).startswith(f"{found.cause}; {found.cure}: ")


def test_the_signature_of_an_address_is_not_in_the_cause() -> None:
    lines = [line.replace("x.jar", "x.jar?X-Amz-Signature=0") for line in log("http-403")]
    assert "http://files.example/403/x.jar without" in finding(lines).cause


def test_a_program_that_chose_its_exit_code_fetched_all() -> None:
    assert finding(log("http-404"), exit_code=3).id != "fetch-not-found"


def test_a_missing_file_of_the_image_is_not_all_that_fails() -> None:
    lines = [*log("local-app"), "Traceback (most recent call last):", '  File "app.py", line 1', "KeyError: 'x'"]
    assert finding(lines).id == "python-exception"
    assert message(lines) == "KeyError: 'x'"


def test_a_hostile_log_of_a_fetch_is_read_in_time() -> None:
    frame = "\tat org.apache.spark.deploy.SparkSubmit.prepareSubmitEnvironment(SparkSubmit.scala:1)"
    fillers = (
        "a",
        "a.",
        " to a",
        "http://",
        "http://a@",
        "Connect to ",
        "UnknownHostException: ",
        "Certificate for <a",
    )
    for filler in (*fillers, "unresolved dependency: ", "can't open file 'a", "Local jar a", "Class a"):
        hostile = f"FileNotFoundException: https://{filler * (64 * 1024 // len(filler))}"
        found = fault_of(f"{hostile}\n{frame}", [hostile] * MOST_NOTES)
        assert found is not None
        assert len(found.cause) < 2000
        assert message(['Exception in thread "main" ' + hostile, frame])


@pytest.mark.parametrize("name", SHARED_PROGRAMS)
def test_programs_that_charts_share_are_copies(name: str) -> None:
    assert (REPO / "charts" / name).read_text() == shared_program(name), "run scripts/generate"


def test_each_id_of_a_fetch_is_in_the_manual() -> None:
    ids = {fault.id for fault in FAULTS}
    guide = (REPO / "docs/guides/does-not-start.md").read_text()
    assert {id_ for id_ in ids if f"`{id_}`" not in guide} == set()
    assert {id_ for id_ in ids if id_ not in (cli.__doc__ or "")} == set()
