"""The Pod Security evaluator gives the verdicts that Kubernetes' own tests ask for.

``pod-security-1.34.jsonl`` is test/testdata/{baseline,restricted}/v1.34 of k8s.io/pod-security-admission v0.34.1, one
a line: level, verdict, pod. A failing pod's name is that of the check which refuses it.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chartproof.podsecurity import findings

PODS: list[dict[str, Any]] = [
    json.loads(line) for line in (Path(__file__).parent / "pod-security-1.34.jsonl").read_text().splitlines()
]
STANDS_FOR = {"hostpathvolumes": "restrictedvolumes"}
"""Where "restricted" refuses a pod by another check than "baseline" does."""


def test_kubernetes_own_good_pods_pass() -> None:
    good = [case for case in PODS if case["verdict"] == "pass"]
    assert len(good) > 30
    for case in good:
        pod = case["pod"]
        assert not findings(case["level"], pod["metadata"], pod["spec"]), pod["metadata"]["name"]


def test_kubernetes_own_bad_pods_are_refused_by_the_check_they_are_for() -> None:
    bad = [case for case in PODS if case["verdict"] == "fail"]
    assert len(bad) > 100
    for case in bad:
        pod = case["pod"]
        name = re.sub(r"\d+$", "", pod["metadata"]["name"])
        if case["level"] == "restricted":
            name = STANDS_FOR.get(name, name).replace("_baseline", "_restricted")
        checks = {finding.check.lower() for finding in findings(case["level"], pod["metadata"], pod["spec"])}
        assert name in checks, f"{case['level']} {pod['metadata']['name']}: {checks}"


def test_everything_goes_where_pods_may_be_privileged() -> None:
    assert not any(findings("privileged", case["pod"]["metadata"], case["pod"]["spec"]) for case in PODS)


def test_a_misspelt_level_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"'restrictd' is no Pod Security level; there are privileged, baseline"):
        findings("restrictd", {}, {})
