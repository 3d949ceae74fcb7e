"""The rule on references finds what is not there, and nothing else."""

from collections.abc import Callable
from textwrap import dedent

import pytest

from chartproof.checks import Rule
from chartproof.rules.references import references

Said = Callable[[Rule, str], list[str]]

DATA = dedent("""
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: settings}
    data: {mode: fast}
    ---
    apiVersion: v1
    kind: Secret
    metadata: {name: login}
    stringData: {password: changeme}
    ---
    """)


def job(spec: str, container: str = "{name: main}") -> str:
    """A Job, beside a ConfigMap settings (mode) and a Secret login (password)."""
    return DATA + dedent(f"""
        apiVersion: batch/v1
        kind: Job
        metadata: {{name: nightly}}
        spec: {{template: {{spec: {{containers: [{container}], {spec}}}}}}}
        """)


def binding(role: str, subject: str) -> str:
    """A RoleBinding beside a Role writer and a ServiceAccount writer."""
    return dedent(f"""
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {{name: writer}}
        ---
        apiVersion: v1
        kind: ServiceAccount
        metadata: {{name: writer}}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {{name: writer}}
        roleRef: {role}
        subjects: [{subject}]
        """)


def ingress(port: str) -> str:
    """An Ingress to a port of a Service web, which has http (80)."""
    backend = f"{{service: {{name: web, port: {port}}}}}"
    return dedent(f"""
        apiVersion: v1
        kind: Service
        metadata: {{name: web}}
        spec: {{ports: [{{name: http, port: 80, targetPort: 8080}}]}}
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {{name: web}}
        spec: {{rules: [{{http: {{paths: [{{path: /, backend: {backend}}}]}}}}]}}
        """)


def route(port: int) -> str:
    """An HTTPRoute to a port of that Service."""
    rules = f"[{{backendRefs: [{{name: web, port: {port}}}]}}]"
    return f"{ingress('{number: 80}')}---\n{{kind: HTTPRoute, metadata: {{name: web}}, spec: {{rules: {rules}}}}}"


ROLE, SUBJECT = "{kind: Role, name: writer}", "{kind: ServiceAccount, name: writer, namespace: team-a}"


@pytest.mark.parametrize(
    "good",
    [
        job("serviceAccountName: default"),
        job("volumes: [{name: v, configMap: {name: settings, items: [{key: mode, path: m}]}}]"),
        job("volumes: [{name: v, configMap: {name: gone, optional: true}}]"),
        job("volumes: [{name: v, projected: {sources: [{secret: {name: login, items: [{key: password, path: p}]}}]}}]"),
        job("", "{name: main, envFrom: [{configMapRef: {name: settings}}]}"),
        job("", "{name: main, env: [{name: P, valueFrom: {secretKeyRef: {name: login, key: password}}}]}"),
        job("", "{name: main, env: [{name: P, valueFrom: {secretKeyRef: {name: x, key: y, optional: true}}}]}"),
        ingress("{name: http}"),
        ingress("{number: 80}"),
        route(80),
        binding(ROLE, SUBJECT),
        binding(ROLE, "{kind: User, name: jane}"),
        binding(ROLE, "{kind: ServiceAccount, name: default, namespace: team-b}"),
        binding("{kind: ClusterRole, name: view}", SUBJECT),
        binding("{kind: ClusterRole, name: 'system:auth-delegator'}", SUBJECT),
        job("volumes: [{name: v, projected: {sources: [{configMap: {name: kube-root-ca.crt}}]}}]"),
        "{kind: RoleBinding, metadata: {name: reader, namespace: kube-system}, "
        "roleRef: {kind: Role, name: extension-apiserver-authentication-reader}}",
    ],
)
def test_what_is_there_is_found(said: Said, good: str) -> None:
    assert said(references, good) == []


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (job("serviceAccountName: gone"), "Job/nightly: ServiceAccount/gone is not in the release"),
        (job("imagePullSecrets: [{name: gone}]"), "Job/nightly: Secret/gone is not in the release"),
        (job("volumes: [{name: v, secret: {secretName: gone}}]"), "Job/nightly: Secret/gone is not in the release"),
        (
            job("volumes: [{name: v, persistentVolumeClaim: {claimName: gone}}]"),
            "Job/nightly: PersistentVolumeClaim/gone is not in the release",
        ),
        (
            job("volumes: [{name: v, configMap: {name: settings, items: [{key: mood, path: m}]}}]"),
            "Job/nightly: ConfigMap/settings has no key 'mood', only ['mode']",
        ),
        (
            job("volumes: [{name: v, projected: {sources: [{secret: {name: login, items: [{key: pin, path: p}]}}]}}]"),
            "Job/nightly: Secret/login has no key 'pin', only ['password']",
        ),
        (
            job(
                "volumes: [{name: v, configMap: {name: settings}}]",
                "{name: main, volumeMounts: [{name: v, mountPath: /mood, subPath: mood}]}",
            ),
            "Job/nightly: ConfigMap/settings has no key 'mood', only ['mode']",
        ),
        (
            job("", "{name: main, env: [{name: P, valueFrom: {configMapKeyRef: {name: settings, key: mood}}}]}"),
            "Job/nightly: ConfigMap/settings has no key 'mood', only ['mode']",
        ),
        (
            job("", "{name: main, envFrom: [{secretRef: {name: gone}}]}"),
            "Job/nightly: Secret/gone is not in the release",
        ),
        (
            job("initContainers: [{name: first, volumeMounts: [{name: w, mountPath: /w}]}], volumes: [{name: v}]"),
            "Job/nightly: container first mounts volume 'w', the pod has ['v']",
        ),
        (binding("{kind: Role, name: gone}", SUBJECT), "RoleBinding/writer: Role/gone is not in the release"),
        (
            binding("{kind: ClusterRole, name: writer}", SUBJECT),
            "RoleBinding/writer: ClusterRole/writer is not in the release",
        ),
        (
            "{kind: RoleBinding, metadata: {name: reader}, "
            "roleRef: {kind: Role, name: extension-apiserver-authentication-reader}}",
            "RoleBinding/reader: Role/extension-apiserver-authentication-reader is not in the release",
        ),
        (
            binding(ROLE, "{kind: ServiceAccount, name: writer, namespace: team-b}"),
            "RoleBinding/writer: ServiceAccount/writer is not in the release",
        ),
        (
            "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web}, spec: {rules: "
            "[{http: {paths: [{path: /, backend: {service: {name: gone, port: {name: http}}}}]}}]}}",
            "Ingress/web: Service/gone is not in the release",
        ),
        (
            "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: web}, "
            "spec: {rules: [{backendRefs: [{name: gone, port: 80}]}]}}",
            "HTTPRoute/web: Service/gone is not in the release",
        ),
        (ingress("{name: https}"), "Ingress/web: Service/web has no port 'https', only [80, 'http']"),
        (ingress("{number: 8080}"), "Ingress/web: Service/web has no port 8080, only [80, 'http']"),
        (route(8080), "HTTPRoute/web: Service/web has no port 8080, only [80, 'http']"),
        (
            "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web}, "
            "spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: gone}}}",
            "HorizontalPodAutoscaler/web: Deployment/gone is not in the release",
        ),
        (
            "{kind: ValidatingAdmissionPolicyBinding, metadata: {name: guard}, spec: {policyName: gone}}",
            "ValidatingAdmissionPolicyBinding/guard: ValidatingAdmissionPolicy/gone is not in the release",
        ),
        (
            "{kind: StatefulSet, metadata: {name: db}, spec: {serviceName: gone, template: {spec: {containers: []}}}}",
            "StatefulSet/db: Service/gone is not in the release",
        ),
    ],
)
def test_what_is_not_there_is_named(said: Said, bad: str, message: str) -> None:
    assert said(references, bad) == [message]


