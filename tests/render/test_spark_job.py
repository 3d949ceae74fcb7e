"""What spark-job renders, and what it refuses."""

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import submit
import yaml
from refusals import RefusalOf, Values

from chartproof import Helm, HelmError, Manifest, Render, Resource
from kindling_dev.scenarios import CHARTS

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
    app = {"file": "local:///app.py", "args": ["$(POD_IP)", "$$(POD_IP)", 1000000, True]}
    driver = render_job(app=app, driver={"env": {"WORD": "$(POD_IP)", "MONEY": "a$$b"}}).one("Job").container("driver")
    assert driver.args[-4:] == ["$$(POD_IP)", "$$$$(POD_IP)", "1000000", "true"]
    # Kubernetes makes one of two.
    assert (driver.env["WORD"], driver.env["MONEY"]) == ("$$(POD_IP)", "a$$$$b")


def test_words_are_expanded_twice_in_cluster_mode(render_job: Render) -> None:
    app = {"file": "local:///a$b.jar", "mainClass": "a.B$$C", "args": ["$(POD_IP)", "a$$b"]}
    words = render_job(app=app, mode="cluster").one("Job").container("submitter").args
    assert words[-5:] == ["--class", "a.B$$$$$$$$C", "local:///a$$b.jar", "$$$$(POD_IP)", "a$$$$$$$$b"]
    words = render_job(app={"file": "local:///a$b.py"}, mode="cluster").one("Job").container("submitter").args
    assert words[-1] == "local:///a$$$$b.py"


@pytest.mark.parametrize("written", ["12345678901234567890", "9007199254740993", "1.0e-7", "0.12345678901234567890"])
@pytest.mark.parametrize(
    ("at", "values"),
    [
        ("app.args: item 1", {"app": {"file": "local:///a.py", "args": ["a", None]}}),
        ("driver.env: SIZE", {"driver": {"env": {"SIZE": None}}}),
        ("sparkConf: spark.a", {"sparkConf": {"spark.a": None}}),
        ("global.sparkConf: spark.a", {"global": {"sparkConf": {"spark.a": None}}}),
        ("submitter.env: SIZE", {"mode": "cluster", "submitter": {"env": {"SIZE": None}}}),
    ],
    ids=lambda at: at if isinstance(at, str) else "",
)
def test_a_number_that_yaml_changes_is_refused(
    render_job: Render, refusal_of: RefusalOf, at: str, values: Values, written: str
) -> None:
    def given(number: str) -> Values:
        read: Values = yaml.safe_load(yaml.safe_dump(values).replace("null", number))
        return read

    said = refusal_of(render_job, given(written))
    assert f"{at} is read as the number " in said
    assert "put it into quotes" in said
    for kept in ("1700000000000000", "-1.5", f'"{written}"'):
        render_job(**given(kept))


def test_a_source_that_is_no_utf8_is_refused(render_job: Render, helm: Helm, tmp_path: Path) -> None:
    render_job(app={"source": "x = '\ufffd'"})
    for name, source in (("latin1", "x = 'é'".encode("latin-1")), ("utf8", "x = 'é\ufffd'".encode())):
        (tmp_path / f"{name}.py").write_bytes(source)
    chart = CHARTS / "spark-job"
    with pytest.raises(HelmError, match=r"app\.source holds the byte \"\\xe9\", which is no UTF-8"):
        helm.run(["template", "run", str(chart), f"--set-file=app.source={tmp_path}/latin1.py"])
    assert "x = 'é" in helm.run(["template", "run", str(chart), f"--set-file=app.source={tmp_path}/utf8.py"])


def test_python_applications_executors_get_their_pythons_memory(render_job: Render) -> None:
    python, jar = {"file": "local:///a.py"}, {"file": "local:///a.jar", "mainClass": "a.B"}
    said = {
        (mode, str(app["file"])): properties(render_job(app=app, mode=mode)).get("spark.kubernetes.resource.type")
        for mode in ("client", "cluster")
        for app in (python, jar)
    }
    assert {where for where, kind in said.items() if kind} == {("client", "local:///a.py")}


def test_a_drivers_least_overhead_is_spark_confs(render_job: Render) -> None:
    conf = {"spark.driver.minMemoryOverhead": "1g"}
    container = render_job(driver={"memory": "512m"}, sparkConf=conf).one("Job").container("driver")
    assert container.body["resources"]["limits"]["memory"] == "1536Mi"


