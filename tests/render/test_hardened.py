"""The hardened preset: what Spark is told, where the secret is, what is refused. Checks 16 and 19 of the notes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from refusals import RefusalOf, Values

from chartproof import Manifest, Render, Resource

HARDENED: Values = {"profile": "hardened"}
OF_THE_TEAM: Values = {"global": {"security": HARDENED}}
PRESET = {
    "spark.authenticate": "true",
    "spark.authenticate.secret.file": "/etc/spark-auth/secret",
    "spark.authenticate.secret.driver.file": "/etc/spark-auth/secret",
    "spark.authenticate.secret.executor.file": "/etc/spark-auth/secret",
    "spark.network.crypto.enabled": "true",
    "spark.network.crypto.cipher": "AES/GCM/NoPadding",
    "spark.network.crypto.authEngineVersion": "2",
    "spark.network.crypto.saslFallback": "false",
    "spark.ssl.rpc.enabled": "false",
    "spark.io.encryption.enabled": "true",
    "spark.io.encryption.keySizeBits": "256",
    "spark.redaction.regex": "(?i)secret|password|passwd|passphrase|token|credential"
    "|(access|account|api|private|encryption)[._-]?key",
    "spark.redaction.string.regex": "(?i)(secret|password|passwd|passphrase|token|credential|signature|sig)"
    r"=[^\\s&;,)\\]]+",
    "spark.ui.killEnabled": "false",
}
HELMS_HINT = "\n\nUse --debug flag to render out invalid YAML"
LOGIN = {"spark.ui.filters": "com.example.LoginFilter"}
each_mode = pytest.mark.parametrize("mode", ["client", "cluster"])


def conf(text: str) -> dict[str, str]:
    """A properties file."""
    return dict(line.split("=", 1) for line in text.splitlines())


def conf_of_run(manifest: Manifest) -> dict[str, str]:
    """Spark's configuration as a run's ConfigMap has it."""
    return conf(manifest.one("ConfigMap").body["data"]["spark.properties"])


def driver_and_executor(manifest: Manifest, mode: str) -> dict[str, Resource]:
    """What the pods of Spark are made of."""
    data = manifest.one("ConfigMap").body["data"]
    driver = Resource(json.loads(data["driver.json"])) if mode == "cluster" else manifest.one("Job")
    return {"driver": driver, "executor": Resource(yaml.safe_load(data["executor.yaml"]))}


def auth_volume(pod: dict[str, Any]) -> dict[str, Any]:
    """The volume with the secret that an application's processes share."""
    (volume,) = [volume for volume in pod["spec"]["volumes"] if volume["name"] == "spark-auth"]
    secret: dict[str, Any] = volume["secret"]
    return secret


@pytest.mark.check(16)
@pytest.mark.parametrize("asked", [OF_THE_TEAM, {"security": HARDENED}], ids=["the team", "the application"])
@each_mode
def test_hardened_sets_each_of_these(render_job: Render, asked: Values, mode: str) -> None:
    assert PRESET.items() <= conf_of_run(render_job(mode=mode, **asked)).items()


def test_nothing_of_it_is_set_unasked(render_job: Render) -> None:
    manifest = render_job()
    assert conf_of_run(manifest).keys().isdisjoint(PRESET)
    assert "spark-auth" not in manifest.text


@pytest.mark.check(16)
@pytest.mark.parametrize("key", PRESET)
@pytest.mark.parametrize("where", ["sparkConf", "global.sparkConf"])
def test_an_override_is_refused_unless_it_is_listed(
    render_job: Render, refusal_of: RefusalOf, key: str, where: str
) -> None:
    other = {"true": False, "false": True}.get(PRESET[key], "other")
    own, of_team = ({key: other}, {}) if where == "sparkConf" else ({}, {key: other})

    def values(**security: Any) -> Values:
        return {"sparkConf": own, "security": security, "global": {"security": HARDENED, "sparkConf": of_team}}

    said = refusal_of(render_job, values())
    assert f"{where} sets {key}, which security.profile hardened sets to" in said
    assert "list it in security.allowInsecure" in said
    if key not in ("spark.authenticate", "spark.network.crypto.enabled"):
        manifest = render_job(**values(allowInsecure=[key]))
        assert conf_of_run(manifest)[key] == str(other).lower()


def test_what_is_allowed_must_go_together(render_job: Render, refusal_of: RefusalOf) -> None:
    off = {"spark.authenticate": False}
    alone: Values = {"sparkConf": off, "security": {**HARDENED, "allowInsecure": [*off]}}
    assert "spark.network.crypto.enabled is true but spark.authenticate is not" in refusal_of(render_job, alone)
    both = {**off, "spark.network.crypto.enabled": False}
    written = conf_of_run(render_job(sparkConf=both, security={**HARDENED, "allowInsecure": [*both]}))
    assert written["spark.network.crypto.enabled"] == "false"


