"""What spark-job renders, and what it refuses."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from chartproof import Helm, HelmError, Manifest, Render, Resource

SOURCE = {"source": "print('hello')\n"}


def properties(manifest: Manifest) -> dict[str, str]:
    """Spark's configuration as the ConfigMap has it."""
    text = manifest.one("ConfigMap").body["data"]["spark.properties"]
    return dict(line.split("=", 1) for line in text.splitlines())


def executor_template(manifest: Manifest) -> Resource:
    """The pod template of the executors."""
    return Resource(yaml.safe_load(manifest.one("ConfigMap").body["data"]["executor.yaml"]))


def test_a_run_is_a_job_and_its_configuration(render_job: Render) -> None:
    manifest = render_job()
    job = manifest.one("Job")
    assert re.fullmatch(r"nightly-[0-9a-f]{8}", job.name)
    assert manifest.names() == {("Job", job.name), ("ConfigMap", job.name), ("Pod", "nightly-test")}


def test_the_job_is_named_after_what_runs(render_job: Render) -> None:
    name = render_job().one("Job").name
    assert render_job(retries=3, deadlineSeconds=60).one("Job").name == name, "these do not change what runs"
    others = [
        render_job(app={"file": "local:///other.py"}),
        render_job(app=SOURCE),
        render_job(sparkConf={"spark.sql.shuffle.partitions": 4}),
        render_job(run={"id": "2"}),
        render_job(executor={"instances": 2}),
    ]
    names = {name, *(other.one("Job").name for other in others)}
    assert len(names) == 1 + len(others)


def test_the_driver_knows_itself_from_its_pod(render_job: Render) -> None:
    driver = render_job().one("Job").container("driver")
    for conf in (
        "spark.driver.host=$(POD_IP)",
        "spark.app.id=spark-$(POD_UID)",
        "spark.kubernetes.driver.pod.name=$(POD_NAME)",
    ):
        assert driver.args[driver.args.index(conf) - 1] == "--conf"
    assert driver.env["SPARK_DRIVER_BIND_ADDRESS"] == "$(POD_IP)"


def test_driver_and_executors_share_the_release_labels_and_carry_no_version(render_job: Render) -> None:
    manifest = render_job()
    driver = manifest.one("Job").pod["metadata"]["labels"]
    executor = executor_template(manifest).labels
    assert driver["spark-role"] == "driver"
    for labels in (driver, executor):
        assert labels["app.kubernetes.io/instance"] == "nightly"
        assert "helm.sh/chart" not in labels


def test_executors_have_no_token_and_an_account_of_their_own(render_job: Render) -> None:
    manifest = render_job()
    assert executor_template(manifest).body["spec"]["automountServiceAccountToken"] is False
    assert properties(manifest)["spark.kubernetes.authenticate.executor.serviceAccountName"] == "spark-executor"
    assert manifest.one("Job").pod["spec"]["serviceAccountName"] == "spark-driver"


def test_no_token_file_is_configured(render_job: Render) -> None:
    assert "oauthToken" not in render_job().text


def test_arguments_and_environment_are_not_expanded(render_job: Render) -> None:
    app = {"file": "local:///app.py", "args": ["$(POD_IP)", 1000000, True]}
    driver = render_job(app=app, driver={"env": {"WORD": "$(POD_IP)"}}).one("Job").container("driver")
    assert driver.args[-3:] == ["$$(POD_IP)", "1000000", "true"]
    assert driver.env["WORD"] == "$$(POD_IP)"


def test_spark_conf_is_written_as_given(render_job: Render) -> None:
    conf = {"a.number": 134217728, "a.switch": False, "a.path": "C:\\x", "a.ratio": 0.5}
    written = properties(render_job(sparkConf=conf))
    assert written["a.number"] == "134217728"
    assert written["a.switch"] == "false"
    assert written["a.path"] == r"C:\\x"
    assert written["a.ratio"] == "0.5"


def test_a_jobs_conf_wins_over_the_namespaces_even_with_false(render_job: Render) -> None:
    written = properties(render_job(sparkConf={"a": False}, **{"global": {"sparkConf": {"a": True, "b": 1}}}))
    assert (written["a"], written["b"]) == ("false", "1")


@pytest.mark.parametrize(
    ("app", "conf", "mebibytes"),
    [
        ({"file": "local:///app.py"}, {}, 2048 + 819),
        ({"file": "local:///app.jar", "mainClass": "a.Main"}, {}, 2048 + 384),
        ({"file": "local:///app.py"}, {"spark.driver.memoryOverheadFactor": 0.5}, 2048 + 1024),
    ],
)
def test_the_driver_asks_for_its_heap_and_sparks_overhead(
    render_job: Render, app: dict[str, str], conf: dict[str, Any], mebibytes: int
) -> None:
    driver = render_job(app=app, sparkConf=conf, driver={"memory": "2g"}).one("Job").container("driver")
    assert driver.body["resources"]["requests"]["memory"] == f"{mebibytes}Mi"
    assert driver.body["resources"]["limits"]["memory"] == f"{mebibytes}Mi"