def hooks(settings: str, job: str) -> str:
    """A ConfigMap and a Job that needs it, with these annotations."""
    env = "envFrom: [{configMapRef: {name: settings}}]"
    return dedent(f"""
        kind: ConfigMap
        metadata: {{name: settings, annotations: {settings}}}
        ---
        kind: Job
        metadata: {{name: migrate, annotations: {job}}}
        spec: {{template: {{spec: {{containers: [{{name: main, {env}}}]}}}}}}
        """)


@pytest.mark.parametrize(
    ("settings", "job"),
    [
        ("{}", "{helm.sh/hook: 'post-install,pre-upgrade'}"),
        ("{helm.sh/hook: 'pre-install,pre-upgrade'}", "{helm.sh/hook: pre-install}"),
        ("{helm.sh/hook: pre-install, helm.sh/hook-weight: '-5'}", "{helm.sh/hook: pre-install}"),
    ],
)
def test_what_is_there_before_a_hook_is_found(said: Said, settings: str, job: str) -> None:
    assert said(references, hooks(settings, job)) == []


@pytest.mark.parametrize(
    "settings", ["{}", "{helm.sh/hook: post-install}", "{helm.sh/hook: pre-install, helm.sh/hook-weight: '5'}"]
)
def test_what_is_made_after_the_hook_that_needs_it_is_named(said: Said, settings: str) -> None:
    assert said(references, hooks(settings, "{helm.sh/hook: pre-install}")) == [
        "Job/migrate: ConfigMap/settings is made after this pre-install hook: make it one, of no greater weight"
    ]


def test_a_pod_template_in_a_configmap_is_asked_too(said: Said) -> None:
    template = dedent("""
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: templates}
        data:
          executor.yaml: |
            apiVersion: v1
            kind: Pod
            spec: {serviceAccountName: gone, containers: [{name: executor}]}
          driver.json: '{"kind": "Pod", "spec": {"serviceAccountName": "lost", "containers": []}}'
          program.py: |
            kind: Pod = "no YAML: at all"
        """)
    assert said(references, template) == [
        "ConfigMap/templates executor.yaml: ServiceAccount/gone is not in the release",
        "ConfigMap/templates driver.json: ServiceAccount/lost is not in the release",
    ]
