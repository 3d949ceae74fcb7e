"""Each fault that is put into a copy of a chart is found by what should find it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from chartproof import Helm
from chartproof.checks import Rule
from chartproof.deltas import immutable_changes
from chartproof.inventory import Inventories
from chartproof.pods import pods
from chartproof.reachability import Flow
from chartproof.review import Exemption, Review
from chartproof.rules import comparing_rules, default_rules
from chartproof.rules.network import peer_of, reachability
from chartproof.scenarios import Scenario

Edited = Callable[[str, str, str, str], Path]
ScenarioOf = Callable[[str], Scenario]


@dataclass(frozen=True)
class Fault:
    """An edit of a chart that a rule must find.

    Attributes:
        rule: the rule's name.
        scenario: the scenario that shows it.
        file: the edited file, below the chart's folder; spark-common is in charts/spark-common.
        old: text that the file has; "" appends.
        new: what takes its place.
        says: part of what the rule must say.
    """

    rule: str
    scenario: str
    file: str
    old: str
    new: str
    says: str


_PYTHON_FILE, _ALL_ON, _CLUSTER = "spark-job/01-python-file", "spark-job/03-all-on", "spark-job/04-cluster-mode"
_STANDALONE = "spark-standalone/01-least"
_NAMESPACE, _ALL_IN_NAMESPACE = "spark-namespace/01-new-namespace", "spark-namespace/02-all-on"
_ROLE = "  kind: Role\n  name: {{ .name | quote }}"
_OTHER_ROLE = '  kind: Role\n  name: {{ printf "%ss" .name | quote }}'
_DRIVER, _SUBMITTER = "templates/driver/role.yaml", "templates/submitter/role.yaml"
_READ, _PEOPLE = "templates/access/_access.tpl", "templates/access/submitters/role.yaml"


def _object(kind: str, name: str, rest: str = "") -> str:
    return f"\n---\n{{kind: {kind}, apiVersion: v1, metadata: {{name: {name}}}{rest}}}\n"


FAULTS = [
    Fault(
        "references",
        _NAMESPACE,
        "templates/_helpers.tpl",
        _ROLE,
        _OTHER_ROLE,
        "Role/spark-drivers is not in the release",
    ),
    Fault(
        "references",
        _PYTHON_FILE,
        "templates/_driver.tpl",
        'serviceAccountName: {{ include "spark-common.driverAccount" $root | quote }}',
        "serviceAccountName: drivers",
        "ServiceAccount/drivers is not in the release",
    ),
    Fault(
        "references",
        _ALL_ON,
        "charts/spark-common/templates/_log4j2.tpl",
        "key: log4j2.properties",
        "key: log4j.properties",
        "has no key 'log4j.properties'",
    ),
    Fault(
        "selectors",
        _ALL_ON,
        "templates/poddisruptionbudget.yaml",
        '(dict "root" . "component" "driver") | nindent 6',
        '(dict "root" . "component" "drivers") | nindent 6',
        "matches no pod of the release",
    ),
    Fault("selectors", _ALL_ON, "templates/podmonitor.yaml", "port: spark-ui", "port: ui", "port 'ui' is no port"),
    Fault(
        "selectors",
        _ALL_ON,
        "charts/spark-common/templates/_metadata.tpl",
        "app.kubernetes.io/name: {{ .root.Chart.Name }}",
        "app.kubernetes.io/name: {{ .root.Chart.Name }}\nversion: {{ .root.Chart.Version }}",
        "pods carry version",
    ),
    Fault(
        "pod-security",
        _PYTHON_FILE,
        "charts/spark-common/templates/_security.tpl",
        "allowPrivilegeEscalation: false\n",
        "",
        "(restricted: allowPrivilegeEscalation)",
    ),
    Fault(
        "pod-security",
        _NAMESPACE,
        "templates/_helpers.tpl",
        '  securityContext:\n    {{- include "spark-common.podSecurityContext" .root | nindent 4 }}',
        "  hostNetwork: true",
        "hostNetwork is true",
    ),
    Fault("resources", _CLUSTER, "templates/_submitter.tpl", "limits:", "nothing:", "submitter has no limits.memory"),
    Fault(
        "probes",
        _NAMESPACE,
        "templates/namespace.yaml",
        "",
        _object("Deployment", "web", ", spec: {selector: {}, template: {spec: {containers: [{name: web}]}}}"),
        "container web has no readinessProbe",
    ),
    Fault(
        "probes", _STANDALONE, "templates/_worker.tpl", "readinessProbe:", "otherProbe:", "worker has no readinessProbe"
    ),
    Fault("resources", _STANDALONE, "templates/_pod.tpl", "limits:", "nothing:", "master has no limits.memory"),
    Fault(
        "selectors",
        _STANDALONE,
        "templates/worker/networkpolicy.yaml",
        """  podSelector:
    matchLabels:
      {{- include "spark-common.podLabels" (dict "root" . "component" "worker")""",
        """  podSelector:
    matchLabels:
      {{- include "spark-common.podLabels" (dict "root" . "component" "workers")""",
        "matches no pod of the release",
    ),
    Fault(
        "secrets",
        _STANDALONE,
        "templates/_spark.tpl",
        "${env:_SPARK_AUTH_SECRET}",
        "hunter2",
        "spark-defaults.conf has spark.authenticate.secret as text",
    ),
    Fault("rights", _NAMESPACE, _DRIVER, "verbs: [deletecollection]", 'verbs: ["*"]', "verbs has '*'"),
    Fault("rights", _ALL_IN_NAMESPACE, _READ, "[pods, events]", "[pods, secrets]", "list on secrets"),
    Fault("rights", _ALL_IN_NAMESPACE, _PEOPLE, "[pods/portforward]", "[pods/exec]", "create on pods/exec"),
    Fault("rights", _NAMESPACE, _SUBMITTER, "[pods/log]", "[serviceaccounts/token, nodes/proxy]", "nodes/proxy"),
    Fault(
        "cluster-roles",
        _NAMESPACE,
        "templates/_helpers.tpl",
        "kind: RoleBinding",
        "kind: ClusterRoleBinding",
        "every namespace",
    ),
    Fault(
        "hooks",
        _NAMESPACE,
        "templates/driver/serviceaccount.yaml",
        "metadata:\n",
        "metadata:\n  annotations: {helm.sh/hook: pre-install}\n",
        "is a pre-install hook",
    ),
    Fault(
        "names",
        "spark-job/05-schedule",
        "templates/_run.tpl",
        '{{- include "spark-common.shortened" (dict "name" $name "most" 52)',
        '{{- printf "%s-by-the-clock-of-the-cluster-and-of-nobody-else" $name',
        "52 are allowed",
    ),
    Fault(
        "secrets",
        _PYTHON_FILE,
        "templates/_driver.tpl",
        "- name: SPARK_DRIVER_BIND_ADDRESS\n          value: $(POD_IP)",
        "- name: SPARK_AUTH_SECRET\n          value: hunter2",
        "has SPARK_AUTH_SECRET as text",
    ),
    Fault(
        "deterministic",
        _PYTHON_FILE,
        "templates/job.yaml",
        "  labels:\n",
        "  annotations: {made: {{ randAlphaNum 8 }}}\n  labels:\n",
        "two renders of the same values differ in",
    ),
    Fault(
        "image-registry",
        _PYTHON_FILE,
        "templates/tests/pod.yaml",
        'image: {{ include "spark-common.image" . | quote }}',
        "image: apache/spark:4.3.0-python3",
        "image apache/spark:4.3.0-python3 ignores global.imageRegistry",
    ),
    Fault(
        "image-registry",
        _PYTHON_FILE,
        "charts/spark-common/templates/_driver.tpl",
        'spark.kubernetes.container.image: {{ include "spark-common.image" . | quote }}',
        "spark.kubernetes.container.image: docker.io/apache/spark:4.3.0-python3",
        "its text has image docker.io/apache/spark:4.3.0-python3",
    ),
    Fault(
        "name-clashes",
        _NAMESPACE,
        "templates/namespace.yaml",
        "",
        _object("PriorityClass", "{{ .Release.Name }}-low", ", value: -1"),
        "has the same name in a release of another namespace",
    ),
    Fault(
        "secret-canary",
        _NAMESPACE,
        "values.yaml",
        "sparkConf: {}",
        'sparkConf: {spark.my.token: ""}',
        "shows a secret that values give (global.sparkConf.spark.my.token)",
    ),
]


def rules_by_name(helm: Helm) -> dict[str, Rule]:
    """The rules, by the name that their violations have."""
    rules = [*default_rules(), *comparing_rules(helm)]
    return {rule.__name__.replace("_", "-"): rule for rule in rules}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.rule}-{fault.file}")
def test_a_fault_is_found_by_its_rule(
    fault: Fault, edited: Edited, scenario_of: ScenarioOf, exemptions: list[Exemption], helm: Helm
) -> None:
    scenario = scenario_of(fault.scenario)
    broken = scenario.render(helm, chart=edited(scenario.chart.name, fault.file, fault.old, fault.new))
    violations = Review([rules_by_name(helm)[fault.rule]], exemptions).violations(broken)
    assert any(violation.rule == fault.rule and fault.says in violation.message for violation in violations), violations


def test_every_rule_has_a_fault(helm: Helm) -> None:
    assert {fault.rule for fault in FAULTS} == set(rules_by_name(helm))


def test_a_role_binding_to_another_role_is_found_before_an_upgrade(
    edited: Edited, scenario_of: ScenarioOf, helm: Helm
) -> None:
    scenario = scenario_of("spark-namespace/01-new-namespace")
    broken = edited("spark-namespace", "templates/_helpers.tpl", _ROLE, _OTHER_ROLE)
    found = {
        violation.about for violation in immutable_changes(scenario.render(helm), scenario.render(helm, chart=broken))
    }
    assert found == {"RoleBinding/spark-driver", "RoleBinding/spark-submitter"}


def test_an_object_that_vanishes_is_found_by_the_inventory(
    edited: Edited, scenario_of: ScenarioOf, inventories: Inventories, helm: Helm
) -> None:
    scenario = scenario_of("spark-namespace/01-new-namespace")
    file = "templates/executor/serviceaccount.yaml"
    broken = edited("spark-namespace", file, "apiVersion", "{{- if false }}\napiVersion")
    (broken / file).write_text((broken / file).read_text() + "{{- end }}\n")
    difference = Inventories(inventories.folder).difference(scenario.name, [scenario.render(helm, chart=broken)])
    assert difference.endswith("\n-v1 ServiceAccount spark-executor")


POLICY = """
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {{name: driver}}
spec:
  podSelector: {{matchLabels: {{app.kubernetes.io/component: driver}}}}
  ingress: [{{from: [{{podSelector: {{matchLabels: {{app.kubernetes.io/component: executor}}}}}}], ports: {ports}}}]
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {{name: executor}}
spec: {{podSelector: {{matchLabels: {{app.kubernetes.io/component: executor}}}}}}
"""


@pytest.mark.parametrize(
    ("ports", "surprise"),
    [
        ("[{port: driver-rpc-port}, {port: blockmanager}]", []),
        ("[{port: driver-rpc-port}]", ["executor -> driver:7079/TCP is blocked"]),
        ("[]", ["executor -> driver:4040/TCP is open"]),
    ],
)
def test_a_policy_that_is_too_tight_or_too_wide_is_found_by_the_matrix(
    ports: str, surprise: list[str], edited: Edited, scenario_of: ScenarioOf, helm: Helm
) -> None:
    scenario = scenario_of("spark-job/01-python-file")
    chart = edited("spark-job", "templates/job.yaml", "", POLICY.format(ports=ports))
    rendered = scenario.render(helm, chart=chart)
    peers = {
        pod.labels["app.kubernetes.io/component"]: peer_of(pod) for pod in pods(rendered) if pod.owner.kind != "Pod"
    }
    matrix = reachability(peers, [Flow("executor", "driver", port) for port in (7078, 7079)])
    assert [violation.message for violation in matrix(rendered)] == surprise
