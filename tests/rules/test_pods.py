"""The rules on pod specs: Pod Security of the namespace, resources, probes, no secret as text."""

from collections.abc import Callable
from textwrap import dedent

import pytest

from chartproof.checks import Rule
from chartproof.rules.pods import pod_security, probes, resources
from chartproof.rules.secrets import secrets

Said = Callable[[Rule, str], list[str]]


def namespace(level: str) -> str:
    """A Namespace that enforces a Pod Security level."""
    labels = f"{{pod-security.kubernetes.io/enforce: {level}}}"
    return f"{{kind: Namespace, metadata: {{name: team-a, labels: {labels}}}}}\n---\n"


def workload(container: str, kind: str = "Deployment") -> str:
    """A workload with one container."""
    return f"{{kind: {kind}, metadata: {{name: web}}, spec: {{template: {{spec: {{containers: [{container}]}}}}}}}}"


BASELINE_POD = "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: main}]}}"


def test_a_pod_meets_the_level_that_its_namespace_enforces(said: Said) -> None:
    assert said(pod_security("restricted"), namespace("baseline") + BASELINE_POD) == []
    refused = said(pod_security("privileged"), namespace("restricted") + BASELINE_POD)
    assert (
        "Pod/p: container main does not set allowPrivilegeEscalation: false (restricted: allowPrivilegeEscalation)"
        in refused
    )


def test_a_namespace_of_others_has_the_level_that_the_suite_says(said: Said) -> None:
    assert said(pod_security("baseline"), BASELINE_POD) == []
    assert said(pod_security("restricted"), BASELINE_POD)


def test_a_pod_template_in_a_configmap_meets_it_too(said: Said) -> None:
    template = dedent("""
        kind: ConfigMap
        metadata: {name: templates}
        data:
          executor.json: '{"kind": "Pod", "spec": {"hostNetwork": true, "containers": [{"name": "executor"}]}}'
        """)
    assert said(pod_security("baseline"), template) == [
        "ConfigMap/templates executor.json: hostNetwork is true (baseline: hostNamespaces)"
    ]


def test_a_container_says_what_it_needs(said: Said) -> None:
    good = "{name: main, resources: {requests: {cpu: 1, memory: 1Gi}, limits: {memory: 1Gi}}}"
    assert said(resources, workload(good, "Job")) == []
    limits = "resources: {limits: {cpu: 1, memory: 1Gi}}"
    assert said(resources, workload(f"{{name: main, {limits}}}", "Job")) == [], "requests are as the limits"
    pod = f"{{kind: Pod, metadata: {{name: p}}, spec: {{{limits}, containers: [{{name: main}}]}}}}"
    assert said(resources, pod) == [], "what the pod has is enough"
    assert said(resources, workload("{name: main, resources: {requests: {cpu: 1}}}", "Job")) == [
        "Job/web: container main has no requests.memory",
        "Job/web: container main has no limits.memory",
    ]


def test_a_workload_without_an_end_has_probes(said: Said) -> None:
    good = "{name: main, readinessProbe: {tcpSocket: {port: 80}}, livenessProbe: {tcpSocket: {port: 80}}}"
    assert said(probes, workload(good)) == []
    assert said(probes, workload("{name: main}", "Job")) == []
    assert said(probes, workload("{name: main, readinessProbe: {tcpSocket: {port: 80}}}", "StatefulSet")) == [
        "StatefulSet/web: container main has no livenessProbe"
    ]


@pytest.mark.parametrize(
    "good",
    [
        workload("{name: main, env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: login, key: password}}}]}"),
        workload(
            "{name: main, env: [{name: PASSWORD_FILE, value: /secrets/password}, {name: TOKEN, value: $(OTHER)}]}"
        ),
        workload("{name: main, env: [{name: CHECK_TOKEN, value: 'true'}]}"),
        "{kind: ConfigMap, metadata: {name: c}, data: {SSL_PASSWORD: '', TOKEN: '${T}', ASK_PASSWORD: 'false'}}",
        "{kind: Secret, metadata: {name: s}, stringData: {key: '-----BEGIN PRIVATE KEY-----'}}",
        "{kind: ConfigMap, metadata: {name: c}, data: {x: 'token = read()', y: 'token.path=/x', z: 'password=${p}'}}",
    ],
)
def test_what_only_speaks_of_secrets_is_fine(said: Said, good: str) -> None:
    assert said(secrets, good) == []


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            workload("{name: main, env: [{name: DB_PASSWORD, value: hunter2}]}"),
            "Deployment/web: container main has DB_PASSWORD as text: use a secretKeyRef",
        ),
        (
            '{kind: ConfigMap, metadata: {name: c}, data: {conf: "a=b\\nspark.hadoop.fs.s3a.secret.key=hunter2\\n"}}',
            "ConfigMap/c: conf has spark.hadoop.fs.s3a.secret.key as text: put it into a Secret",
        ),
        (
            "{kind: ConfigMap, metadata: {name: c}, data: {DB_PASSWORD: hunter2}}",
            "ConfigMap/c: has DB_PASSWORD as text: put it into a Secret",
        ),
        (
            "{kind: ConfigMap, metadata: {name: c}, data: {key.pem: '-----BEGIN RSA PRIVATE KEY-----'}}",
            "ConfigMap/c: has a private key as text: put it into a Secret",
        ),
        (
            workload("{name: main, args: [--as=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2ln]}"),
            "Deployment/web: has a JSON web token as text: put it into a Secret",
        ),
        (
            workload("{name: main, args: [AKIAIOSFODNN7EXAMPLE]}"),
            "Deployment/web: has an AWS access key as text: put it into a Secret",
        ),
    ],
)
def test_a_secret_as_text_is_named(said: Said, bad: str, message: str) -> None:
    assert said(secrets, bad) == [message]
