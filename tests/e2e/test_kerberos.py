"""Jobs whose data is in an HDFS with Kerberos: both modes, both lines, who is refused, runs that outlive tickets."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from as_written import done_as_written
from history import History
from kerberised import NO_OLD_CONNECTION, ROUND_TRIP, ROUNDS, Kerberised, image, shows_tokens_to_tasks
from notebook import Notebook
from secure_hdfs import REALM, URL, SecureHdfs
from team import EACH, OLD_LINE_LONG, QUICK, RUN_DEADLINE_S, Team

from kindling_dev.guides import commands, manifests
from kindling_dev.settings import ADMIN_NAMESPACE, REPO
from kindling_dev.spark_image import DEFAULT_LINE, LINES, SparkLine

OLD = LINES["3.5"]
READ = (
    "import sys\nfrom pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate().read.parquet(sys.argv[1])\n"
)
NEW_TOKEN = "HadoopDelegationTokenManager: Updating delegation tokens."


def wait_for_new_token(team: Team, driver: str) -> None:
    """Wait until a driver has just sent tokens to its executors."""
    told = team.kubectl("logs", driver).count(NEW_TOKEN)
    deadline = time.monotonic() + 60
    while team.kubectl("logs", driver).count(NEW_TOKEN) == told:
        assert time.monotonic() < deadline, "no new token within a minute"
        time.sleep(0.5)


@pytest.fixture
def kerberised(secure_hdfs: SecureHdfs, team: Team) -> Kerberised:
    """A team with the keytabs of alice, whose its drivers are, of bob and of the history server."""
    made = Kerberised(team, secure_hdfs)
    made.prepare("alice", "bob", "spark")
    return made


@pytest.mark.check(22)
@EACH
def test_a_job_reads_what_it_wrote(kerberised: Kerberised, mode: str, line: SparkLine) -> None:
    folder = kerberised.folder()
    end, log = kerberised.run("parquet", folder, line=line, mode=mode)
    assert end.succeeded, log
    executors = [told for told in log.splitlines() if told.startswith("EXECUTOR ")]
    assert executors
    assert all(told.endswith("no keytab krb5.conf") for told in executors), executors
    listed = kerberised.hdfs.run("alice", "-ls", folder)
    assert "_SUCCESS" in listed
    assert listed.count("alice analysts") == 8


def test_another_principal_is_refused(kerberised: Kerberised) -> None:
    # Nothing is read: alice's directory itself is closed.
    facts = kerberised.facts("bob")
    end, log = kerberised.run("of-bob", "/user/alice/any", source=READ, line=OLD, **{"global": facts})
    assert not end.succeeded
    assert "Permission denied: user=bob, access=EXECUTE" in log


def test_the_guide_leads_to_a_run(secure_hdfs: SecureHdfs, team: Team, tmp_path: Path) -> None:
    (tmp_path / "charts").symlink_to(REPO / "charts")
    (facts, *_) = (block.text for block in manifests("secure-hdfs"))
    own = {"namespace": {"name": team.name}, "image": image(OLD)}
    given = {"spark-namespace.yaml": {}, f"{team.name}/spark-namespace.yaml": own}
    for name, values in (*given.items(), (f"{team.name}/common.yaml", yaml.safe_load(facts))):
        (tmp_path / "values" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "values" / name).write_text(yaml.safe_dump(values))
    files = {name: text for data in secure_hdfs.client_configuration.values() for name, text in data.items()}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "alice.keytab").write_bytes(secure_hdfs.keytab("alice"))
    written = commands("secure-hdfs", "").replace("team-a", team.name).replace("kindling-system", ADMIN_NAMESPACE)
    done_as_written(written, team.cluster, tmp_path)

    folder = Kerberised(team, secure_hdfs).folder()
    end, log = Kerberised(team, secure_hdfs).run("mine", folder, line=OLD, **yaml.safe_load(facts))
    assert end.succeeded, log

    (tmp_path / f"values/{team.name}/spark-namespace.yaml").write_text(yaml.safe_dump({**own, "image": {}}))
    again = written[written.index("helm upgrade") :]
    if shows_tokens_to_tasks(DEFAULT_LINE):
        done_as_written(again, team.cluster, tmp_path)
        return
    said = done_as_written(f"! (\n{again}\n) 2>&1", team.cluster, tmp_path)
    assert "executors of Spark do not see their tokens: set image to one with Java 17 or 21" in said


@pytest.mark.long
@OLD_LINE_LONG
def test_event_logs_are_shown_across_tickets(kerberised: Kerberised, line: SparkLine) -> None:
    log = {"store": "hdfs", "url": f"{URL}/spark-events"}
    own = {**log, "secret": {"name": "spark-keytab", "key": "its.keytab"}, "hdfs": {"principal": f"spark@{REALM}"}}
    facts: dict[str, Any] = {"global": {**kerberised.facts(), "eventLog": own}}
    history = History(kerberised.team, own)
    history.install(**facts)
    history.test()
    for release in ("first", "second"):
        application = history.run(release, line, image=image(line), **facts)
        assert history.application(application)["attempts"][0]["sparkUser"] == "alice"
        # The server's ticket ends.
        time.sleep(130 if release == "first" else 0)


@pytest.mark.long
def test_a_notebook_reads_what_it_wrote(kerberised: Kerberised) -> None:
    """The session of the page "Spark with secure HDFS, from Jupyter"."""
    notebook, folder = Notebook(kerberised.team), kerberised.folder()
    values: dict[str, Any] = {"global": kerberised.facts()}
    notebook.install(line=OLD, **values)
    notebook.write("session.ipynb", f"import sys\nsys.argv = ['', '{folder}']", ROUND_TRIP)
    notebook.exec("python3", "/opt/kindling/start.py", "jupyter", "execute", "--inplace", "session.ipynb")
    printed = (one.get("text", "") for one in notebook.outputs("session.ipynb")[1])
    told = "".join(line for text in printed for line in text).splitlines()
    executors = [line for line in told if line.startswith("EXECUTOR ")]
    assert executors
    assert all(line.endswith("no keytab krb5.conf") for line in executors), executors
    assert "alice analysts" in kerberised.hdfs.run("alice", "-ls", folder)
    assert notebook.exec("sh", "-c", "ls /etc/krb5.conf 2>&1 || true").endswith("No such file or directory\n")


@pytest.mark.long
def test_plain_spark_submit_reads_hdfs(kerberised: Kerberised) -> None:
    team, file = kerberised.team, kerberised.folder()
    kerberised.hdfs.write("alice", file, "one two two\n")
    command = [
        "/opt/spark/bin/spark-submit",
        "--master=k8s://https://kubernetes.default.svc",
        "--deploy-mode=cluster",
        "--name=plain",
        "--properties-file=/defaults/spark-defaults.conf",
        *(f"--conf={key}={value}" for key, value in QUICK.items()),
        f"--conf=spark.kubernetes.container.image=docker.io/apache/spark:{OLD.version}-python3",
        "--conf=spark.kubernetes.driver.podTemplateFile=/defaults/pod-template.yaml",
        "--conf=spark.kubernetes.executor.podTemplateFile=/defaults/executor-pod-template.yaml",
        "--conf=spark.kubernetes.driver.request.cores=50m",
        "--conf=spark.kubernetes.executor.request.cores=50m",
        "--conf=spark.executor.instances=1",
        "local:///opt/spark/examples/src/main/python/wordcount.py",
        f"{URL}{file}",
    ]
    core = team.cluster.core
    defaults = core.read_namespaced_config_map("spark-defaults", team.name).data
    pod = yaml.safe_load(defaults["executor-pod-template.yaml"])
    (container,) = pod["spec"]["containers"]
    container |= {"image": f"docker.io/apache/spark:{OLD.version}-python3", "command": command}
    container["volumeMounts"].append({"name": "defaults", "mountPath": "/defaults"})
    pod["spec"]["volumes"].append({"name": "defaults", "configMap": {"name": "spark-defaults"}})
    account = {"serviceAccountName": "spark-submitter", "automountServiceAccountToken": True}
    pod["spec"] |= {**account, "restartPolicy": "Never"}
    core.create_namespaced_pod(team.name, pod | {"metadata": {"name": "plain"}})
    name: str = team.cluster.wait_for(
        core.list_namespaced_pod,
        lambda pod, _: pod.metadata.name if pod.status.phase in ("Succeeded", "Failed") else None,
        "the driver's end",
        RUN_DEADLINE_S,
        namespace=team.name,
        label_selector="spark-role=driver,spark-app-name=plain",
    )
    assert "two: 2" in core.read_namespaced_pod_log(name, team.name)


@pytest.mark.long
@pytest.mark.check(22)
@OLD_LINE_LONG
def test_a_run_outlives_tickets_and_servers(own_hdfs: SecureHdfs, team: Team, line: SparkLine) -> None:
    kerberised = Kerberised(team, own_hdfs)
    kerberised.prepare("alice")
    folder, seconds = kerberised.folder(), 480
    app = {"source": ROUNDS, "args": [folder, str(seconds)]}
    values: dict[str, Any] = {"global": kerberised.facts(), "image": image(line), "app": app}
    values["sparkConf"] = {**QUICK, **NO_OLD_CONNECTION, "spark.security.credentials.retryWait": "5s"}
    team.install("rounds", line=line, **values)
    driver = team.running("rounds", "driver").metadata.name
    time.sleep(150)
    # Not while it fetches a token: a fetch that fails after its login is Spark's last, docs/guides/secure-hdfs.md says.
    wait_for_new_token(team, driver)
    own_hdfs.stop_kdc()
    time.sleep(60)
    own_hdfs.start_kdc()
    time.sleep(60)
    wait_for_new_token(team, driver)
    own_hdfs.restart_namenode()
    end = team.end_of("rounds", seconds + 120)
    log = team.log_of(end)
    assert end.succeeded, log
    right, again = map(int, re.findall(r"^RIGHT (\d+) AGAIN (\d+)$", log, re.MULTILINE)[0])
    print(f"{right} rounds were right, {again} tried again")
    assert right >= 30
    assert again <= 6
    assert "Failed to update tokens, will try again" in log
    assert log.count(NEW_TOKEN) >= 7
