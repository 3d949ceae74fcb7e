"""spark-connect: the server's pod and nginx before it, who reaches it, and what is refused in a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from refusals import RefusalOf, Values

from chartproof import Helm, Manifest, Render

TOKEN = {"secret": {"name": "connect-token"}}
TLS = {"secretName": "connect-tls"}


@pytest.fixture(scope="session")
def render_connect(helm: Helm, charts: Path) -> Render:
    """Render spark-connect as release "shared" in team-a; keyword arguments are values at the top level."""

    def render(*, release: str = "shared", **values: Any) -> Manifest:
        values = {"login": TOKEN, "tls": {} if "listen" in values else TLS, **values}
        chart = charts / "spark-connect"
        return helm.template(chart, release=release, namespace="team-a", values=values, checked=False)

    return render


def data(manifest: Manifest, key: str) -> str:
    """A file of the ConfigMap."""
    return str(manifest.one("ConfigMap").body["data"][key])


def containers(manifest: Manifest) -> dict[str, Any]:
    """Those of the server's pod, by name."""
    spec = manifest.one("StatefulSet").body["spec"]["template"]["spec"]
    return {container["name"]: container for container in spec["containers"]}


def peers(manifest: Manifest, port: int) -> list[Any]:
    """Who may connect to a port of the server's pod."""
    rules = manifest.one("NetworkPolicy").body["spec"]["ingress"]
    return [peer for rule in rules if port in {one["port"] for one in rule["ports"]} for peer in rule["from"]]


def test_a_server_without_a_login_lets_the_namespace_in(render_connect: Render) -> None:
    everybody = peers(render_connect(login={"method": "anonymous"}, listen="plaintext"), 15002)
    assert everybody == [{"podSelector": {}}]


@pytest.mark.parametrize(
    ("listen", "address", "names"),
    [
        ("tls", "127.0.0.1", {"driver", "tls"}),
        ("loopback", "127.0.0.1", {"driver"}),
        ("plaintext", "", {"driver"}),
    ],
)
def test_plain_text_leaves_the_pod_by_name_alone(
    render_connect: Render, listen: str, address: str, names: set[str]
) -> None:
    manifest = render_connect(**({} if listen == "tls" else {"listen": listen}))
    lines = data(manifest, "spark.properties").splitlines()
    assert [line for line in lines if "binding.address" in line] == (
        [f"spark.connect.grpc.binding.address={address}"] if address else []
    )
    assert containers(manifest).keys() == names
    assert bool(peers(manifest, 15002)) == (listen != "loopback")


def test_the_key_is_nginxs_and_the_token_sparks_alone(render_connect: Render) -> None:
    manifest = render_connect()
    mounts = {name: {m["mountPath"] for m in c["volumeMounts"]} for name, c in containers(manifest).items()}
    assert "/etc/connect-tls" in mounts["tls"] - mounts["driver"]
    assert "/etc/connect-login" in mounts["driver"] - mounts["tls"]
    assert not {"connect-token", "connect-tls"} & set(data(manifest, "executor.yaml").split())
    (volume,) = [v for v in manifest.one("Pod").body["spec"]["volumes"] if v["name"] == "tls"]
    assert [item["key"] for item in volume["secret"]["items"]] == ["tls.crt"]


def test_clients_are_the_teams_pods_and_whom_values_name(render_connect: Render) -> None:
    office = {"cidrs": ["192.0.2.0/24"], "ports": [15002]}
    found = peers(render_connect(network={"from": {"office": office}}), 15002)
    assert found == [{"podSelector": {}}, {"ipBlock": {"cidr": "192.0.2.0/24"}}]


def test_an_idle_server_may_stop_itself_alone(render_connect: Render) -> None:
    assert not render_connect().all("Role")
    for release in ("shared", "a" * 53):
        manifest = render_connect(release=release, idle={"server": "8h"})
        (rule,) = manifest.one("Role").body["rules"]
        assert rule == {
            "apiGroups": ["apps"],
            "resources": ["statefulsets/scale"],
            "resourceNames": [manifest.one("StatefulSet").name],
            "verbs": ["patch"],
        }


def test_what_stops_by_itself_is_in_the_settings(render_connect: Render) -> None:
    manifest = render_connect(idle={"sessions": "10m", "server": "8h"})
    assert json.loads(data(manifest, "connect.json"))["idleServer"] == "8h"
    line = "spark.connect.session.manager.defaultSessionTimeout=10m"
    assert line in data(manifest, "spark.properties").splitlines()


def test_its_log_follows_the_values(render_connect: Render) -> None:
    assert "driver-log4j2.properties" not in render_connect().one("ConfigMap").body["data"]
    manifest = render_connect(log={"level": "WARN"})
    assert json.loads(data(manifest, "connect.json"))["hasLog"] is True
    assert "rootLogger.level = WARN" in data(manifest, "driver-log4j2.properties")


