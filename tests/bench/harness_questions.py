"""The questions that all harnesses of the bench are asked: sixty about a dozen renders of spark-job."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

RELEASE, NAMESPACE = "nightly", "team-a"
TIMES = int(os.environ.get("HARNESS_TIMES", "1"))
"""How often each question is asked."""

_POD = "spec.template.spec"
_DRIVER = f"{_POD}.containers[0]"
_SETS: list[tuple[str, dict[str, Any], str, Any]] = [
    ("a file", {}, f"{_DRIVER}.name", "driver"),
    ("retries", {"retries": 3}, "spec.backoffLimit", 3),
    ("a deadline", {"deadlineSeconds": 60}, "spec.activeDeadlineSeconds", 60),
    ("a lifetime", {"ttlSecondsAfterFinished": 90}, "spec.ttlSecondsAfterFinished", 90),
    ("cluster mode", {"mode": "cluster"}, f"{_POD}.serviceAccountName", "spark-submitter"),
    ("time to end", {"driver": {"terminationGracePeriodSeconds": 5}}, f"{_POD}.terminationGracePeriodSeconds", 5),
    ("a limit", {"driver": {"limitCores": 2}}, f"{_DRIVER}.resources.limits.cpu", "2"),
    ("memory", {"driver": {"memory": "2g"}}, f"{_DRIVER}.resources.limits.memory", "2867Mi"),
    ("a priority", {"driver": {"priorityClassName": "high"}}, f"{_POD}.priorityClassName", "high"),
    ("a scheduler", {"driver": {"schedulerName": "other"}}, f"{_POD}.schedulerName", "other"),
    ("nodes", {"driver": {"nodeSelector": {"disk": "fast"}}}, f"{_POD}.nodeSelector.disk", "fast"),
    ("pulls", {"image": {"pullPolicy": "Always"}}, f"{_DRIVER}.imagePullPolicy", "Always"),
]
_OF_EACH: list[tuple[str, Any]] = [
    ("metadata.namespace", NAMESPACE),
    (f"{_DRIVER}.image", "docker.io/apache/spark:4.3.0-python3"),
    (f"{_POD}.securityContext.runAsNonRoot", True),
    (f"{_POD}.restartPolicy", "Never"),
]


@dataclass(frozen=True)
class Question:
    """What must stand at a path of the release's Job.

    Attributes:
        name: unique among the questions.
        values: what spark-job is rendered with.
        path: as JSONPath has it, "spec.template.spec.containers[0].image".
        value: what must stand there.
    """

    name: str
    path: str
    value: Any
    values: dict[str, Any] = field(repr=False)

    def answer(self, job: Any) -> Any:
        """What stands at the path in a Job."""
        for key in self.path.replace("[", ".").replace("]", "").split("."):
            job = job[int(key)] if key.isdigit() else job[key]
        return job


QUESTIONS = [
    Question(f"{name}: {path}", path, value, {"app": {"file": "local:///app.py"}, **values})
    for name, values, own_path, own_value in _SETS
    for path, value in [(own_path, own_value), *_OF_EACH]
]
ASKED = [question for _ in range(TIMES) for question in QUESTIONS]