def test_spark_3_knows_no_least_overhead(render_job: Render) -> None:
    conf = {"spark.driver.minMemoryOverhead": "1g"}
    image = {"tag": "3.5.9-python3"}
    container = render_job(driver={"memory": "512m"}, sparkConf=conf, image=image).one("Job").container("driver")
    assert container.body["resources"]["limits"]["memory"] == "896Mi"


def test_a_drivers_gpus_are_asked_of_the_cluster(render_job: Render) -> None:
    of_team = {"spark.driver.resource.gpu.vendor": "nvidia.com", "spark.driver.resource.gpu.amount": 1}
    conf = {"spark.driver.resource.gpu.amount": 2, "spark.driver.resource.fpga.amount": 1}
    manifest = render_job(sparkConf=conf, **{"global": {"sparkConf": of_team}})
    limits = manifest.one("Job").container("driver").body["resources"]["limits"]
    assert {name: limits[name] for name in limits if "/" in name} == {"nvidia.com/gpu": "2"}


def test_spark_conf_is_written_as_given(render_job: Render) -> None:
    conf = {"spark.number": 134217728, "spark.switch": False, "spark.path": "C:\\x", "spark.ratio": 0.5}
    written = properties(render_job(sparkConf=conf))
    assert written["spark.number"] == "134217728"
    assert written["spark.switch"] == "false"
    assert written["spark.path"] == r"C:\\x"
    assert written["spark.ratio"] == "0.5"


def test_a_jobs_conf_wins_over_the_namespaces_even_with_false(render_job: Render) -> None:
    of_team = {"sparkConf": {"spark.a": True, "spark.b": 1}}
    written = properties(render_job(sparkConf={"spark.a": False}, **{"global": of_team}))
    assert (written["spark.a"], written["spark.b"]) == ("false", "1")


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


@pytest.mark.parametrize(("size", "mebibytes"), [("1t", 1048576), ("2g", 2048), ("600m", 600), ("1048576k", 1024)])
def test_memory_may_be_given_in_each_of_sparks_units(render_job: Render, size: str, mebibytes: int) -> None:
    driver = render_job(driver={"memory": size, "memoryOverhead": "384m"}).one("Job").container("driver")
    assert driver.body["resources"]["limits"]["memory"] == f"{mebibytes + 384}Mi"


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


@pytest.mark.parametrize("team", ["team-a", "team-b"])
def test_the_sites_and_the_teams_values_reach_a_run(helm: Helm, charts: Path, team: str) -> None:
    values = charts.parent / "values"
    files = [values / "spark-job.yaml", values / team / "common.yaml"]
    manifest = helm.template(charts / "spark-job", namespace=team, files=files, values={"app": SOURCE})
    requests = manifest.one("Job").container("driver").body["resources"]["requests"]
    assert requests["cpu"] == yaml.safe_load(files[0].read_text())["driver"]["requestCores"]
    conf = yaml.safe_load(files[1].read_text())["global"]["sparkConf"]
    assert conf.items() <= {key: yaml.safe_load(value) for key, value in properties(manifest).items()}.items()


def test_a_program_of_the_chart_is_no_part_of_the_name(
    helm: Helm, charts: Path, edited: Callable[[str, str, str, str], Path]
) -> None:
    mended = edited("spark-job", "files/drive.py", "", "# mended\n")
    before, after = (helm.template(chart, values={"app": SOURCE}) for chart in (charts / "spark-job", mended))
    assert before.names() == after.names()
    assert before.text != after.text


def test_a_schedule_is_a_cronjob_and_runs_nothing_at_once(render_job: Render) -> None:
    manifest = render_job(schedule={"cron": "0 3 * * 1-5", "timeZone": "Europe/Zurich", "startingDeadlineSeconds": 600})
    assert manifest.names() == {("CronJob", "nightly"), ("ConfigMap", "nightly"), ("Pod", "nightly-test")}
    spec = manifest.one("CronJob").body["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["startingDeadlineSeconds"]) == (
        "0 3 * * 1-5",
        "Europe/Zurich",
        600,
    )
    assert (spec["concurrencyPolicy"], spec["suspend"]) == ("Forbid", False)
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (3, 3)
    volumes = {v["name"]: v for v in manifest.one("CronJob").pod["spec"]["volumes"]}
    assert volumes["kindling"]["configMap"]["name"] == "nightly"