def test_a_route_goes_to_the_servers_port(render_connect: Render) -> None:
    way = {"enabled": True, "host": "connect.example.com"}
    manifest = render_connect(
        ingress={**way, "tlsSecretName": "ingress-tls"}, grpcRoute={**way, "parentRefs": [{"name": "public"}]}
    )
    (service,) = manifest.one("Service").body["spec"]["ports"]
    assert service == {"name": "connect", "port": 15002, "targetPort": "connect", "appProtocol": "https"}
    (path,) = manifest.one("Ingress").body["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"] == {"name": "shared", "port": {"name": "connect"}}
    (rule,) = manifest.one("GRPCRoute").body["spec"]["rules"]
    assert rule["backendRefs"] == [{"name": "shared", "port": 15002}]


def test_a_servers_executors_are_those_of_spark_job(render_connect: Render, render_job: Render) -> None:
    own, of_job = (yaml.safe_load(data(manifest, "executor.yaml")) for manifest in (render_connect(), render_job()))
    for labels in (own["metadata"]["labels"], of_job["metadata"]["labels"]):
        del labels["app.kubernetes.io/name"], labels["app.kubernetes.io/instance"]
    assert own == of_job


EVERYBODY = {"all": {"cidrs": ["0.0.0.0/0"], "ports": [15002]}}
REFUSED: list[tuple[Values, str]] = [
    ({"login": {}}, "login.secret.name is empty: set it to the Secret with the server's token"),
    ({"login": {"method": "anonymous", **TOKEN}}, 'login.secret.name is "connect-token" and login.method is anonymous'),
    (
        {"login": {"method": "anonymous"}, "network": {"from": EVERYBODY}},
        "login.method is anonymous and network.from.all lets in 0.0.0.0/0, everybody, without a login",
    ),
    (
        {"image": {"tag": "3.5.9-python3"}},
        'image.tag is "3.5.9-python3", and the Connect server of Spark 3 asks for no',
    ),
    (
        {"image": {"tag": "3.5.9"}, "login": {"method": "anonymous"}},
        "listens at every address of the pod, without TLS: take Spark 4, or set listen to plaintext",
    ),
    ({"tls": {}}, "tls.secretName is empty: set it to the Secret with the server's certificate, or listen to loopback"),
    ({"listen": "loopback", "tls": TLS}, 'tls.secretName is "connect-tls" and listen is loopback, which has no TLS'),
    (
        {"listen": "loopback", "ingress": {"enabled": True, "host": "x.example.com", "tlsSecretName": "x"}},
        "ingress.enabled is true and listen is loopback, where nothing from outside of the pod comes",
    ),
    ({"ingress": {"enabled": True}}, "ingress.enabled is true but ingress.host is empty"),
    (
        {"ingress": {"enabled": True, "host": "x.example.com"}},
        "ingress.enabled is true but ingress.tlsSecretName is empty",
    ),
    ({"grpcRoute": {"enabled": True, "host": "x.example.com"}}, "grpcRoute.parentRefs is empty: name the gateway"),
    ({"network": {"from": {"all": {"ports": [15002]}}}}, "network.from.all names nobody"),
    ({"idle": {"sessions": "500ms"}}, 'idle.sessions is "500ms", and idle times are whole seconds: write 1s or more'),
    (
        {"idle": {"server": "1h"}, "sparkConf": {"spark.ui.enabled": "FALSE"}},
        "idle.server is set and spark.ui.enabled is false: the UI alone tells",
    ),
    (
        {"driver": {"env": {"SPARK_CONNECT_AUTHENTICATE_TOKEN": "x"}}},
        "driver.env sets SPARK_CONNECT_AUTHENTICATE_TOKEN",
    ),
    ({"sparkConf": {"spark.connect.authenticate.token": "x"}}, "use instead: login.secret"),
    ({"sparkConf": {"spark.connect.grpc.binding.address": "0.0.0.0"}}, "use instead: listen"),
    ({"log": {"level": "WARN", "properties": "x"}}, "log.properties is a whole configuration"),
    (
        {"driver": {"podTemplate": {"spec": {"restartPolicy": "Never"}}}},
        "sets spec.restartPolicy, which the chart sets",
    ),
    (
        {"driver": {"podTemplate": {"spec": {"containers": [{"name": "driver", "args": ["x"]}]}}}},
        "which the chart sets itself; leave it out: the container runs the Connect server",
    ),
]


@pytest.mark.parametrize(("values", "says"), REFUSED, ids=[says[:50] for _, says in REFUSED])
def test_servers_values_are_refused(render_connect: Render, refusal_of: RefusalOf, values: Values, says: str) -> None:
    assert says in refusal_of(render_connect, values)