def test_the_presets_own_values_may_be_given(render_job: Render) -> None:
    given = {"spark.authenticate": True, "spark.io.encryption.keySizeBits": 256}
    assert PRESET.items() <= conf_of_run(render_job(sparkConf=given, **OF_THE_TEAM)).items()


def test_the_team_may_allow_what_an_application_may_not_forbid(render_job: Render) -> None:
    weak = {"spark.ui.killEnabled": True}
    team = {"security": {**HARDENED, "allowInsecure": [*weak]}, "sparkConf": weak}
    assert conf_of_run(render_job(**{"global": team}))["spark.ui.killEnabled"] == "true"


def test_an_application_cannot_leave_the_teams_preset(render_job: Render) -> None:
    manifest = render_job(security={"profile": "default"}, **OF_THE_TEAM)
    assert PRESET.items() <= conf_of_run(manifest).items()


@each_mode
def test_driver_and_executors_alone_have_the_secret_as_a_file(render_job: Render, mode: str) -> None:
    own = {"name": "of-the-application", "key": "auth"}
    manifest = render_job(mode=mode, security={**HARDENED, "authSecret": own})
    for role, template in driver_and_executor(manifest, mode).items():
        assert auth_volume(template.pod if role == "driver" and mode == "client" else template.body) == {
            "secretName": "of-the-application",
            "items": [{"key": "auth", "path": "secret"}],
            "defaultMode": 0o400,
        }
        assert template.container(role).mounts["/etc/spark-auth"] == "spark-auth"
    submitter = manifest.one("Job").pod["spec"]
    assert ("spark-auth" in json.dumps(submitter)) == (mode == "client"), "a submitter is no part of the application"
    assert "secretKeyRef" not in manifest.text


def test_the_teams_secret_is_the_default(render_job: Render) -> None:
    team = {"security": {**HARDENED, "authSecret": {"name": "of-the-team"}}}
    volume = auth_volume(render_job(**{"global": team}).one("Job").pod)
    assert (volume["secretName"], volume["items"]) == ("of-the-team", [{"key": "secret", "path": "secret"}])


@pytest.mark.parametrize(
    ("filters", "enabled"),
    [
        ("com.example.LoginFilter", True),
        ("org.apache.spark.ui.JWSFilter, com.example.LoginFilter", True),
        ("org.apache.spark.ui.JWSFilter", False),
        ("", False),
    ],
)
def test_acls_are_on_where_a_filter_says_who_asks(render_job: Render, filters: str, enabled: bool) -> None:
    written = conf_of_run(render_job(sparkConf={"spark.ui.filters": filters}, **OF_THE_TEAM))
    assert written.get("spark.acls.enable") == ("true" if enabled else None)


@pytest.mark.parametrize("own", [{}, {**LOGIN, "spark.acls.enable": False}], ids=["without a filter", "with one"])
def test_a_team_may_allow_to_do_without_acls(render_job: Render, own: Values) -> None:
    team = {"security": {**HARDENED, "allowInsecure": ["spark.acls.enable"]}}
    written = conf_of_run(render_job(sparkConf=own, **{"global": team}))
    assert written.get("spark.acls.enable", "false") == "false"