def test_run_now_adds_a_job_with_a_configmap_of_its_own(render_job: Render) -> None:
    manifest = render_job(schedule={"cron": "@daily"}, run={"now": True})
    job = manifest.one("Job").name
    assert manifest.names() >= {("CronJob", "nightly"), ("ConfigMap", "nightly"), ("Job", job), ("ConfigMap", job)}


@pytest.mark.parametrize(
    ("release", "name"),
    [
        ("a" * 52, "a" * 52),
        ("a" * 53, "a" * 43 + "-abe346a7"),
        ("a" * 42 + "-" + "b" * 10, "a" * 42 + "-f12e1b1b"),
        ("spark.pi", "spark-pi-5ec3345b"),
        ("a" * 51 + ".b", "a" * 43 + "-9e8f3ce4"),
    ],
)
def test_a_long_releases_cronjob_has_a_name_that_kubernetes_takes(
    helm: Helm, charts: Path, release: str, name: str
) -> None:
    values = {"app": SOURCE, "schedule": {"cron": "@daily"}}
    assert helm.template(charts / "spark-job", release=release, values=values).one("CronJob").name == name


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_a_run_has_no_dot_that_its_executors_hosts_would(helm: Helm, charts: Path, mode: str) -> None:
    def job(release: str) -> str:
        return (
            helm.template(charts / "spark-job", release=release, values={"app": SOURCE, "mode": mode}).one("Job").name
        )

    assert job("spark.pi").startswith("spark-pi-")
    assert job("spark.pi") != job("spark-pi"), "two releases have their own runs"


def test_cluster_mode_submits_with_the_submitters_account(render_job: Render) -> None:
    manifest = render_job(mode="cluster", deadlineSeconds=60)
    job = manifest.one("Job")
    assert job.pod["spec"]["serviceAccountName"] == "spark-submitter"
    assert "spark-role" not in job.pod["metadata"]["labels"], "a submitter is no driver"
    driver = json.loads(manifest.one("ConfigMap").body["data"]["driver.json"])
    assert driver["spec"]["activeDeadlineSeconds"] == 60


def test_codes_of_a_killed_submitter_count_for_nothing(render_job: Render) -> None:
    rules = render_job(mode="cluster").one("Job").body["spec"]["podFailurePolicy"]["rules"]
    assert rules == [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {
            "action": "Ignore",
            "onExitCodes": {"containerName": "submitter", "operator": "In", "values": list(submit.NOT_COUNTED)},
        },
    ]


def digest(job: Resource, config_map: Resource) -> str:
    """What a submitter makes of a ConfigMap's files."""
    arguments = job.container("submitter").args
    tree = ast.parse(arguments[arguments.index("-c") + 1])
    tree.body = [node for node in tree.body if isinstance(node, (ast.Import, ast.FunctionDef))]
    names: dict[str, Any] = {"NAME": config_map.name}
    exec(compile(tree, "loader", "exec"), names)
    return str(names["digest"]({file: text.encode() for file, text in config_map.body["data"].items()}))


def test_a_job_says_what_its_config_map_holds(render_job: Render) -> None:
    source = {"source": "print('<ä&\u2028>\t')\r\n\n\n"}
    schedule = {"cron": "@daily"}
    manifest = render_job(mode="cluster", app=source, log={"level": "WARN"}, schedule=schedule, run={"now": True})
    template = Resource({"kind": "Job", **manifest.one("CronJob").body["spec"]["jobTemplate"]})
    for job in (manifest.one("Job"), template):
        (volume,) = [volume for volume in job.pod["spec"]["volumes"] if volume["name"] == "kindling"]
        config_map = manifest.one("ConfigMap", volume["configMap"]["name"])
        says = {"kindling.local/config-sha256": digest(job, config_map)}
        assert job.body["metadata"]["annotations"] == says


