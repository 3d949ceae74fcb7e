"""Plugins of the whole suite; what Kindling declares to the rules: what is not in a release, what passes and why."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chartproof.checks import Rule
from chartproof.review import Exemption, Review, external
from chartproof.rules import default_rules
from chartproof.scenarios import Scenario
from chartproof.schemas import fits
from kindling_dev.kubernetes_versions import RENDERED_AT
from kindling_dev.scenarios import SCENARIOS

pytest_plugins = ["pytester", "browser", "run_log"]

_BY_SPARK_NAMESPACE = "spark-namespace makes it; global.serviceAccounts names it in both charts"
_BY_THE_USER = "the scenario's user made it, and names it in values"
_USERS_CONTAINER = "the user's own container: its values say what it asks for"
EXEMPTIONS = [
    external("ServiceAccount", "spark-submitter", _BY_SPARK_NAMESPACE),
    external("ServiceAccount", "spark-driver", _BY_SPARK_NAMESPACE),
    external("ServiceAccount", "spark-executor", _BY_SPARK_NAMESPACE),
    external("ServiceAccount", "executor", _BY_SPARK_NAMESPACE),
    external("ServiceAccount", "another", _BY_THE_USER),
    external("ServiceAccount", "spark-history", _BY_SPARK_NAMESPACE),
    external("ServiceAccount", "submitter", _BY_SPARK_NAMESPACE),
    external("ServiceAccount", "driver", _BY_SPARK_NAMESPACE),
    external("ServiceAccount", "history", _BY_SPARK_NAMESPACE),
    external("ServiceAccount", "*ui-proxy", "spark-ui-proxy's own chart makes it; global.uiProxy names it in both"),
    external("ServiceAccount", "deployer", _BY_THE_USER),
    external("ServiceAccount", "on-call", "scripts/up makes it"),
    external("ServiceAccount", "reader", _BY_THE_USER),
    external("ServiceAccount", "other", _BY_THE_USER),
    external("ServiceAccount", "hub", "JupyterHub's: examples/jupyterhub"),
    external("ConfigMap", "settings", _BY_THE_USER),
    external("PersistentVolumeClaim", "flights", _BY_THE_USER),
    external("PersistentVolumeClaim", "shared", _BY_THE_USER),
    external(
        "PersistentVolumeClaim", "our-logs", "spark-history-server makes it; global.eventLog names it in all charts"
    ),
    external("PersistentVolumeClaim", "spark-events", "the same; with claim.create: false the user made it"),
    external("ConfigMap", "company-ca", _BY_THE_USER),
    external("ConfigMap", "our-hadoop", _BY_THE_USER),
    external("ConfigMap", "our-krb5", _BY_THE_USER),
    external("ConfigMap", "spark-hadoop", _BY_SPARK_NAMESPACE),
    external("ConfigMap", "spark-krb5", _BY_SPARK_NAMESPACE),
    external("PersistentVolumeClaim", "tickets", _BY_THE_USER),
    external("Secret", "event-log-store", _BY_THE_USER),
    external("Secret", "etl-keytab", _BY_THE_USER),
    external("Secret", "s3-account", _BY_THE_USER),
    external("Secret", "maven-settings", _BY_THE_USER),
    external("Secret", "hdfs-tokens", _BY_THE_USER),
    external("Secret", "history-key", _BY_THE_USER),
    external("Secret", "history-tls", _BY_THE_USER),
    external("Secret", "password", _BY_THE_USER),
    external("Secret", "notebook-token", _BY_THE_USER),
    external("Secret", "connect-token", _BY_THE_USER),
    external("Secret", "connect-tls", _BY_THE_USER),
    external("Secret", "registry", _BY_THE_USER),
    external("Secret", "spark-auth", "an admin made it: docs/guides/hardened.md"),
    external("Secret", "of-the-*", "the same, under another name"),
    external("Secret", "certificate", _BY_THE_USER),
    external("Secret", "ingress-*", _BY_THE_USER),
    external("Secret", "session", _BY_THE_USER),
    external("Secret", "spark-ui-proxy-session", "an admin made it: NOTES.txt of spark-ui-proxy"),
    Exemption(
        "cluster-roles", "ClusterRole*/*:*", "of spark-ui-proxy's values that ask for it: namespaces, rbac.reviews"
    ),
    Exemption("resources", "Job/*", _USERS_CONTAINER, says="container agent has no *"),
    Exemption("resources", "Job/*", _USERS_CONTAINER, says="container prepare has no *"),
    Exemption("resources", "StatefulSet/*", _USERS_CONTAINER, says="container agent has no *"),
    Exemption("resources", "StatefulSet/*", _USERS_CONTAINER, says="container prepare has no *"),
    Exemption(
        "selectors", "NetworkPolicy/spark-*", "of spark-job's and spark-submit's pods: tests/rules/test_network.py"
    ),
    Exemption("selectors", "NetworkPolicy/*", "of pods that a hub makes", says="*kindling.local/notebook*"),
    Exemption("name-clashes", "Namespace/team-*", "the team's name, given by namespace.name: a second one is refused"),
    Exemption("name-clashes", "*/kindling-guard-*", "the guard of that team: its other objects are refused before"),
    Exemption("name-clashes", "*", "the objects of that team", says="has the same name in namespace team-*"),
    Exemption("name-clashes", "Namespace/legacy", "the same for the team of an old cluster"),
    Exemption("name-clashes", "*", "the objects of that team", says="has the same name in namespace legacy*"),
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The suite's own option."""
    parser.addoption("--screenshots", action="store_true", help="write the pictures of docs/images anew")


@pytest.fixture(scope="session")
def exemptions() -> list[Exemption]:
    """What passes nevertheless."""
    return EXEMPTIONS


@pytest.fixture(scope="session")
def rules(exemptions: list[Exemption]) -> list[Rule]:
    """What every render is asked, whatever else its test asks."""
    return [Review([*default_rules(), fits(RENDERED_AT)], exemptions).violations]


@pytest.fixture(scope="session")
def scenario_of() -> Callable[[str], Scenario]:
    """The scenario of a name, "spark-job/03-all-on"."""
    return {scenario.name: scenario for scenario in SCENARIOS}.__getitem__


@pytest.fixture
def edited(charts: Path, tmp_path: Path) -> Callable[[str, str, str, str], Path]:
    """A copy of a chart with a text of a file replaced ("": the new one is appended); the library is a folder in it."""

    def edited(chart: str, file: str, old: str, new: str) -> Path:
        copy = tmp_path / chart
        shutil.copytree(charts / chart, copy, ignore=shutil.ignore_patterns("*.tgz", "ci", "README.md"))
        shutil.copytree(charts / "spark-common", copy / "charts/spark-common")
        text = (copy / file).read_text()
        assert old in text, f"{chart}/{file} has no {old!r} any more: edit what it has"
        (copy / file).write_text(text.replace(old, new) if old else text + new)
        return copy

    return edited


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Do without the summary of Hypothesis where no test used it: importing it for that takes half a second."""
    if "hypothesis" not in sys.modules:
        session.config.pluginmanager.unregister(name="hypothesispytest")
