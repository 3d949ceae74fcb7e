"""What spark-ui-proxy renders, what it refuses, and that its service reads what it writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from refusals import RefusalOf, Values

from chartproof import Helm, Manifest, Render
from chartproof.scenarios import Scenario
from kindling_dev.scenarios import SCENARIOS
from spark_ui_proxy.addresses import OWN_NODE
from spark_ui_proxy.config import Config, load

TWO_TEAMS = {"namespaces": {"names": ["team-a", "team-b"]}}
INGRESS = {"login": {"mode": "header", "header": {"secret": {"secretName": "of-the-ingress"}}}}
OF_THE_CHART = [scenario for scenario in SCENARIOS if scenario.chart.name == "spark-ui-proxy"]
CLUSTER_RIGHTS = ("ClusterRole", "ClusterRoleBinding")


@pytest.fixture(scope="session")
def render_proxy(helm: Helm, charts: Path) -> Render:
    """Render spark-ui-proxy in the admin namespace; keyword arguments are values at the top level."""

    def render(**values: Any) -> Manifest:
        chart, shown = charts / "spark-ui-proxy", {"namespaces": TWO_TEAMS["namespaces"], **values}
        return helm.template(chart, release="spark-ui-proxy", namespace="kindling-system", values=shown)

    return render


@pytest.mark.parametrize("scenario", OF_THE_CHART, ids=lambda scenario: scenario.name)
def test_the_service_reads_what_the_chart_writes(scenario: Scenario, helm: Helm, tmp_path: Path) -> None:
    config = read(scenario.render(helm).manifest, tmp_path)
    names = scenario.values["namespaces"].get("names", [])
    assert config.namespaces.names == tuple(names)


def read(manifest: Manifest, folder: Path) -> Config:
    """The service's configuration in a render."""
    file = folder / "config.yaml"
    file.write_text(manifest.one("ConfigMap", manifest.one("Deployment").name).body["data"]["config.yaml"])
    return load(file)


def test_every_value_reaches_the_service(render_proxy: Render, tmp_path: Path) -> None:
    config = read(
        render_proxy(
            basePath="/spark",
            permission={"resource": "pods/proxy", "allowSeconds": 7, "denySeconds": 3},
            rbac={"reviews": "cluster"},
            limits={"perUser": 4, "perApplication": 5},
            kill=False,
            **INGRESS,
        ),
        tmp_path,
    )
    assert config.base_path == "/spark"
    assert (config.permission.resource, config.permission.reviews) == ("pods/proxy", "cluster")
    assert (config.permission.allow_seconds, config.permission.deny_seconds) == (7, 3)
    assert (config.limits.per_user, config.limits.per_application) == (4, 5)
    assert not config.kill
    assert (config.login.mode, config.login.header.proof) == ("header", "secret")
    config = read(render_proxy(login={"sessionSeconds": 90, "reviewSeconds": 30}), tmp_path)
    assert (config.login.session_seconds, config.login.review_seconds) == (90, 30)
    assert config.login.logouts == "kindling-system/spark-ui-proxy-logouts"


def test_namespaces_by_name_need_no_right_in_the_cluster(render_proxy: Render) -> None:
    manifest = render_proxy()
    assert not [resource for kind in CLUSTER_RIGHTS for resource in manifest.all(kind)]
    assert {one.namespace for kind in ("Role", "RoleBinding") for one in manifest.all(kind)} == {"kindling-system"}


def test_the_right_to_logouts_is_to_one_object_alone(render_proxy: Render) -> None:
    manifest = render_proxy(login={"reviewSeconds": 30})
    listed = manifest.one("ConfigMap", "spark-ui-proxy-logouts")
    assert "data" not in listed.body
    (rule,) = manifest.one("Role", listed.name).body["rules"]
    assert rule == {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "resourceNames": [listed.name],
        "verbs": ["list", "watch", "patch"],
    }
    (bound,) = manifest.one("RoleBinding", listed.name).body["subjects"]
    assert (bound["kind"], bound["name"]) == ("ServiceAccount", manifest.one("ServiceAccount").name)


