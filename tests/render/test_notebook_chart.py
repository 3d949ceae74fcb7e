"""spark-notebook: the pod is the driver, what is left of it, and what is refused in a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from refusals import RefusalOf, Values

from chartproof import Helm, Manifest, Render

TOKEN = {"secret": {"name": "notebook-token"}}


@pytest.fixture(scope="session")
def render_notebook(helm: Helm, charts: Path) -> Render:
    """Render spark-notebook as release "anna" in team-a; keyword arguments are values at the top level."""

    def render(*, release: str = "anna", **values: Any) -> Manifest:
        values.setdefault("login", TOKEN)
        chart = charts / "spark-notebook"
        return helm.template(chart, release=release, namespace="team-a", values=values, checked=False)

    return render


def data(manifest: Manifest, key: str) -> str:
    """A file of the ConfigMap."""
    return str(manifest.one("ConfigMap").body["data"][key])


def container(manifest: Manifest) -> dict[str, Any]:
    """Spark's, of the notebook."""
    (found,) = manifest.one("StatefulSet").body["spec"]["template"]["spec"]["containers"]
    return dict(found)


def test_memory_is_that_of_each_kernel(render_notebook: Render) -> None:
    one, three = (
        container(render_notebook(kernels=kernels, driver={"memory": "2g"}))["resources"] for kernels in (1, 3)
    )
    assert one["limits"]["memory"] == one["requests"]["memory"] == f"{512 + 2048 + 819}Mi"
    assert three["limits"]["memory"] == f"{512 + 3 * (2048 + 819)}Mi"


def test_executors_are_of_the_notebooks_image(render_notebook: Render) -> None:
    manifest = render_notebook()
    spec = manifest.one("StatefulSet").body["spec"]["template"]["spec"]
    image = f"spark.kubernetes.container.image={spec['containers'][0]['image']}"
    assert image in data(manifest, "spark.properties").splitlines()
    assert "initContainers" not in spec


def test_another_image_of_executors_is_looked_at(render_notebook: Render) -> None:
    manifest = render_notebook(
        executor={"image": {"registry": "registry.example.com", "repository": "spark", "tag": "1"}}
    )
    (look,) = manifest.one("StatefulSet").body["spec"]["template"]["spec"]["initContainers"]
    assert look["image"] == "registry.example.com/spark:1"
    assert "--compare" in data(manifest, "driver-spark-env.sh")
    conf = data(manifest, "spark.properties")
    assert "spark.kubernetes.executor.container.image=registry.example.com/spark:1" in conf.splitlines()


def test_the_token_is_in_the_notebook_alone(render_notebook: Render) -> None:
    manifest = render_notebook()
    assert "/etc/notebook-login" in {mount["mountPath"] for mount in container(manifest)["volumeMounts"]}
    assert "notebook-token" not in data(manifest, "executor.yaml")
    assert not {env["name"] for env in container(manifest)["env"]} & {"JUPYTER_TOKEN"}


def test_an_idle_notebook_may_stop_itself_alone(render_notebook: Render) -> None:
    assert not render_notebook().all("Role")
    (rule,) = render_notebook(idle={"notebook": "8h"}).one("Role").body["rules"]
    assert rule == {
        "apiGroups": ["apps"],
        "resources": ["statefulsets/scale"],
        "resourceNames": ["anna"],
        "verbs": ["patch"],
    }


def test_long_releases_have_names_of_their_own(render_notebook: Render) -> None:
    names = set()
    for release in ("a" * 52, "a" * 53, "a" * 52 + "b"):
        manifest = render_notebook(release=release, idle={"notebook": "8h"})
        names.add(manifest.one("StatefulSet").name)
        assert manifest.one("Role").body["rules"][0]["resourceNames"] == [manifest.one("StatefulSet").name]
    assert len(names) == 3
    assert all(len(name) <= 52 for name in names)


def test_a_claim_outlives_the_release(render_notebook: Render) -> None:
    claim = render_notebook().one("PersistentVolumeClaim")
    assert claim.body["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    for home in ({"claim": False}, {"existingClaim": "mine"}):
        assert not render_notebook(home=home).all("PersistentVolumeClaim")


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ({}, "rootLogger.level = INFO\n"),
        ({"level": "WARN"}, "rootLogger.level = WARN\n"),
        ({"json": True}, '"ts":'),
        ({"properties": "rootLogger.level = off\n"}, "rootLogger.level = off\n"),
    ],
)
def test_a_kernels_log_follows_the_values(render_notebook: Render, log: Values, expected: str) -> None:
    text = data(render_notebook(log=log), "driver-log4j2.properties")
    assert expected in text
    assert ("/proc/1/fd/2" in text) == (not log.keys() & {"json", "properties"})


