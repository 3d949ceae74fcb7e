"""The schemas of Kubernetes take what it takes, and what does not fit is named."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import cycle
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
import yaml

from chartproof import Helm, Manifest
from chartproof.checks import Rendered
from chartproof.scenarios import Scenario
from chartproof.schemas import Catalogue, bundled, objects, violations
from chartproof.schemas.openapi import DefinitionError, Definitions, key_of
from chartproof.schemas.validation import as_decoded, faults
from kindling_dev.golang import module_folder
from kindling_dev.kubernetes_schemas import MODULE, add_kubernetes
from kindling_dev.kubernetes_versions import RENDERED_AT
from kindling_dev.scenarios import SCENARIOS
from kindling_dev.settings import Settings
from kindling_dev.tools import KUBERNETES

CATALOGUE = bundled()
NEWEST = CATALOGUE.versions[-1]
STANDS_FOR = CATALOGUE.stands_for(RENDERED_AT)


def said(objects: str, *versions: str) -> list[str]:
    """What the schemas say of some objects: "Job/nightly: …"."""
    rendered = Rendered(Manifest(objects), Path("charts/mine"), "mine", "team-a")
    return [f"{violation.about}: {violation.message}" for violation in violations(rendered, versions or [NEWEST])]


def test_every_kubernetes_has_one_render_that_stands_for_it() -> None:
    assert [version for versions in STANDS_FOR.values() for version in versions] == list(CATALOGUE.versions)
    minors = [int(version.removeprefix("1.")) for version in CATALOGUE.versions]
    assert minors == list(range(24, minors[-1] + 1)), "no minor version is left out"


def test_a_kubernetes_without_schemas_is_refused() -> None:
    with pytest.raises(LookupError, match=rf"no schemas of Kubernetes '1\.23'; there are 1\.24 to {NEWEST}"):
        said("{apiVersion: v1, kind: Pod}", "1.23")


FAULTS = {
    "misspelt field": (
        "backoffLimit:",
        "backofLimit:",
        "Job/nightly: spec.backofLimit: no such field, expected backoffLimit on Kubernetes 1.30 to 1.36",
    ),
    "misspelt field of a container": (
        "imagePullPolicy: Always",
        "imagePulPolicy: Always",
        "Job/nightly: spec.template.spec.containers[0].imagePulPolicy: no such field, expected imagePullPolicy on "
        "Kubernetes 1.30 to 1.36",
    ),
    "wrong type": (
        "backoffLimit: 2",
        'backoffLimit: "2"',
        'Job/nightly: spec.backoffLimit: expected integer, got "2" on Kubernetes 1.30 to 1.36',
    ),
    "too large": (
        "backoffLimit: 2",
        "backoffLimit: 3000000000",
        "Job/nightly: spec.backoffLimit: 3000000000 is greater than the maximum of 2147483647 on Kubernetes "
        "1.30 to 1.36",
    ),
    "value that is not permitted": (
        "imagePullPolicy: Always",
        "imagePullPolicy: always",
        'Job/nightly: spec.template.spec.containers[0].imagePullPolicy: expected "Always" or "IfNotPresent" or '
        '"Never", got "always" on Kubernetes 1.30 to 1.36',
    ),
    "no quantity": (
        "sizeLimit: 64Mi",
        "sizeLimit: 64 MB",
        "ConfigMap/nightly executor.yaml: spec.volumes[4].emptyDir.sizeLimit: expected text like ",
    ),
    "unknown apiVersion": (
        "apiVersion: batch/v1\n",
        "apiVersion: batch/v1beta1\n",
        "Job/nightly: apiVersion 'batch/v1beta1' has no kind 'Job', expected batch/v1 on Kubernetes 1.30 to 1.36",
    ),
    "unknown kind": (
        "kind: PodMonitor",
        "kind: PodMonitr",
        "PodMonitr/nightly: apiVersion 'monitoring.coreos.com/v1' has no kind 'PodMonitr' on Kubernetes 1.30 to 1.36",
    ),
    "misspelt field of a custom resource": (
        "podMetricsEndpoints:",
        "podMetricEndpoints:",
        "PodMonitor/nightly: spec.podMetricEndpoints: no such field, expected podMetricsEndpoints on Kubernetes "
        "1.30 to 1.36",
    ),
    "misspelt field inside a ConfigMap": (
        "    kind: Pod\n    metadata:",
        "    kind: Pod\n    metdata:",
        "ConfigMap/nightly executor.yaml: metdata: no such field, expected metadata on Kubernetes 1.30 to 1.36",
    ),
}


@pytest.fixture(scope="module")
def all_on(helm: Helm) -> str:
    """All that spark-job renders, its objects named after the release."""
    scenario = next(scenario for scenario in SCENARIOS if scenario.name == "spark-job/03-all-on")
    manifest = scenario.render(helm, "1.30", "nightly").manifest
    return manifest.text.replace(manifest.one("Job").name, "nightly")


@pytest.mark.parametrize(("right", "wrong", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_in_a_render_is_named(all_on: str, right: str, wrong: str, message: str) -> None:
    assert right in all_on
    assert not said(all_on, *STANDS_FOR["1.30"])
    assert any(line.startswith(message) for line in said(all_on.replace(right, wrong, 1), *STANDS_FOR["1.30"]))


def test_a_field_that_is_newer_is_named_with_the_versions_that_lack_it() -> None:
    job = (
        "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {podFailurePolicy: {rules: []}, managedBy: me, "
        "template: {spec: {containers: [{name: a}]}}}}"
    )
    assert said(job, *CATALOGUE.versions) == [
        "Job/a: spec.podFailurePolicy: no such field on Kubernetes 1.24",
        "Job/a: spec.managedBy: no such field on Kubernetes 1.24 to 1.29",
    ]


def test_a_pod_security_policy_is_for_1_24_alone() -> None:
    policy = (
        "{apiVersion: policy/v1beta1, kind: PodSecurityPolicy, metadata: {name: a}, spec: {runAsUser: {rule: RunAsAny},"
        " fsGroup: {rule: RunAsAny}, seLinux: {rule: RunAsAny}, supplementalGroups: {rule: RunAsAny}}}"
    )
    assert said(policy, *CATALOGUE.versions) == [
        "PodSecurityPolicy/a: apiVersion 'policy/v1beta1' has no kind 'PodSecurityPolicy' on Kubernetes "
        f"1.25 to {NEWEST}"
    ]
    assert set(said(policy.replace("seLinux", "selinux"), "1.24")) == {
        "PodSecurityPolicy/a: spec.selinux: no such field, expected seLinux on Kubernetes 1.24",
        "PodSecurityPolicy/a: spec.seLinux: is missing on Kubernetes 1.24",
    }


@pytest.mark.parametrize(
    ("kind", "expected"), [("v1beta1 CronJob", "batch/v1"), ("v1 CronJob", ""), ("v2alpha1 CronJob", "batch/v1")]
)
def test_a_cronjob_has_an_api_version(kind: str, expected: str) -> None:
    version, name = kind.split()
    job = (
        f"{{apiVersion: batch/{version}, kind: {name}, metadata: {{name: a}}, spec: {{schedule: '@daily', "
        "jobTemplate: {spec: {template: {spec: {containers: [{name: a}]}}}}}}"
    )
    refused = [f"CronJob/a: apiVersion 'batch/{version}' has no kind 'CronJob', expected batch/v1 on Kubernetes 1.25"]
    assert said(job, "1.25") == (refused if expected else [])


@pytest.mark.parametrize("value", ["1Gi", "500m", "2", 2, 0.5, "1e3", ".5", "-1", "12E"])
def test_a_quantity_is_taken(value: object) -> None:
    assert not said(
        f"{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: a}}, spec: {{hard: {{pods: {value!r}}}}}}}"
    )


@pytest.mark.parametrize("value", ["1 Gi", "1GB", "", "a", "1ki", "1e", True, [1]])
def test_what_is_no_quantity_is_refused(value: object) -> None:
    quota = f"{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: a}}, spec: {{hard: {{pods: {value!r}}}}}}}"
    (line,) = said(quota)
    assert line.startswith("ResourceQuota/a: spec.hard.pods: ")


@pytest.mark.parametrize(("port", "taken"), [("http", True), ("8080", True), ("'8080'", True), ("1.5", False)])
def test_a_port_is_a_number_or_a_name(port: str, taken: bool) -> None:
    service = (
        f"{{apiVersion: v1, kind: Service, metadata: {{name: a}}, spec: {{ports: [{{port: 80, targetPort: {port}}}]}}}}"
    )
    refused = "Service/a: spec.ports[0].targetPort: expected integer or string, got 1.5"
    assert said(service) == ([] if taken else [f"{refused} on Kubernetes {NEWEST}"])


def test_what_the_server_takes_as_absent_or_as_text_is_taken() -> None:
    assert not said(
        "{apiVersion: v1, kind: ConfigMap, immutable: null, data: {1: one}, "
        "metadata: {name: a, creationTimestamp: null, annotations: {day: 2026-11-21}}}"
    )


def test_null_is_no_element_and_nothing_that_is_required() -> None:
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: null}, null]}}"
    assert said(pod) == [
        f"Pod/a: spec.containers[0].name: is missing on Kubernetes {NEWEST}",
        f"Pod/a: spec.containers[1]: expected object, got null on Kubernetes {NEWEST}",
    ]


def test_null_is_a_value_in_a_custom_resource() -> None:
    monitor = (
        "{apiVersion: monitoring.coreos.com/v1, kind: PodMonitor, metadata: {name: a, labels: null}, "
        "spec: {selector: {}, podMetricsEndpoints: null}}"
    )
    assert said(monitor) == [f"PodMonitor/a: spec.podMetricsEndpoints: expected array, got null on Kubernetes {NEWEST}"]


@pytest.mark.parametrize(("data", "taken"), [("aGVsbG8=", True), ("hello world", False), ("aGVsbG8", False)])
def test_a_secrets_data_are_base64(data: str, taken: bool) -> None:
    found = said(f"{{apiVersion: v1, kind: Secret, metadata: {{name: a}}, data: {{a: {data}}}}}")
    assert [line.startswith("Secret/a: data.a: ") for line in found] == ([] if taken else [True])


def test_an_empty_value_is_a_default_where_the_field_is_optional() -> None:
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {restartPolicy: '', containers: [{name: a}]}}"
    assert not said(pod)
    spread = "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ''}], containers"
    (line,) = said(pod.replace("containers", spread))
    assert line.startswith("Pod/a: spec.topologySpreadConstraints[0].whenUnsatisfiable: ")


def test_what_is_no_object_is_named() -> None:
    assert said("just text\n---\n{kind: Pod}\n") == [
        f'a document: expected an object with apiVersion and kind, got "just text" on Kubernetes {NEWEST}',
        f"Pod/: apiVersion '' has no kind 'Pod', expected v1 on Kubernetes {NEWEST}",
    ]


def test_objects_inside_a_configmap_are_asked_and_programs_are_not() -> None:
    text = """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: a}
        data:
          program.py: 'pod = {"apiVersion": "v1", "kind": [x for x in "Pod"]}'
          settings.yaml: "{kind: of, apiVersion: }"
          pod.json: '{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [], "volume": []}}'
          two.yaml: "apiVersion: v1\\nkind: Pod\\n---\\napiVersion: v1\\nkind: Pods\\n"
          broken.json: '{"apiVersion": "v1", "kind": "Pod"'
          policy.yaml: "{apiVersion: descheduler/v1alpha2, kind: DeschedulerPolicy, profiles: []}"
    """
    settings, pod, two, broken = said(text)
    assert settings.startswith("ConfigMap/a settings.yaml: apiVersion '' has no kind 'of' on ")
    assert pod.startswith("ConfigMap/a pod.json: spec.volume: no such field, expected volumes on ")
    assert two.startswith("ConfigMap/a two.yaml: apiVersion 'v1' has no kind 'Pods' on ")
    assert broken.startswith("ConfigMap/a broken.json: is no YAML: while parsing a flow mapping in ")


CUSTOM = {
    "type": "object",
    "properties": {
        "metadata": {"type": "object"},
        "closed": {"type": "object"},
        "open": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {"a": {"type": "string"}},
        },
        "perhaps": {"type": "string", "nullable": True},
        "either": {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True},
        "defaulted": {"type": "object", "required": ["a", "b"], "properties": {"a": {"default": 1}, "b": {}}},
        "template": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": {}}},
        "port": {"type": "integer", "minimum": 1, "format": "int32", "nullable": True},
        "share": {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 1},
        "host": {"type": "string", "format": "hostname"},
        "any": {"type": "object", "additionalProperties": True},
    },
}


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"closed": {}}, ""),
        ({"closed": {"a": 1}}, "closed.a: no such field"),
        ({"open": {"a": "b", "c": 1}}, ""),
        ({"open": {"a": 1}}, "open.a: expected string, got 1"),
        ({"perhaps": None}, ""),
        ({"perhaps": 1}, "perhaps: expected null or string, got 1"),
        ({"either": "50%"}, ""),
        ({"either": None}, "either: expected integer or string, got null"),
        ({"defaulted": {"b": 1}}, ""),
        ({"defaulted": {"a": 1}}, "defaulted.b: is missing"),
        ({"template": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {}}}, ""),
        ({"template": {"kind": "Pod", "data": {}}}, "template.data: no such field"),
        ({"port": 0}, "port: 0 is less than the minimum of 1"),
        ({"port": None}, ""),
        ({"share": 0}, "share: 0 is less than or equal to the minimum of 0"),
        ({"share": 1}, ""),
        ({"host": "a.example"}, ""),
        ({"any": {"a": 1}}, ""),
        ({"metadata": {"labels": None}}, ""),
        ({"metadata": {"label": {}}}, "metadata.label: no such field, expected labels"),
    ],
)
def test_a_custom_resource_takes_what_its_definition_says(body: dict[str, Any], fault: str) -> None:
    definitions = Definitions({key: dict(schema) for key, schema in CATALOGUE.definitions.items()})
    metadata = CATALOGUE.definitions[CATALOGUE.kubernetes[NEWEST]["v1 Pod"]]["properties"]["metadata"]
    key = definitions.add_custom("example.com.v1.Thing", CUSTOM, metadata)
    catalogue = Catalogue(CATALOGUE.kubernetes, {"example.com/v1 Thing": key}, definitions.schemas)
    assert faults(as_decoded(body, custom=True), key, catalogue) == ([fault] if fault else [])


def test_what_a_schema_says_in_words_that_are_not_known_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"patternProperties: \{\} is in a schema and not translated"):
        Definitions().add_custom("a", {"type": "object", "patternProperties": {}}, {})


Errors = set[tuple[tuple[str | int, ...], str]]


def errors_of_the_reference(validator: jsonschema.Draft202012Validator, body: Any) -> Errors:
    """Where jsonschema finds fault, and with which word of the schema."""
    return {(tuple(error.absolute_path), str(error.validator)) for error in validator.iter_errors(body)}


def errors_of_ours(key: str, body: Any) -> Errors:
    """Where our validator finds fault, and with which word of the schema."""
    found = CATALOGUE.validator(key).iter_errors(body)
    return {(tuple(error.instance_path), str(error.schema_path[-1])) for error in found}


def nodes(body: Any) -> Iterator[tuple[Any, Any]]:
    """Each container inside an object, with each of its keys or indices."""
    steps = list(body) if isinstance(body, dict) else range(len(body)) if isinstance(body, list) else []
    for step in steps:
        yield body, step
        yield from nodes(body[step])


def misspell(parent: Any, step: Any) -> None:
    if isinstance(parent, dict):
        parent[f"{step}X"] = parent.pop(step)
    else:
        parent[step] = None


def retype(parent: Any, step: Any) -> None:
    parent[step] = "text" if isinstance(parent[step], dict | list | int) else [parent[step]]


def remove(parent: Any, step: Any) -> None:
    del parent[step]


def mutants(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Copies of an object with one thing broken in each: every third key or element, in turn in three ways."""
    count = sum(1 for _ in nodes(body))
    for index, break_it in zip(range(1, count, 3), cycle([misspell, retype, remove]), strict=False):
        mutant = deepcopy(body)
        break_it(*list(nodes(mutant))[index])
        yield mutant


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_reference_finds_the_same_faults(helm: Helm, scenario: Scenario) -> None:
    refused = asked = 0
    for candidate in objects(scenario.render(helm, NEWEST).manifest):
        api_version, kind = candidate.body["apiVersion"], candidate.body["kind"]
        body = as_decoded(candidate.body, custom=CATALOGUE.is_custom(api_version, kind))
        keys = [key for key in CATALOGUE.keys(CATALOGUE.versions, api_version, kind) if key]
        for key in keys:
            reference = jsonschema.Draft202012Validator(CATALOGUE.schema(key))
            for asked_of in [body, *mutants(body)] if key == keys[-1] else [body]:
                found = errors_of_ours(key, asked_of)
                assert found == errors_of_the_reference(reference, asked_of)
                refused, asked = refused + bool(found), asked + 1
    assert asked > refused > 0, "some are right, some are broken"


