"""The bench's questions to a suite that renders for each test, as that of Airflow's chart.

Its schemas of Kubernetes' kinds are left out for one of any object: what it takes is less here than there.
"""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import jsonschema
import pytest
import yaml

from tests.bench.harness_questions import ASKED, NAMESPACE, RELEASE, Question

_OBJECT = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata"],
    "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
    },
}


@cache
def validator() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(_OBJECT)


def render(chart: Path, values: dict[str, Any]) -> list[Any]:
    with NamedTemporaryFile("w") as file:
        yaml.dump(values, file)
        file.flush()
        argv = ["helm", "template", RELEASE, str(chart), "--namespace", NAMESPACE, "--values", file.name]
        text = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    objects = [body for body in yaml.full_load_all(text) if body]
    for body in objects:
        validator().validate(body)
    return objects


@pytest.mark.parametrize("question", ASKED)
def test_question(charts: Path, question: Question) -> None:
    (job,) = (body for body in render(charts / "spark-job", question.values) if body["kind"] == "Job")
    assert question.answer(job) == question.value
