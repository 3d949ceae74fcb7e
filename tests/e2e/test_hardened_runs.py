"""The hardened preset where Spark runs: what the wire shows, who is an executor, where secrets are seen.

Checks 15 and 20 of the security notes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from team import QUICK, SLEEP, Team
from wire import listening

from kindling_dev.command import Failure
from kindling_dev.jvm_example import ensure_jar
from kindling_dev.settings import Settings
from kindling_dev.spark_image import DEFAULT_LINE, LINES, SparkLine

APP = (Path(__file__).parent / "apps/shuffle.py").read_text()
FACTS: dict[str, Any] = {"global": {"security": {"profile": "hardened"}}}
"""What the team's common.yaml says."""
SECRETS = {
    "password": ["password"],
    "database": ["jdbc", "spark.hadoop.fs.s3a.secret.key", "spark.ssl.keyStorePassword", "spark.example.credential"],
    "registry": ["secret"],
}
"""Secrets that the team's guard lists, and the keys in them."""
MOVED = 400 * 4 * 16 * 32 // 2
"""Bytes: half of what the shuffle moves, which is what goes from one executor to the other."""
SHUFFLE_PORTS = (7078, 7079)
LITERAL = {
    **QUICK,
    "spark.shuffle.compress": False,
    "spark.eventLog.enabled": True,
    "spark.eventLog.dir": "file:/tmp/events",
    "spark.eventLog.compress": False,
    "spark.scheduler.minRegisteredResourcesRatio": 1,
    "spark.scheduler.maxRegisteredResourcesWaitingTime": "60s",
}
"""What moves is not packed, and moves between two executors."""


def wanted(seed: str) -> str:
    """The text that the application of a seed moves."""
    return hashlib.sha256(seed.encode()).hexdigest()[:32]


def run_of(team: Team, release: str, line: SparkLine, seed: str, **values: Any) -> str:
    """Start the application; the name of its driver when all has moved."""
    app = {"source": APP, "args": [seed]}
    executors = {"instances": 2, "requestCores": "50m"}
    team.install(release, line=line, app=app, sparkConf=LITERAL, executor=executors, **values)
    driver: str = team.running(release, "driver").metadata.name
    told = team.cluster.wait_for_log(team.name, driver, "KEYS ", 120)
    assert told.split() == ["KEYS", "400", "ON", "2"]
    return driver


def finish(team: Team, release: str, driver: str) -> str:
    """Let the application end; what it printed."""
    log = team.kubectl("logs", driver, "--container=driver")
    team.let_end(driver)
    end = team.end_of(release)
    assert end.succeeded, end
    return log


@pytest.mark.check(15)
@pytest.mark.long
def test_without_the_preset_the_wire_shows_what_a_shuffle_moves(swept: Team) -> None:
    seed = uuid4().hex
    with listening(wanted(seed), *SHUFFLE_PORTS) as heard:
        driver = run_of(swept, "plain", DEFAULT_LINE, seed)
    print(heard)
    assert heard.hits >= 1, heard
    finish(swept, "plain", driver)


@pytest.fixture
def hardened(swept: Team) -> Iterator[Team]:
    """A team whose admin made it hardened."""
    swept.set_namespace(**FACTS)
    yield swept
    for name in ("spark-auth", *SECRETS):
        swept.kubectl("delete", "secret", name)


def make_secrets(team: Team) -> dict[str, str]:
    """Make the team's Secrets; what each is for, and its canary."""
    canaries = {key: uuid4().hex for keys in ({"spark-auth": ["auth"]} | SECRETS).values() for key in keys}
    for name, keys in SECRETS.items():
        literals = [f"--from-literal={key}={canaries[key]}" for key in keys]
        team.kubectl("create", "secret", "generic", name, *literals)
    team.kubectl("create", "secret", "generic", "spark-auth", f"--from-literal=secret={canaries['auth']}")
    return canaries


def one_more_executor(team: Team, like: Any, number: int, secret: str) -> str:
    """A pod as Spark makes executors, with a Secret for the one that it must have; its name."""
    name = f"executor-{number}"
    pod = team.cluster.api_client.sanitize_for_serialization(like)
    metadata, spec = pod["metadata"], pod["spec"]
    labels = {**metadata["labels"], "spark-exec-id": str(number)}
    del labels["spark-app-selector"]  # by which the driver finds pods that failed, and deletes them
    del spec["nodeName"]
    (container,) = spec["containers"]
    container["resources"]["requests"]["cpu"] = "10m"  # beside the two that are there
    container["env"] = [
        {"name": "SPARK_EXECUTOR_ID", "value": str(number)} if env["name"] == "SPARK_EXECUTOR_ID" else env
        for env in container["env"]
    ]
    (auth,) = [volume["secret"] for volume in spec["volumes"] if volume["name"] == "spark-auth"]
    auth.update(secretName=secret, items=None)
    owners = metadata["ownerReferences"]
    body = {"metadata": {"name": name, "labels": labels, "ownerReferences": owners}, "spec": spec}
    team.cluster.core.create_namespaced_pod(team.name, body)
    return name


