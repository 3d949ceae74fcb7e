"""checkov finds nothing in any scenario but what is let pass here, with a reason."""

from pathlib import Path

from chartproof import Helm
from chartproof.checks import Violation
from chartproof.review import Exemption
from kindling_dev.checkov import findings
from kindling_dev.scenarios import SCENARIOS
from kindling_dev.settings import ADMIN_NAMESPACE

_SPARK_TALKS = "drivers and executors use the API with a role of their own; the test pod asks it for that role's rights"
_USERS_CONTAINER = "the user's own container: the scenario's values say what it asks for"
_A_VARIABLE = "the scenario shows that a secret may be a variable"
EXEMPTIONS = [
    Exemption("CKV_K8S_8", "* Pod", "a test pod ends by itself: there is nothing to probe"),
    Exemption("CKV_K8S_9", "* Pod", "a test pod ends by itself: there is nothing to probe"),
    Exemption("CKV_K8S_10", "spark-job/03-all-on Job", _USERS_CONTAINER),
    Exemption("CKV_K8S_10", "spark-connect/02-all-on StatefulSet", _USERS_CONTAINER),
    Exemption("CKV_K8S_10", "spark-notebook/02-all-on StatefulSet", _USERS_CONTAINER),
    Exemption("CKV_K8S_11", "*", "a CPU limit throttles a JVM while the node is idle; the namespace's quota bounds it"),
    Exemption("CKV_K8S_12", "spark-job/03-all-on Job", _USERS_CONTAINER),
    Exemption("CKV_K8S_12", "spark-connect/02-all-on StatefulSet", _USERS_CONTAINER),
    Exemption("CKV_K8S_12", "spark-notebook/02-all-on StatefulSet", _USERS_CONTAINER),
    Exemption("CKV_K8S_13", "spark-job/03-all-on Job", _USERS_CONTAINER),
    Exemption("CKV_K8S_13", "spark-connect/02-all-on StatefulSet", _USERS_CONTAINER),
    Exemption("CKV_K8S_13", "spark-notebook/02-all-on StatefulSet", _USERS_CONTAINER),
    Exemption("CKV_K8S_15", "*", "a released tag never changes; image.pullPolicy is the user's to set"),
    Exemption("CKV_K8S_35", "spark-job/03-all-on Job", _A_VARIABLE),
    Exemption("CKV_K8S_35", "spark-connect/02-all-on StatefulSet", _A_VARIABLE),
    Exemption("CKV_K8S_35", "spark-notebook/02-all-on StatefulSet", _A_VARIABLE),
    Exemption("CKV_K8S_38", "*", _SPARK_TALKS),
    Exemption("CKV_K8S_40", "*", "the official image's user is 185, and its folders belong to it"),
    Exemption(
        "CKV_K8S_43",
        "*",
        "the tree names tags; a released package names its image by digest (packaging/test_digests.py)",
    ),
]
SEEDED = """
apiVersion: v1
kind: Pod
metadata: {name: seeded, namespace: team-a}
spec: {containers: [{name: main, image: "busybox:1.37.0", securityContext: {privileged: true}}]}
"""


def test_checkov_finds_nothing_that_is_not_let_pass_and_all_that_is_let_pass_is_there(
    helm: Helm, tmp_path: Path
) -> None:
    for scenario in SCENARIOS:
        namespace = ADMIN_NAMESPACE if scenario.chart.name == "spark-namespace" else "team-a"
        file = tmp_path / f"{scenario.name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(helm.template(scenario.chart, namespace=namespace, files=scenario.files).text)
    (tmp_path / "seeded.yaml").write_text(SEEDED)

    found = set(findings(tmp_path))

    seeded = {violation for violation in found if violation.about == "seeded Pod"}
    assert Violation("CKV_K8S_16", "seeded Pod", "Container should not be privileged") in seeded
    left = [v for v in found - seeded if not any(exemption.covers(v) for exemption in EXEMPTIONS)]
    assert not left, "\n" + "\n".join(sorted(map(str, left)))
    unused = [exemption for exemption in EXEMPTIONS if not any(map(exemption.covers, found - seeded))]
    assert not unused, "remove what nothing needs"