def test_an_overhead_of_ones_own_wins(render_job: Render) -> None:
    driver = render_job(driver={"memory": "2g", "memoryOverhead": "1g"}).one("Job").container("driver")
    assert driver.body["resources"]["limits"]["memory"] == "3072Mi"


def test_a_claim_is_mounted_by_driver_and_executors(render_job: Render) -> None:
    volume = {"name": "data", "mountPath": "/data", "persistentVolumeClaim": {"claimName": "flights"}}
    manifest = render_job(volumes=[volume])
    assert manifest.one("Job").container("driver").mounts["/data"] == "data"
    assert executor_template(manifest).container("executor").mounts["/data"] == "data"


def test_long_times_are_written_as_whole_numbers(helm: Helm, charts: Path, tmp_path: Path) -> None:
    # helm reads numbers of a file as floats, and would write thirty days as 2.592e+06.
    file = tmp_path / "values.yaml"
    file.write_text("app: {file: local:///a.py}\ndeadlineSeconds: 1209600\nttlSecondsAfterFinished: 2592000\n")
    spec = helm.template(charts / "spark-job", files=[file]).one("Job").body["spec"]
    assert (spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"]) == (1209600, 2592000)


def test_one_registry_for_all_images(render_job: Render) -> None:
    manifest = render_job(**{"global": {"imageRegistry": "registry.example/mirror"}})
    images = set(re.findall(r"\S*apache/spark\S*", manifest.text))
    assert images
    assert all("registry.example/mirror/apache/spark:4.3.0-python3" in image for image in images)


def test_a_digest_wins_over_a_tag(render_job: Render) -> None:
    digest = "sha256:" + "a" * 64
    driver = render_job(image={"tag": "x", "digest": digest}).one("Job").container("driver")
    assert driver.body["image"] == f"docker.io/apache/spark@{digest}"


def test_rendering_twice_gives_the_same_bytes(charts: Path) -> None:
    values = {"app": SOURCE}
    first, second = (Helm().template(charts / "spark-job", values=values) for _ in range(2))
    assert first.text == second.text


@pytest.mark.parametrize("team", ["team-a", "team-b"])
def test_the_sites_and_the_teams_values_reach_a_run(helm: Helm, charts: Path, team: str) -> None:
    values = charts.parent / "values"
    files = [values / "spark-job.yaml", values / team / "common.yaml"]
    manifest = helm.template(charts / "spark-job", namespace=team, files=files, values={"app": SOURCE})
    requests = manifest.one("Job").container("driver").body["resources"]["requests"]
    assert requests["cpu"] == yaml.safe_load(files[0].read_text())["driver"]["requestCores"]
    conf = yaml.safe_load(files[1].read_text())["global"]["sparkConf"]
    assert conf.items() <= {key: yaml.safe_load(value) for key, value in properties(manifest).items()}.items()


OWNED = "sparkConf sets spark.driver.memory, which the chart sets itself; use instead: driver.memory"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"app": {}}, "app.file and app.source are both empty"),
        ({"app": {"file": "local:///a.py", **SOURCE}}, "app.source is set too"),
        ({"app": {"mainClass": "a.Main", **SOURCE}}, "app.source is Python"),
        ({"app": {"file": "local:///a.txt"}}, "which ends neither with .py nor with .jar"),
        ({"app": {"source": "#" * 1_000_001}}, "app.source has 1000001 bytes"),
        ({"driver": {"memory": "100m"}}, 'driver.memory is "100m", and Spark needs 512m'),
        ({"executor": {"memory": "511m"}}, 'executor.memory is "511m", and Spark needs 512m'),
        ({"sparkConf": {"spark.driver.memory": "2g"}}, OWNED),
        ({"global": {"sparkConf": {"spark.master": "local"}}}, "global.sparkConf sets spark.master"),
        ({"executer": {"instances": 2}}, "executer"),
        ({"executor": {"instance": 2}}, "instance"),
        ({"executor": {"instances": "two"}}, "/executor/instances"),
        ({"driver": {"memory": "1 GB"}}, "/driver/memory"),
        ({"retries": -1}, "/retries"),
    ],
)
def test_values_that_cannot_work_are_refused_with_the_name_of_the_value(
    render_job: Render, values: dict[str, Any], words: str
) -> None:
    with pytest.raises(HelmError) as refusal:
        render_job(**values)
    assert words in str(refusal.value)
