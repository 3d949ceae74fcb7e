"""What spark-namespace renders, and what it refuses."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from refusals import RefusalOf, Values

from chartproof import Helm, HelmError, Render

FORBIDDEN = [
    ("*", "*"),
    ("secrets", "get"),
    ("secrets", "list"),
    ("pods/exec", "create"),
    ("serviceaccounts/token", "create"),
]

OF_THE_CLUSTER = ("Namespace", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


GUARD_KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
GUARD_NAMES = {
    "kindling-guard-team-a",
    *(f"kindling-guard-team-a.{part}" for part in ("drivers", "monitors", "network", "placement", "statuses")),
}


def test_a_namespace_holds_four_identities_and_two_roles(render_namespace: Render) -> None:
    assert render_namespace().names() == {
        ("Namespace", "team-a"),
        ("ServiceAccount", "spark-submitter"),
        ("ServiceAccount", "spark-driver"),
        ("ServiceAccount", "spark-executor"),
        ("ServiceAccount", "spark-history"),
        ("Role", "spark-submitter"),
        ("Role", "spark-driver"),
        ("RoleBinding", "spark-submitter"),
        ("RoleBinding", "spark-driver"),
        ("ConfigMap", "spark-defaults"),
        ("LimitRange", "spark"),
        ("NetworkPolicy", "spark-default"),
        ("NetworkPolicy", "spark-applications"),
        ("Pod", "team-a-test"),
        *((kind, name) for kind in GUARD_KINDS for name in GUARD_NAMES),
    }


def test_every_object_names_the_teams_namespace(render_namespace: Render) -> None:
    for resource in render_namespace():
        if resource.kind not in OF_THE_CLUSTER:
            assert resource.namespace == "team-a"


def test_the_namespace_enforces_restricted_and_outlives_the_release(render_namespace: Render) -> None:
    namespace = render_namespace().one("Namespace")
    for mode in ("enforce", "audit", "warn"):
        assert namespace.labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
        assert namespace.labels[f"pod-security.kubernetes.io/{mode}-version"] == "latest"
    assert namespace.body["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_roles_name_every_right_and_none_that_escalates(render_namespace: Render) -> None:
    for role in render_namespace().all("Role"):
        granted = {(r, v) for rule in role.body["rules"] for r in rule["resources"] for v in rule["verbs"]}
        assert not any("*" in pair for pair in granted)
        assert granted.isdisjoint(FORBIDDEN)


def test_executors_have_no_role_and_no_token(render_namespace: Render) -> None:
    manifest = render_namespace()
    assert manifest.one("ServiceAccount", "spark-executor").body["automountServiceAccountToken"] is False
    subjects = [s["name"] for binding in manifest.all("RoleBinding") for s in binding.body["subjects"]]
    assert sorted(subjects) == ["spark-driver", "spark-submitter"]


def test_people_are_bound_by_the_names_that_were_given(render_namespace: Render) -> None:
    names = [
        "0",
        "1e3",
        "true",
        "~",
        "CORP\\anna",
        "bert@example.com",
        'a"b',
        "{{ .Values }}",
        "# c",
        "Čeněk 🔥",
        "a: b",
    ]
    account = {"namespace": "0", "name": "deployer"}
    for key in ("submitters", "viewers"):
        who = {"users": names, "groups": names, "serviceAccounts": [account]}
        manifest = render_namespace(access={key: who})
        assert not manifest.all("ClusterRoleBinding")
        assert {role.name for role in manifest.all("Role")} == {"spark-submitter", "spark-driver", f"access-{key}"}
        binding = manifest.one("RoleBinding", f"access-{key}")
        subjects = binding.body["subjects"]
        assert [s["name"] for s in subjects] == [*names, *names, "deployer"]
        assert [s["kind"] for s in subjects] == ["User"] * len(names) + ["Group"] * len(names) + ["ServiceAccount"]
        assert subjects[-1]["namespace"] == "0"


def test_a_group_alone_is_enough(render_namespace: Render) -> None:
    binding = render_namespace(access={"viewers": {"groups": ["on-call"]}}).one("RoleBinding", "access-viewers")
    (subject,) = binding.body["subjects"]
    assert (subject["kind"], subject["name"]) == ("Group", "on-call")


def test_the_proxy_of_the_uis_is_bound_where_it_is_named(render_namespace: Render) -> None:
    manifest = render_namespace(**{"global": {"uiProxy": {"namespace": "proxies"}}})
    (subject,) = manifest.one("RoleBinding", "ui-proxy").body["subjects"]
    assert subject == {"kind": "ServiceAccount", "name": "spark-ui-proxy", "namespace": "proxies"}
    assert ("ServiceAccount", "spark-ui-proxy") not in manifest.names(), "its own chart makes it"


def test_the_history_server_has_an_account_without_token_or_right(render_namespace: Render) -> None:
    account = render_namespace().one("ServiceAccount", "spark-history")
    assert account.body["automountServiceAccountToken"] is False


def test_spark_defaults_hold_the_teams_configuration(helm: Helm, charts: Path) -> None:
    values = charts.parent / "values"
    for team in ("team-a", "team-b"):
        files = [values / "spark-namespace.yaml", values / team / "common.yaml", values / team / "spark-namespace.yaml"]
        chart = charts / "spark-namespace"
        manifest = helm.template(chart, release=team, namespace="kindling-system", files=files)
        text = manifest.one("ConfigMap", "spark-defaults").body["data"]["spark-defaults.conf"]
        zone = yaml.safe_load(files[1].read_text())["global"]["sparkConf"]["spark.sql.session.timeZone"]
        assert f"spark.sql.session.timeZone={zone}" in text.splitlines()
        assert f"spark.kubernetes.namespace={team}" in text.splitlines()


def test_an_existing_namespace_is_used_but_not_made(helm: Helm, charts: Path) -> None:
    manifest = helm.template(charts / "spark-namespace", namespace="team-a", values={"namespace": {"create": False}})
    assert manifest.all("Namespace") == []
    assert manifest.one("Role", "spark-driver").namespace == "team-a"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"namespace": {}}, "namespace.name is empty"),
        ({"namespace": {"name": "kindling-system"}}, "which a chart cannot make"),
        ({"global": {"serviceAccounts": {"driver": "spark-executor"}}}, "gives one name twice"),
        ({"global": {"serviceAccounts": {"driver": "access-viewers"}}}, "as a Role of the chart is named"),
        ({"access": {"viewers": {"users": [0]}}}, "/access/viewers/users/0"),
        ({"access": {"viewers": {"users": [True]}}}, "/access/viewers/users/0"),
        ({"access": {"submitters": {"users": [""]}}}, "access.submitters.users[0] is "),
        ({"access": {"submitters": {"groups": ["a\nb"]}}}, "access.submitters.groups[0] is "),
        ({"access": {"submitters": {"groups": ["a "]}}}, "access.submitters.groups[0] is "),
        ({"access": {"submitters": {"groups": ["a\u2028b"]}}}, 'access holds the character "\\u2028"'),
        ({"access": {"viewers": {"groups": ["a", "a"]}}}, "/access/viewers/groups"),
        ({"access": {"submitters": {"groups": ["system:authenticated"]}}}, "groups names system:authenticated"),
        ({"access": {"viewers": {"users": ["system:anonymous"]}}}, "users names system:anonymous"),
        ({"access": {"viewers": {"serviceAccounts": [{"name": "ci"}]}}}, "/access/viewers/serviceAccounts/0"),
        (
            {"access": {"submitters": {"serviceAccounts": [{"namespace": "team-a", "name": "spark-driver"}]}}},
            "names spark-driver of the team's own namespace",
        ),
        ({"podSecurity": {"enforce": "strict"}}, "/podSecurity/enforce"),
        ({"podSecurity": {"mode": "always"}}, "/podSecurity/mode"),
        ({"podSecurity": {"policy": {"volumes": ["hostPath"]}}}, "/podSecurity/policy/volumes/0"),
        ({"podSecurity": {"policy": {"fsGroup": []}}}, "/podSecurity/policy/fsGroup"),
        (
            {"podSecurity": {"policy": {"runAsUser": [{"min": 9, "max": 8}]}}},
            "podSecurity.policy.runAsUser has a range from 9 to 8: its min must not be above its max",
        ),
        (
            {"podSecurity": {"policy": {"hostPaths": [{"pathPrefix": "/data"}]}}},
            "podSecurity.policy.hostPaths lists paths, which only a PodSecurityPolicy can allow one by one",
        ),
        ({"namespace": {"name": "Team_A"}}, "namespace.name is "),
        ({"nameSpace": {"name": "team-a"}}, "nameSpace"),
        ({"namespace": {"name": "team-a", "labels": {"a b": "c"}}}, 'namespace.labels has the key "a b"'),
        (
            {"namespace": {"name": "team-a", "labels": {"pod-security.kubernetes.io/enforce": "privileged"}}},
            "namespace.labels sets pod-security.kubernetes.io/enforce",
        ),
        (
            {"namespace": {"name": "team-a", "annotations": {"helm.sh/resource-policy": "delete"}}},
            "namespace.annotations sets helm.sh/resource-policy",
        ),
        ({"podSecurity": {"version": "v1.1234"}}, "podSecurity.version is "),
        ({"global": {"sparkConf": {"spark.a": "b\x7f"}}}, 'global holds the character "\\x7f"'),
        (
            {"global": {"sparkConf": {"spark.kubernetes.authenticate.submission.oauthToken": "x"}}},
            "oauthToken, and a secret never stands in values: leave it out",
        ),
        ({"global": None}, "missing property 'global'"),
        ({"guard": {"enabled": "yes"}}, "/guard/enabled"),
        ({"guard": {"secrets": ["Not a name"]}}, "guard.secrets[0] is "),
        ({"guard": {"hostPaths": ["/data/"]}}, "guard.hostPaths[0] is "),
        ({"podSecurity": {"policy": {"hostPaths": [{"pathPrefix": "/data", "readOnly": False}]}}}, "/readOnly"),
        ({"guard": {"rightsWithout": ["secrets"]}}, "/guard/rightsWithout/0"),
        ({"guard": {"serviceTypes": ["ExternalName"]}}, "/guard/serviceTypes/0"),
        ({"guard": {"imagePullPolicies": []}}, "/guard/imagePullPolicies"),
        ({"guard": {"tolerations": [""]}}, "guard.tolerations[0] is "),
        ({"guard": {"hostPaths": ["/"]}}, "guard.hostPaths[0] is "),
        ({"network": {"egress": {"closed": True}}}, "network.egress.apiServer.cidrs is empty"),
        ({"network": {"egress": {"apiServer": {"cidrs": ["10.96.0.1"]}}}}, "network.egress.apiServer.cidrs[0] is "),
        ({"network": {"ingress": {"from": {"web": {"ports": [80]}}}}}, "network.ingress.from.web names nobody"),
        ({"network": {"ingress": {"from": {"web": {"namespaces": ["web"]}}}}}, "missing property 'ports'"),
        (
            {
                "network": {
                    "egress": {"to": {"s3": {"cidrs": ["192.0.2.0/24"], "podLabels": {"a": "b"}, "ports": [9000]}}}
                }
            },
            "network.egress.to.s3 has podLabels but no namespaces",
        ),
        (
            {"global": {"isolateApplications": True}, "network": {"ingress": {"closed": False}}},
            "network.ingress.closed is false",
        ),
    ],
)
def test_values_that_cannot_work_are_refused_with_the_name_of_the_value(
    render_namespace: Render, refusal_of: RefusalOf, values: Values, words: str
) -> None:
    assert words in refusal_of(render_namespace, values)


def test_names_that_look_like_numbers_stay_names(helm: Helm, charts: Path) -> None:
    accounts = {"submitter": "1", "driver": "2", "executor": "3", "history": "4"}
    values = {"namespace": {"name": "0"}, "global": {"serviceAccounts": accounts}}
    manifest = helm.template(charts / "spark-namespace", values=values)
    assert {("Namespace", "0"), ("Role", "1"), ("ServiceAccount", "2"), ("ServiceAccount", "3")} <= manifest.names()
    assert {resource.namespace for resource in manifest if resource.kind not in OF_THE_CLUSTER} == {"0"}
    assert manifest.one("Pod").body["spec"]["serviceAccountName"] == "2"


@pytest.mark.parametrize(
    ("enabled", "kube", "guarded"),
    [("auto", "1.30", True), ("auto", "1.29", False), (True, "1.30", True), (False, "1.37", False)],
)
def test_the_guard_is_there_where_it_is_wanted_and_kubernetes_has_it(
    helm: Helm, charts: Path, enabled: str | bool, kube: str, guarded: bool
) -> None:
    values = {"namespace": {"name": "team-a"}, "guard": {"enabled": enabled}}
    manifest = helm.template(charts / "spark-namespace", values=values, kube=kube)
    for kind in GUARD_KINDS:
        assert {resource.name for resource in manifest.all(kind)} == (GUARD_NAMES if guarded else set())


def test_a_guard_that_kubernetes_lacks_is_refused(helm: Helm, charts: Path) -> None:
    values = {"namespace": {"name": "team-a"}, "guard": {"enabled": True}}
    with pytest.raises(HelmError, match=r"guard\.enabled is true, but Kubernetes v1\.29 has no .*: set it to auto or"):
        helm.template(charts / "spark-namespace", values=values, kube="1.29")


def test_the_guard_is_that_of_the_namespace_and_fails_closed(render_namespace: Render) -> None:
    manifest = render_namespace()
    for name in GUARD_NAMES:
        policy, binding = (manifest.one(kind, name).body["spec"] for kind in GUARD_KINDS)
        selector = policy["matchConstraints"]["namespaceSelector"]
        assert selector == {"matchLabels": {"kubernetes.io/metadata.name": "team-a"}}
        assert policy["failurePolicy"] == "Fail"
        assert "paramKind" not in policy, "what the team could write would be its own judge"
        assert binding == {"policyName": name, "validationActions": ["Deny"]}


RIGHTS_OF_A_GUARD = {
    "clusterMode": {"services", "networkpolicies"},
    "driverObjects": {"configmaps", "services", "persistentvolumeclaims"},
}


@pytest.mark.parametrize("asked", [(), ("clusterMode",), ("driverObjects",)], ids=["none", "submitters", "drivers"])
@pytest.mark.parametrize(("kube", "enabled"), [("1.29", "auto"), ("1.37", False)], ids=["old", "switched off"])
def test_without_a_guard_its_rights_are_off_unless_asked(
    helm: Helm, charts: Path, kube: str, enabled: str | bool, asked: tuple[str, ...]
) -> None:
    values = {
        "namespace": {"name": "team-a"},
        "access": {"submitters": {"users": ["anna"]}},
        "guard": {"enabled": enabled, "rightsWithout": list(asked)},
    }
    manifest = helm.template(charts / "spark-namespace", values=values, kube=kube)
    of = {role: {r for rule in manifest.one("Role", role).body["rules"] for r in rule["resources"]} for role in ROLES}
    assert {"services", "networkpolicies"} & (of["spark-submitter"] | of["access-submitters"]) == (
        RIGHTS_OF_A_GUARD["clusterMode"] if "clusterMode" in asked else set()
    )
    assert RIGHTS_OF_A_GUARD["driverObjects"] & of["spark-driver"] == (
        RIGHTS_OF_A_GUARD["driverObjects"] if "driverObjects" in asked else set()
    )


def test_the_right_on_network_policies_may_be_off_alone(render_namespace: Render) -> None:
    unguarded = {"enabled": False, "rightsWithout": ["clusterMode"]}
    manifest = render_namespace(guard=unguarded, submitter={"networkPolicies": False})
    rights = {r for rule in manifest.one("Role", "spark-submitter").body["rules"] for r in rule["resources"]}
    assert "services" in rights
    assert "networkpolicies" not in rights


def test_a_namespace_may_enforce_another_level(render_namespace: Render) -> None:
    labels = render_namespace(podSecurity={"enforce": "privileged"}).one("Namespace").body["metadata"]["labels"]
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"privileged"}


ROLES = ("spark-submitter", "access-submitters", "spark-driver")


def test_a_team_makes_pod_monitors_only_where_asked(render_namespace: Render) -> None:
    people = {"submitters": {"users": ["anna"]}}
    for asked in (False, True):
        role = render_namespace(access=people, submitter={"podMonitors": asked}).one("Role", "access-submitters")
        assert ("podmonitors" in str(role.body["rules"])) == asked


CELLS = [
    pytest.param(kube, apis, mode, id=f"{kube}-{'with' if apis else 'without'}-api-{mode}")
    for kube in ("1.24.0", "1.24.17", "1.25.0", "1.25.16", "1.30.0", "1.37.0")
    for apis in ((), ("policy/v1beta1/PodSecurityPolicy",))
    for mode in ("auto", "psp", "psa", "none")
]


@pytest.mark.check(8)
@pytest.mark.parametrize(("kube", "apis", "mode"), CELLS)
def test_a_policy_is_made_where_kubernetes_has_them_and_values_want_one(
    helm: Helm, charts: Path, kube: str, apis: tuple[str, ...], mode: str
) -> None:
    old = "1.24" in kube
    values = {"namespace": {"name": "team-a"}, "podSecurity": {"mode": mode}}
    chart = charts / "spark-namespace"
    if mode == "psp" and not old:
        with pytest.raises(HelmError) as refusal:
            helm.template(chart, values=values, kube=kube, apis=apis)
        says = f"podSecurity.mode is psp, and Kubernetes v{kube} has no PodSecurityPolicy: set it to auto or psa"
        assert says in str(refusal.value)
        return
    manifest = helm.template(chart, values=values, kube=kube, apis=apis, checked=False)
    policy = mode == "psp" or (mode == "auto" and old)
    of_policy = {
        ("PodSecurityPolicy", "spark-team-a"),
        ("Role", "spark:pod-security"),
        ("RoleBinding", "spark:pod-security"),
    }
    assert manifest.names() & of_policy == (of_policy if policy else set())
    levels = {
        label.removeprefix("pod-security.kubernetes.io/")
        for label in manifest.one("Namespace").labels
        if label.startswith("pod-security.") and not label.endswith("-version")
    }
    assert levels == (set() if mode == "none" else {"audit", "warn"} if policy else {"enforce", "audit", "warn"})


def test_the_policy_allows_what_values_say_to_all_accounts_of_the_namespace_alone(helm: Helm, charts: Path) -> None:
    paths: list[dict[str, Any]] = [{"pathPrefix": "/data/flights"}, {"pathPrefix": "/data/2013", "readOnly": True}]
    asked = {"runAsUser": [{"min": 185, "max": 200}], "fsGroup": [{"min": 5, "max": 6}], "volumes": ["secret"]}
    values = {"namespace": {"name": "team-a"}, "podSecurity": {"policy": {**asked, "hostPaths": paths}}}
    manifest = helm.template(charts / "spark-namespace", namespace="kindling-system", values=values, kube="1.24")
    spec = manifest.one("PodSecurityPolicy").body["spec"]
    assert spec["runAsUser"] == {"rule": "MustRunAs", "ranges": asked["runAsUser"]}
    for field in ("fsGroup", "runAsGroup", "supplementalGroups"):
        assert spec[field] == {"rule": "MayRunAs", "ranges": asked["fsGroup"]}
    assert spec["volumes"] == ["secret", "hostPath"]
    assert spec["allowedHostPaths"] == [{**path, "readOnly": True} for path in paths], "a link leads out of a path"
    role, binding = manifest.one("Role", "spark:pod-security"), manifest.one("RoleBinding", "spark:pod-security")
    assert [rule["resourceNames"] for rule in role.body["rules"]] == [["spark-team-a"]]
    assert {role.namespace, binding.namespace} == {"team-a"}
    assert [subject["name"] for subject in binding.body["subjects"]] == ["system:serviceaccounts:team-a"]


def test_a_hub_has_rights_only_where_there_is_a_guard(render_namespace: Render) -> None:
    hubs = {"from": [{"namespace": "jupyterhub", "name": "hub"}]}
    manifest = render_namespace(notebooks=hubs)
    (subject,) = manifest.one("RoleBinding", "notebooks").body["subjects"]
    assert (subject["namespace"], subject["name"]) == ("jupyterhub", "hub")
    read = next(rule for rule in manifest.one("Role", "notebooks").body["rules"] if rule["resources"] == ["configmaps"])
    assert (read["resourceNames"], read["verbs"]) == (["jupyter-template"], ["get"])
    for without in (render_namespace(), render_namespace(notebooks=hubs, guard={"enabled": False})):
        assert not {name for kind, name in without.names() if "notebooks" in name or name.endswith(".hubs")}


def test_a_hub_and_its_notebooks_reach_each_other(render_namespace: Render) -> None:
    values = {"notebooks": {"from": [{"namespace": "jupyterhub", "name": "hub"}]}}
    spec = render_namespace(**values).one("NetworkPolicy", "notebooks").body["spec"]
    hub = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "jupyterhub"}}}]
    assert spec["ingress"] == [{"from": hub, "ports": [{"port": 8888, "protocol": "TCP"}]}]
    assert spec["policyTypes"] == ["Ingress"]
    closed = {"egress": {"closed": True, "apiServer": {"cidrs": ["10.96.0.1/32"]}}}
    spec = render_namespace(**values, network=closed).one("NetworkPolicy", "notebooks").body["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["egress"] == [{"to": hub, "ports": [{"port": 8081, "protocol": "TCP"}]}]