def where_secrets_might_be_seen(team: Team, release: str, driver: str, executor: str) -> dict[str, str]:
    """Texts that people without the right to read Secrets can come by."""
    ui = f"/api/v1/namespaces/{team.name}/pods/{driver}:4040/proxy"
    (app,) = json.loads(team.kubectl("get", "--raw", f"{ui}/api/v1/applications"))
    kinds = "configmaps,pods,jobs,services,events,networkpolicies"

    def inside(pod: str, role: str, script: str) -> str:
        return team.kubectl("exec", pod, f"--container={role}", "--", "sh", "-c", script)

    return {
        "objects": team.kubectl("get", kinds, "--output=json"),
        "helm": team.helm.run(["get", "all", release, f"--namespace={team.name}"]),
        "environment page": team.kubectl("get", "--raw", f"{ui}/environment/"),
        "environment": team.kubectl("get", "--raw", f"{ui}/api/v1/applications/{app['id']}/environment"),
        "driver's log": team.kubectl("logs", driver, "--container=driver"),
        "executor's log": team.kubectl("logs", executor),
        "event log": inside(driver, "driver", "find /tmp/events -type f -exec cat {} +"),
        "driver's arguments": inside(driver, "driver", "cat /proc/[0-9]*/cmdline"),
        "executor's arguments, variables": inside(
            executor, "executor", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ"
        ),
    }


@pytest.mark.check(15, 20)
@pytest.mark.parametrize(
    ("mode", "line"),
    [
        pytest.param("client", DEFAULT_LINE, id="client-4.3"),
        pytest.param("cluster", LINES["3.5"], id="cluster-3.5", marks=pytest.mark.long),
        pytest.param("client", LINES["3.5"], id="client-3.5", marks=pytest.mark.long),
        pytest.param("cluster", DEFAULT_LINE, id="cluster-4.3", marks=pytest.mark.long),
    ],
)
def test_hardened_the_wire_and_what_people_see_show_no_secret(hardened: Team, mode: str, line: SparkLine) -> None:
    canaries = make_secrets(hardened)
    own = {
        "volumes": [
            {"name": "own", "mountPath": "/secrets", "roles": ["driver"], "secret": {"secretName": "database"}}
        ],
        "driver": {
            "requestCores": "50m",
            "env": {"PASSWORD": {"secretKeyRef": {"name": "password", "key": "password"}}},
        },
    }
    seed = uuid4().hex
    with listening(wanted(seed), *SHUFFLE_PORTS) as heard:
        driver = run_of(hardened, "hard", line, seed, mode=mode, **FACTS, **own)
    print(heard)
    assert heard.moved > MOVED, "the capture saw the shuffle"
    assert heard.hits == 0, heard

    executor = hardened.running("hard", "executor")
    one_more_executor(hardened, executor, 97, "spark-auth")
    impostor = one_more_executor(hardened, executor, 98, "registry")
    assert "ID 97," in hardened.cluster.wait_for_log(hardened.name, driver, "with ID 97", 90), "as good as Spark's own"
    hardened.pod("hard", "executor", lambda pod: pod.metadata.name == impostor and pod.status.phase == "Failed")
    assert "Authentication failed" in hardened.kubectl("logs", impostor)

    seen = where_secrets_might_be_seen(hardened, "hard", driver, executor.metadata.name)
    assert "with ID 98" not in seen["driver's log"]
    assert {key for key, value in json.loads(seen["environment"])["sparkProperties"] if "(redacted)" in value} >= {
        key for key in canaries if key.startswith("spark.")
    }, "the application has them"
    assert "(redacted) AS url" in seen["driver's log"]
    forms = {what: (text, base64.b64encode(text.encode()).decode()) for what, text in canaries.items()}
    leaks = [(what, where) for where, text in seen.items() for what in forms if any(f in text for f in forms[what])]
    assert leaks == []
    finish(hardened, "hard", driver)


FILTER = Path(__file__).parent / "jvm/src"


@pytest.mark.long
def test_acls_with_a_filter_show_the_ui_to_whom_they_name(hardened: Team) -> None:
    make_secrets(hardened)
    jar = ensure_jar(DEFAULT_LINE, Settings.from_environment(), FILTER)
    hardened.kubectl("create", "configmap", "filter", f"--from-file=filter.jar={jar}")
    conf = {
        **QUICK,
        "spark.driver.extraClassPath": "/filter/filter.jar",
        "spark.ui.filters": "local.kindling.tests.LoginFilter",
        "spark.ui.view.acls": "anna",
    }
    volumes = [{"name": "filter", "mountPath": "/filter", "roles": ["driver"], "configMap": {"name": "filter"}}]
    app = {"source": SLEEP.format(seconds=600)}
    hardened.install("seen", line=DEFAULT_LINE, app=app, sparkConf=conf, volumes=volumes, **FACTS)
    driver = hardened.running("seen", "driver").metadata.name
    hardened.cluster.wait_for_log(hardened.name, driver, "is ready for scheduling beginning", 90)
    page = f"/api/v1/namespaces/{hardened.name}/pods/{driver}:4040/proxy/executors/"
    assert "Executors" in hardened.kubectl("get", "--raw", f"{page}?user=anna")
    for other, refusal in (("?user=bert", "Forbidden"), ("", "You must be logged in")):
        with pytest.raises(Failure, match=refusal):
            hardened.kubectl("get", "--raw", f"{page}{other}")
    hardened.kubectl("delete", "configmap", "filter")