def test_the_index_and_the_definitions_hold_each_other_and_nothing_else() -> None:
    keys = {key for kinds in [*CATALOGUE.kubernetes.values(), CATALOGUE.custom] for key in kinds.values()}
    reached = {name for key in keys for name in CATALOGUE.schema(key)["$defs"]}
    assert reached == CATALOGUE.definitions.keys()
    for key, schema in CATALOGUE.definitions.items():
        assert key == key_of(key.rpartition("-")[0], schema), "edited by hand: write the schemas again"
        assert jsonschema_rs.meta.is_valid({"$schema": CATALOGUE.schema(key)["$schema"], **schema})


def test_kubernetes_own_document_gives_the_schemas_that_are_checked_in() -> None:
    folder = module_folder(KUBERNETES, MODULE, Settings.from_environment())
    definitions = Definitions()
    kinds = add_kubernetes(definitions, folder)
    assert kinds == CATALOGUE.kubernetes["1.34"]
    assert definitions.schemas.items() <= CATALOGUE.definitions.items()


def test_kubernetes_own_manifests_fit_but_for_their_faults() -> None:
    folder = module_folder(KUBERNETES, MODULE, Settings.from_environment())
    files = [*folder.glob("cluster/addons/**/*.yaml"), *folder.glob("test/e2e/testing-manifests/**/*.yaml")]
    texts = {file: file.read_text() for file in files}
    asked: list[str] = []
    faulty: set[tuple[str, str]] = set()
    for file, text in texts.items():
        # Some are templates, and no manifests yet.
        for resource in [] if "{{" in text else Manifest(text):
            body = resource.body
            if f"{body['apiVersion']} {body['kind']}" in CATALOGUE.kubernetes["1.34"]:
                asked.append(body["kind"])
                faulty |= {(file.name, line) for line in said(yaml.safe_dump(body), "1.34")}
    assert len(asked) > 150
    assert {"DaemonSet", "Deployment", "Ingress", "Pod", "StatefulSet", "StorageClass"} <= {*asked}
    assert faulty == {
        (
            "npd.yaml",
            "DaemonSet/node-problem-detector: spec.template.spec.nodeSelectors: no such field, expected nodeSelector "
            "on Kubernetes 1.34",
        ),
        ("csi-mock-driverinfo.yaml", "CSIDriver/mock.storage.k8s.io: spec: is missing on Kubernetes 1.34"),
        ("netexecsvc.yaml", "Service/netexec: spec.Type: no such field on Kubernetes 1.34"),
    }