BAD: dict[str, tuple[Values, str]] = {
    "ACLs without a filter": (
        {"sparkConf": {"spark.acls.enable": "TRUE "}},
        "spark.acls.enable is true, but no filter in spark.ui.filters says who asks",
    ),
    "ACLs with a filter that names nobody": (
        {"sparkConf": {"spark.acls.enable": True, "spark.ui.filters": "org.apache.spark.ui.JWSFilter"}},
        "org.apache.spark.ui.JWSFilter does not say it",
    ),
    "ACLs of an old Spark": (
        {"sparkConf": {"spark.acls.enable": True, **LOGIN}, "image": {"tag": "3.2.1-python3"}},
        "image.tag says Spark 3.2.1, which runs a user's name in a shell",
    ),
    "ACLs off beside a filter": (
        {"sparkConf": {"spark.acls.enable": False, **LOGIN}, "security": HARDENED},
        "sparkConf sets spark.acls.enable, which security.profile hardened sets to true",
    ),
    "encryption without authentication": (
        {"global": {"sparkConf": {"spark.network.crypto.enabled": True}}},
        "spark.network.crypto.enabled is true but spark.authenticate is not",
    ),
    "the older encryption without authentication": (
        {"sparkConf": {"spark.authenticate.enableSaslEncryption": "true"}},
        "spark.authenticate.enableSaslEncryption is true but spark.authenticate is not",
    ),
    "a driver's host of one's own": (
        {"sparkConf": {"spark.driver.host": "driver.example.com"}},
        "sparkConf sets spark.driver.host, which the chart sets itself",
    ),
    "a secret in values": (
        {"sparkConf": {"spark.authenticate.secret": "sesame"}},
        "sparkConf sets spark.authenticate.secret, and a secret never stands in values",
    ),
    "the key of a UI's filter in values": (
        {"sparkConf": {"spark.org.apache.spark.ui.JWSFilter.param.secretKey": "sesame"}},
        "sparkConf sets spark.org.apache.spark.ui.JWSFilter.param.secretKey, and a secret never stands in values",
    ),
    "a secret in a variable": ({"executor": {"env": {"_SPARK_AUTH_SECRET": "x"}}}, "executor.env sets _SPARK_AUTH"),
    "a Spark without the cipher": (
        {"security": HARDENED, "image": {"tag": "3.5.1"}},
        "image.tag says Spark 3.5.1, which does not know it",
    ),
    "a setting that the preset has not": (
        {"security": {**HARDENED, "allowInsecure": ["spark.authentication"]}},
        "security.allowInsecure lists spark.authentication, which the preset does not set: it sets spark.acls.",
    ),
    "another file": (
        {"security": HARDENED, "volumes": [{"name": "x", "mountPath": "/etc/spark-auth", "emptyDir": {}}]},
        "mounts two volumes at /etc/spark-auth, of which one may be the chart's",
    ),
}


@pytest.mark.check(19)
@pytest.mark.parametrize(("values", "words"), BAD.values(), ids=BAD)
def test_what_leaves_a_gap_is_refused_in_a_line_that_names_it(
    render_job: Render, refusal_of: RefusalOf, values: Values, words: str
) -> None:
    said = refusal_of(render_job, values)
    assert words in said.removesuffix(HELMS_HINT)
    assert "\n" not in said.removesuffix(HELMS_HINT)


@pytest.mark.parametrize(
    "image",
    [
        {"tag": "3.1.0", "repository": "data/flights"},
        {"tag": "3.1.0", "digest": "sha256:" + "0" * 64},
        {"tag": "nightly"},
        {"tag": "3.5.2-python3"},
    ],
    ids=["not named spark", "a digest", "no version", "new enough"],
)
def test_an_image_that_does_not_tell_an_old_spark_is_taken(render_job: Render, image: Values) -> None:
    manifest = render_job(image=image, sparkConf=LOGIN, **OF_THE_TEAM)
    assert conf_of_run(manifest)["spark.acls.enable"] == "true"


def test_plain_spark_submit_gets_the_preset_and_the_file(render_namespace: Render) -> None:
    manifest = render_namespace(**OF_THE_TEAM)
    data = manifest.one("ConfigMap", "spark-defaults").body["data"]
    assert PRESET.items() <= conf(data["spark-defaults.conf"]).items()
    for template in ("pod-template.yaml", "executor-pod-template.yaml"):
        pod = Resource(yaml.safe_load(data[template]))
        assert auth_volume(pod.body)["secretName"] == "spark-auth"
        assert pod.container("spark").mounts["/etc/spark-auth"] == "spark-auth"


@pytest.mark.check(16)
def test_the_teams_configuration_may_not_weaken_its_preset(render_namespace: Render, refusal_of: RefusalOf) -> None:
    weak = {"spark.authenticate": False}
    said = refusal_of(render_namespace, {"global": {"security": HARDENED, "sparkConf": weak}})
    assert "global.sparkConf sets spark.authenticate, which security.profile hardened sets to true" in said
    assert "list it in global.security.allowInsecure" in said


@pytest.mark.parametrize(
    ("team", "listed"),
    [
        ({}, '["password"]'),
        (HARDENED, '["password","spark-auth"]'),
        ({**HARDENED, "authSecret": {"name": "password"}}, '["password"]'),
    ],
    ids=["default", "hardened", "hardened, listed already"],
)
def test_the_guard_lists_the_presets_secret_by_itself(render_namespace: Render, team: Values, listed: str) -> None:
    manifest = render_namespace(guard={"secrets": ["password"]}, **{"global": {"security": team}})
    variables = manifest.one("ValidatingAdmissionPolicy", "kindling-guard-team-a").body["spec"]["variables"]
    (secrets,) = [variable["expression"] for variable in variables if variable["name"] == "secrets"]
    assert f"!(name in {listed})" in secrets
