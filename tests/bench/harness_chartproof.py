"""The bench's questions to chartproof, as its users write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from chartproof import Helm
from tests.bench.harness_questions import ASKED, NAMESPACE, RELEASE, Question


@pytest.mark.parametrize("question", ASKED)
def test_question(helm: Helm, charts: Path, question: Question) -> None:
    manifest = helm.template(charts / "spark-job", release=RELEASE, namespace=NAMESPACE, values=question.values)
    assert question.answer(manifest.one("Job").body) == question.value