def test_its_link_is_that_of_the_ui_proxy(render_notebook: Render) -> None:
    settings = json.loads(data(render_notebook(), "notebook.json"))
    assert settings["uiUrl"] == ""
    proxied = render_notebook(**{"global": {"uiProxy": {"url": "https://spark.example.com/"}}})
    assert json.loads(data(proxied, "notebook.json"))["uiUrl"] == "https://spark.example.com/team-a/proxy/"


def test_a_path_is_the_ingress_and_the_probes(render_notebook: Render) -> None:
    manifest = render_notebook(basePath="/notebooks/anna", ingress={"enabled": True, "host": "spark.example.com"})
    (rule,) = manifest.one("Ingress").body["spec"]["rules"]
    assert rule["http"]["paths"][0]["path"] == "/notebooks/anna/"
    assert container(manifest)["readinessProbe"]["httpGet"]["path"] == "/notebooks/anna/api"


def test_executors_pods_are_those_of_spark_job(render_notebook: Render, render_job: Render) -> None:
    own, of_job = (yaml.safe_load(data(manifest, "executor.yaml")) for manifest in (render_notebook(), render_job()))
    for labels in (own["metadata"]["labels"], of_job["metadata"]["labels"]):
        del labels["app.kubernetes.io/name"], labels["app.kubernetes.io/instance"]
    assert own == of_job


REFUSED: list[tuple[Values, str]] = [
    ({"login": {}}, "login.secret.name is empty: set it to the Secret with the notebook's token"),
    ({"login": {"method": "proxy", **TOKEN}}, 'login.secret.name is "notebook-token" and login.method is proxy'),
    ({"login": {"method": "proxy"}}, "login.method is proxy but network.from is empty: name the pods"),
    (
        {"login": {"method": "proxy"}, "network": {"from": {"all": {"cidrs": ["0.0.0.0/0"], "ports": [8888]}}}},
        "login.method is proxy and network.from.all lets in 0.0.0.0/0, everybody, without a login",
    ),
    ({"network": {"from": {"all": {"ports": [8888]}}}}, "network.from.all names nobody"),
    ({"ingress": {"enabled": True}}, "ingress.enabled is true but ingress.host is empty"),
    ({"ingress": {"annotations": {"helm.sh/hook": "test"}}}, "ingress.annotations sets helm.sh/hook"),
    ({"home": {"claim": False, "existingClaim": "mine"}}, 'home.existingClaim is "mine" but home.claim is false'),
    ({"log": {"level": "WARN", "properties": "x"}}, "log.properties is a whole configuration"),
    ({"driver": {"memory": "256m"}}, 'driver.memory is "256m", and Spark needs 512m at least'),
    ({"driver": {"env": {"SPARK_CONF_DIR": "/x"}}}, "driver.env sets SPARK_CONF_DIR"),
    ({"driver": {"env": {"POD_UID": "x"}}}, 'variables named "POD_UID", of which one is the chart\'s'),
    (
        {"driver": {"podTemplate": {"spec": {"restartPolicy": "Never"}}}},
        "sets spec.restartPolicy, which the chart sets",
    ),
    (
        {"driver": {"podTemplate": {"spec": {"containers": [{"name": "driver", "args": ["x"]}]}}}},
        "sets args of container driver, which the chart sets itself; leave it out: the container runs JupyterLab",
    ),
    ({"executor": {"dynamicAllocation": {"max": 1}, "instances": 2}}, "executor.instances is 2, more than"),
    (
        {"driver": {"env": {"JUPYTER_TOKEN": "x"}}},
        "driver.env sets JUPYTER_TOKEN, and who logs in is not for variables",
    ),
    ({"idle": {"kernels": "500ms"}}, 'idle.kernels is "500ms", and idle times are whole seconds: write 1s or more'),
    ({"idle": {"notebook": "0s"}}, 'idle.notebook is "0s", and idle times are whole seconds: write 1s or more'),
    ({"kernels": 9}, "at '/kernels': maximum: got 9, want 8"),
    ({"basePath": "/notebooks/../anna"}, 'basePath is "/notebooks/../anna", and browsers take . and .. out of a path'),
    ({"release": "anna.b"}, 'the release is named "anna.b", and no Service\'s name has a dot'),
    ({"sparkConf": {"spark.submit.deployMode": "cluster"}}, "leave it out: the pod is itself the driver"),
    ({"sparkConf": {"spark.driver.memory": "1g"}}, "use instead: driver.memory"),
]