def test_the_submitter_runs_nothing_from_its_volume(render_job: Render) -> None:
    """What is mounted changes with the ConfigMap, after it was looked at too."""
    job = render_job(mode="cluster", app=SOURCE, log={"level": "WARN"}).one("Job")
    submitter = job.container("submitter")
    code = submitter.args.index("-c") + 1
    ast.parse(submitter.args[code], feature_version=(3, 8))
    assert submitter.args[:code] == ["python3", "-I", "-c"]
    assert submitter.args[code + 1] == job.name
    assert "$(" not in submitter.args[code], "Kubernetes would expand it"
    named = [word for word in submitter.args[code + 2 :] if "/opt/kindling" in word]
    assert named == ["local:///opt/kindling/app.py"], "which the driver reads"
    assert submitter.env["SPARK_CONF_DIR"].startswith("/tmp/kindling/")
    assert {mount["mountPath"] for mount in submitter.body["volumeMounts"]} == {
        "/opt/kindling",
        "/tmp",
        "/opt/spark/work-dir",
    }


@pytest.mark.parametrize(("kube_version", "excluded"), [("1.29.0", True), ("1.30.0", False)])
def test_spark_makes_no_policy_where_no_guard_is(helm: Helm, charts: Path, kube_version: str, excluded: bool) -> None:
    for mode, is_there in (("cluster", excluded), ("client", False)):
        values = {"app": SOURCE, "mode": mode}
        written = properties(helm.template(charts / "spark-job", values=values, kube=kube_version))
        assert ("spark.kubernetes.driver.pod.excludedFeatureSteps" in written) == is_there


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_a_driver_asks_for_no_end_of_services(render_job: Render, mode: str) -> None:
    assert properties(render_job(mode=mode))["spark.kubernetes.driver.service.deleteOnTermination"] == "false"


def test_a_users_pod_template_is_merged_by_names(render_job: Render) -> None:
    extra = {
        "metadata": {"labels": {"team": "a"}},
        "spec": {
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}],
            "securityContext": {"runAsNonRoot": False, "supplementalGroups": [7]},
            "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}, {"name": "more", "emptyDir": {}}],
            "containers": [{"name": "driver", "env": [{"name": "A", "value": "1"}], "tty": True}],
        },
    }
    pod = render_job(checked=False, driver={"podTemplate": extra}).one("Job").pod
    assert pod["metadata"]["labels"].items() >= {"team": "a", "spark-role": "driver"}.items()
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is False, "what a user asks for by name is done"
    assert pod["spec"]["securityContext"]["runAsUser"] == 185
    volumes = {v["name"]: v for v in pod["spec"]["volumes"]}
    assert volumes["tmp"]["emptyDir"] == {"sizeLimit": "1Gi"}
    assert "more" in volumes
    (driver,) = pod["spec"]["containers"]
    assert {"name": "A", "value": "1"} in driver["env"]
    assert driver["tty"]
    assert driver["image"]


def test_a_pod_templates_init_containers_need_none_of_the_charts(render_job: Render) -> None:
    wait = {"name": "wait", "image": "busybox:1", "command": ["true"], "lifecycle": None}
    manifest = render_job(checked=False, executor={"podTemplate": {"spec": {"initContainers": [wait]}}})
    files = manifest.one("ConfigMap").body["data"]
    del wait["lifecycle"]
    assert yaml.safe_load(files["executor.yaml"])["spec"]["initContainers"] == [wait]