@pytest.mark.parametrize("login", [{"mode": "anonymous"}, INGRESS["login"]], ids=["anonymous", "header"])
def test_without_sessions_there_is_no_list_of_logouts(render_proxy: Render, login: Values) -> None:
    manifest = render_proxy(login=login)
    assert not [one for kind in ("Role", "RoleBinding") for one in manifest.all(kind)]
    assert [one.name for one in manifest.all("ConfigMap")] == ["spark-ui-proxy"]


def test_a_role_in_each_namespace_where_it_is_asked_for(render_proxy: Render) -> None:
    roles = [role for role in render_proxy(rbac={"roles": True}).all("Role") if role.name == "spark-ui-proxy"]
    assert [role.namespace for role in roles] == ["team-a", "team-b"]
    for role in roles:
        rights = {(r, v) for rule in role.body["rules"] for r in rule["resources"] for v in rule["verbs"]}
        assert rights == {("pods", "list"), ("pods", "watch"), ("localsubjectaccessreviews", "create")}


def test_a_watch_of_the_cluster_reads_pods_and_nothing_else(render_proxy: Render) -> None:
    role = render_proxy(namespaces={"all": True}, rbac={"reviews": "cluster"}).one("ClusterRole")
    assert role.body["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}]


def test_what_moves_the_bytes_has_no_token_and_no_key(render_proxy: Render) -> None:
    deployment = render_proxy().one("Deployment")
    assert deployment.pod["spec"]["automountServiceAccountToken"] is False
    nginx, decider = (set(deployment.container(name).mounts) for name in ("nginx", "decider"))
    assert nginx == {"/etc/spark-ui-proxy/config.yaml", "/run/spark-ui-proxy", "/tmp"}
    assert decider - nginx == {"/var/run/secrets/kubernetes.io/serviceaccount", "/etc/spark-ui-proxy/session-key"}


def test_what_the_containers_share_is_in_memory(render_proxy: Render) -> None:
    (run,) = [volume for volume in render_proxy().one("Deployment").pod["spec"]["volumes"] if volume["name"] == "run"]
    assert run["emptyDir"]["medium"] == "Memory"


def test_replicas_are_left_to_the_autoscaler(render_proxy: Render) -> None:
    assert render_proxy().one("Deployment").body["spec"]["replicas"] == 2
    assert "replicas" not in render_proxy(autoscaling={"enabled": True}).one("Deployment").body["spec"]


def test_hosts_of_namespaces_are_all_below_the_domain(render_proxy: Render) -> None:
    hosts = {"mode": "namespace", "domain": "spark.example.com"}
    rules = render_proxy(hosts=hosts, ingress={"enabled": True}).one("Ingress").body["spec"]["rules"]
    assert [rule["host"] for rule in rules] == ["spark.example.com", "*.spark.example.com"]


@pytest.mark.parametrize("service", [{}, {"type": "LoadBalancer"}])
def test_metrics_are_at_a_service_that_nobody_outside_reaches(render_proxy: Render, service: Values) -> None:
    manifest = render_proxy(service=service, metrics={"serviceMonitor": {"enabled": True}})
    wanted = manifest.one("ServiceMonitor").body["spec"]["selector"]["matchLabels"].items()
    (selected,) = [one for one in manifest.all("Service") if wanted <= one.labels.items()]
    assert selected.body["spec"]["clusterIP"] == "None"
    assert [port["port"] for port in selected.body["spec"]["ports"]] == [8081]
    (other,) = [one for one in manifest.all("Service") if one.name != selected.name]
    assert "operations" not in str(other.body["spec"])


def test_the_decider_knows_where_pods_live_and_its_node(render_proxy: Render, tmp_path: Path) -> None:
    networks = ["10.244.0.0/16", "fd00::/56", "0.0.0.0/0"]
    manifest = render_proxy(limits={"podNetworks": networks})
    assert read(manifest, tmp_path).limits.pod_networks == tuple(networks)
    (variable,) = manifest.one("Deployment").container("decider").body["env"]
    assert variable == {"name": OWN_NODE, "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}


REFUSED: list[tuple[Values, str]] = [
    ({"namespaces": {}}, "namespaces shows none: list them in namespaces.names"),
    ({"namespaces": {"names": ["a"], "all": True}}, "namespaces.names and namespaces.all are both set"),
    ({"namespaces": {"names": ["team-a", "proxy"]}}, 'namespaces.names has "proxy", a word that Spark'),
    ({"namespaces": {"names": ["Team"]}}, "namespaces.names[0] is "),
    ({"basePath": "/spark/history"}, 'basePath has the segment "history"'),
    ({"basePath": "spark"}, "basePath is "),
    ({"namespaces": {"all": True}, "rbac": {"roles": True}}, "rbac.roles is true but namespaces.names is empty"),
    ({"login": {"audiences": ["spark"]}}, "login.audiences is set but rbac.reviews is namespace"),
    ({"login": {"mode": "header"}}, "login.mode is header, and anybody could send such headers"),
    ({"login": {"mode": "nobody"}}, "/login/mode"),
    ({"tls": {"clientCA": "ca"}}, "the ingress is not believed by its certificate"),
    ({**INGRESS, "tls": {"clientCA": "ca", "secretName": "own"}}, "the ingress is not believed by its certificate"),
    ({"login": {"mode": "header"}, "tls": {"clientCA": "ca"}}, "tls.clientCA is set but tls.secretName is empty"),
    ({"hosts": {"mode": "namespace"}}, "hosts.mode is namespace but hosts.domain is empty"),
    ({"httpRoute": {"enabled": True}}, "httpRoute.parentRefs is empty: name the gateway"),
    ({"autoscaling": {"minReplicas": 9}}, "autoscaling.minReplicas is 9, above maxReplicas 5"),
    ({"service": {"nodePort": 30080}}, "service.nodePort is 30080 but service.type is ClusterIP"),
    (
        {"metrics": {"podMonitor": {"labels": {"app.kubernetes.io/part-of": "x"}}}},
        "metrics.podMonitor.labels sets app.kubernetes.io/part-of",
    ),
    (
        {"metrics": {"serviceMonitor": {"labels": {"app.kubernetes.io/instance": "x"}}}},
        "metrics.serviceMonitor.labels sets app.kubernetes.io/instance",
    ),
    ({"ingress": {"annotations": {"helm.sh/hook": "x"}}}, "ingress.annotations sets helm.sh/hook"),
    ({"service": {"annotations": {"helm.sh/hook": "x"}}}, "service.annotations sets helm.sh/hook"),
    (
        {"metrics": {"podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}}},
        "metrics.podMonitor.enabled and metrics.serviceMonitor.enabled are both true",
    ),
    *(
        ({"limits": {"podNetworks": [cidr]}}, f"limits.podNetworks has {cidr}, where no pod lives")
        for cidr in ("127.0.0.0/8", "169.254.0.0/16", "fe80::/10", "ff00::/8", "224.0.0.0/4", "0.0.0.0/8")
    ),
    ({"limits": {"podNetworks": ["10.244.0.0"]}}, "limits.podNetworks[0] is "),
    ({"network": {"egress": {"closed": True}}}, "network.egress.apiServer.cidrs is empty"),
    ({"network": {"ingress": {"from": {"all": {"ports": [80]}}}}}, "network.ingress.from.all names nobody"),
    ({"network": {"egress": {"to": {"all": {"ports": [80]}}}}}, "network.egress.to.all names nobody"),
]


@pytest.mark.parametrize(("values", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_what_cannot_be_meant_is_refused(
    values: Values, says: str, render_proxy: Render, refusal_of: RefusalOf
) -> None:
    assert says in refusal_of(render_proxy, values)