@pytest.mark.parametrize(("values", "says"), REFUSED, ids=[says[:50] for _, says in REFUSED])
def test_values_are_refused(render_notebook: Render, refusal_of: RefusalOf, values: Values, says: str) -> None:
    assert says in refusal_of(render_notebook, values)


def of_a_hub(manifest: Manifest) -> dict[str, Any]:
    """What a hub makes for each user."""
    found = json.loads(manifest.one("ConfigMap", "jupyter-template").body["data"]["notebook.json"])
    assert isinstance(found, dict)
    return found


def test_for_a_hub_the_release_has_no_pod_of_its_own(render_notebook: Render) -> None:
    manifest = render_notebook(release="jupyter", login={"method": "hub"}, idle={"notebook": "2h"})
    assert manifest.names() == {("ConfigMap", "jupyter"), ("ConfigMap", "jupyter-template")}
    made = of_a_hub(manifest)
    assert sorted(made) == ["claim", "networkPolicy", "pod", "secret"]
    # Kubernetes takes none of the words that a hub replaces for a name.
    assert {one["metadata"]["name"] for one in made.values()} == {"<pod>", "<run>", "<claim>"}
    without = of_a_hub(render_notebook(release="jupyter", login={"method": "hub"}, home={"claim": False}))
    assert "claim" not in without


def test_a_hubs_notebook_is_that_of_a_release(render_notebook: Render) -> None:
    ours = render_notebook(release="jupyter").one("StatefulSet").body["spec"]["template"]["spec"]
    pod = of_a_hub(render_notebook(release="jupyter", login={"method": "hub"}))["pod"]["spec"]
    assert pod.pop("restartPolicy") == "OnFailure"
    for spec in (ours, pod):
        (main,) = spec["containers"]
        assert main.pop("ports")[0].pop("containerPort") == 8888
        for probe in ("readinessProbe", "livenessProbe"):
            del main[probe]["httpGet"]
        spec["volumes"] = [one for one in spec["volumes"] if one["name"] not in ("home", "login")]
    assert pod == ours


def test_a_hubs_pods_are_of_one_user(render_notebook: Render) -> None:
    made = of_a_hub(render_notebook(release="jupyter", login={"method": "hub"}))
    assert made["pod"]["metadata"]["labels"]["kindling.local/notebook"] == "<pod>"
    own = {"matchLabels": {"kindling.local/notebook": "<pod>"}}
    spec = made["networkPolicy"]["spec"]
    assert spec["podSelector"] == own
    assert [rule["from"] for rule in spec["ingress"]] == [[{"podSelector": own}]]
    login, home = (next(v for v in made["pod"]["spec"]["volumes"] if v["name"] == name) for name in ("login", "home"))
    assert login["secret"]["secretName"] == made["secret"]["metadata"]["name"] == "<run>"
    assert home["persistentVolumeClaim"]["claimName"] == made["claim"]["metadata"]["name"] == "<claim>"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            {"login": {"method": "hub", "secret": {"name": "x"}}},
            "login.secret.name is x and login.method is hub, which gives",
        ),
        ({"basePath": "/notebooks"}, "basePath is /notebooks and login.method is hub, which gives"),
        ({"home": {"existingClaim": "mine"}}, "home.existingClaim is mine and login.method is hub, which gives"),
        ({"ingress": {"enabled": True, "host": "h"}}, "ingress.enabled is true and login.method is hub, which gives"),
        ({"executor": {"allocator": "statefulset"}}, "executor.allocator is statefulset and login.method is hub"),
    ],
)
def test_what_a_hub_decides_is_refused(
    render_notebook: Render, refusal_of: RefusalOf, values: Values, says: str
) -> None:
    assert says in refusal_of(render_notebook, {"login": {"method": "hub"}, **values})