def test_pods_spread_by_the_selector_that_values_give(render_job: Render) -> None:
    own = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    other = {**own, "labelSelector": {"matchLabels": {"team": "a"}}}
    pod = render_job(driver={"topologySpreadConstraints": [own, other]}).one("Job").pod
    first, second = pod["spec"]["topologySpreadConstraints"]
    assert first["labelSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert second == other


def test_lists_of_a_users_pod_template_come_after_those_of_values(render_job: Render) -> None:
    mine, more = {"key": "spark", "operator": "Exists"}, {"key": "spot", "operator": "Exists"}
    pod = render_job(driver={"tolerations": [mine], "podTemplate": {"spec": {"tolerations": [more]}}}).one("Job").pod
    assert pod["spec"]["tolerations"] == [mine, more]


def test_a_volume_is_mounted_over_a_file_of_another(helm: Helm, charts: Path) -> None:
    """A file that is there already needs none to be made."""
    items = [{"key": "a", "path": "a.conf"}, {"key": "b", "path": "b.conf"}]
    outer = {"name": "outer", "mountPath": "/etc/own", "configMap": {"name": "outer", "items": items}}
    inner = {"name": "inner", "mountPath": "/etc/own/b.conf", "subPath": "b", "configMap": {"name": "inner"}}
    values = {"app": SOURCE, "volumes": [outer, inner]}
    driver = helm.template(charts / "spark-job", values=values, checked=False).one("Job").container("driver")
    assert {"/etc/own", "/etc/own/b.conf"} <= {mount["mountPath"] for mount in driver.body["volumeMounts"]}


def test_driver_volumes_that_hold_scratch_data_are_told_to_spark(render_job: Render) -> None:
    volume = {"name": "spark-local-dir-1", "mountPath": "/fast", "emptyDir": {}}
    assert render_job(volumes=[volume]).one("Job").container("driver").env["SPARK_LOCAL_DIRS"] == "/fast"


def test_a_podmonitor_reads_both_endpoints(render_job: Render) -> None:
    monitor = render_job(metrics={"enabled": True, "podMonitor": {"enabled": True}}).one("PodMonitor").body["spec"]
    assert [e["path"] for e in monitor["podMetricsEndpoints"]] == [
        "/metrics/prometheus/",
        "/metrics/executors/prometheus/",
    ]
    pod = render_job(metrics={"enabled": True, "podMonitor": {"enabled": True}}).one("Job").pod
    assert monitor["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert "spark-ui" in [port["name"] for port in pod["spec"]["containers"][0]["ports"]]


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_names_that_look_like_numbers_stay_names(helm: Helm, charts: Path, mode: str) -> None:
    values = {
        "app": {"file": "local:///app.py"},
        "mode": mode,
        "schedule": {"cron": "@daily"},
        "metrics": {"enabled": True, "podMonitor": {"enabled": True}},
        "driver": {"serviceAccountName": "1"},
        "image": {"pullSecrets": ["2"]},
        "volumes": [{"name": "3", "mountPath": "/fast", "onDemand": {"storageClass": "4", "size": "1"}}],
        "log": {"level": "WARN"},
        "global": {"serviceAccounts": {"submitter": "5"}},
    }
    manifest = helm.template(charts / "spark-job", release="0", namespace="0", values=values, checked=False)
    named = json.dumps([resource.body for resource in manifest if resource.kind != "ConfigMap"])
    assert manifest.names() == {("CronJob", "0"), ("ConfigMap", "0"), ("PodMonitor", "0"), ("Pod", "0-test")}
    assert not re.search(r'"(name|namespace|serviceAccountName|storageClassName)": \d', named)


def test_any_text_reaches_the_run_as_it_is(render_job: Render) -> None:
    text = "a: 'b\ufeff\u00a0\U0001f600 #"
    extra = {"affinity": {text: text}, "envFrom": [{text: text}], "env": {"A": {"fieldRef": {text: text}}}}
    app = {"name": text, "source": f"{text}\x7f\f\u2028"}
    manifest = render_job(checked=False, app=app, sparkConf={"spark.a": text}, driver=extra)
    data = manifest.one("ConfigMap").body["data"]
    spec = manifest.one("Job").pod["spec"]
    assert data["app.py"] == f"{text}\x7f\f\u2028"
    assert f"spark.a={text}\n" in data["spark.properties"]
    assert f"spark.app.name={text}\n" in data["spark.properties"]
    assert spec["affinity"] == {text: text}
    assert spec["containers"][0]["envFrom"] == [{text: text}]


def test_a_value_of_spark_conf_sets_no_other_line(render_job: Render) -> None:
    written = render_job(sparkConf={"spark.a": "b\r\nspark.master=local"}).one("ConfigMap").body["data"]
    assert r"spark.a=b\r\nspark.master=local" in written["spark.properties"].split("\n")


def test_plugins_of_a_users_are_kept_whatever_their_text(render_job: Render) -> None:
    executor = {"decommission": True, "rolling": {"interval": "1h"}}
    plugins = properties(render_job(sparkConf={"spark.plugins": "a: b"}, executor=executor))["spark.plugins"]
    assert plugins == "a: b,org.apache.spark.scheduler.cluster.k8s.ExecutorRollPlugin"
